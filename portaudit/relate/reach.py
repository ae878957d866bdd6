"""Says of every finding whether the main training path reaches it, another program, or none.

A file counts as a whole, but for functions that nothing on the path calls by name: what they hold,
and what they import, is not on it. What of the main path waits for an option that is off stays on
it, guarded: whoever switches the option on runs it.
"""

from __future__ import annotations

import re
from collections.abc import (
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from functools import cached_property
from posixpath import basename, dirname

from msgspec import Struct, field
from msgspec.structs import replace

from portaudit.catalogue.entries import aside, makers
from portaudit.catalogue.schema import Rule
from portaudit.discover import Tree
from portaudit.judge.severity import effective
from portaudit.kinds import kind_by_name
from portaudit.marks import OF_FUNCTION
from portaudit.relate import nearby
from portaudit.relate.bound import Asked, Bound, Built, callers, is_build
from portaudit.relate.builds import compiling
from portaudit.relate.configured import Unsaid, unnamed, unsaid
from portaudit.relate.demands import demanding, portable
from portaudit.relate.entries import TRAINING, Entries, Program, entries
from portaudit.relate.graph import Chains, Edge, Graph, Visit, graph, visits
from portaudit.relate.kernels import Natives, bare_name
from portaudit.relate.live import Living, Origin, sources
from portaudit.relate.modules import Modules
from portaudit.relate.projects import OtherProjects
from portaudit.relate.switches import SETTINGS, switched
from portaudit.types import (
    COMPILED,
    GUARD_STATES,
    LIBRARY,
    REACHES,
    UNGUARDED,
    Category,
    Chain,
    EntryPoint,
    FileKind,
    FileResult,
    Finding,
    GuardState,
    Kernel,
    Location,
    Option,
    Proof,
    Reach,
    ScanError,
)

_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_SEVERAL_WORDS = re.compile(r"[^\W_](?:_+[^\W_]|(?<=[a-z0-9])[A-Z])")
_NATIVE: frozenset[Category] = frozenset({"custom-cuda-ext", "cuda-source", "triton-kernel"})
_CODE: frozenset[FileKind] = frozenset({"python", "notebook"})
_BUILT: frozenset[FileKind] = frozenset({"native", "cmake"})
_WORTH = 100
"""Files that a program brings in, from which it is worth knowing what most of them bring in."""
_PATIENCE = 10
"""Times that this may turn out to be less than half of it."""
_HELD = 4
"""Files of which it is held at a time what runs with them."""
_ORDER: tuple[Reach, ...] = ("main", "other", "example", "test")
"""What counts first of a file that several programs reach."""


class Reached(Struct, frozen=True):
    """Findings with what reaches them, the programs of the tree, how programs come to files.

    `others`: of each program that neither is the main one nor a test, by its path, the findings
    that it reaches, by their fingerprints, with the guard on the way to their files. It is worked
    out when it is asked for. `files`: those of the main path · `errors`: imports that are not
    followed, as they may mean too much.
    """

    findings: tuple[Finding, ...]
    programs: tuple[EntryPoint, ...] = ()
    chains: tuple[Chain, ...] = ()
    others: Mapping[str, Mapping[str, GuardState]] = field(default_factory=dict)
    files: frozenset[str] = frozenset()
    errors: tuple[ScanError, ...] = ()


def reached(
    results: Sequence[FileResult],
    findings: Iterable[Finding],
    natives: Natives,
    tree: Tree,
    modules: Modules,
    chosen: Sequence[str] = (),
    rules: Mapping[str, Rule] | None = None,
) -> Reached:
    """Join the files of a whole tree. `chosen`: where the user says that the main path begins.

    `rules` say what an option that is off takes away from what waits for it.
    """
    known = tuple(findings)
    unfollowed: list[ScanError] = []
    joined = graph(results, modules, unfollowed)
    programs = entries(results, joined, tree, modules, chosen)
    if not programs.main:
        return Reached(known, programs.told(), errors=tuple(unfollowed))
    found = _Tree(results, known, natives, tree, modules, joined, programs)
    marked = tuple(found.marked(finding, rules or {}) for finding in known)
    reaches = {finding.path: "other" for finding in marked if finding.reach in {"other", "example"}}
    reaches.update({finding.path: "main" for finding in marked if finding.reach == "main"})
    chains = (found.chain(path, reaches[path] == "main") for path in sorted(reaches))
    others = [
        program
        for program in programs.programs
        if program.kind != "test" and (programs.api or program.path not in programs.main)
    ]
    return Reached(
        marked,
        found.programs.told(),
        tuple(each for each in chains if each),
        _Others(found, others, marked),
        found.files,
        tuple(unfollowed),
    )


class _Tree:
    """Answers what reaches a finding."""

    def __init__(
        self,
        results: Sequence[FileResult],
        findings: Sequence[Finding],
        natives: Natives,
        tree: Tree,
        modules: Modules,
        joined: Graph,
        programs: Entries,
    ) -> None:
        kernels = natives.kernels
        self._natives = natives
        self._results = results
        self._tree = tree
        self._findings = findings
        self._modules = modules
        self._graph = joined
        self._programs = programs
        self._scopes = nearby.started_in(results, findings, kernels)
        placed = (place for item in findings for place in self._placed(item))
        self._bound = Bound(results, kernels)
        self._built = Built(results, findings, kernels, tree)
        words = self._bound.words | self._built.words | {kernel.name for kernel in kernels}
        words |= makers()
        self._sources = sources(results, placed, joined, modules, words)
        self._unsaid: Unsaid | None = None
        self._starts = self._started()
        self._paths = {
            reach: self._living(
                starts, whole=reach == "test", free=reach == "main" and programs.api
            )
            for reach, starts in self._starts.items()
        }
        self._paths["main"] = main = self._configured(
            self._that_trains(results, self._paths["main"])
        )
        self._asked = Asked.by(results, main.files)
        self._switched, self._known = switched(
            results, self._sources, joined, tree, self._programs, main
        )
        self._unsaid = self._unsaid or self._unnamed()
        self._for_cuda = demanding(results, self._sources, self._switched, self._built.modules)
        self._not_on_cpu = portable(results, self._sources, self._switched)
        self._ways = self._visited(self._demanded(main), self._switched, main)
        self._chains = Chains(self._ways)
        self._configs = dict(programs.configs)
        self._kernels = {each.fingerprint: each for each in kernels if each.fingerprint}
        self._callers = callers(kernels)
        self._called_as = _called_as(kernels)
        self._unused = nearby.unused_headers(results, kernels)
        self._binding = nearby.binding_folders(results, kernels)
        self._engines = nearby.engine_folders(results, findings)
        self._others = self._beside(results)

    @property
    def programs(self) -> Entries:
        """The programs of the tree, with what is not seen of the main one."""
        return self._programs

    @property
    def files(self) -> frozenset[str]:
        """The files of the main path."""
        return frozenset(self._paths["main"].files)

    def marked(self, finding: Finding, rules: Mapping[str, Rule]) -> Finding:
        """A finding with what reaches it, and with the option that it waits for."""
        found = [self._marked(place, rules) for place in self._placed(finding)]
        nearest = replace(min(found, key=_remoteness), scope=finding.scope)
        if self._not_on_cpu is None or not _is_to_write(nearest):
            return nearest
        places = [self._portable(each, self._not_on_cpu) for each in found if _is_to_write(each)]
        return replace(nearest, portable=None if None in places else places[0])

    def _freed(self, finding: Finding) -> Finding:
        """A finding on the main path without the flag of its file as a guard, if anything sets it.

        Its file only knows what holds where nobody does. An extra is no option of the run, which
        needs the one for training.
        """
        by = finding.guard_by
        if finding.reach != "main" or by is None or not by.setting:
            return finding
        if nearby.is_required(finding, self._tree.kinds[finding.path]):
            is_set = nearby.is_for_training(finding)
        else:
            is_set = self._known.is_set(by.setting)
        if not is_set:
            return finding
        # Where there is another way, somebody has to be seen who does not take it; and nothing but
        # the flag may decide.
        is_taken = finding.is_switch and self._known.is_set(by.setting, seen=True)
        if finding.guard == "fallback" and not is_taken:
            return replace(finding, guard_by=replace(by, setting=""))
        return replace(finding, guard="none", guard_by=None, effective_severity=finding.severity)

    def _placed(self, finding: Finding) -> Iterator[Finding]:
        """A finding in each of the functions that its code runs in, mostly its own."""
        scopes = self._scopes.get(finding.fingerprint)
        if not scopes:
            yield finding
        else:
            yield from (replace(finding, scope=scope) for scope in scopes)

    def _marked(self, finding: Finding, rules: Mapping[str, Rule]) -> Finding:
        reach = self.of(finding)
        origin = self._waits(finding) if reach == "main" else None
        marked = replace(finding, reach=reach)
        if origin is None or finding.guard == "fallback":
            marked = self._freed(marked)
            origin = self._demands(marked)
            if origin is None or _is_weaker(origin.option.guard, marked.guard):
                return marked
        return _behind(marked, origin, rules)

    def of(self, finding: Finding) -> Reach | None:
        """What reaches a finding; None where that cannot be told.

        What nobody can tell in the tree is judged by its project, where that is another one.
        """
        reach = self._of(finding) or self._of_other_project(finding.path)
        is_told = self._unsaid is None or self._unsaid.files or reach != "unreached"
        return reach if is_told else None

    def _of(self, finding: Finding) -> Reach | None:
        path = finding.path
        kind = self._tree.kinds[path]
        if finding.category == "dependency" and path not in self._programs.launchers:
            extra = finding.scope if finding.guard_by else ""
            needed = nearby.of_manifest(path, kind, self._programs.main, extra)
            if needed:
                return needed
        if self._is_native(path):
            unused = self._unused.get(finding.fingerprint)
            return unused or self._of_native(finding)
        if kind in _CODE:
            return self._of_code(path, finding.scope if kind == "python" else "")
        return self._of_other(finding, kind)

    def chain(self, path: str, main: bool) -> Chain | None:
        """How the main path comes to a file, or the first of the other programs."""
        if not main:
            ways = self._chains_of_others
            return replace(ways(path), main=False) if path in ways else None
        if path in self._ways:
            way = self._chains(path)
            first = way.imports[0].path if way.imports else path
            told = self._configs.get(first)
            way = _told_first(way, told) if told else way
            origin = self._switched.files.get(path)
            if origin is None or way.guard == "fallback":
                return way
            return replace(way, guard="guarded", guard_by=_proof(origin))
        if path in self._configs:
            return Chain(path, (self._configs[path],))
        for caller in self._near_callers(path):
            if caller.path in self._ways:
                way = self._chains(caller.path)
                return replace(way, path=path, imports=(*way.imports, caller))
        return None

    def spots(self, findings: Iterable[Finding]) -> tuple[_Spot, ...]:
        """Where findings are, each place once."""
        found: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
        for finding in findings:
            files: tuple[str, ...] = (finding.path,)
            scope = finding.scope if self._tree.kinds[finding.path] == "python" else ""
            if self._is_native(finding.path):
                callers = self._called_from(finding) or self._near_callers(finding.path)
                files, scope = tuple(dict.fromkeys(each.path for each in callers)), ""
            scopes = tuple(self._scopes.get(finding.fingerprint) or (scope,))
            found.setdefault((files, scopes), []).append(finding.fingerprint)
        return tuple(_Spot(*place, tuple(marks)) for place, marks in found.items())

    def reached_by(self, living: Living, spots: Iterable[_Spot]) -> dict[str, GuardState]:
        """The findings that a program reaches, with the guard on the way to their files."""
        found = visits(self._graph, living.starts, _cut(living))
        reached: dict[str, GuardState] = {}
        for spot in spots:
            path = next((each for each in spot.files if each in found), None)
            if path is not None and any(living.runs(path, each) for each in spot.scopes):
                reached.update(dict.fromkeys(spot.findings, found[path].guard))
        return reached

    def living(self, program: Program, hubs: Mapping[str, Living]) -> Living:
        """What runs of a program."""
        starts = [program.path, *program.brings]
        # What hubs tell is what runs where somebody has a word for it.
        known = None if program.offers else hubs
        return self._living(starts, free=program.offers, hubs=known)

    def with_file(self, path: str, hubs: Mapping[str, Living]) -> Living:
        """What runs where a file is brought in."""
        return Living(self._sources, (), called=self._programs.called, brought=(path,), hubs=hubs)

    def always(self, path: str) -> tuple[str, ...]:
        """The files that a file brings in whatever happens."""
        return self._sources[path].always if path in self._sources else ()

    # --- other projects ---

    def _beside(self, results: Iterable[FileResult]) -> OtherProjects:
        programs = self._programs
        training = {
            each.path: [start.place.path for start in each.starts]
            for each in programs.programs
            if each.kind == "training" and each.aside is None
        }
        path = self.files.union(programs.usual, self._configs)
        paths = [result.path for result in results]
        return OtherProjects(paths, training, programs.main, path)

    def _of_other_project(self, path: str) -> Reach | None:
        """What reaches a file that belongs to a project of which the main path uses nothing.

        Native code can be used without being imported: it has to be built there and by nobody
        around, and the main path must not have a word for anything of it.
        """
        folder = self._others.of(path)
        if not folder:
            return None
        used = self._paths["main"].names
        if self._is_native(path) and not self._built.alone(folder, path, used, self._asked):
            return None
        return aside(path) or "other"

    # --- the paths ---

    def _started(self) -> Mapping[Reach, set[str]]:
        """Where each kind of path begins."""
        programs = self._programs
        lying: dict[str | None, set[str]] = {"test": set(), "example": set(), None: set()}
        for path in self._sources:
            if self._tree.kinds[path] in _CODE:
                lying[aside(path)].add(path)
        main = {*programs.main, *(path for path, _ in programs.configs), *self._by_words()}
        others = {each.path for each in programs.programs if each.aside is None}
        return {
            "main": main,
            "other": (others | programs.other_configs | programs.other_settings) - main,
            "example": lying["example"],
            "test": lying["test"],
        }

    def _by_words(self) -> Iterator[str]:
        """The modules that words of the main command name: `--model net.lit.Lit`."""
        command = self._programs.command
        words = command.words.union(*command.given.values())
        for path in self._programs.main:
            for word in words:
                if _DOTTED.fullmatch(word):
                    place = self._modules.module_path(path, word)
                    if place is not None and place[0] in self._sources:
                        yield place[0]

    def _living(
        self,
        starts: Iterable[str],
        *,
        whole: bool | frozenset[str] = False,
        free: bool = False,
        hubs: Mapping[str, Living] | None = None,
    ) -> Living:
        listed = sorted(starts)
        return Living(
            self._sources,
            listed,
            called=self._programs.called,
            whole=frozenset(listed if whole else ()) if isinstance(whole, bool) else whole,
            free=free,
            hubs=hubs,
        )

    def _that_trains(self, results: Sequence[FileResult], main: Living) -> Living:
        """The main path, with all functions of its first files if none that it runs trains.

        `python -c "from train import fit; fit()"`, a README's lines of Python, and Fire call
        functions by names that no Python file has.
        """
        code = {result.path: result.facts.code for result in results}
        own = [path for path in self._programs.main if path in code]
        if self._programs.api or not own:
            return main
        deeds = [(path, line) for path in own for deed, line in code[path].does if deed in TRAINING]
        named = {path for path in own if "Fire" in code[path].words.split()}
        if deeds and not any(main.comes_to(path, line) for path, line in deeds):
            named |= {path for path, _ in deeds}
        return self._living(main.starts, whole=frozenset(named)) if named else main

    def _configured(self, main: Living) -> Living:
        """The main path, with all that settings may name if nobody says which it is given."""
        if self._programs.api:
            return main
        found = unsaid(self._results, self._graph, self._tree, main)
        if found is None or self._makes_nothing(main):
            return main
        self._unsaid = found
        self._programs = replace(
            self._programs,
            why=f"{self._programs.why}; {found.why}",
            command=replace(self._programs.command, is_open=True),
        )
        self._starts["main"].update(found.files)
        self._starts["other"].difference_update(found.files)
        return self._living(self._starts["main"], whole=frozenset(main.whole))

    def _makes_nothing(self, main: Living) -> bool:
        """Whether a path trains without what would make something that settings name.

        That waits for options which are off by what is known where nothing is made so.
        """
        results, tree = self._results, self._tree
        off = switched(results, self._sources, self._graph, tree, self._programs, main)[0].off
        if not off:
            return False
        smaller = main.without(off)
        trains = any(
            deed in TRAINING and smaller.comes_to(result.path, line)
            for result in results
            for deed, line in result.facts.code.does
        )
        return trains and unsaid(results, self._graph, tree, smaller) is None

    def _unnamed(self) -> Unsaid | None:
        """What the main path imports by a name that nobody says."""
        found = unnamed(self._results, self._graph, self._switched)
        if found is not None:
            why = f"{self._programs.why}; {found.why}"
            self._programs = replace(self._programs, why=why)
        return found

    def _demanded(self, main: Living) -> Graph:
        """The imports of the tree, none of them optional that an option needs which is on.

        `try: from ops import f` with `f = None` else is no way out where `if self.fused: f(x)`
        runs because a file of settings says so. Nor is `if FUSED: from ops import f` where
        something sets that.
        """
        found = dict(self._graph)
        for path in main.files:
            if any(edge.by.guard_by and edge.by.guard_by.setting for edge in found.get(path, ())):
                found[path] = tuple(self._unguarded(edge) for edge in found[path])
            source = self._sources.get(path)
            if source and any(edge.by.guard == "import-guarded" for edge in found.get(path, ())):
                asked = [option for option in source.options if self._known.is_on(option)]
                found[path] = tuple(_needed(edge, asked) for edge in found[path])
        return found

    def _unguarded(self, edge: Edge) -> Edge:
        """An import without the flag of its file as a guard, if anything sets it."""
        by = edge.by.guard_by
        if by is None or not by.setting or not self._known.is_set(by.setting):
            return edge
        if edge.by.guard == "fallback" and not edge.by.is_switch:  # more decides than who sets it
            return replace(edge, by=replace(edge.by, guard_by=replace(by, setting="")))
        return replace(edge, by=replace(edge.by, guard="none", guard_by=None))

    def _visited(self, joined: Graph, *paths: Living) -> dict[str, Visit]:
        """How files are come to: by what runs first, then by what waits, then by the rest."""
        found: dict[str, Visit] = {}
        first = sorted(self._starts["main"])
        for living in paths:
            more = visits(joined, first, _cut(living))
            found = {**more, **found}
        return found

    @cached_property
    def _chains_of_others(self) -> Chains:
        paths = [self._paths[reach] for reach in ("other", "example")]
        found: dict[str, Visit] = {}
        for living in paths:
            found = {**visits(self._graph, living.starts, _cut(living)), **found}
        return Chains(found)

    # --- what waits for CUDA ---

    def _demands(self, finding: Finding) -> Origin | None:
        """The block that asks for CUDA before anything of the main path comes to a finding."""
        living, path = self._for_cuda, finding.path
        kind = self._tree.kinds[path]
        if finding.reach != "main" or living is None or kind not in _CODE | _BUILT:
            return None
        if self._is_native(path):
            if finding.fingerprint in self._kernels:
                is_told = self._is_told(finding, living)
            else:
                is_told = self._is_of_builds(finding) and self._are_optional
            is_left_out = not is_build(path, self._tree)  # installing runs it all the same
            return self._native_waits(finding, living, is_left_out=is_left_out) if is_told else None
        scope = finding.scope if kind == "python" else ""
        return living.waits(path, scope) if living.runs(path, scope) else None

    def _is_told(self, finding: Finding, living: Living) -> bool:
        """Whether all is known that may start a kernel."""
        is_known = self._called_from(finding) and not self._may_be_asked
        return bool(is_known) and not self._is_used_besides(finding, living)

    @property
    def _may_be_asked(self) -> bool:
        """Whether the path asks native code for something by names that no text has."""
        return self._asked.looks_up and not self._bound.are_made

    def _is_used_besides(self, finding: Finding, living: Living) -> bool:
        """Whether a kernel may be started in ways that neither a call nor its names tell."""
        kernel, main = self._kernels[finding.fingerprint], self._paths["main"]
        names = frozenset(bare_name(binding.name) for binding in kernel.bound_as)
        unseen = {kernel.name, *(names - self._built.called)}
        used = (name in main.names and not living.names.get(name) for name in unseen)
        if any(used) or finding.fingerprint in self._unsure:
            return True
        return any(
            main.comes_to(path, held.line) and living.waits_at(path, held.line) is None
            for path, held in self._built.held(names)
        )

    # --- what the CPU has in PyTorch ---

    def _portable(self, finding: Finding, living: Living) -> Location | None:
        """Where the CPU takes PyTorch instead of what a finding of native code is about.

        What is no kernel that is started is there for those of its file, or for all compiled ones.
        """
        path = finding.path
        kernel = self._kernels.get(finding.fingerprint)
        if kernel is None or kernel.helper:
            is_alone = finding.category == "triton-kernel"
            found = self._of_file(path) if is_alone else self._of_whole
            near = (each for each in found if each.path == path)
            return next(near, found[0] if found else None)
        if self._is_native(path):
            is_told = self._is_told(finding, living)
            origin = self._native_waits(finding, living, is_left_out=True) if is_told else None
        else:
            scope = finding.scope if self._tree.kinds[path] == "python" else ""
            origin = living.waits(path, scope) if living.runs(path, scope) else None
        return Location(origin.path, origin.option.portable) if origin else None

    @cached_property
    def _of_whole(self) -> Sequence[Location]:
        """Such places where the path has one for all compiled kernels that it needs.

        Then nothing of them has to be built or brought in. It must use nothing else that is built,
        and load nothing by its path.
        """
        main = self._paths["main"]
        if self._asked.loads or not self._built.only_kernels(main):
            return ()
        known = [each for each in self._kernels.values() if each.language in COMPILED]
        folders = {dirname(each.path) for each in known}
        for line, found in compiling(self._results):
            if main.comes_to(line.path, line.line) and folders.isdisjoint(map(dirname, found)):
                return ()
        return self._of_kernels(known)

    def _of_file(self, path: str) -> Sequence[Location]:
        """Such places where the path has one for all kernels of a file that it needs."""
        return self._of_kernels(each for each in self._kernels.values() if each.path == path)

    def _of_kernels(self, kernels: Iterable[Kernel]) -> Sequence[Location]:
        living = self._not_on_cpu
        meant = {each.fingerprint for each in kernels if not each.helper}
        needed = [
            place
            for item in self._findings
            if item.fingerprint in meant
            for place in (self._marked(each, {}) for each in self._placed(item))
            if place.reach is None or _is_to_write(place)
        ]
        places = [self._portable(each, living) for each in needed] if living else []
        known = [place for place in places if place]
        return sorted(known) if len(known) == len(places) else ()

    @cached_property
    def _unsure(self) -> frozenset[str]:
        """The kernels that native code may start otherwise than is known."""
        return self._natives.unsure(loads=self._asked.loads)

    @cached_property
    def _idle(self) -> frozenset[str]:
        """The kernels that nothing starts, where all native code was read."""
        lost = {result.path for result in self._results if result.errors}
        lost.update(each.path for each in self._tree.skipped)
        is_read = all(kind_by_name(path) != "native" for path in lost)
        return self._natives.idle if is_read else frozenset()

    def _is_of_builds(self, finding: Finding) -> bool:
        """Whether something is there only as native code is built, and lets that be left out."""
        if not is_build(finding.path, self._tree):
            return True
        return finding.category == "custom-cuda-ext" and finding.guard != "hard-fail"

    @cached_property
    def _are_optional(self) -> bool:
        """Whether all native code that the main path has a word for waits for CUDA.

        What is no kernel itself, as host code, is there for all that is built with it.
        """
        living, main = self._for_cuda, self._paths["main"]
        if living is None or self._may_be_asked or self._asked.loads:
            return False
        kernels = {each.fingerprint for each in self._kernels.values() if each.language in COMPILED}
        needed = (
            item
            for item in self._findings
            if item.fingerprint in kernels
            or (item.category == "custom-cuda-ext" and not self._is_native(item.path))
        )
        for item in needed:
            reach = self.of(item)
            loads = item.fingerprint not in kernels and item.guard not in UNGUARDED
            if reach is None or (
                reach == "main" and not loads and not self._demands(replace(item, reach=reach))
            ):
                return False
        return self._built.waits(main, living)

    # --- what waits for an option ---

    def _waits(self, finding: Finding) -> Origin | None:
        """The option that a finding on the main path waits for."""
        path = finding.path
        if not self._is_native(path):
            scope = finding.scope if self._tree.kinds[path] == "python" else ""
            return self._waiting(path, scope) or self._within(
                path, finding.span.line, finding.span.end_line, finding
            )
        return self._native_waits(finding, self._switched)

    def _native_waits(
        self, finding: Finding, living: Living, *, is_left_out: bool = False
    ) -> Origin | None:
        """What native code waits for: all calls of it, and all uses of its names.

        Of several that which promises least. `is_left_out`: nothing brings it in before that.
        """
        callers = self._called_from(finding)
        said = self._bound.besides if callers else self._bound.names
        main = self._paths["main"]
        loading = self._natives.loading(finding.path) or ()
        lines = [each for each in loading if main.comes_to(each.path, each.line)]
        compiled = [living.waits_at(each.path, each.line) for each in lines]
        if compiled and None not in compiled:
            return _weakest(compiled)
        found = [
            living.names.get(name)
            for name in sorted(said.get(finding.fingerprint, ()))
            if name in main.names
        ]
        is_kernel = finding.fingerprint in self._kernels
        is_left_out |= not is_kernel and self._built.may_be_missing(finding.path, main)
        is_built = not is_kernel and not is_left_out
        found += [
            self._call_waits(caller, living, is_built=is_built)
            for caller in callers or self._near_callers(finding.path)
            if main.comes_to(caller.path, caller.line)
        ]
        known = [origin for origin in found if origin]
        if not known or len(known) < len(found):
            return None
        return _weakest(known)

    def _call_waits(self, caller: Location, living: Living, *, is_built: bool) -> Origin | None:
        """What a call of native code waits for, with all uses of its name in the same file.

        `is_built`: it is what builds that code, which is needed where the file is brought in and
        cannot do without.
        """
        path, line = caller.path, caller.line
        if path not in living.files:
            return None
        names = self._called_as.get(caller, frozenset())
        if not all(living.uses(path, frozenset(filter(_is_telling, names)))):
            return None
        way = self._ways.get(path)
        if is_built and (way is None or way.guard in UNGUARDED):
            return self._within(path, line, line, living=living) or living.files[path]
        return living.waits_at(path, line)

    def _waiting(self, path: str, scope: str) -> Origin | None:
        living = self._switched
        return living.waits(path, scope) if living.runs(path, scope) else None

    def _within(
        self,
        path: str,
        first: int,
        last: int,
        finding: Finding | None = None,
        living: Living | None = None,
    ) -> Origin | None:
        """The outermost option that is off around some lines of a file."""
        source = self._sources.get(path)
        if source is None:
            return None
        places = list(source.around(first, last, finding.span if finding else None))
        off = [place for place in places if (path, place) in (living or self._switched).off]
        return Origin(path, source.options[off[-1]]) if off else None

    def _of_code(self, path: str, scope: str) -> Reach:
        for reach in _ORDER:
            if self._paths[reach].runs(path, scope):
                return reach
        return aside(path) or "unreached"

    # --- other kinds of file ---

    def _is_native(self, path: str) -> bool:
        return self._tree.kinds[path] in _BUILT or basename(path) == "setup.py"

    def _called_from(self, finding: Finding) -> tuple[Location, ...]:
        kernel = self._kernels.get(finding.fingerprint)
        return kernel.callers if kernel else ()

    def _of_native(self, finding: Finding) -> Reach | None:
        """What reaches native code: what calls it or says its name, else what calls its neighbours.

        A call counts where the function that it stands in runs.
        """
        path = finding.path
        if finding.fingerprint in self._idle:
            return aside(path) or "unreached"
        loading = self._natives.loading(path)
        if loading is not None and not self._natives.is_missing(path, self._paths["main"].names):
            reach = self._of_lines(loading)
            if reach != "main":
                return reach or aside(path) or "unreached"
        callers = self._called_from(finding)
        names = self._bound.names.get(finding.fingerprint, frozenset())
        besides = self._bound.besides.get(finding.fingerprint, frozenset())
        is_unknown = self._asked.looks_up and not self._bound.are_made
        is_unknown |= self._asked.any and not callers and not names
        if not callers and not names:
            if self._is_left_out(path):
                return aside(path) or "unreached"
            callers = self._near_callers(path)
        for reach in _ORDER:
            living = self._paths[reach]
            if any(living.comes_to(caller.path, caller.line) for caller in callers):
                return reach
            said = besides if callers else names  # a call need not be the only use
            if not said.isdisjoint(living.names):
                return reach
        if (callers or names) and not is_unknown:
            places = {aside(caller.path) for caller in callers}
            return next((each for each in places if each), None) or "unreached"
        if self._tree.kinds[path] in _BUILT and dirname(path) in self._engines:
            return aside(path) or "other"
        bound = self._binding is None or dirname(path) in self._binding
        return aside(path) or (None if bound else "unreached")

    def _is_left_out(self, path: str) -> bool:
        """Whether nothing is known to compile native code of which nothing is called by name."""
        if not self._natives.is_left_out(path) or self._asked.any:
            return False
        return not self._natives.is_missing(path, self._paths["main"].names)

    def _of_lines(self, lines: Iterable[Location]) -> Reach | None:
        """The first of the paths that come to some lines of Python."""
        found = tuple(lines)
        for reach in _ORDER:
            if any(self._paths[reach].comes_to(each.path, each.line) for each in found):
                return reach
        return None

    def _near_callers(self, path: str) -> tuple[Location, ...]:
        """The lines that call into a native file, or into others of the nearest folder with such.

        A manifest builds what lies below it; nothing speaks for another project's files, for tests
        and examples, or from afar for a kernel: that is called itself, or nobody knows by what.
        """
        if path in self._callers.files:
            return self._callers.files[path]
        folder = dirname(path)
        while folder not in self._callers.folders:
            alone = path in self._callers.kernels or folder in self._tree.projects
            if alone or not folder:
                return ()
            folder = dirname(folder)
        if aside(path):
            return ()
        is_whole = not folder and basename(path) != "setup.py"
        return () if is_whole else self._callers.folders[folder]

    def _of_other(self, finding: Finding, kind: FileKind) -> Reach | None:
        """What reaches a file that starts programs, or that they are given to read."""
        path = finding.path
        given = next((each for each in _ORDER if path in self._paths[each].files), None)
        if given == "main":
            return given
        place = aside(path)
        started = self._programs.launchers.get(path, frozenset())
        told = kind == "markdown" and finding.category == "dependency"  # it installs nothing
        if path in self._programs.usual and not told:
            return "main"
        if place or started or given:
            return place or given or "other"
        beside = kind in SETTINGS and any(_are_alike(path, each) for each in self._configs)
        return "other" if beside else nearby.of_start(finding, kind)


def _told_first(way: Chain, told: Location) -> Chain:
    """A way that begins in the settings that name its first file."""
    if not way.left_out:
        return replace(way, imports=(told, *way.imports))
    return replace(way, imports=(told, *way.imports[1:]), left_out=way.left_out + 1)


def _called_as(kernels: Iterable[Kernel]) -> Mapping[Location, frozenset[str]]:
    """The names that Python has for the kernels that are called in a place."""
    found: dict[Location, set[str]] = {}
    for kernel in kernels:
        names = {bare_name(binding.name) for binding in kernel.bound_as}
        for caller in kernel.callers:
            found.setdefault(caller, set()).update(names)
    return {place: frozenset(names) for place, names in found.items()}


def _weakest(origins: Iterable[Origin | None]) -> Origin:
    """Of what some things wait for, that which promises least."""
    known = (each for each in origins if each)
    return min(known, key=lambda each: GUARD_STATES.index(each.option.guard))


def _is_telling(name: str) -> bool:
    """Whether a name has several words: what else is called `forward` is something else."""
    return _SEVERAL_WORDS.search(name) is not None


def _remoteness(finding: Finding) -> tuple[int, int]:
    """How far a finding is from the main path: first what counts first, and of that the surest."""
    reach = REACHES.index(finding.reach) if finding.reach else -1
    return reach, GUARD_STATES.index(finding.guard)


def _are_alike(path: str, config: str) -> bool:
    """Whether two settings files lie in one folder of settings, and so are each for its own run."""
    top = config.partition("/")[0]
    return "/" in config and path.startswith(f"{top}/") and path.endswith(_end(config))


def _end(path: str) -> str:
    return path[path.rfind(".") :]


def _is_to_write(finding: Finding) -> bool:
    """Whether native code has to be written for the main path, as far as guards tell."""
    is_native = finding.category in _NATIVE and not finding.root.startswith(LIBRARY)
    return is_native and finding.reach == "main" and finding.guard in UNGUARDED


def _is_weaker(state: GuardState, other: GuardState) -> bool:
    """Whether a guard promises no more than another, which is more than to word a failure."""
    return other not in UNGUARDED and GUARD_STATES.index(state) <= GUARD_STATES.index(other)


def _behind(finding: Finding, origin: Origin, rules: Mapping[str, Rule]) -> Finding:
    """A finding that waits for an option, or for CUDA."""
    rule = rules.get(finding.rule)
    guard = origin.option.guard if origin.option.guard != "none" else "guarded"
    lowered = effective(finding.severity, guard, rule.when_guarded if rule else "lower")
    return replace(
        finding, guard=guard, guard_by=_proof(origin), effective_severity=lowered or "info"
    )


def _proof(origin: Origin) -> Proof:
    """The line that says so, and the flag, or the entry of a table, that would switch it on."""
    option = origin.option
    setting = option.values[0] if option.table else option.name.rpartition(OF_FUNCTION)[2]
    return Proof(origin.path, option.line, option.text, setting)


def _needed(edge: Edge, asked: Sequence[Option]) -> Edge:
    """An import that is no longer optional if one of some options uses what it brings.

    An option that asks for it as well (`if self.fused and f is not None`) has another way.
    """
    name = edge.by.name.rpartition(".")[2]
    if edge.by.guard != "import-guarded" or not any(
        name in option.words.split() and name not in option.text for option in asked
    ):
        return edge
    return replace(edge, by=replace(edge.by, guard="none", guard_by=None))


def _cut(living: Living) -> Callable[[str, Edge], bool]:
    return lambda path, edge: not living.brings(path, edge)


class _Spot(Struct, frozen=True):
    """Findings in the same functions of the same file, or called from the same files."""

    files: tuple[str, ...]
    scopes: tuple[str, ...]
    findings: tuple[str, ...]


class _Others(Mapping[str, Mapping[str, GuardState]]):
    """What each of some programs reaches: of hundreds, only one is held at a time."""

    def __init__(
        self, tree: _Tree, programs: Sequence[Program], findings: Sequence[Finding]
    ) -> None:
        self._tree = tree
        self._programs = {program.path: program for program in programs}
        self._spots = tree.spots(findings)
        self._hubs: dict[str, Living] = {}
        self._missed = 0

    def __getitem__(self, path: str) -> Mapping[str, GuardState]:
        living = self._tree.living(self._programs[path], self._hubs)
        self._learn(living)
        return self._tree.reached_by(living, self._spots)

    def _learn(self, living: Living) -> None:
        """Remember what runs with a file that many programs bring in: the rest is soon followed."""
        known = self._hubs.values()
        new = [path for path in living.files if not any(path in hub.files for hub in known)]
        if len(new) < _WORTH or self._missed == _PATIENCE:
            return
        path = max(new, key=lambda each: (len(self._tree.always(each)), each))
        hub = self._tree.with_file(path, self._hubs)
        if 2 * len(hub.files) < len(living.files):
            self._missed += 1
            return
        if len(self._hubs) == _HELD:
            self._hubs.pop(next(iter(self._hubs)))
        self._hubs[path] = hub

    def __contains__(self, path: object) -> bool:
        return path in self._programs  # without working out what it reaches

    def __iter__(self) -> Iterator[str]:
        return iter(self._programs)

    def __len__(self) -> int:
        return len(self._programs)
