"""What the commands share: options, exit codes, and the only way in and out of the program."""

from __future__ import annotations

import codecs
import datetime
import errno
import functools
import os
import signal
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TextIO

from portaudit.errors import PortauditError, UsageError, nearest

if TYPE_CHECKING:
    from portaudit.catalogue.load import Catalogue

GATE_FAILED, FAILED, INTERRUPTED, TERMINATED = 1, 2, 130, 143
PLAIN_WIDTH = 100
"""Columns of text that goes to a file, or where nothing is a terminal."""

_NO_ROOM = frozenset({errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC})
"""What the system says of a disk that takes no more."""

_PART = 100_000
"""Letters that are encoded at once: a report may have many megabytes."""

_SOON = 0.01
"""Seconds until somebody is asked to end who could not hear it."""

_Parameters = ParamSpec("_Parameters")


class TerminatedError(BaseException):
    """The system asked the program to end. No `KeyboardInterrupt`: typer would take it for one."""


def heed() -> None:
    """Have SIGTERM end the program as Ctrl-C does: what was begun is taken back.

    Who closed a stream gets nothing to read there, and nothing else is opened in its place.
    """
    signal.signal(signal.SIGTERM, _terminated)
    if hasattr(signal, "setitimer"):
        sys.unraisablehook = _unheard
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115


def _terminated(_signal: int, _frame: object) -> None:
    raise TerminatedError


def _unheard(told: sys.UnraisableHookArgs) -> None:
    """Ask to end once more: a request that came in a finalizer, or while a lock went, is lost."""
    asked = {TerminatedError: signal.SIGTERM, KeyboardInterrupt: signal.SIGINT}.get(told.exc_type)
    if asked is None:
        sys.__unraisablehook__(told)
        return
    signal.signal(signal.SIGALRM, signal.getsignal(asked))
    signal.setitimer(signal.ITIMER_REAL, _SOON)


def guarded(command: Callable[_Parameters, None]) -> Callable[_Parameters, None]:
    """Turn every way in which a command of typer's can fail into a message and an exit code."""
    import typer

    @functools.wraps(command)
    def run(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> None:
        def done() -> int:
            try:
                command(*args, **kwargs)
            except typer.Exit as left:
                return left.exit_code
            return 0

        code = ended(done)
        if code:
            raise typer.Exit(code)

    return run


def ended(
    command: Callable[_Parameters, int], *args: _Parameters.args, **kwargs: _Parameters.kwargs
) -> int:
    """The exit code of a command, with a message for every way in which it can fail."""
    try:
        return command(*args, **kwargs)
    except PortauditError as error:
        complain(str(error))
        return FAILED
    except TerminatedError:
        return TERMINATED
    except KeyboardInterrupt:
        return INTERRUPTED
    except MemoryError:
        complain("there is not enough memory")
        return FAILED
    except Exception as error:  # noqa: BLE001
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            _discard(sys.stdout)
            complain(f"cannot write: {error.strerror}")
            return FAILED
        import traceback

        # Python would exit with 1, which here means that the gate failed.
        _say(traceback.format_exc().rstrip())
        complain("this is a mistake in portaudit; please report the lines above")
        return FAILED


def catalogue_of(extra: Sequence[Path] | None) -> Catalogue:
    """The built-in rules, and those of the directories given."""
    from portaudit.catalogue.load import load

    return load(extra or ())


# --- in and out -----------------------------------------------------------------------------------


def words(values: Sequence[str] | None) -> tuple[str, ...]:
    """The words of a list option: given several times, separated by commas, or both."""
    words = (word.strip() for value in values or () for word in value.split(","))
    return tuple(word for word in words if word)


def today() -> datetime.date:
    """The date, the same everywhere on earth. Only the command line knows a clock."""
    return datetime.datetime.now(tz=datetime.timezone.utc).date()


def is_terminal(stream: TextIO) -> bool:
    """Whether somebody watches a stream."""
    return stream.isatty()


def wants_color(when: str, stream: TextIO | None = None) -> bool:
    """Whether standard output, or another stream, is to be coloured: by option and environment.

    NO_COLOR, then FORCE_COLOR, then CLICOLOR_FORCE and CLICOLOR decide; `TERM=dumb` has none.
    """
    _check_when("--color", when)
    if when != "auto":
        return when == "always"
    if os.environ.get("NO_COLOR"):
        return False
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        if os.environ.get(name):
            return os.environ[name] != "0"
    if os.environ.get("CLICOLOR") == "0" or os.environ.get("TERM") == "dumb":
        return False
    return is_terminal(stream or sys.stdout)


def wants_links(when: str) -> bool:
    """Whether standard output shows links, by the option and what is known of the terminal."""
    _check_when("--hyperlinks", when)
    if when != "auto":
        return when == "always"
    if os.environ.get("FORCE_HYPERLINK"):
        return os.environ["FORCE_HYPERLINK"] != "0"
    if not is_terminal(sys.stdout) or os.environ.get("CI"):
        return False
    from portaudit.deliver import opens_links

    return opens_links(os.environ)


def links_below(root: Path, when: str) -> str:
    """The address of files below a root, with `{path}` in it; empty where no links are wanted."""
    if not wants_links(when):
        return ""
    from portaudit.deliver import links

    return links(root, os.environ)


def _check_when(option: str, when: str) -> None:
    if when not in {"auto", "always", "never"}:
        hint = nearest(when, ("auto", "always", "never"))
        raise UsageError(f"{option} must be auto, always or never, not {when}{hint}")


def width() -> int:
    """Columns to fill: what COLUMNS says, those of the terminal, or a fixed number.

    Text that goes to a pipe is read in the terminal that the other streams have (`| less`); a file
    is the same from wherever it is written.
    """
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said) > 0:
        return int(said)
    for stream in (sys.__stdout__, sys.__stderr__, sys.__stdin__):
        try:
            handle = stream.fileno()  # type: ignore[union-attr]
            if stream is sys.__stdout__ and stat.S_ISREG(os.fstat(handle).st_mode):
                return PLAIN_WIDTH
            columns = os.get_terminal_size(handle).columns
        except (AttributeError, ValueError, OSError):  # closed, replaced, or no terminal
            continue
        if columns:
            return columns
    return PLAIN_WIDTH


def output_encoding() -> str:
    """That of standard output."""
    return sys.stdout.encoding or "utf-8"


def write(text: str, encoding: str | None = None) -> None:
    """Write to standard output what it can show; a reader that went away is no failure.

    Raises `UsageError` where it cannot be written to.
    """
    stream: TextIO = sys.stdout
    parts = (text[at : at + _PART] for at in range(0, len(text), _PART))
    try:
        stream.flush()
        for content in _encoded(parts, encoding or stream.encoding or "utf-8"):
            stream.buffer.write(content)
        stream.flush()
    except BrokenPipeError:
        _discard(stream)
    except OSError as error:
        _discard(stream)
        raise UsageError(
            f"standard output: cannot be written: {error.strerror or error}"
        ) from error


def _discard(stream: TextIO) -> None:
    """Have nothing more written there: Python flushes once more at exit and would complain then."""
    with suppress(OSError, ValueError):  # no file at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _encoded(parts: Iterable[str], encoding: str) -> Iterator[bytes]:
    """Parts of a text in an encoding: what that has no sign for is spelled, so nothing is lost."""
    from portaudit.report.text import spelled

    return codecs.iterencode((spelled(each, encoding) for each in parts), encoding)


def save(place: Path, text: str) -> None:
    """Write a file and the directories above it. Raises `UsageError`."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{place}: cannot be written: {error.strerror or error}") from error
    replace_file(place, text.encode("utf-8", "replace"))


def replace_file(place: Path, content: bytes) -> None:
    """Write a file so that nobody ever sees half of it. Raises `UsageError`."""
    import shutil

    target = place.resolve()
    try:
        if target.exists() and not target.is_file():  # a pipe, a terminal
            target.write_bytes(content)
            return
        start = f".{target.name[:100]}."
        # Known before it is there: an interruption may come as soon as it is.
        own = target.with_name(f"{start}{os.urandom(4).hex()}{_PARTIAL}")
        with ExitStack() as until_named:
            until_named.callback(own.unlink, missing_ok=True)
            with open(own, "xb", opener=_for_us) as file:
                with suppress(ImportError, OSError):  # not everywhere are there locks
                    until_named.callback(os.close, _locked(file.fileno()))
                file.write(content)
            if target.exists():
                shutil.copymode(target, own)
            else:
                own.chmod(0o666 & ~_umask())
            with suppress(OSError):  # a folder may be written to that nobody may list
                _clear(own, start)
            own.replace(target)
    except OSError as error:
        raise UsageError(f"{place}: cannot be written: {error.strerror or error}") from error


def _for_us(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


_PARTIAL = ".partial"
_YOUNG = 2.0
"""Seconds in which whoever began a file surely says that it is theirs."""


def _locked(handle: int) -> int:
    """Say that a file is ours until what is returned is closed, too.

    Raises `OSError` if it is another's.
    """
    import fcntl

    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return os.dup(handle)


def _clear(own: Path, start: str) -> None:
    """Remove what writers of the same file began, beside ours, and were killed over."""
    before = own.stat().st_mtime - _YOUNG
    for path in own.parent.iterdir():
        name = path.name
        if not (name.startswith(start) and name.endswith(_PARTIAL) and len(name) == len(own.name)):
            continue
        with suppress(ImportError, OSError):
            found = path.lstat()
            if not stat.S_ISREG(found.st_mode) or found.st_mtime > before:
                continue
            with path.open("rb") as file:
                os.close(_locked(file.fileno()))
                path.unlink()


def _umask() -> int:
    """What new files may not be; Python can only ask by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def save_all(documents: Mapping[str, str], directory: Path) -> None:
    """Write documents by their path below a directory."""
    for path, text in documents.items():
        save(directory / path, text)


def complain(text: str, *, label: str = "error: ") -> None:
    """Say on standard error what went wrong, in a line that a terminal only shows."""
    from portaudit.report.text import harmless

    if label and wants_color("auto", sys.stderr):
        label = f"\x1b[31m\x1b[1m{label}\x1b[0m"
    _say(f"{label}{harmless(text)}")


def tell(text: str) -> None:
    """Say a line on standard error."""
    from portaudit.report.text import harmless

    _say(harmless(text))


def _say(text: str) -> None:
    try:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    except OSError:  # nobody can be told; the exit code still says it
        _discard(sys.stderr)
