"""Where the main path goes on by what settings say, and nothing says which settings those are.

`instantiate(cfg.trainer)` runs whatever the file names that somebody gives. A line that starts the
program mostly tells; where none does, any file of settings may be meant that names what trains.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from portaudit.catalogue import entries as names
from portaudit.discover import Tree
from portaudit.marks import ANY_PART, CONFIGURED, LOCATED, UNWRITTEN
from portaudit.relate.graph import FILES, Edge, Graph, visits
from portaudit.relate.live import Living
from portaudit.relate.switches import SETTINGS
from portaudit.types import CodeFacts, Deed, FileResult

_LEARNING: frozenset[Deed] = frozenset({"backward", "optimizer"})
"""What only the code does that trains itself; to tell somebody to do so is `fit`."""


_TORCH = frozenset({"torch", "torchvision"})
"""Libraries that no file has to import for settings to name their code."""
_SEVERAL = 2
"""Modules of which nobody knows which one is meant."""


class Unsaid(Struct, frozen=True):
    """What the main path makes without anybody saying what that is.

    `by`: the file that makes it · `files`: the files of settings that may say it, none if the tree
    has no such file · `asks`: the setting that gives the name of a module, `?` for what is made of
    one: `files` are then the modules that may be meant.
    """

    by: str
    files: tuple[str, ...] = ()
    asks: str = ""

    @property
    def why(self) -> str:
        """The same in words, for the reason of the main path."""
        if self.asks:
            return self._why_of_modules()
        if not self.files:
            return (
                f"it cannot be seen further than `{self.by}`, which makes what settings name: "
                "no file of the tree is known to, so what nothing else reaches may be needed"
            )
        first, *others = self.files
        more = f" and {len(others)} more" if others else ""
        return (
            f"it cannot be seen further than `{self.by}`, which makes what settings name: no line "
            f"says which, so all that `{first}`{more} may bring in counts"
        )

    def _why_of_modules(self) -> str:
        said = "a setting" if self.asks == UNWRITTEN else f"`--{self.asks.replace('_', '-')}`"
        begun = f"it cannot be seen further than `{self.by}`, which imports the module that {said}"
        if not self.files:
            return f"{begun} names: none is known, so what nothing else reaches may be needed"
        first, *others = self.files
        more = f" and {len(others)} more" if others else ""
        return f"{begun} names: nothing says which, so `{first}`{more} may be needed"


def unnamed(results: Sequence[FileResult], graph: Graph, living: Living) -> Unsaid | None:
    """What a path imports by a name that a setting gives, where nobody says what that is.

    `living`: with the options that are off. If nothing of the tree may be meant, that only counts
    of what the path begins with: a helper elsewhere may import whatever is installed.
    """
    for result in results:
        if result.path not in living.files:
            continue
        edges = graph.get(result.path, ())
        for item in result.facts.code.guesses:
            if not item.asks or ANY_PART not in item.name or not living.happens(result.path, item):
                continue
            at_line = [edge for edge in edges if edge.by.line == item.line]
            if not at_line and result.path in living.starts:
                return Unsaid(result.path, asks=item.asks)
            meant = [edge for edge in at_line if edge.by == item and _is_meant(edge)]
            files = tuple(dict.fromkeys(edge.path for edge in meant))
            is_known = (
                any(ANY_PART not in edge.by.name for edge in at_line) or len(files) < _SEVERAL
            )
            if not is_known and all(living.is_free(result.path, edge) for edge in meant):
                return Unsaid(result.path, files, item.asks)
    return None


def _is_meant(edge: Edge) -> bool:
    """Whether a file is what a name that a setting gives may mean, and no package around."""
    return (bool(edge.value) and not edge.around) or edge.by.asks == UNWRITTEN


def unsaid(
    results: Sequence[FileResult], graph: Graph, tree: Tree, living: Living
) -> Unsaid | None:
    """What of a path nobody says, if it is made of settings.

    Nothing if the path has settings that name code. Others only say what is made where it looks
    for modules and files by words of them. If it learns something itself, most is seen: then there
    must be files of settings that name what it makes, unless it looks up a whole name of which
    nothing is known.
    A function of the tree that has the name of a library's may do anything.
    """
    code = {result.path: result.facts.code for result in results}
    learns = _learns(living, code)
    signs = frozenset({CONFIGURED, LOCATED} if learns else {ANY_PART, CONFIGURED, LOCATED})
    here = [code[path] for path in living.files if path in code]
    makers = names.makers().intersection(living.names)
    makers -= {option.name for facts in here for option in facts.options}
    makers -= {item.name.rpartition(".")[2] for facts in here for item in facts.imports}
    settings = [path for path in living.files if tree.kinds[path] in SETTINGS]
    if any(_names_code(path, graph, tree) for path in settings) or _says_code(settings, code):
        return None
    listed = (*living.starts, *living.files)
    by = next((path for path in listed if _makes(path, code.get(path), makers, signs, living)), "")
    if not by:
        return None
    told = {*living.starts, *(e.path for p in (by, *living.starts) for e in graph.get(p, ()))}
    is_told = not told.isdisjoint(settings)
    if is_told and not _makes(by, code.get(by), makers, frozenset({CONFIGURED}), living):
        return None
    files = [
        path
        for path in code
        if tree.kinds[path] in SETTINGS
        and names.aside(path) in {None, names.aside(by)}
        and _names_code(path, graph, tree)
    ]
    if learns:
        is_open = bool(files) or _makes(by, code.get(by), frozenset(), frozenset({LOCATED}), living)
        return Unsaid(by, tuple(sorted(files))) if is_open else None
    learning = [path for path in files if _leads_to_learning(path, graph, code)]
    return Unsaid(by, tuple(sorted(learning or files)))


def _makes(
    path: str,
    facts: CodeFacts | None,
    makers: frozenset[str],
    signs: frozenset[str],
    living: Living,
) -> bool:
    """Whether a file makes what settings name: by a library, or by importing what it is given.

    `signs`: what stands for a name of which the file knows nothing.
    """
    if facts is None:
        return False
    if any(item.name in signs and living.happens(path, item) for item in facts.guesses):
        return True
    words = (facts.words, *(option.words for option in facts.options))
    return any(not makers.isdisjoint(each.split()) for each in words)


def _learns(living: Living, code: Mapping[str, CodeFacts]) -> bool:
    return any(
        deed in _LEARNING and living.comes_to(path, line)
        for path in living.files
        if path in code
        for deed, line in code[path].does
    )


def _says_code(settings: Iterable[str], code: Mapping[str, CodeFacts]) -> bool:
    """Whether settings name a class without its module, or code of a library of the tree's."""
    named = {item.name for path in settings for item in code[path].imports if item.named}
    libraries = {item.name.partition(".")[0] for facts in code.values() for item in facts.guesses}
    outer = {name.partition(".")[0] for name in named if not name.endswith(FILES)}
    return not named.isdisjoint(outer) or not outer.isdisjoint(_TORCH | libraries - {ANY_PART, ""})


def _names_code(path: str, graph: Graph, tree: Tree) -> bool:
    return any(tree.kinds[edge.path] == "python" for edge in graph.get(path, ()))


def _leads_to_learning(path: str, graph: Graph, code: Mapping[str, CodeFacts]) -> bool:
    reached: Iterable[str] = visits(graph, [path])
    return any(deed in _LEARNING for each in reached for deed, _ in code[each].does)
