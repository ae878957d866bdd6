"""How much may be spent on one file, or on a tree, and a process of its own for a risky file.

Time is the processor's, so that a busy machine changes no report. It is up in two steps: first an
exception, which code in Python cannot overhear; then, for a parser in C that is stuck, the end of
the process. Whoever started that process tells the file as an error.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

_T = TypeVar("_T")
SECONDS = 60
"""Of processor time for one file, unless the settings say otherwise."""
TREE_SECONDS = 1800
"""Of processor time for what relates the files of a tree, unless the settings say otherwise."""
MEGABYTES = 5
"""Of one file, unless the settings say otherwise."""
FILE_FINDINGS = 5_000
"""Findings of one file in a report, unless the settings say otherwise."""
FINDINGS = 100_000
"""Findings of all files in a report, unless the settings say otherwise."""
_AGAIN = 1.0
"""Seconds after which the exception comes again, should a destructor have swallowed it."""
_STUCK = 1.5
"""How many times its seconds a file may take until the process ends."""
_LARGE = 100_000
"""Bytes of a file from which a process of its own costs nothing to speak of."""
KILLED = "the process that read it was killed, maybe for want of memory or time"
_HAS_TIMERS = hasattr(signal, "setitimer")
_FORKS = hasattr(os, "fork")


class OverBudgetError(BaseException):
    """The time for a file is up. No `Exception`: who handles all of those is to be stopped, too."""


class DiedError(Exception):
    """A process ended by a signal, before it was done."""

    def __init__(self, *, stuck: bool) -> None:
        """Say whether it ended because its time was up."""
        super().__init__()
        self.stuck = stuck


def over(seconds: int) -> str:
    """What is said of a file that took too long."""
    return f"not read to its end: it takes more than {seconds} s (`file-seconds`)"


def over_with_tree(seconds: int) -> str:
    """What is said of a tree whose files take too long to be related."""
    return (
        f"how the files of this tree hang together takes more than {seconds} s of the processor "
        "(`tree-seconds`); leave out with `exclude` what nobody wrote, or give it more"
    )


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise `OverBudgetError` when what is done meanwhile has taken so long; 0 is no limit.

    May be nested: the time of what is inside does not count for what is around it. Without effect
    where the system has no such clocks, and in threads.
    """
    if not (seconds and _HAS_TIMERS and threading.current_thread() is threading.main_thread()):
        yield
        return
    before = signal.signal(signal.SIGPROF, _stop)
    left, _ = signal.setitimer(signal.ITIMER_PROF, seconds, _AGAIN)
    # This one nobody handles, so that it ends the process wherever that is stuck.
    stuck, _ = signal.setitimer(signal.ITIMER_VIRTUAL, seconds * _STUCK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, left, _AGAIN if left else 0)
        signal.setitimer(signal.ITIMER_VIRTUAL, stuck)
        signal.signal(signal.SIGPROF, before)


def _stop(_signal: int, _frame: object) -> None:
    raise OverBudgetError


def is_risky(content: bytes) -> bool:
    """Whether a file is better read by a process of its own, which may get stuck or crash."""
    return _FORKS and len(content) >= _LARGE


def apart(work: Callable[[], _T]) -> _T | None:
    """What some work gives, done by a process of its own; None where that could not tell.

    Raises `DiedError` for one that ended by a signal.
    """
    reading, writing = os.pipe()
    # Nobody may end this process while there is one that it does not know of yet.
    waiting = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    child = os.fork()
    if not child:
        _do(work, reading, writing, waiting)
    try:
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            signal.pthread_sigmask(signal.SIG_SETMASK, waiting)
            content = pipe.read()
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        raise DiedError(stuck=os.WTERMSIG(status) == signal.SIGVTALRM)
    if status:
        return None
    found: _T = pickle.loads(content)  # noqa: S301 - our own process wrote it
    return found


def _do(
    work: Callable[[], object], reading: int, writing: int, mask: Iterable[int | signal.Signals]
) -> None:
    """Be the process that works; does not return."""
    code = 1
    try:
        os.close(reading)
        for ending in (signal.SIGINT, signal.SIGTERM):  # without a word
            signal.signal(ending, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        with _ending_with_reader(writing):
            content = pickle.dumps(work())
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(content)
        code = 0
    finally:
        os._exit(code)


@contextmanager
def _ending_with_reader(pipe: int) -> Iterator[None]:
    """End this process when nobody is left who would read: whoever started it was killed.

    The system does that by a signal, where it has one for pipes: no thread of ours would run while
    code in C is stuck.
    """
    try:
        import fcntl  # noqa: PLC0415 - not on every system

        flags = fcntl.fcntl(pipe, fcntl.F_GETFL)
        signal.signal(signal.SIGIO, signal.SIG_DFL)
        fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(pipe, fcntl.F_SETFL, flags | os.O_ASYNC)
    except (ImportError, AttributeError, OSError):
        yield
        return
    try:
        yield
    finally:
        fcntl.fcntl(pipe, fcntl.F_SETFL, flags)  # reading makes room, of which it tells as well
