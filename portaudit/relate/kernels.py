"""Joins the inventory: from a kernel to what starts it, to Python's name for that, to its callers.

By names, as headers and build files are not followed: a name of the same file wins over one
elsewhere. What cannot be joined stays empty, and says nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import permutations
from posixpath import basename, dirname, join

from msgspec import Struct, field
from msgspec.structs import replace

from portaudit.catalogue.difficulty import KERNEL_EFFORT, widened
from portaudit.catalogue.library import counterpart
from portaudit.catalogue.native import are_variants, types_of
from portaudit.catalogue.schema import Rule
from portaudit.marks import ANY_PART
from portaudit.relate.builds import Builds
from portaudit.relate.modules import Modules
from portaudit.relate.nearby import LOADING, SOURCES, users
from portaudit.relate.projects import homes, meant
from portaudit.relate.said import Said
from portaudit.types import (
    COMPILED,
    DIFFICULTIES,
    SEVERITIES,
    Binding,
    Bound,
    Called,
    FileResult,
    Finding,
    Function,
    Kernel,
    Location,
    Severity,
)

_DEEPEST = 8
"""Calls between a launch and the function that Python knows: more were never seen."""
_ALIKE = 0.5
"""Share of their parameters that copies of a kernel have in common: each may have been changed."""
_FURTHER: Severity = "minor"
"""Severity of a further variant of a kernel: it is a line of the one that is written."""
_MANIFESTS = frozenset({"setup.py", "pyproject.toml"})
_WRAPPING = frozenset({"cythonize", "Cython", "create_extension", "ffi"})
"""What says that functions are called by code of a kind that is not read."""
_Group = frozenset[tuple[str, int, tuple[str, ...], tuple[str, ...]]]
"""The functions that choose a kernel, among which, and what those take."""
_OPERATORS = "torch.ops."
"""How the names of operators begin: they are found by their name wherever they are registered."""


class _Python(Struct):
    """Tells which names of modules are functions that Python code has, and no native ones."""

    modules: Modules
    defined: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Functions and classes of a module that call something, by its file."""
    brought: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    """What a file brings in, as it spells that, by the name that it gets there."""
    mixed: dict[str, frozenset[str]] = field(default_factory=dict)
    """Names of a file that need not mean that."""
    _known: dict[tuple[str, str], bool] = field(default_factory=dict)

    def note(self, result: FileResult) -> None:
        """Take up the definitions and the imports of a file."""
        code = result.facts.code
        for option in code.options:
            if option.defines and not option.values:
                self.defined[result.path].add(option.name)
        for item in code.imports:
            if not item.scope:
                self.brought[result.path][item.name.rpartition(".")[2]] = item.name
        self.mixed[result.path] = frozenset(code.mixed.split())

    def has(self, path: str, name: str) -> bool:
        """Whether a name, as a file spells it, leads to a definition of the tree, and only so."""
        key = path, name
        if key not in self._known:
            self._known[key] = self._leads_to_one(path, name)
        return self._known[key]

    def _leads_to_one(self, path: str, name: str) -> bool:
        for _ in range(_DEEPEST):
            place = self.modules.module_path(path, name)
            if place is None:
                return False
            path, members = place
            # What is called is no module: it is what the package around it brings in by its name.
            path, member = (path, members[0]) if members else _member_of_package(path)
            if not self.mixed.get(path, frozenset()).isdisjoint({member, "*"}):
                return False
            if member in self.defined.get(path, ()):
                return True
            name = self.brought.get(path, {}).get(member, "")
            if not name:
                return False
        return False


def _member_of_package(path: str) -> tuple[str, str]:
    """The file of the package that a module is in, and the name of the module there."""
    module = dirname(path) if basename(path) == "__init__.py" else path.removesuffix(".py")
    return join(dirname(module), "__init__.py"), basename(module)


class _Loose(Struct):
    """The files that say a name otherwise, and those that make names with a part."""

    said: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    parts: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def note(self, result: FileResult) -> None:
        """Take up what a file says."""
        for name in result.facts.native.loose:
            if name.startswith(ANY_PART):
                self.parts[name.removeprefix(ANY_PART)].add(result.path)
            else:
                self.said[name].add(result.path)

    def of(self, name: str) -> Iterator[str]:
        """The files that may mean a name."""
        yield from self.said.get(name, ())
        for part, paths in self.parts.items():
            if part in name:
                yield from paths


class _Tree(Struct):
    """What all files say of functions, bindings and calls, by bare name."""

    python: _Python
    launching: dict[str, list[tuple[str, Function]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    calling: dict[str, list[tuple[str, Function]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    operators: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Operators that native code names with their spaces, by bare name."""
    bound: dict[str, list[Bound]] = field(default_factory=lambda: defaultdict(list))
    bindings: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The files that bind a bare name."""
    on_cpu: dict[str, Location] = field(default_factory=dict)
    """Where an operator, or an implementation chosen by device, has its form for the CPU."""
    called: dict[str, list[tuple[str, Called]]] = field(default_factory=lambda: defaultdict(list))
    ways: dict[tuple[str, int], Location] = field(default_factory=dict)
    """Another way that a guarded call has, by the place of the call."""
    on_device: dict[str, Function] = field(default_factory=dict)
    """Functions for the device by bare name; of several the first that has features."""
    bodies: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    """First and last lines of the kernels of a file."""
    projects: set[str] = field(default_factory=set)
    """Folders with a manifest."""
    homes: frozenset[str] = frozenset()
    """Those, and folders with a page."""
    defined: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The files that define a native function, or a kernel, by bare name."""
    copied: set[tuple[str, str]] = field(default_factory=set)
    """Pairs of files that bind the same name for copies of one kernel."""
    using: Mapping[str, set[str]] = field(default_factory=dict)
    """The files that use a name which several files bind."""
    builds: Builds = field(default_factory=Builds)
    loose: _Loose = field(default_factory=_Loose)
    """Native functions that are named otherwise than called or bound."""

    def is_ambiguous(self, bound: Bound) -> bool:
        """Whether another module binds the same name (`forward`): a call may mean either.

        Of copies each is called from its own project, if nothing uses the name otherwise.
        """
        bare = bare_name(bound.binding.name)
        if bound.binding.form != "pybind" or len(self.bindings[bare]) == 1:
            return False
        calling = {path for path, _ in self.calls_of(bare)}
        is_told = self.using.get(bare, set()) <= calling
        return not is_told or any(self.bound_for(path, bare) is None for path in calling)

    def calls_of(self, bare: str) -> Iterator[tuple[str, Called]]:
        """Where a module's function of that name is called, unless it is one of Python's."""
        for path, called in self.called.get(bare, ()):
            if bare in called.name.split(".")[1:]:
                if not (called.open and self.python.has(path, called.name)):
                    yield path, called

    def bound_for(self, path: str, bare: str) -> Collection[str] | None:
        """The files whose binding of a name a Python file calls: its project's, if others copy it.

        None if it may mean any.
        """
        places = self.bindings[bare]
        own = meant(self.homes, path, places)
        if len(own) == len(places):
            return None
        apart = all(any((one, other) in self.copied for one in own) for other in places - set(own))
        return own if apart else None

    def means(self, path: str, name: str, place: str) -> bool:
        """Whether native code of a file means by a name what another file defines."""
        linked = {each for each in self.defined[name] if self.builds.are_linked(path, each)}
        return place in meant(self.homes, path, linked)

    def calls(self, path: str, function: str, name: str, place: str) -> bool:
        """Whether a function of a file calls by a name what another file defines.

        Its own file's goes before: only a function of the same name may wrap another one's.
        """
        is_own = path != place and function != name and path in self.defined[name]
        return not is_own and self.means(path, name, place)

    def dispatching(self, name: str, place: str) -> Iterator[tuple[str, Function]]:
        """The functions that name an operator for which a function of a file is registered."""
        for bound in self.bound.get(name, ()):
            space, _, bare = bound.binding.name.rpartition("::")
            for operator in self.operators.get(bare, ()) if bound.binding.form != "pybind" else ():
                is_meant = not space or space.isupper() or operator == bound.binding.name
                if is_meant and self.means(bound.binding.path, name, place):
                    yield from self.calling[operator]

    def callers(self, binding: Binding) -> Iterator[Location]:
        """Python's calls of a bound name: `_C.name(…)`, `torch.ops.space.name(…)`.

        Where the extension's own project imports it as a module of its own, a module that another
        project loads has its functions from somewhere else, however they are called.
        """
        bare = bare_name(binding.name)
        found = [
            (path, called)
            for path, called in self.calls_of(bare)
            if binding.path in (self.bound_for(path, bare) or [binding.path])
        ]
        project = self.project(binding.path)
        is_own = any(called.open and self.project(path) == project for path, called in found)
        for path, called in found:
            if called.name.startswith(_OPERATORS) and not _is_of_space(called, binding):
                continue
            sure = called.open or called.name.startswith(_OPERATORS)
            if sure or not is_own or self.project(path) == project:
                yield Location(path, called.line)

    def project(self, path: str) -> str:
        """The folder of the manifest that is nearest above a file."""
        folder = dirname(path)
        while folder and folder not in self.projects:
            folder = dirname(folder)
        return folder

    def is_in_kernel(self, place: Location) -> bool:
        """Whether a line belongs to a kernel: what it calls are device functions."""
        return any(first <= place.line <= last for first, last in self.bodies[place.path])


def related(results: Sequence[FileResult], modules: Modules, said: Said | None = None) -> Natives:
    """All kernels of a tree in order, with who starts, binds and calls each.

    `said`: what the text of its files says besides.
    """
    if not any(result.inventory for result in results):
        return Natives()
    tree = _gather(results, modules)
    known = [kernel for result in results for kernel in _with_callees(result, tree)]
    ways = [(kernel, _way(kernel, tree)) for kernel in known]
    _tell_copies(ways, tree)
    joined = [_joined(kernel, way, tree, modules) for kernel, way in ways]
    chosen = _variants(ways, tree)
    joined = [replace(each, variant_of=chosen.get((each.path, each.line), "")) for each in joined]
    ordered = sorted(joined, key=lambda each: (each.path, each.line, each.name))
    return Natives(tuple(ordered), tree, ways, results, said)


class Natives:
    """The kernels of a tree, and what stays open of how they are started: told when asked for."""

    def __init__(
        self,
        kernels: Sequence[Kernel] = (),
        tree: _Tree | None = None,
        ways: Iterable[tuple[Kernel, _Way]] = (),
        results: Sequence[FileResult] = (),
        said: Said | None = None,
    ) -> None:
        self.kernels = tuple(kernels)
        self._said = said or Said()
        self._tree = tree
        self._ways = tuple(ways)
        self._results = results

    def _compiled(self) -> Iterator[tuple[Kernel, _Way, _Tree]]:
        for kernel, way in self._ways if self._tree else ():
            if self._tree and kernel.language in COMPILED and kernel.fingerprint:
                yield kernel, way, self._tree

    def loading(self, path: str) -> frozenset[Location] | None:
        """The lines that alone compile a source, all while programs run; None if that is open."""
        return self._loading.get(path)

    @cached_property
    def _loading(self) -> Mapping[str, frozenset[Location]]:
        """Those lines of all sources that no other text names."""
        if self._tree is None:
            return {}
        builds = self._tree.builds
        known = {result.path: builds.loading(result.path) for result in self._results}
        found = {path: lines for path, lines in known.items() if lines is not None}
        if not found:
            return {}
        known_by = {path: {it.path for it in found[path]} for path in found}
        said = self._said.sources(known_by, builds.named)
        never = {path for path, lines in found.items() if not lines}
        lost = never if never and self._said.compiles else set()
        return {path: lines for path, lines in found.items() if path not in said | lost}

    def is_left_out(self, path: str) -> bool:
        """Whether builds list sources of its folder without this one, and no text says its name.

        Something may compile all files with its end all the same: what calls the ones that are
        listed says nothing of this one.
        """
        return path in self._left_out

    @cached_property
    def _left_out(self) -> frozenset[str]:
        if self._tree is None:
            return frozenset()
        builds = self._tree.builds
        none: frozenset[Location] = frozenset()
        known = {result.path for result in self._results if builds.loading(result.path) == none}
        if not known or self._said.compiles:
            return frozenset()
        said = self._said.sources(dict.fromkeys(known, ()), builds.named, by_end=False)
        return frozenset(known - said)

    def is_missing(self, path: str, names: Collection[str]) -> bool:
        """Whether what no build has is needed by one that is known, or alone has one of some names.

        Then more is compiled than is known. `names`: what the path says.
        """
        if self._tree is None:
            return True
        tree, compiled = self._tree, self._tree.builds.of.keys()
        own = {name for name, places in tree.defined.items() if path in places}
        for kernel, way in self._ways:
            if kernel.path == path:
                own |= way.reached.keys()
        for name in own:
            users = {place for place, _ in tree.calling.get(name, ())}
            users.update(place for place, _ in tree.launching.get(name, ()))
            users.update(bound.binding.path for bound in tree.bound.get(name, ()))
            places = tree.defined.get(name, set())
            elsewhere = (places - {path}) & compiled
            if not elsewhere and path not in compiled and users & compiled:
                return True
        bare = {bare_name(each.binding.name) for name in own for each in tree.bound.get(name, ())}
        bare |= {name for name, places in tree.bindings.items() if path in places}
        return any(name in names and not (tree.bindings[name] - {path}) & compiled for name in bare)

    def unsure(self, *, loads: bool = False) -> frozenset[str]:
        """Compiled kernels that native code may start in ways which are not joined.

        Their fingerprints. A function on the way is named otherwise than called or bound, or it
        belongs to a class and nothing is known that calls it. `loads`: libraries are loaded by
        their path, so the same is true of any function.
        """
        return frozenset(
            kernel.fingerprint
            for kernel, way, tree in self._compiled()
            if _is_unsure(kernel, way, tree, loads=loads)
        )

    @cached_property
    def idle(self) -> frozenset[str]:
        """Compiled kernels that nothing starts, by their fingerprints.

        No host code launches them, or what does is never called and bound nowhere, and no text that
        is not taken apart has a name of these. Nothing is compiled while programs run, which may
        make up names. Not of headers, which are there for code that somebody else has.
        """
        ended = [
            (kernel, way, tree)
            for kernel, way, tree in self._compiled()
            if not kernel.helper and not way.bound and _is_whole(kernel, way, tree)
        ]
        if not ended or self._said.compiles:
            return frozenset()
        names = {name for kernel, way, _ in ended for name in (kernel.name, *way.reached)}
        spoken = self._said.names(names)
        said = users(self._results, names | LOADING | _WRAPPING)
        is_linked = any(said.get(name) for name in _WRAPPING)
        loads = is_linked or any(said.get(name) for name in LOADING)
        return frozenset(
            kernel.fingerprint
            for kernel, way, tree in ended
            if not any(said.get(name) or name in spoken for name in (kernel.name, *way.reached))
            and not (is_linked and way.starters)
            and not _is_unsure(kernel, way, tree, loads=loads)
        )


def _is_whole(kernel: Kernel, way: _Way, tree: _Tree) -> bool:
    """Whether all is there that could start a kernel: it ends in sources, and in no program."""
    paths = {kernel.path}.union(*way.reached.values())
    callers = {each.name for name in way.reached for _, each in tree.calling.get(name, ())}
    names = (kernel.name, *way.reached)
    return (
        all(path.endswith(SOURCES) for path in paths)
        and all(name.isidentifier() and name != "operator" for name in names)
        and callers <= way.reached.keys()
        and "main" not in way.reached
    )


def _is_unsure(kernel: Kernel, way: _Way, tree: _Tree, *, loads: bool) -> bool:
    known = {path for path, _ in way.starters} | tree.defined[kernel.name]
    if any(
        path not in known and tree.means(path, kernel.name, kernel.path)
        for path, _ in tree.launching.get(kernel.name, ())
    ):
        return True
    reached = {kernel.name: frozenset({kernel.path}), **way.reached}
    for name, places in reached.items():
        if any(tree.means(path, name, place) for path in tree.loose.of(name) for place in places):
            return True
        calling = {function.name for _, function in tree.calling.get(name, ())}
        may_be_called = loads or not places.isdisjoint(tree.loose.said.get(f".{name}", ()))
        is_end = name != kernel.name and name not in tree.bound and calling <= {name}
        if is_end and may_be_called:
            return True
    return False


def told(
    findings: Iterable[Finding], kernels: Iterable[Kernel], rules: Mapping[str, Rule]
) -> tuple[Finding, ...]:
    """Findings that speak of a kernel, with what it turned out to be in the whole tree.

    They are worth what its class says, and name the kernel of nki-library for the job. What only
    other kernels call is in their size and class already, and a variant is written with the kernel
    that stands for it.
    """
    known = {each.fingerprint: each for each in kernels if each.fingerprint}
    return tuple(
        _told(item, known[item.fingerprint], rules[item.rule])
        if item.fingerprint in known
        else item
        for item in findings
    )


def with_ways(kernels: Iterable[Kernel], findings: Iterable[Finding]) -> tuple[Kernel, ...]:
    """Kernels with the line that asks for CUDA before it comes to them, where others do without.

    Or with what the CPU alone takes instead.
    """
    asking = {
        item.fingerprint: item.portable or _place(item)
        for item in findings
        if item.portable or (item.guard == "fallback" and item.guard_by)
    }
    return tuple(
        replace(each, fallback=asking[each.fingerprint])
        if each.fallback is None and each.fingerprint in asking
        else each
        for each in kernels
    )


def _told(finding: Finding, kernel: Kernel, rule: Rule) -> Finding:
    if kernel.helper:
        return replace(finding, effort="trivial")
    if kernel.variant_of:
        said = (
            f"A variant of `{kernel.variant_of}`, which takes the same: one is chosen where they "
            "are launched. Write the operator once, and see what is left to choose."
        )
        return replace(
            finding,
            severity=_lighter(finding.severity),
            effective_severity=_lighter(finding.effective_severity),
            effort="trivial",
            fix=f"{said}\n\n{finding.fix or rule.fix}",
        )
    sized = replace(finding, effort=KERNEL_EFFORT[kernel.difficulty])
    found = kernel.counterpart
    if found is None:
        return sized
    first = (
        f"By its name nki-library has a kernel for this job: `{found.name}` ({found.tier}, since "
        f"{found.since}; {found.source}). Compare what both do first."
    )
    return replace(sized, fix=f"{first}\n\n{finding.fix or rule.fix}")


def _lighter(severity: Severity) -> Severity:
    return min(_FURTHER, severity, key=SEVERITIES.index)


def _with_callees(result: FileResult, tree: _Tree) -> Iterator[Kernel]:
    """The kernels of a file, with what they use through device functions of other files."""
    own = {each.name: each for each in result.facts.native.on_device}
    for kernel in result.inventory:
        calls = own.get(kernel.name)
        yield widened(kernel, calls, tree.on_device) if calls else kernel


def _gather(results: Iterable[FileResult], modules: Modules) -> _Tree:
    tree = _Tree(_Python(modules))
    listed = tuple(results)
    tree.homes = homes(result.path for result in listed)
    tree.builds = Builds.by(listed)
    for result in listed:
        tree.python.note(result)
        if basename(result.path) in _MANIFESTS:
            tree.projects.add(dirname(result.path))
        for kernel in result.inventory:
            tree.bodies[kernel.path].append((kernel.line, kernel.end_line))
            tree.defined[kernel.name].add(kernel.path)
        tree.loose.note(result)
        _note_functions(result, tree)
        for function in result.facts.native.on_device:
            if function.features:
                tree.on_device.setdefault(function.name, function)
        for bound in result.facts.native.bound:
            tree.bound[bound.function].append(bound)
            tree.bindings[bare_name(bound.binding.name)].add(bound.binding.path)
            if bound.device == "cpu":
                place = Location(bound.binding.path, bound.binding.line)
                tree.on_cpu.setdefault(bare_name(bound.binding.name), place)
        for called in result.facts.calls:
            tree.called[called.name.rpartition(".")[2]].append((result.path, called))
            owner = called.name.rpartition(".")[0].rpartition(".")[2]
            if owner:
                tree.called[owner].append((result.path, called))
        for finding in result.findings:
            if finding.guard == "fallback" and finding.guard_by:
                tree.ways[finding.path, finding.span.line] = _place(finding)
    several = {name for name, places in tree.bindings.items() if len(places) > 1}
    tree.using = users(listed, several) if several else {}
    return tree


def _note_functions(result: FileResult, tree: _Tree) -> None:
    for function in result.facts.native.functions:
        tree.defined[function.name].add(result.path)
        for name in function.launches:
            tree.launching[name].append((result.path, function))
        for name in function.calls:
            tree.calling[name].append((result.path, function))
            if "::" in name:
                tree.operators[bare_name(name)].add(name)
        if function.device == "cpu":
            tree.on_cpu.setdefault(function.name, Location(result.path, function.line))


def _place(finding: Finding) -> Location:
    assert finding.guard_by is not None
    return Location(finding.guard_by.path, finding.guard_by.line)


class _Way(Struct, frozen=True):
    """What leads to a kernel: what launches it, all functions from there on, their bindings."""

    starters: Sequence[tuple[str, Function]] = ()
    reached: Mapping[str, frozenset[str]] = field(default_factory=dict)
    bound: Sequence[Bound] = ()


def _way(kernel: Kernel, tree: _Tree) -> _Way:
    launching = tree.launching.get(kernel.name, ())
    if kernel.language not in COMPILED:
        return _Way(_near(launching, kernel.path))
    launching = [each for each in launching if tree.means(each[0], kernel.name, kernel.path)]
    starters = _near(launching, kernel.path)
    reached = _reached(starters, tree)
    bound = (
        each
        for name, paths in reached.items()
        for each in tree.bound.get(name, ())
        if any(tree.means(each.binding.path, name, path) for path in paths)
    )
    return _Way(starters, reached, tuple(bound))


def _tell_copies(known: Iterable[tuple[Kernel, _Way]], tree: _Tree) -> None:
    """Note which files bind copies of one kernel under the same name."""
    alike: dict[tuple[str, str, str], list[tuple[Kernel, str]]] = defaultdict(list)
    for kernel, way in known:
        places: dict[str, set[str]] = defaultdict(set)
        for each in way.bound:
            places[bare_name(each.binding.name)].add(each.binding.path)
        for name, paths in places.items():
            if len(paths) == 1:  # else nothing tells which is whose
                alike[name, kernel.name, basename(kernel.path)].append((kernel, paths.pop()))
    for group in alike.values():
        for (one, first), (other, second) in permutations(group, 2):
            if first != second and one.path != other.path and _are_copies(one, other):
                tree.copied.add((first, second))


def _are_copies(one: Kernel, other: Kernel) -> bool:
    """Whether kernels of the same name, in files of the same name, take much the same."""
    mine, others = set(one.parameters), set(other.parameters)
    return len(mine & others) >= _ALIKE * len(mine | others)


def _joined(kernel: Kernel, way: _Way, tree: _Tree, modules: Modules) -> Kernel:
    starters = way.starters
    names = [kernel.name, *(function.name for _, function in starters)]
    found = next((each for name in names if (each := counterpart(name))), None)
    if kernel.language in COMPILED:
        bound = way.bound
        callers = sorted(
            {
                place
                for each in bound
                if not tree.is_ambiguous(each)
                for place in tree.callers(each.binding)
            }
        )
        operators = [*(bare_name(each.binding.name) for each in bound), *way.reached]
        fallback = next((tree.on_cpu[each] for each in operators if each in tree.on_cpu), None)
        launched = tuple(Location(path, function.line) for path, function in starters)
        kernel = replace(
            kernel,
            launched_by=kernel.launched_by or launched,
            bound_as=tuple(dict.fromkeys(each.binding for each in bound)),
            callers=tuple(callers),
            fallback=kernel.fallback or fallback,
        )
    else:
        own = {function.name for path, function in starters if path == kernel.path}
        found_calls = _importing(kernel, own | {kernel.name}, tree.called, modules)
        callers = sorted(place for place in found_calls if not tree.is_in_kernel(place))
        used = kernel.launched_by or callers or not found_calls
        kernel = replace(kernel, callers=tuple(callers), helper=kernel.helper or not used)
    others = (tree.ways.get((place.path, place.line)) for place in kernel.callers)
    other = next((each for each in others if each), None)
    return replace(kernel, fallback=kernel.fallback or other, counterpart=found)


def _variants(ways: Iterable[tuple[Kernel, _Way]], tree: _Tree) -> Mapping[tuple[str, int], str]:
    """The kernels that others stand for, by their places, with the names of these.

    Whoever launches one chooses among both, once in each run, and they take the same; their names
    say that they do the same, for other sizes or types. The one that is most to write stands for
    all, of several the first.
    """
    groups: dict[_Group, list[Kernel]] = defaultdict(list)
    for kernel, way in ways:
        chosen = [
            (path, function.line, group, types_of(kernel.parameters))
            for path, function in way.starters
            for group in function.choices
            if kernel.name in group
        ]
        if chosen and len(chosen) == 1 == len(way.starters) and _runs_once(way, tree):
            groups[frozenset(chosen)].append(kernel)
    found: dict[tuple[str, int], str] = {}
    for kernels in groups.values():
        if len({each.name for each in kernels}) < len(kernels):
            continue
        kernels.sort(key=lambda each: (-DIFFICULTIES.index(each.difficulty), each.path, each.line))
        for first, *others in _of_one_name(kernels):
            found.update(((each.path, each.line), first.name) for each in others)
    return found


def _of_one_name(kernels: Iterable[Kernel]) -> list[list[Kernel]]:
    """Kernels in groups of which all may be variants of one another by their names."""
    groups: list[list[Kernel]] = []
    for kernel in kernels:
        for group in groups:
            if all(are_variants(kernel.name, each.name) for each in group):
                group.append(kernel)
                break
        else:
            groups.append([kernel])
    return groups


def _runs_once(way: _Way, tree: _Tree) -> bool:
    """Whether Python has one name for what starts a kernel, and this calls it at one place.

    Else one run may come to it several times, each time for another of the kernels.
    """
    ((path, function),) = way.starters
    for _ in range(_DEEPEST):
        name = function.name
        callers = [
            (each, caller)
            for each, caller in tree.calling.get(name, ())
            if tree.calls(each, caller.name, name, path)
        ]
        bound = [each for each in way.bound if each.function == name]
        if len(callers) + len(bound) != 1 or any(tree.loose.of(name)):
            return False
        if bound:
            return True
        ((path, function),) = callers
        if name in function.again:
            return False
    return False


def _near(found: Sequence[tuple[str, Function]], path: str) -> list[tuple[str, Function]]:
    """Those of the kernel's own file if there are any: a name may be used again elsewhere."""
    own = [(each, function) for each, function in found if each == path]
    return own or list(found)


def _reached(starters: Iterable[tuple[str, Function]], tree: _Tree) -> dict[str, frozenset[str]]:
    """The functions that start a kernel, those that call them and so on, nearest first.

    Each with the files that define it there.
    """
    reached: dict[str, set[str]] = {}
    level = {(function.name, path) for path, function in starters}
    for _ in range(_DEEPEST):
        for name, path in sorted(level):
            reached.setdefault(name, set()).add(path)
        level = {
            (function.name, path)
            for name, place in level
            for path, function in tree.calling.get(name, ())
            if path not in reached.get(function.name, ())
            and tree.calls(path, function.name, name, place)
        } | {
            (function.name, path)
            for name, place in level
            for path, function in tree.dispatching(name, place)
            if path not in reached.get(function.name, ())
        }
        if not level:
            break
    return {name: frozenset(paths) for name, paths in reached.items()}


def _is_of_space(called: Called, binding: Binding) -> bool:
    """Whether an operator that is called, `torch.ops.space.name`, may be one that is registered."""
    space = binding.name.rpartition("::")[0]
    if binding.form == "pybind":
        return False
    is_written = bool(space) and not space.isupper()  # else a macro, that a build defines
    return not is_written or space in called.name.split(".")


def bare_name(name: str) -> str:
    """The last part of a name, as Python or C++ writes it."""
    return name.replace("::", ".").rpartition(".")[2]


def _importing(
    kernel: Kernel,
    names: Iterable[str],
    calls: Mapping[str, Sequence[tuple[str, Called]]],
    modules: Modules,
) -> set[Location]:
    """Calls, in other modules of the tree, of the functions that start a kernel."""
    found: set[Location] = set()
    for name in names:
        for path, called in calls.get(name, ()):
            if not called.open or path == kernel.path:
                continue
            leads = modules.module_path(path, called.name)
            direct = leads is not None and leads[0] == kernel.path
            through = leads is not None and leads[0].endswith("__init__.py")
            if direct or through:
                found.add(Location(path, called.line))
    return found
