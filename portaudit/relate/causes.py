"""Joins findings of several files into the pieces of work that one would plan, each counted once.

- A library is one piece: its requirement, its imports and its calls, whatever names it goes by.
  One that is imported where nothing calls it is a line to move.
- An operator is one piece: the kernels that somebody writes anew together (`operators`). What only
  hands them on (the import of Triton, the build of an extension, the import of what it builds) is
  wiring: a small piece beside kernels that are counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from posixpath import basename, dirname

from msgspec import Struct
from msgspec.structs import replace

from portaudit.catalogue.assumptions import standard
from portaudit.catalogue.entries import aside
from portaudit.catalogue.libraries import Libraries
from portaudit.catalogue.load import Catalogue
from portaudit.relate.builds import compiling
from portaudit.relate.nearby import users
from portaudit.relate.operators import operators
from portaudit.score import Way
from portaudit.types import (
    COMPILED,
    EFFORTS,
    LIBRARY,
    OPERATOR,
    REACHES,
    SEVERITIES,
    UNGUARDED,
    Category,
    Effort,
    FileResult,
    Finding,
    Kernel,
    Location,
    Reach,
    Severity,
)

_BUILDS: frozenset[Category] = frozenset({"custom-cuda-ext"})

_CUDA_FAMILIES = frozenset({"cuda-library", "triton-library"})
"""Families of packages that are what a rule on some of their names is about, and nothing else."""
_CALLING = frozenset({"framework-check", "portable"})
"""Those of packages that run on the target, and of which some parts call for another library."""
_LAZY = "Move the import into the code that uses it: nothing on the main path needs more than that."
_TAKING: Effort = "small"
"""Effort of a condition that is changed, with a look around: what it leads to is there already."""
_MOVING: Severity = "minor"
"""Severity of an import that has to become lazy."""


def joined(
    findings: Iterable[Finding],
    kernels: Sequence[Kernel],
    catalogue: Catalogue,
    results: Sequence[FileResult] = (),
    *,
    wiring: Effort | None = None,
    ran: Collection[str] | None = None,
) -> tuple[Finding, ...]:
    """The same findings with the roots, and the efforts, that they have in the whole tree.

    What an import brings in that files of the `results` use without an import of their own is used.
    `ran`: the rules that could find something, where not all were selected.
    """
    known = _in_operators(findings, kernels, results)
    sized = _of_other_rules(kernels, catalogue, ran)
    wired = _Wiring.of(known, kernels, results, wiring or standard().wiring, sized)
    found = tuple(
        replace(item, root=f"{LIBRARY}{package}")
        if not wired.makes(item) and (package := _package(item, catalogue))
        else wired(item)
        for item in known
    )
    taken = _taken(found, results)
    return tuple(
        replace(item, brings="") if item.brings and item.fingerprint in taken else item
        for item in found
    )


def _taken(findings: Sequence[Finding], results: Iterable[FileResult]) -> frozenset[str]:
    """Imports of which another file uses a name that it has from nowhere else: fingerprints."""
    imports = [item for item in findings if item.brings]
    names = {name for item in imports for name in item.brings.split()}
    if not names:
        return frozenset()
    using = users(results, names)
    own: dict[str, set[str]] = defaultdict(set)
    importing: dict[str, set[str]] = defaultdict(set)
    for item in findings:
        if item.category != "dependency":
            own[item.root].add(item.path)
        for name in item.brings.split():
            importing[name].add(item.path)
    return frozenset(
        item.fingerprint
        for item in imports
        for name in item.brings.split()
        if not using.get(name, set()) <= own[item.root] | importing[name]
    )


def settled(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings with reach; a requirement is reached as the code that uses its library is.

    One of another project, or of a text, stays where it is. Its line goes when the code does, so it
    is a trivial part of that work.
    """
    code: dict[str, set[Reach | None]] = defaultdict(set)
    for item in findings:
        if item.root.startswith(LIBRARY) and item.category != "dependency":
            code[item.root].add(item.reach)
    return tuple(
        replace(item, reach=_of_line(item.reach, code[item.root]), effort="trivial")
        if item.category == "dependency" and item.root in code
        else item
        for item in findings
    )


def _of_line(own: Reach | None, code: set[Reach | None]) -> Reach | None:
    return first_reach(code) if own in {None, "main"} else own


def taken_on(findings: Iterable[Finding], kernels: Iterable[Kernel]) -> tuple[Finding, ...]:
    """Findings, those of native code that the tree has in PyTorch for the CPU as the edit they are.

    How grave they are stays: as the code stands, the target runs into it.
    """
    written = {each.fingerprint for each in kernels}
    return tuple(
        _taken_on(item, item.portable, is_kernel=item.fingerprint in written)
        if item.portable
        else item
        for item in findings
    )


def _taken_on(finding: Finding, portable: Location, *, is_kernel: bool) -> Finding:
    """A finding with the remedy of the edit, and with no word of another one.

    What its rule says of a kernel behind the first colon is what becomes of it otherwise.
    """
    told = finding.message
    if is_kernel:
        place = f"`{portable.path}:{portable.line}`"
        kernel, _, _ = told.partition(": ")
        told = f"{kernel}: its operator stands in PyTorch at {place}, for the CPU only"
    return replace(
        finding,
        message=told,
        effort=min(_TAKING, finding.effort, key=EFFORTS.index),
        facts=replace(finding.facts, replacement=""),
        fix=_fix_of_edit(portable, is_kernel=is_kernel),
    )


def _fix_of_edit(portable: Location, *, is_kernel: bool) -> str:
    place = f"`{portable.path}:{portable.line}`"
    if is_kernel:
        return (
            f"The operator exists in PyTorch here, at {place}, and only the CPU takes it. Take it "
            "on the device as well: change the condition, and compare values and gradients with "
            "what the kernel gave. It may be slow: measure it before a kernel is written."
        )
    return (
        "Let nothing build, load or import this where the device takes the PyTorch form of the "
        f"operator, which only the CPU takes now ({place})."
    )


def lightened(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings as they are weighed: the requirement of a library is a line that has to go.

    What the library does, the code that uses it says; a line costs the same with code or without,
    so that less code never makes more work.
    """
    return tuple(
        replace(
            item,
            severity="minor",
            effective_severity="minor" if item.guard in UNGUARDED else "info",
            effort="trivial",
        )
        if item.category == "dependency" and item.root.startswith(LIBRARY)
        else item
        for item in findings
    )


def made_lazy(findings: Sequence[Finding], way: Way) -> tuple[Finding, ...]:
    """Findings as they weigh on a way that imports some libraries and calls nothing of them.

    Such an import has to become lazy, which is an edit; where it may fail, it may stay.
    """
    idle = {root for root, group in grouped(findings).items() if _is_imported_only(group, way)}
    return tuple(
        _light(item, way) if item.brings and item.root in idle else item for item in findings
    )


def fix_of_imports(group: Sequence[Finding], way: Way) -> str:
    """What to do if a way has to be rid of the imports of a root cause, and of no more."""
    needed = any(item.brings and way.needs(item) for item in group)
    return _LAZY if needed and _is_imported_only(group, way) else ""


def _is_imported_only(group: Iterable[Finding], way: Way) -> bool:
    """Whether a way needs nothing of a root cause but that its imports do not fail."""
    code = [item for item in group if item.category != "dependency" and way.share(item)]
    return bool(code) and all(item.brings for item in code)


def grouped(findings: Iterable[Finding]) -> Mapping[str, Sequence[Finding]]:
    """Findings by the root cause that they belong to."""
    groups: dict[str, list[Finding]] = defaultdict(list)
    for item in findings:
        groups[item.root].append(item)
    return groups


def _light(item: Finding, way: Way) -> Finding:
    if not way.needs(item):
        return replace(
            item, severity="info", effective_severity="info", effort="trivial", guard="fallback"
        )
    severity = min(_MOVING, item.severity, key=SEVERITIES.index)
    effective = min(_MOVING, item.effective_severity, key=SEVERITIES.index)
    effort = min(way.assumptions.wiring, item.effort, key=EFFORTS.index)
    return replace(item, severity=severity, effective_severity=effective, effort=effort)


def first_reach(found: set[Reach | None]) -> Reach | None:
    """The reach that counts first; None if nothing is known of a place and none is on the path."""
    if None in found and "main" not in found:
        return None
    return next((reach for reach in REACHES if reach in found), None)


def title_of(root: str, group: Iterable[Finding], libraries: Libraries) -> str:
    """The title of a library's root, or of an operator's with several kernels; of others none.

    Or of an extension's whose module is imported. A package that no table has gives none either.
    """
    if root.startswith(OPERATOR):
        return _title_of_operator(root, group)
    if modules := _imported_from_builds(root, group):
        more = f" and {len(modules) - 1} more" if modules[1:] else ""
        return f"`{modules[0]}`{more}: the build of a CUDA extension, and its imports"
    name = root.removeprefix(LIBRARY)
    row = libraries.packages.get(name)
    if name == root or row is None:
        return ""
    job = row.cells.get("job", "")
    return f"`{name}` ({job})" if job else f"`{name}`"


def _title_of_operator(root: str, group: Iterable[Finding]) -> str:
    """Its first kernel and how many others, or else copies and variants, are written with it."""
    name = root.rpartition(":")[2]
    kernels = [item.kernel for item in group if item.kernel]
    others, forms = len(set(kernels)) - 1, len(kernels) - 1
    if others > 0:
        more = "one more kernel" if others == 1 else f"{others} more kernels"
        return f"`{name}` and {more} of its operator"
    more = "one more form" if forms == 1 else f"{forms} more forms"
    return f"`{name}` and {more} of it" if forms > 0 else ""


def _imported_from_builds(root: str, group: Iterable[Finding]) -> list[str]:
    """The modules of which other rules tell that they are imported, with the build's own root."""
    rule = root.partition(":")[0]
    own = [item for item in group if item.category in _BUILDS]
    is_joined = any(item.rule == rule for item in own)
    return sorted({item.anchor for item in own if item.rule != rule}) if is_joined else []


def _package(finding: Finding, catalogue: Catalogue) -> str:
    """The library that a finding is about, if the work is that library as a whole."""
    first = finding.anchor.partition(".")[0]
    libraries = catalogue.packages
    if finding.category == "dependency":
        row = libraries.required(finding.anchor)
        return row.name if row and finding.root == f"{finding.rule}:{finding.anchor}" else ""
    row = libraries.imported(finding.anchor)
    named = finding.root == f"{finding.rule}:{first}"
    if row is not None and named and row.cells.get("family", "") in _CALLING:
        # `transformers.BitsAndBytesConfig`: the work is the library that is asked for there.
        row = libraries.imported(_library(finding.rule, catalogue)) or row
    if row is not None and (named or _is_cuda(row.cells.get("family", ""), finding)):
        return row.name
    if (
        row is not None
        and finding.root == finding.rule
        and first == _library(finding.rule, catalogue)
    ):
        return row.name  # the command `deepspeed`
    if row is None and (named or finding.root == finding.rule):
        row = libraries.imported(_library(finding.rule, catalogue))
        return row.name if row else ""
    return ""


def _is_cuda(family: str, finding: Finding) -> bool:
    """Whether a finding of a whole rule, or of a compiled module, is about a library for CUDA."""
    whole = finding.root == finding.rule or finding.category in _BUILDS
    return family in _CUDA_FAMILIES and whole


def _library(rule: str, catalogue: Catalogue) -> str:
    """The one library that a rule is about, empty if it speaks of several, or of none."""
    library = catalogue.rules[rule].library
    others = (row.name for key, rows in catalogue.rows.items() if key[0] == rule for row in rows)
    return library if all(name.partition(".")[0] == library for name in others) else ""


def _in_operators(
    findings: Iterable[Finding], kernels: Sequence[Kernel], results: Sequence[FileResult]
) -> tuple[Finding, ...]:
    """Findings, those that speak of kernels with the root of their operator.

    What only other kernels call is nothing that is written by itself.
    """
    parts = operators(kernels, results)
    helpers = {each.fingerprint for each in kernels if each.helper}
    return tuple(
        replace(
            item,
            root=f"{OPERATOR}{part.first.path}:{part.first.name}",
            kernel="" if item.fingerprint in helpers else f"{part.like.path}:{part.like.line}",
        )
        if (part := parts.get(item.fingerprint))
        else item
        for item in findings
    )


def _is_build(finding: Finding) -> bool:
    """Whether it builds an extension, or asks how, and does not use one."""
    is_code = finding.path.endswith((".py", ".ipynb")) and basename(finding.path) != "setup.py"
    return finding.category in _BUILDS and (finding.anchor.startswith("torch.") or not is_code)


def _of_other_rules(
    kernels: Iterable[Kernel], catalogue: Catalogue, ran: Collection[str] | None
) -> frozenset[Location]:
    """Kernels of the tree that no rule tells of, as none that would was selected.

    What builds and imports them is no more work for that: fewer rules find less of it.
    """
    rules = (catalogue.rules[each] for each in ran or () if each in catalogue.rules)
    if ran is None or any(each.kind == "kernel" for rule in rules for each in rule.match):
        return frozenset()
    return frozenset(
        Location(each.path, each.line)
        for each in kernels
        if each.language == "cuda" and not each.fingerprint
    )


def _mentioned(result: FileResult) -> Iterator[str]:
    """The words of a file, also of what only some runs come to: builds stand in functions."""
    code = result.facts.code
    for words in (code.words, *(option.words for option in code.options)):
        yield from words.split()


def _extensions(
    findings: Iterable[Finding], results: Iterable[FileResult]
) -> Iterator[tuple[str, str]]:
    """Modules that a build makes, each with its root: who builds one and who imports it is one.

    Not where a name is built twice, or a file has builds of several roots.
    """
    roots: dict[str, set[str]] = defaultdict(set)
    for item in findings:
        if item.category in _BUILDS and item.anchor.startswith("torch.") and _is_build(item):
            roots[item.path].add(item.root)
    made: dict[str, set[str]] = defaultdict(set)
    for result in results:
        for name in result.facts.native.builds:
            made[name.removeprefix("!")] |= roots.get(result.path, {""})
    for name, found in made.items():
        if len(found) == 1 and (root := next(iter(found))):
            yield name, root


class _Wiring(Struct, frozen=True):
    """Finds what only hands on kernels that are counted by themselves.

    `kernels`: fingerprints of what speaks of them · `of_file`: files with the root of their dearest
    kernel · `below`: folders that native kernels are below · `compiling`: files with lines that
    compile sources of such a folder · `foreign`: lines that compile others · `built`: names that
    the builds of such folders mention · `made`: those of modules that they make ·
    `extensions`: the roots of these builds, by the modules.
    """

    kernels: frozenset[str]
    of_file: Mapping[str, str]
    below: frozenset[str]
    compiling: frozenset[str]
    foreign: frozenset[Location]
    built: frozenset[str]
    made: frozenset[str]
    extensions: Mapping[str, str]
    effort: Effort

    @classmethod
    def of(
        cls,
        findings: Sequence[Finding],
        kernels: Sequence[Kernel],
        results: Sequence[FileResult],
        effort: Effort,
        sized: frozenset[Location],
    ) -> _Wiring:
        """What is known of a tree. `effort`: of such a place · `sized`: kernels without a finding.

        Those are there all the same, and their work is theirs.
        """
        roots = {finding.fingerprint: finding.root for finding in findings}
        dearest: dict[str, list[tuple[int, str]]] = defaultdict(list)
        below: set[str] = set()
        for kernel in kernels:
            is_found = kernel.fingerprint in roots
            if aside(kernel.path):
                continue
            if is_found:
                size = 0 if kernel.helper else kernel.lines
                dearest[kernel.path].append((-size, roots[kernel.fingerprint]))
            elif Location(kernel.path, kernel.line) not in sized:
                continue
            folder = dirname(kernel.path)
            while kernel.language in COMPILED and folder not in below:
                below.add(folder)
                folder = dirname(folder)
        builds = {item.path for item in findings if _is_build(item)}
        lines = dict(compiling(results))
        own = {at for at, sources in lines.items() if any(dirname(it) in below for it in sources)}
        return cls(
            frozenset(kernel.fingerprint for kernel in kernels),
            {path: min(found)[1] for path, found in dearest.items()},
            frozenset(below),
            frozenset(line.path for line in own),
            frozenset(lines) - own,
            frozenset(
                word
                for result in results
                if result.path in builds and dirname(result.path) in below
                for word in _mentioned(result)
            ),
            frozenset(
                name.removeprefix("!")
                for result in results
                if dirname(result.path) in below
                for name in result.facts.native.builds
            ),
            dict(_extensions(findings, results)),
            effort,
        )

    def __call__(self, finding: Finding) -> Finding:
        """The finding, or if it is wiring what it costs so."""
        if finding.fingerprint in self.kernels:
            return finding
        if finding.category == "triton-kernel" and finding.path in self.of_file:
            return replace(finding, root=self.of_file[finding.path], effort="trivial")
        if self._hands_on(finding):
            root = self.extensions.get(self._made(finding), finding.root)
            return replace(finding, root=root, effort=self.effort)
        return finding

    def makes(self, finding: Finding) -> bool:
        """Whether it is about a compiled module of a library that the tree builds itself.

        Then the tree is that library, or has a copy of it: its kernels are there to be counted.
        """
        return bool(self._made(finding))

    def _made(self, finding: Finding) -> str:
        """That module, if it is about one."""
        if finding.category == "dependency" or finding.anchor.startswith("torch."):
            return ""
        name = finding.anchor
        while name and name not in self.made:
            name = name.rpartition(".")[0]
        return name

    def _hands_on(self, finding: Finding) -> bool:
        """Whether it builds kernels of the tree, or imports what the tree builds of them.

        A build names the module (`CUDAExtension("nms_cuda", …)`), or the package that it is put in.
        """
        parts = finding.anchor.split(".")
        if finding.category == "cuda-source":  # `load_inline`, beside the kernels in its strings
            return parts[0] == "torch" and finding.path in self.of_file
        if self.makes(finding):
            return True
        if finding.category not in _BUILDS:
            return False
        if _is_build(finding):
            if dirname(finding.path) in self.below:
                return True
            line = Location(finding.path, finding.span.line)
            return finding.path in self.compiling and line not in self.foreign
        return parts[0] != "torch" and not self.built.isdisjoint({parts[0], parts[-1]})
