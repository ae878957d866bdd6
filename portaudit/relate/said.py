"""What text says that nothing joins: names of kernels and of sources, compilers at run time.

A native file without any word of a rule is not taken apart, others are of no kind that is read, and
strings name whatever they like. Where text alone says a name, nobody knows what it does with it: so
it counts against all claims that something is not started, and for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property
from posixpath import basename, splitext

from portaudit.catalogue.entries import aside
from portaudit.kinds import kind_by_name
from portaudit.types import NO_NATIVE, FileResult

Read = Callable[[str], bytes]
"""What a file holds, by its path; nothing of one that cannot be read."""
_PAGES = (".md", ".rst", ".ipynb_checkpoints")
_STRING = re.compile(rb'"(?:[^"\\\n]|\\.)*"')
_PASTED = re.compile(rb"(\w+)\s*##|##\s*(\w+)")
_RENAMED = re.compile(rb"(\w+)\s*\([^(){};]*\)\s*(?:__asm__|__asm|asm)\b")
_DECLARED = re.compile(rb"(\w+)\s+(\w+)\s*\([^(){};]*\)\s*(?:noexcept\s*)?;")
_SPEAKING = frozenset({b"return", b"else", b"case", b"throw", b"co_return", b"co_yield", b"define"})
_RUNTIME = re.compile(
    rb"load_inline|Raw(?:Module|Kernel)|SourceModule|nvrtc|NVRTC|jitify|module_from_file"
    rb"|get_function\b|cu(?:Module|Library|Link)[A-Z]|cuda(?:Library|GetFuncBySymbol|GetKernel)"
)
"""What compiles native code, or takes kernels by their names, while a program runs."""
_COMPILING = re.compile(rb"nvcc +(?!--version|-V)(?:-|\$|\{|[\w./*]+\.cu)")
_FIRST = re.compile(rb"\w+")
_NOTHING: Mapping[tuple[str, str], int] = {}
_FEW = 32
"""Words that are sooner looked for one by one than by all words of a text."""
_SHORTEST = 3
"""Letters of a part of a pasted name that tell which it is."""


class Said:
    """Answers what the files of a tree say, of those that `read` gives: looked at when asked."""

    def __init__(
        self,
        results: Iterable[FileResult] = (),
        others: Collection[str] = (),
        read: Read | None = None,
    ) -> None:
        """`others`: files of no kind that is read, in which native code may stand."""
        listed = tuple(results) if read else ()
        self._read = read
        self._known = frozenset(
            result.path
            for result in listed
            if kind_by_name(result.path) == "native"
            and (result.facts.native != NO_NATIVE or result.findings)
        )
        paths = (result.path for result in listed)
        self._paths = (*(each for each in paths if not each.endswith(_PAGES)), *others)

    def _texts(self) -> Iterator[tuple[str, bytes]]:
        for path in self._paths if self._read else ():
            yield path, self._read(path) if self._read else b""

    def names(self, names: Collection[str]) -> frozenset[str]:
        """Those of some names that text says, or may say, where no structure is known of it."""
        found: set[str] = set()
        wanted = {name.encode(): name for name in names}
        index = _Index(wanted)
        for path, text in self._texts():
            content = text
            code = kind_by_name(path) in {"native", None}
            if path in self._known:
                found.update(wanted[each] for each in _RENAMED.findall(content) if each in wanted)
                content = b"\n".join(_STRING.findall(content))
            elif code:
                found.update(wanted[each] for each in _pasted(content, wanted))
                content = _DECLARED.sub(_declared, content)
            for word in index.near(content):
                name = wanted[word]
                if name not in found and word in content and _has(content, word):
                    found.add(name)
        return frozenset(found)

    def sources(
        self,
        places: Mapping[str, Collection[str]],
        meaning: Mapping[tuple[str, str], int] = _NOTHING,
        *,
        by_end: bool = True,
    ) -> frozenset[str]:
        """Those of some sources that text names, or may name by their ends.

        With each come the files that are known to name it. `meaning`: how often a file says a name
        of which it is known what it means: as often as that it is no other source of the name.
        Without `by_end` only by the names, or what these begin with.
        """
        found: set[str] = set()
        called: dict[bytes, list[str]] = {}
        ending: dict[str, list[str]] = {}
        for source in places:
            called.setdefault(basename(source).encode(), []).append(source)
            ending.setdefault(splitext(source)[1], []).append(source)
        index = _Index(called)
        for path, content in self._texts():
            may_make = kind_by_name(path) != "native" and aside(path) is None
            named: list[str] = []
            for name in index.near(content):
                stem = splitext(name)[0]
                known, parts = (meaning.get((path, each.decode()), 0) for each in (name, stem))
                if (name in content and _times(content, name) > known) or (
                    may_make and _made(path, content, stem) > parts
                ):
                    named += called[name]
            if may_make and by_end:
                named += (
                    source
                    for end, sources in ending.items()
                    if _made_by_end(content, end)
                    for source in sources
                )
            found.update(each for each in named if each != path and path not in places[each])
        return frozenset(found)

    @cached_property
    def compiles(self) -> bool:
        """Whether native code is compiled, or asked for by names, while programs run."""
        return any(
            _RUNTIME.search(content) is not None
            for path, content in self._texts()
            if aside(path) is None
        )


def _has(content: bytes, name: bytes) -> bool:
    """Whether a text has a name as a whole word."""
    return re.search(rb"(?<!\w)" + re.escape(name) + rb"(?!\w)", content) is not None


def _times(content: bytes, name: bytes) -> int:
    """How often a text has a name as a whole word."""
    return len(re.findall(rb"(?<!\w)" + re.escape(name) + rb"(?!\w)", content))


class _Index:
    """Finds those of many words that a text may have: one look at each word of either."""

    def __init__(self, words: Collection[bytes]) -> None:
        self._all = words
        self._by_first: dict[bytes, list[bytes]] = {}
        for word in words:
            first = _FIRST.match(word)
            self._by_first.setdefault(first[0] if first else b"", []).append(word)

    def near(self, content: bytes) -> Iterable[bytes]:
        """The words of which a text has the letters that they begin with, as a whole word."""
        if len(self._all) <= _FEW:
            return self._all
        there = {b"", *_FIRST.findall(content)}.intersection(self._by_first)
        return [word for first in there for word in self._by_first[first]]


def _made(path: str, content: bytes, stem: bytes) -> int:
    """How often a text has the first part of the name of a source that it may put together."""
    name = re.escape(stem)
    quoted = rb"[\"'/]" + name + rb"[\"'.{%]"
    pattern = quoted if kind_by_name(path) == "python" else rb"(?<!\w)" + name + rb"(?!\w)"
    return len(re.findall(pattern, content)) if stem in content else 0


def _made_by_end(content: bytes, end: str) -> bool:
    """Whether a text has the last part of the names of sources, or compiles some unnamed."""
    suffix = re.escape(end.encode())
    if end.encode() in content and re.search(rb"[\"'}*)$\]]" + suffix + rb"(?!\w)", content):
        return True
    return b"nvcc" in content and _COMPILING.search(content) is not None


def _declared(match: re.Match[bytes]) -> bytes:
    """A declaration without its name; anything else as it is."""
    return match[0] if match[1] in _SPEAKING else match[1]


def _pasted(content: bytes, names: Iterable[bytes]) -> Iterator[bytes]:
    """The names that have a part which a macro makes names with."""
    if b"##" not in content:
        return
    parts = {part for pair in _PASTED.findall(content) for part in pair}
    telling = [part for part in parts if len(part.strip(b"_")) >= _SHORTEST]
    yield from (name for name in names if any(part in name for part in telling))
