"""Finds the programs of a tree: what starts each, what it is for, which the main training path is.

Goes by facts alone: what files do, what they are called and where they lie, which lines start
them. Findings have no say: code that is mended must not move the path.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from posixpath import basename, dirname, join

from msgspec import Struct, field

from portaudit.catalogue import entries as names
from portaudit.discover import Tree
from portaudit.relate.graph import Edge, Graph, visits
from portaudit.relate.modules import Modules
from portaudit.relate.options import Command
from portaudit.relate.projects import First, Projects
from portaudit.relate.starts import NESTED, PROGRAMS, Start, Starts
from portaudit.types import (
    CodeFacts,
    Deed,
    EntryKind,
    EntryPoint,
    FileResult,
    Location,
)

_DEEDS: Mapping[Deed, EntryKind] = {
    "fit": "training",
    "backward": "training",
    "optimizer": "training",
    "export": "export",
    "evaluate": "evaluation",
    "generate": "inference",
    "write": "data preparation",
}
"""What a program is for by what it does: the first of these that it does."""
KINDS: tuple[EntryKind, ...] = (
    "training",
    "evaluation",
    "inference",
    "example",
    "benchmark",
    "tool",
    "export",
    "data preparation",
    "test",
)
"""What programs are for, from what says most of the training run to what says least."""
TRAINING: frozenset[Deed] = frozenset({"fit", "backward", "optimizer"})
"""What only training does."""
_MOST_LINES = 6
"""Lines of evidence that are told of one program."""
_SHARE = 0.1
"""Share of what the farthest-reaching training program brings in, below which one only shows
something: of a tree with a trainer and a model zoo a single file is no main path."""
_WEAKEST = 3
"""Strength of what only brings in a program that trains."""
_LAST = 9
_HALF = 0.5
"""Share of a package below which a program only shows some of it."""
_SOURCES = frozenset({"", "src", "lib", "python"})
"""Where a project keeps the package that installing makes."""


class Program(Struct, frozen=True):
    """A program of the tree: a Python file or a notebook, and the lines that start it.

    `configs`: what those lines give it to read · `brings`: what is imported with it by the library
    that they start · `offers`: it is no program but what a package offers: its users may call any
    function.
    """

    path: str
    kind: EntryKind
    why: str
    proof: Location | None
    starts: tuple[Start, ...]
    aside: names.Aside | None
    guard: int = 0
    strength: int = 0
    """How sure it is that it trains: 0 by its name, 1 by an optimizer, 2 by less, 3 by what it
    brings in, of which it may use another part."""
    configs: tuple[str, ...] = ()
    brings: tuple[str, ...] = ()
    offers: bool = False


class Entries(Struct, frozen=True):
    """The programs of a tree and the files that the main path begins with, none if there is none.

    `api`: the main path is what a package offers, not a program · `why`: in words · `launchers`:
    files that start programs, themselves or through others, and which · `called`: functions that
    commands call · `configs`: what the main program is given to read, and where; `other_configs`
    are given to others, or to it at other times · `command`: the line that tells of its usual run,
    `usual`: the files that it stands in, or goes through, or that its launcher is given;
    `other_settings` are given to launchers at other times, or by others.
    """

    programs: tuple[Program, ...]
    main: tuple[str, ...] = ()
    why: str = ""
    api: bool = False
    kind: EntryKind = "training"
    launchers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    called: frozenset[str] = frozenset()
    configs: tuple[tuple[str, Location], ...] = ()
    command: Command = Command()
    usual: frozenset[str] = frozenset()
    other_configs: frozenset[str] = frozenset()
    other_settings: frozenset[str] = frozenset()

    def told(self) -> tuple[EntryPoint, ...]:
        """The same for a report: the main ones first."""
        found = [_told(program, self) for program in self.programs]
        if self.api:
            found += [EntryPoint(self.main[0], self.kind, None, True, (), self.why)]
        return tuple(sorted(found, key=lambda each: (not each.main, each.path)))


def entries(
    results: Sequence[FileResult],
    graph: Graph,
    tree: Tree,
    modules: Modules,
    chosen: Sequence[str] = (),
) -> Entries:
    """The programs of a tree. `chosen`: files that the user says the main path begins with."""
    starts = Starts(results, tree, modules, graph)
    code = {result.path: result.facts.code for result in results}
    programs = _programs(sorted(_paths(code, starts, tree, graph, chosen)), code, starts, graph)
    projects = Projects(results, tree)
    main = _chosen(chosen, programs) or _main(programs, code, graph, projects)
    shown = (
        None if chosen or main is None else _shown(main, programs, results, graph, tree, projects)
    )
    main = None if shown else main
    api = shown or (main is None and _api(tree, code, graph))
    if api:
        main = _led_to(programs, code, graph, tree, projects)
        if main:
            programs = _with_offer(programs, api)
            api = None
    unused = main is None and not api and _api(tree, code, graph, derives=True)
    main = (
        main
        or api
        or _main(programs, code, graph, projects, examples=True)
        or unused
        or _main(programs, code, graph, projects, others=True)
        or _Main()
    )
    lines = [
        start
        for each in programs
        if each.path in main.paths
        for start in _telling_of(each.path, each.starts)
    ]
    configs = starts.configs(main.paths, lines)
    others = [
        start
        for program in programs
        for start in program.starts
        if names.aside(start.place.path) != "test"
    ]
    given = {path for start in others for path in starts.given(start)}
    settings = {path for start in others for path in start.settings}
    usual = starts.usual(lines, configs[0][1] if configs else None)
    command = starts.command(lines, configs[0][1] if configs else None)
    return Entries(
        programs,
        main.paths,
        main.why,
        bool(main.paths) and main.paths in {each.paths for each in (api, unused) if each},
        main.kind,
        launchers={path: starts.programs_of(path) for path in sorted(starts.launchers)},
        called=frozenset(starts.functions).union(_named_by(command)),
        configs=configs,
        command=command,
        usual=usual,
        other_configs=frozenset(given.difference(path for path, _ in configs)),
        other_settings=frozenset(settings.difference(usual, (path for path, _ in configs))),
    )


def _named_by(command: Command) -> Iterator[str]:
    """The classes and functions that words of a command may be: `net.lit.Lit`, `net.lit:fit`."""
    for word in command.words.union(*command.given.values()):
        yield from (part for part in word.replace(":", ".").split(".") if part.isidentifier())


def _telling_of(path: str, starts: Iterable[Start]) -> list[Start]:
    """The lines that may tell of the usual run: a README in a folder tells of what lies there."""
    return [
        start
        for start in starts
        if start.rank != NESTED or path.startswith(f"{dirname(start.place.path)}/")
    ]


def _paths(
    code: Mapping[str, CodeFacts],
    starts: Starts,
    tree: Tree,
    graph: Graph,
    chosen: Iterable[str],
) -> set[str]:
    """The files that are programs: they say so, something starts them, or nothing else can be.

    A file outside any package that does something, and that no other brings in, is a script.
    """
    brought = {edge.path for edges in graph.values() for edge in edges}
    found = {
        path
        for path, facts in code.items()
        if tree.kinds[path] in PROGRAMS
        and (
            facts.main
            or path in starts.of
            or tree.kinds[path] == "notebook"
            or (
                facts.does
                and path not in brought
                and join(dirname(path), "__init__.py") not in code
                and names.aside(path) != "test"
            )
        )
    }
    return {path for path in found if basename(path) != "setup.py"}.union(chosen)


# --- what it is for -------------------------------------------------------------------------------


class _Kind(Struct, frozen=True):
    """What a program is for, why, and the line of it that says so, 0 for none."""

    kind: EntryKind
    why: str
    line: int = 0
    sure: bool = True
    strength: int = 2


def _programs(
    paths: Sequence[str], code: Mapping[str, CodeFacts], starts: Starts, graph: Graph
) -> tuple[Program, ...]:
    """The programs, those that say nothing themselves by what they start, or bring in."""
    kinds = {path: _kind(path, code[path], starts.called.get(path, ())) for path in paths}
    training = {path for path, each in kinds.items() if each.kind == "training"}
    alone = all(names.aside(path) for path in training)
    for path, each in kinds.items():
        if each.kind != "test" and (plugged := _by_trainer(starts.of.get(path, ()))):
            kinds[path] = plugged
        elif not each.sure and (asked := _by_subcommand(starts.of.get(path, ()))):
            kinds[path] = asked
        elif not each.sure:
            started = sorted(starts.programs_of(path) & training)
            wrapped = next((edge for edge in graph.get(path, ()) if edge.path in training), None)
            if started:
                kinds[path] = _Kind("training", f"it starts `{started[0]}`, which trains")
            elif wrapped:
                why = f"it brings in `{wrapped.path}`, a program that trains"
                kinds[path] = _Kind("training", why, wrapped.by.line, strength=_WEAKEST)
            elif alone:
                kinds[path] = _by_imports(graph.get(path, ()), code) or each
    lines = {path: starts.all_of(path) for path in kinds}
    return tuple(
        Program(
            path,
            each.kind,
            each.why,
            Location(path, each.line) if each.line else None,
            lines[path],
            names.aside(path),
            code[path].main,
            each.strength,
            tuple(config for config, _ in starts.configs((path,), _telling_of(path, lines[path]))),
            starts.brings(path, lines[path]),
        )
        for path, each in kinds.items()
    )


def _kind(path: str, facts: CodeFacts, commands: Sequence[str]) -> _Kind:
    """What a program itself says that it is for.

    In this order: a place among tests; its name and those of its commands, as their authors say
    what it is for, and evaluating and exporting may step an optimizer too; what it does; what the
    folder is called.
    """
    if names.aside(path) == "test":
        return _Kind("test", "it lies among tests")
    own = dict(facts.does)
    deed = next((each for each in _DEEDS if each in own), None)
    stem = basename(path).rpartition(".")[0]
    for name in (stem, *commands):
        kind = names.by_name(name)
        if kind == "training" and deed == "write":
            continue  # `train_tokenizer.py`
        if kind == "export" and names.by_folder(path) == "data preparation":
            kind = "data preparation"  # `data_prep/convert.py`
        if kind:
            line = next((own[each] for each in _DEEDS if each in own and _DEEDS[each] == kind), 0)
            strength = 0 if kind == "training" else 2
            return _Kind(kind, f"its name says {kind}: `{name}`", line, strength=strength)
    if deed:
        # Style transfer and attacks go backward too; who makes an optimizer trains something.
        steps = "optimizer" in own or "fit" in own
        return _Kind(_DEEDS[deed], f"it does `{deed}`", own[deed], strength=1 if steps else 2)
    kind = names.by_folder(path)
    if kind:
        return _Kind(kind, f"its folder says {kind}", sure=kind != "tool")
    if names.aside(path) == "example":
        return _Kind("example", "it lies among examples", sure=False)
    return _Kind("tool", "nothing says what it is for", sure=False)


def _by_subcommand(starts: Iterable[Start]) -> _Kind | None:
    """Training, if a line says so by the first word behind the program: `tool finetune`."""
    for start in sorted(starts, key=lambda each: (each.rank, each.place)):
        if start.launch and start.is_sure and names.subcommand(start.arguments) == "training":
            place = f"{start.place.path}:{start.place.line}"
            return _Kind("training", f"{place} has it do `{start.arguments[0]}`", strength=1)
    return None


def _by_trainer(starts: Iterable[Start]) -> _Kind | None:
    """Training, if a line gives it to a library that trains as code to import."""
    for start in sorted(starts, key=lambda each: (each.rank, each.place)):
        if start.trainer and not names.runs_otherwise(start.arguments):
            place = f"{start.place.path}:{start.place.line}"
            return _Kind("training", f"{place} has `{start.trainer}` train with it", strength=1)
    return None


def _by_imports(edges: Iterable[Edge], code: Mapping[str, CodeFacts]) -> _Kind | None:
    """Training, if a module does that is brought in by itself, and not with its package."""
    for edge in edges:
        facts = code.get(edge.path)
        if facts and basename(edge.path) != "__init__.py":
            did = next((each for each, _ in facts.does if each in TRAINING), None)
            if did:
                why = f"it brings in `{edge.path}`, which does `{did}`"
                return _Kind("training", why, edge.by.line)
    return None


# --- the main path --------------------------------------------------------------------------------


class _Main(Struct, frozen=True):
    """The files that the main path begins with, what they are for, and why it does."""

    paths: tuple[str, ...] = ()
    kind: EntryKind = "training"
    why: str = ""


def _chosen(paths: Sequence[str], programs: Iterable[Program]) -> _Main | None:
    """What the user names, with what the library imports beside it that is given it as code."""
    known = {program.path: program for program in programs}
    found = dict.fromkeys(each for path in paths for each in (path, *known[path].brings))
    why = "it was named as the entry"
    return _Main(tuple(found), known[paths[0]].kind, why) if paths else None


def _main(
    programs: Iterable[Program],
    code: Mapping[str, CodeFacts],
    graph: Graph,
    projects: Projects,
    *,
    examples: bool = False,
    others: bool = False,
    beside: Iterable[Program] = (),
) -> _Main | None:
    """The program that the main path begins with, among those that train.

    `beside`: programs that are told of as well, where only some come into question.
    """
    asides = {None, "example"} if examples or others else {None}
    found = [
        program
        for program in programs
        if program.aside in asides and (others or program.kind == "training")
    ]
    if not found:
        return None
    reached = {
        each.path: len(visits(graph, [each.path, *each.brings, *each.configs])) for each in found
    }
    widest = _widest(found, reached, projects)

    def group(program: Program) -> tuple[int, ...]:
        rank = _rank(program)
        return (
            KINDS.index(program.kind) if others else 0,
            reached[program.path] < widest[program.path] * _SHARE,
            min(rank, 3) if rank != _LAST else _LAST,
            program.strength == _WEAKEST,
            names.is_later(program.path.rpartition(".")[0]),
        )

    def order(program: Program) -> tuple[object, ...]:
        return (
            _line(program, telling),
            program.strength,
            -len({start.place.path for start in _training(program)}),
            -reached[program.path],
            program.path.count("/"),
            program.path,
        )

    def standing(program: Program) -> tuple[int, ...]:
        kind, is_far, rank, *rest = group(program)
        return (kind, is_far, NESTED if NESTED <= rank < _LAST else rank, *rest)

    telling = _telling(found)
    # A project that the first page leads to may have scripts where others have lines on their page.
    leading = _least(found, standing)
    first = _first(leading, projects, named=True)
    if first is None:
        leading = _least(found, group)
        first = _first(leading, projects)
    if first:
        own = [each for each in leading if projects.home(each.path) == first.folder]
        leading = _least(own, group)
        telling = frozenset(first.pages)
    best = min(leading, key=order)
    also = [each for each in beside if each.kind == "training" and each.aside != "test"]
    why = _reason(best, also or found, reached[best.path], len(code))
    paths = dict.fromkeys((best.path, *best.brings))
    return _Main(tuple(paths), best.kind, f"{why}; {first.why}" if first else why)


def _least(programs: Iterable[Program], key: Callable[[Program], tuple[int, ...]]) -> list[Program]:
    """The programs of which a key is the least."""
    found: dict[tuple[int, ...], list[Program]] = {}
    for program in programs:
        found.setdefault(key(program), []).append(program)
    return found[min(found)]


def _first(programs: Sequence[Program], projects: Projects, *, named: bool = False) -> First | None:
    """The project that a tree leads with, if nothing but their own projects starts the programs."""
    if not all(_starts_at_home(program, projects) for program in programs):
        return None
    return projects.first((program.path for program in programs), named=named)


def _widest(
    programs: Iterable[Program], reached: Mapping[str, int], projects: Projects
) -> Mapping[str, int]:
    """The most files that any of the programs reaches that a program is compared with.

    That is all of the tree; those of its project only if each belongs to one within the tree, or if
    the first page of the tree starts it: another project counts then as far as that does so too.
    """
    homes = {path: projects.home(path) for path in reached}
    ranks = {program.path: _rank(program) for program in programs}
    alone = "" not in homes.values()

    def is_like(path: str, other: str) -> bool:
        if homes[path] == homes[other]:
            return True
        return not alone and (ranks[path] > 0 or ranks[other] == 0)

    return {
        path: max(reached[other] for other in reached if is_like(path, other)) for path in reached
    }


def _training(program: Program) -> list[Start]:
    """The lines that start a program that trains, and do not have it do something else."""
    return [start for start in program.starts if not names.runs_otherwise(start.arguments)]


def _rank(program: Program) -> int:
    return min((start.rank for start in _training(program)), default=_LAST)


def _starts_at_home(program: Program, projects: Projects) -> bool:
    """Whether the lines that say most of how it is started stand in its own project."""
    rank = _rank(program)
    home = projects.home(program.path)
    places = (start.place.path for start in _training(program) if start.rank == rank)
    return rank >= NESTED and all(place.startswith(f"{home}/") for place in places)


def _line(program: Program, telling: Collection[str]) -> tuple[bool, int]:
    """Where the first line that starts it stands in a document of which the order tells.

    A line of a sentence comes after one that is there to be typed.
    """
    rank = _rank(program)
    starts = [start for start in _training(program) if start.rank == rank]
    best = min(starts, key=lambda start: (start.said, start.place), default=None)
    return (best.said, best.place.line) if best and best.place.path in telling else (False, 0)


def _telling(programs: Iterable[Program]) -> frozenset[str]:
    """The documents of which the first line that starts a program tells of the usual run.

    The top README, and another one of the project if it is the only one that starts any.
    """
    lines = [start for program in programs for start in program.starts]
    first = {start.place.path for start in lines if start.rank == 0}
    second = {start.place.path for start in lines if start.rank == 1}
    return frozenset(first | (second if len(second) == 1 else set()))


def _reason(best: Program, found: Sequence[Program], reached: int, files: int) -> str:
    starts = sorted(_training(best), key=lambda start: (start.rank, start.said, start.place))
    start = next(iter(starts), None)
    if start is None:
        said = "no script and no README starts it"
    elif start.launch:
        said = f"{start.place.path}:{start.place.line} starts it"
    else:
        said = f"{start.place.path}:{start.place.line} makes a command of it"
    among = (
        "the only program of the tree that trains"
        if len(found) == 1
        else (f"one of {len(found)} programs that train")
    )
    if best.kind != "training":
        among = "no program of the tree trains"
    return f"{among}; {said}; it reaches {reached} of {files} files"


def _api(
    tree: Tree, code: Mapping[str, CodeFacts], graph: Graph, *, derives: bool = False
) -> _Main | None:
    """What a package that trains offers, if no program outside tests and examples does train.

    `derives`: one that has derivatives of its own, which only training asks for.
    """
    package = _package(tree)
    public = _public(package, graph, tree) if package else ()
    said = _derives if derives else _trains
    if not public or not said(public, code, graph):
        return None
    none = "no program of the tree trains" + ("" if derives else " outside its tests and examples")
    why = f"{none}: what the package `{basename(package)}` offers is the entry"
    return _Main(public, "training", why)


def _shown(
    main: _Main,
    programs: Iterable[Program],
    results: Iterable[FileResult],
    graph: Graph,
    tree: Tree,
    projects: Projects,
) -> _Main | None:
    """What a package offers, if the main program only shows some of it.

    Installing the tree makes the package; no line starts the program, the first page has no word
    of it, and it uses less than half of the modules.
    """
    path = main.paths[0]
    (program,) = (each for each in programs if each.path == path)
    package = _package(tree)
    made = any(each.facts.is_project and not dirname(each.path) for each in results)
    if program.starts or not package or dirname(package) not in _SOURCES or not made:
        return None
    offered = _modules(package, tree)
    used = len(offered.intersection(visits(graph, [path])))
    if not 0 < used < len(offered) * _HALF or projects.names(path):
        return None
    start = join(package, "__init__.py")
    is_whole = len(offered.intersection(visits(graph, [start]))) >= len(offered) * _HALF
    why = (
        f"no script and no README starts `{path}`, which uses {used} of the {len(offered)} modules "
        f"of the package `{basename(package)}`: what that offers is the entry, until `--entry` "
        "names one"
    )
    return _Main((start,) if is_whole else (start, *sorted(offered - {start})), "training", why)


def _with_offer(programs: tuple[Program, ...], offered: _Main) -> tuple[Program, ...]:
    """The programs, and beside them what a package offers that one of its examples trains."""
    first, *others = offered.paths
    if any(program.path == first for program in programs):
        return programs
    why = f"it is what the package `{basename(dirname(first))}` offers"
    offer = Program(first, offered.kind, why, None, (), None, brings=tuple(others), offers=True)
    return (*programs, offer)


def _led_to(
    programs: Iterable[Program],
    code: Mapping[str, CodeFacts],
    graph: Graph,
    tree: Tree,
    projects: Projects,
) -> _Main | None:
    """The example that the first page starts or leads to, if it uses most of what is offered.

    That is how the package is trained; one that uses less only shows some of it, as does one that
    fine-tunes in a notebook. One that the page starts need only use most of what anything of the
    tree that trains uses: what else is offered is for other things.
    """
    offered = _modules(_package(tree), tree)
    found: list[Program] = []
    for program in programs:
        if (
            program.aside == "example"
            and program.kind == "training"
            and program.strength < _WEAKEST
            and tree.kinds[program.path] == "python"
            and (_rank(program) == 0 or projects.leads_to(program.path))
        ):
            used = offered.intersection(visits(graph, [program.path]))
            least = len(offered) * _HALF
            if _is_typed(program):
                least = min(least, _needed(program, programs, offered, code, graph))
            if len(used) >= least:
                found.append(program)
    main = _main(found, code, graph, projects, examples=True, beside=programs)
    if main is None:
        return None
    return _Main(main.paths, main.kind, f"{main.why}; the first page of the tree names it")


def _is_typed(program: Program) -> bool:
    """Whether the first page has a line to be typed that starts a program, and has it train."""
    return any(start.launch and not start.rank and not start.said for start in _training(program))


def _needed(
    program: Program,
    programs: Iterable[Program],
    offered: frozenset[str],
    code: Mapping[str, CodeFacts],
    graph: Graph,
) -> float:
    """How many modules of a package a program has to use to stand for the training with it.

    Half of those that all use which train, its own modules included.
    """
    others = [
        each.path
        for each in programs
        if each.kind == "training" and each.aside != "test" and each.path != program.path
    ]
    others += [path for path in offered if any(deed in TRAINING for deed, _ in code[path].does)]
    used = offered.intersection(visits(graph, [program.path, *others]))
    return max(len(used) * _HALF, len(offered) * _SHARE)


def _modules(package: str, tree: Tree) -> frozenset[str]:
    """The modules of a package that its users may import."""
    return frozenset(
        path
        for path in tree.modules
        if path.startswith(f"{package}/")
        and names.aside(path) is None
        and (not basename(path).startswith("_") or basename(path) == "__init__.py")
    )


def _package(tree: Tree) -> str:
    """The folder of the package that a project is about: the largest but tests and examples."""
    sizes: dict[str, int] = {}
    packages = {dirname(path) for path in tree.modules if basename(path) == "__init__.py"}
    for path in tree.modules:
        folder = outermost = dirname(path)
        while folder:
            if folder in packages:
                outermost = folder
            folder = dirname(folder)
        if outermost in packages and outermost and names.aside(f"{outermost}/x") is None:
            sizes[outermost] = sizes.get(outermost, 0) + 1
    named = [folder for folder in sizes if basename(folder) == _plain(tree.root.name)]
    return min(named or sizes, key=lambda folder: (-sizes[folder], folder), default="")


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def _public(package: str, graph: Graph, tree: Tree) -> tuple[str, ...]:
    """Where users of a package begin: its `__init__`, or where that is empty all its modules."""
    start = join(package, "__init__.py")
    if graph.get(start):
        return (start,)
    inner = (path for path in _modules(package, tree) if basename(path) != "__init__.py")
    return (start, *sorted(inner))


def _derives(starts: Sequence[str], code: Mapping[str, CodeFacts], graph: Graph) -> bool:
    """Whether modules define how something is differentiated: `backward` of autograd functions."""
    reached = visits(graph, starts)
    return any(name == "backward" for path in reached for name, _ in code[path].taking)


def _trains(starts: Sequence[str], code: Mapping[str, CodeFacts], graph: Graph) -> bool:
    reached = visits(graph, starts)
    return any(deed in TRAINING for path in reached for deed, _ in code[path].does)


# --- for the report -------------------------------------------------------------------------------


def _told(program: Program, found: Entries) -> EntryPoint:
    lines = [start.place for start in program.starts[:_MOST_LINES]]
    if program.proof:
        lines.append(program.proof)
    elif program.guard:
        lines.append(Location(program.path, program.guard))
    is_main = program.path in found.main and not found.api
    why = f"{program.why}; {found.why}" if is_main else program.why
    return EntryPoint(program.path, program.kind, None, is_main, tuple(dict.fromkeys(lines)), why)
