"""Joins the inventory: from a kernel to what starts it, to Python's name for that, to its callers.

By names, as headers and build files are not followed: a name of the same file wins over one
elsewhere. What cannot be joined stays empty, and says nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from posixpath import basename, dirname

from msgspec import Struct, field
from msgspec.structs import replace

from portaudit.catalogue.difficulty import KERNEL_EFFORT, widened
from portaudit.catalogue.library import counterpart
from portaudit.catalogue.schema import Rule
from portaudit.relate.modules import Modules
from portaudit.types import Binding, Bound, Called, FileResult, Finding, Function, Kernel, Location

_DEEPEST = 8
"""Calls between a launch and the function that Python knows: more were never seen."""
_MANIFESTS = frozenset({"setup.py", "pyproject.toml"})
_OPERATORS = "torch.ops."
"""How the names of operators begin: they are found by their name wherever they are registered."""


class _Tree(Struct):
    """What all files say of functions, bindings and calls, by bare name."""

    launching: dict[str, list[tuple[str, Function]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    calling: dict[str, list[tuple[str, Function]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    bound: dict[str, list[Bound]] = field(default_factory=lambda: defaultdict(list))
    bindings: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The files that bind a bare name."""
    on_cpu: dict[str, Location] = field(default_factory=dict)
    """Where an operator, or an implementation chosen by device, has its form for the CPU."""
    calls: dict[str, list[tuple[str, Called]]] = field(default_factory=lambda: defaultdict(list))
    ways: dict[tuple[str, int], Location] = field(default_factory=dict)
    """Another way that a guarded call has, by the place of the call."""
    on_device: dict[str, Function] = field(default_factory=dict)
    """Functions for the device by bare name; of several the first that has features."""
    bodies: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    """First and last lines of the kernels of a file."""
    projects: set[str] = field(default_factory=set)
    """Folders with a manifest."""

    def is_ambiguous(self, bound: Bound) -> bool:
        """Whether another module binds the same name (`forward`): a call may mean either."""
        places = self.bindings[_bare(bound.binding.name)]
        return bound.binding.form == "pybind" and len(places) > 1

    def callers(self, binding: Binding) -> Iterator[Location]:
        """Python's calls of a bound name: `_C.name(…)`, `torch.ops.space.name(…)`.

        Where the extension's own project imports it as a module of its own, a module that another
        project loads has its functions from somewhere else, however they are called.
        """
        bare = _bare(binding.name)
        found = [
            (path, called)
            for path, called in self.calls.get(bare, ())
            if bare in called.name.split(".")[1:]
        ]
        project = self.project(binding.path)
        is_own = any(called.open and self.project(path) == project for path, called in found)
        for path, called in found:
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


def related(results: Sequence[FileResult], modules: Modules) -> tuple[Kernel, ...]:
    """All kernels of a tree in order, with who starts, binds and calls each."""
    if not any(result.inventory for result in results):
        return ()
    tree = _gather(results)
    joined = (
        _joined(kernel, tree, modules)
        for result in results
        for kernel in _with_callees(result, tree)
    )
    return tuple(sorted(joined, key=lambda each: (each.path, each.line, each.name)))


def told(
    findings: Iterable[Finding], kernels: Iterable[Kernel], rules: Mapping[str, Rule]
) -> tuple[Finding, ...]:
    """Findings that speak of a kernel, with what it turned out to be in the whole tree.

    They are worth what its class says, and name the kernel of nki-library for the job.
    """
    known = {each.fingerprint: each for each in kernels if not each.helper and each.fingerprint}
    return tuple(
        _told(item, known[item.fingerprint], rules[item.rule])
        if item.fingerprint in known
        else item
        for item in findings
    )


def _told(finding: Finding, kernel: Kernel, rule: Rule) -> Finding:
    sized = replace(finding, effort=KERNEL_EFFORT[kernel.difficulty])
    found = kernel.counterpart
    if found is None:
        return sized
    first = (
        f"By its name nki-library has a kernel for this job: `{found.name}` ({found.tier}, since "
        f"{found.since}; {found.source}). Compare what both do first."
    )
    return replace(sized, fix=f"{first}\n\n{finding.fix or rule.fix}")


def _with_callees(result: FileResult, tree: _Tree) -> Iterator[Kernel]:
    """The kernels of a file, with what they use through device functions of other files."""
    own = {each.name: each for each in result.facts.native.on_device}
    for kernel in result.inventory:
        calls = own.get(kernel.name)
        yield widened(kernel, calls, tree.on_device) if calls else kernel


def _gather(results: Iterable[FileResult]) -> _Tree:
    tree = _Tree()
    for result in results:
        if basename(result.path) in _MANIFESTS:
            tree.projects.add(dirname(result.path))
        for kernel in result.inventory:
            tree.bodies[kernel.path].append((kernel.line, kernel.end_line))
        for function in result.facts.native.functions:
            for name in function.launches:
                tree.launching[name].append((result.path, function))
            for name in function.calls:
                tree.calling[name].append((result.path, function))
            if function.device == "cpu":
                tree.on_cpu.setdefault(function.name, Location(result.path, function.line))
        for function in result.facts.native.on_device:
            if function.features:
                tree.on_device.setdefault(function.name, function)
        for bound in result.facts.native.bound:
            tree.bound[bound.function].append(bound)
            tree.bindings[_bare(bound.binding.name)].add(bound.binding.path)
            if bound.device == "cpu":
                place = Location(bound.binding.path, bound.binding.line)
                tree.on_cpu.setdefault(_bare(bound.binding.name), place)
        for called in result.facts.calls:
            tree.calls[called.name.rpartition(".")[2]].append((result.path, called))
            owner = called.name.rpartition(".")[0].rpartition(".")[2]
            if owner:
                tree.calls[owner].append((result.path, called))
        for finding in result.findings:
            if finding.guard == "fallback" and finding.guard_by:
                tree.ways[finding.path, finding.span.line] = _place(finding)
    return tree


def _place(finding: Finding) -> Location:
    assert finding.guard_by is not None
    return Location(finding.guard_by.path, finding.guard_by.line)


def _joined(kernel: Kernel, tree: _Tree, modules: Modules) -> Kernel:
    starters = _near(tree.launching.get(kernel.name, ()), kernel.path)
    names = [kernel.name, *(function.name for _, function in starters)]
    found = next((each for name in names if (each := counterpart(name))), None)
    if kernel.language in {"cuda", "hip"}:
        names_reached = _reached(starters, tree)
        bound = [each for name in names_reached for each in tree.bound.get(name, ())]
        callers = sorted(
            {
                place
                for each in bound
                if not tree.is_ambiguous(each)
                for place in tree.callers(each.binding)
            }
        )
        operators = [*(_bare(each.binding.name) for each in bound), *names_reached]
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
        found_calls = _importing(kernel, own | {kernel.name}, tree.calls, modules)
        callers = sorted(place for place in found_calls if not tree.is_in_kernel(place))
        used = kernel.launched_by or callers or not found_calls
        kernel = replace(kernel, callers=tuple(callers), helper=kernel.helper or not used)
    ways = (tree.ways.get((place.path, place.line)) for place in kernel.callers)
    way = next((each for each in ways if each), None)
    return replace(kernel, fallback=kernel.fallback or way, counterpart=found)


def _near(found: Sequence[tuple[str, Function]], path: str) -> list[tuple[str, Function]]:
    """Those of the kernel's own file if there are any: a name may be used again elsewhere."""
    own = [(each, function) for each, function in found if each == path]
    return own or list(found)


def _reached(starters: Iterable[tuple[str, Function]], tree: _Tree) -> list[str]:
    """The functions that start a kernel, those that call them and so on, nearest first."""
    reached: list[str] = []
    names = {function.name for _, function in starters}
    for _ in range(_DEEPEST):
        reached += sorted(names)
        names = {
            function.name for name in names for _, function in tree.calling.get(name, ())
        }.difference(reached)
        if not names:
            break
    return reached


def _bare(name: str) -> str:
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
