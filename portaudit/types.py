"""The data that the stages hand on: frozen, plain, picklable, comparable.

Nothing here computes, reads a file or knows a parser: a syntax node never leaves the stage
that made it.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Severity = Literal["info", "minor", "major", "blocker"]
Confidence = Literal["low", "medium", "high"]
GuardState = Literal["none", "guarded", "fallback", "import-guarded", "hard-fail"]
Target = Literal["torchneuron", "xla"]
Status = Literal["supported", "partial", "unsupported", "undocumented"]
Evidence = Literal["official", "third_party", "prerelease", "inferred"]
Effort = Literal["trivial", "small", "medium", "large", "research"]
Reach = Literal["main", "other", "test", "example", "unreached"]
State = Literal["new", "unchanged", "updated", "newly-covered"]
FileKind = Literal[
    "python",
    "notebook",
    "native",
    "shell",
    "docker",
    "make",
    "cmake",
    "yaml",
    "json",
    "toml",
    "ini",
    "hcl",
    "gin",
    "requirements",
    "markdown",
]
Language = Literal["cuda", "hip", "triton", "gluon", "tilelang", "cute-dsl", "numba"]
Difficulty = Literal["simple", "moderate", "hard", "research"]
Category = Literal[
    "device-api",
    "device-string",
    "amp",
    "memory-api",
    "streams-graphs",
    "rng",
    "distributed",
    "fused-kernel-lib",
    "custom-cuda-ext",
    "cuda-source",
    "triton-kernel",
    "framework-patch",
    "backend-flags",
    "compile",
    "dtype",
    "dynamic-shape",
    "host-sync",
    "op-fallback",
    "data-pipeline",
    "quantization",
    "profiling",
    "inference-engine",
    "dependency",
    "container",
    "scheduler-env",
    "notebook",
]
Topic = Literal["data-pipeline", "networking", "security"]
NoticeKind = Literal[
    "unused-suppression",
    "suppression-without-reason",
    "unknown-rule",
    "malformed-suppression",
    "submodule-moved",
]
Verdict = Literal[
    "ready", "edits only", "replace libraries", "write kernels", "redesign", "unknown"
]

TOPICS: tuple[Topic, ...] = ("data-pipeline", "networking", "security")
"""In the order of a report's sections."""
SEVERITIES: tuple[Severity, ...] = ("info", "minor", "major", "blocker")
CONFIDENCES: tuple[Confidence, ...] = ("low", "medium", "high")
TARGETS: tuple[Target, ...] = ("torchneuron", "xla")
EFFORTS: tuple[Effort, ...] = ("trivial", "small", "medium", "large", "research")
DIFFICULTIES: tuple[Difficulty, ...] = ("simple", "moderate", "hard", "research")
GUARD_STATES: tuple[GuardState, ...] = (
    "hard-fail",
    "none",
    "import-guarded",
    "guarded",
    "fallback",
)
"""Weakest promise first."""


class Span(Struct, frozen=True, order=True):
    """A region of text: 1-based lines and code-point columns, the end column exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class Location(Struct, frozen=True, order=True):
    """A line of a file, the path relative to the root and posix."""

    path: str
    line: int


class Proof(Struct, frozen=True):
    """The line that proves a guard."""

    path: str
    line: int
    text: str


# --- symbolic values and flags: what one file tells another ---------------------------------------


class Ref(Struct, frozen=True, tag=True):
    """A dotted name. `open` when it belongs to a module of the audited tree.

    An open name is spelled as the importing file sees it (`.config.DEVICE`, `pkg.config.DEVICE`);
    a closed one is a name of an installed package (`torch.cuda.synchronize`).
    """

    name: str
    open: bool = False


class Text(Struct, frozen=True, tag=True):
    """A string literal and where it stands. `exact` is false when only the beginning is known."""

    value: str
    exact: bool
    path: str
    line: int
    column: int


class Constant(Struct, frozen=True, tag=True):
    """True, False, None or a number."""

    value: bool | int | float | None


class Instance(Struct, frozen=True, tag=True):
    """What calling `of` gives."""

    of: Ref


Value = Ref | Text | Constant | Instance
"""One of the things that a name may be; a name has a tuple of them, empty when nothing is known."""

FactKind = Literal["cuda", "no-cuda", "lib", "no-lib", "opt-in", "vendor", "never"]


class Fact(Struct, frozen=True, eq=False):
    """What is known where a condition holds.

    `cuda`: a CUDA device is there · `lib`: the library `subject` can be imported · `opt-in`: the
    flag `subject`, off by default, was switched on · `vendor`: another vendor's device is there ·
    `never`: the code does not run (`if TYPE_CHECKING`). Facts with another proof are equal.
    """

    kind: FactKind
    subject: str = ""
    proof: Proof | None = None

    def __eq__(self, other: object) -> bool:
        """Whether the same is known, whatever proves it."""
        if not isinstance(other, Fact):
            return NotImplemented
        return (self.kind, self.subject) == (other.kind, other.subject)

    def __hash__(self) -> int:
        return hash((self.kind, self.subject))


class Atom(Struct, frozen=True, tag=True):
    """A condition that means something by itself: the facts when true, and when false."""

    when_true: tuple[Fact, ...] = ()
    when_false: tuple[Fact, ...] = ()


class Not(Struct, frozen=True, tag=True):
    """The negation of a flag."""

    flag: Flag


class AllOf(Struct, frozen=True, tag=True):
    """The conjunction of flags (`and`)."""

    flags: tuple[Flag, ...]


class AnyOf(Struct, frozen=True, tag=True):
    """The disjunction of flags (`or`)."""

    flags: tuple[Flag, ...]


class Known(Struct, frozen=True, tag=True):
    """A flag whose truth is a constant of the program; `None` when nothing is known of it."""

    truth: bool | None = None


class Choice(Struct, frozen=True, tag=True):
    """A name bound in several places: pairs of (what holds at the place, the flag bound there)."""

    cases: tuple[tuple[Flag, Flag], ...]


class Named(Struct, frozen=True, tag=True):
    """The truth of a name of another module of the tree (or of its call, `call`)."""

    name: str
    call: bool = False


Flag = Atom | Not | AllOf | AnyOf | Known | Choice | Named


class Export(Struct, frozen=True):
    """What a module-level name is, for the files that import it.

    `returns` and `returns_flag` say the same of its call; `members` of its attributes (a class's
    defaults). `otherwise` proves that the name has another value that works where its library is
    missing.
    """

    values: tuple[Value, ...] = ()
    flag: Flag = Known()
    returns: tuple[Value, ...] = ()
    returns_flag: Flag = Known()
    members: tuple[tuple[str, Export], ...] = ()
    otherwise: Proof | None = None

    def member(self, name: str) -> Export | None:
        """The export of an attribute, if it is known."""
        return next((export for key, export in self.members if key == name), None)


# --- one file -------------------------------------------------------------------------------------


class SourceFile(Struct, frozen=True):
    """A file to audit. `path` is relative to the root and posix; `content` the bytes as they are.

    `first_party` holds the top-level names that an absolute import in this file finds inside the
    tree: a vendored `apex/` is not NVIDIA's.
    """

    path: str
    kind: FileKind
    content: bytes
    first_party: frozenset[str] = frozenset()


class Externals(Struct, frozen=True):
    """What other modules told: solved exports of open names, keyed as the file spells them."""

    names: tuple[tuple[str, Export], ...] = ()


NO_EXTERNALS = Externals()
"""What a file is judged with before any other was read."""


class Task(Struct, frozen=True):
    """One file to scan, and what other modules told of its names."""

    path: str
    kind: FileKind = "python"
    first_party: frozenset[str] = frozenset()
    externals: Externals = NO_EXTERNALS


class Use(Struct, frozen=True):
    """A place where a value from a literal arrives (`path:line`), with the receiver's name."""

    path: str
    line: int
    into: str = ""


class ForeignUse(Struct, frozen=True):
    """A use, seen in this file, of a literal of another file."""

    path: str
    line: int
    column: int
    use: Use


class TargetFacts(Struct, frozen=True):
    """What a finding's target says of it: the rule's facts, or its table row's."""

    status: Status
    evidence: Evidence
    source: str
    sdk: str
    checked: str
    replacement: str = ""
    note: str = ""


class Finding(Struct, frozen=True):
    """A match that survived judging.

    `lines`: the first and the last line of the statement, or of what is one in the file's format ·
    `cell`: of a notebook's, the cell and the line in it (`a1b2:3`) · `root` groups what one change
    repairs; `context` is a hash of the statement, a tie-breaker for baselines that is no part of
    the fingerprint · `topics`: sections of the report it belongs to · `state` and `accepted`: what
    a baseline or an earlier revision says of it.
    """

    rule: str
    category: Category
    severity: Severity
    effective_severity: Severity
    confidence: Confidence
    path: str
    span: Span
    message: str
    anchor: str
    scope: str
    snippet: str
    guard: GuardState
    guard_by: Proof | None
    facts: TargetFacts
    effort: Effort
    root: str
    context: str
    lines: tuple[int, int] = (0, 0)
    uses: tuple[Use, ...] = ()
    fix: str = ""
    reach: Reach | None = None
    cell: str | None = None
    fingerprint: str = ""
    state: State | None = None
    accepted: Entry | None = None
    suppressed: Suppression | None = None
    topics: tuple[Topic, ...] = ()


class Suppression(Struct, frozen=True):
    """The comment, or the setting, that accepts a finding, and why it does."""

    reason: str
    path: str
    line: int


class Directive(Struct, frozen=True):
    """A comment that accepts findings: `portaudit: ignore[RULES] reason`.

    `words` name rules as `--select` does · `lines` are those whose statements it speaks for: its
    own, and where it stands alone the next one that is no comment; empty for a whole file.
    """

    path: str
    line: int
    column: int
    words: tuple[str, ...]
    reason: str
    lines: tuple[int, ...] = ()
    problem: str = ""


class Notice(Struct, frozen=True):
    """Something about the audit itself that somebody should know or put right: no obstacle.

    The line 0 means the whole file, or a folder.
    """

    kind: NoticeKind
    path: str
    line: int
    message: str


# --- accepted findings ----------------------------------------------------------------------------


class Entry(Struct, frozen=True, order=True):
    """An accepted finding: the readable parts of its identity, and what it was when accepted.

    `context` is the hash of its statement, `severity` its effective severity then · `count`:
    findings that are equal in all of this · `expires`: a date (`2027-03-31`) after which it is
    accepted no more.
    """

    path: str
    rule: str
    scope: str
    anchor: str
    context: str
    severity: Severity
    count: int = 1
    reason: str = ""
    owner: str = ""
    expires: str = ""


class Gate(Struct, frozen=True):
    """What a check decided, and against what.

    `against` says in words what old code is, `change` whether it is also what was there before a
    change: then `Finding.accepted` of an old one is what the baseline says, if it says so, and of
    one that became graver what it was; `failing` are fingerprints of `Report.findings` ·
    `gone`: entries whose finding is no longer there · `expired`: entries past their date whose
    finding is · `baseline`: the file of accepted findings, if there is one; `outdated` when other
    rules than these made it · `score_before`: the score of what the change began from, where that
    was scanned.
    """

    passed: bool
    against: str
    fail_on: Severity | None
    min_confidence: Confidence
    failing: tuple[str, ...] = ()
    gone: tuple[Entry, ...] = ()
    expired: tuple[Entry, ...] = ()
    baseline: str = ""
    outdated: bool = False
    score_before: float | None = None
    change: bool = False


# --- kernels --------------------------------------------------------------------------------------


class Feature(Struct, frozen=True):
    """Something a kernel uses that decides how hard it is to write anew, and where it first does.

    `name` is a word of `docs/inventory.md` (`shared memory`, `atomics`, `tensor cores`, …).
    """

    name: str
    line: int
    count: int = 1


class Binding(Struct, frozen=True):
    """The name under which Python reaches native code: `pybind` (`m.def`) or `torch-library`."""

    form: Literal["pybind", "torch-library"]
    name: str
    path: str
    line: int


class Counterpart(Struct, frozen=True):
    """A kernel of nki-library that does the same job: `tier` is core or experimental."""

    name: str
    tier: str
    since: str
    source: str


class Kernel(Struct, frozen=True):
    """A GPU kernel of the audited code: what one would have to write again.

    `line` is where its definition begins, `lines` its lines of code without comments ·
    `parameters` as declared · `variants`: template parameters, `constexpr` arguments and element
    types that it is compiled for · `helper`: only other kernels call it · `launched_by`,
    `bound_as`, `callers` (Python) lead to who uses it · `fallback`: a way that does the same
    without it · `fingerprint` is that of its finding.
    """

    name: str
    language: Language
    path: str
    line: int
    end_line: int
    lines: int
    difficulty: Difficulty
    reasons: tuple[str, ...]
    features: tuple[Feature, ...] = ()
    parameters: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    autotuned: bool = False
    helper: bool = False
    backward: str = ""
    launched_by: tuple[Location, ...] = ()
    bound_as: tuple[Binding, ...] = ()
    callers: tuple[Location, ...] = ()
    fallback: Location | None = None
    counterpart: Counterpart | None = None
    fingerprint: str = ""


class Function(Struct, frozen=True):
    """A function of native code: the kernels that it launches, the functions that it calls.

    `device` is `cuda` or `cpu` where its registration or its file's build says so, else empty ·
    `features` and `lines` are those of a function for the device.
    """

    name: str
    line: int
    launches: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    device: str = ""
    features: tuple[Feature, ...] = ()
    lines: int = 0


class Bound(Struct, frozen=True):
    """A native function and the name that Python has for it."""

    binding: Binding
    function: str
    device: str = ""


class Called(Struct, frozen=True):
    """A name of another module that a Python file calls, as it spells it, and the first such line.

    `open` when the module belongs to the audited tree.
    """

    name: str
    line: int
    open: bool = False


class NativeFacts(Struct, frozen=True):
    """What joins kernels across files: functions that start them, and what Python sees of those.

    `on_device`: functions for the device that have features of their own, and the kernels that
    call functions of other files, where such features may be.
    """

    functions: tuple[Function, ...] = ()
    bound: tuple[Bound, ...] = ()
    on_device: tuple[Function, ...] = ()


NO_NATIVE = NativeFacts()
"""A file without native code."""


class FileFacts(Struct, frozen=True):
    """What the tree needs to know of one file.

    `exports`: module-level names · `stars`: modules imported with `*`, `foreign_stars` those of
    them that belong to torch · `open`: names of other modules that the judgment of this file would
    like to know · `imports_torch` · `native`: what starts kernels here · `calls`: names of other
    modules that are called, as far as they may lead to a kernel.
    """

    exports: tuple[tuple[str, Export], ...] = ()
    stars: tuple[str, ...] = ()
    foreign_stars: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    imports_torch: bool = False
    native: NativeFacts = NO_NATIVE
    calls: tuple[Called, ...] = ()


class ScanError(Struct, frozen=True):
    """A file, or a part of one, that could not be read: counted and shown, never silent."""

    path: str
    reason: str
    line: int | None = None


class Skipped(Struct, frozen=True):
    """A file that was left out on purpose, and why."""

    path: str
    reason: str


class FileResult(Struct, frozen=True):
    """All that one file gives."""

    path: str
    findings: tuple[Finding, ...] = ()
    facts: FileFacts = FileFacts()
    foreign_uses: tuple[ForeignUse, ...] = ()
    errors: tuple[ScanError, ...] = ()
    inventory: tuple[Kernel, ...] = ()
    directives: tuple[Directive, ...] = ()


# --- the whole ------------------------------------------------------------------------------------


class RootCause(Struct, frozen=True):
    """What one change would repair. `effort_days` is a range in engineer-days."""

    id: str
    rule: str
    title: str
    category: Category
    severity: Severity
    effort_days: tuple[float, float]
    findings: tuple[str, ...]
    sites: tuple[Location, ...]


class Check(Struct, frozen=True):
    """What to look at on the target beside the code, and the page that says so."""

    text: str
    source: str
    evidence: Evidence
    sdk: str
    checked: str


class Section(Struct, frozen=True):
    """What a report says on one topic across categories: fingerprints, ids of root causes."""

    id: Topic
    title: str
    meaning: str
    findings: tuple[str, ...]
    roots: tuple[str, ...]
    checks: tuple[Check, ...]


class Lost(Struct, frozen=True):
    """Points (of 100) that a root cause costs."""

    root: str
    points: float


class EntryPoint(Struct, frozen=True):
    """A script that starts something, and its score."""

    path: str
    kind: str
    score: float | None


class Score(Struct, frozen=True):
    """0 to 100: `value` and all points `lost` sum to 100. No value without torch in the tree."""

    value: float | None
    verdict: Verdict
    provisional: bool
    effort_days: tuple[float, float]
    lost: tuple[Lost, ...] = ()
    entry_points: tuple[EntryPoint, ...] = ()


class Link(Struct, frozen=True):
    """Further reading."""

    title: str
    url: str


class RuleSummary(Struct, frozen=True):
    """What a report says of a rule that fired."""

    name: str
    title: str
    category: Category
    fix: str
    targets: dict[str, TargetFacts]
    references: tuple[Link, ...]


class Tool(Struct, frozen=True):
    """Who made a report: version of the program, digest of the catalogue."""

    name: str
    version: str
    catalogue: str


class Coverage(Struct, frozen=True):
    """What was looked at: `unknown_facts` counts places whose status on the target is unknown."""

    files_scanned: int
    files_total: int
    files_torch: int
    unknown_facts: int
    rules_run: int


class Report(Struct, frozen=True):
    """Enough to build every format and to compare two runs. No clock, no absolute path."""

    tool: Tool
    target: Target
    partial: bool
    score: Score
    rules: dict[str, RuleSummary]
    findings: tuple[Finding, ...]
    roots: tuple[RootCause, ...]
    errors: tuple[ScanError, ...]
    skipped: tuple[Skipped, ...]
    coverage: Coverage
    inventory: tuple[Kernel, ...] = ()
    sections: tuple[Section, ...] = ()
    notices: tuple[Notice, ...] = ()
    gate: Gate | None = None
    schema: str = "portaudit.report/1"


class Difference(Struct, frozen=True):
    """What one revision of a tree has that another had not, both judged by the same rules.

    `old` and `new` say in words which they are · `appeared` and `gone` are findings · `graver`,
    `milder`: found in both, with another effective severity, as the new one has it (`accepted` is
    what it was) · `moved`: in another file now, as (old path, new path, number) · `roots_appeared`
    and `roots_gone`: pieces of work that only one side has.
    """

    tool: Tool
    target: Target
    partial: bool
    old: str
    new: str
    score_old: Score
    score_new: Score
    appeared: tuple[Finding, ...]
    gone: tuple[Finding, ...]
    graver: tuple[Finding, ...]
    milder: tuple[Finding, ...]
    moved: tuple[tuple[str, str, int], ...]
    unchanged: int
    roots_appeared: tuple[RootCause, ...]
    roots_gone: tuple[RootCause, ...]
    rules: dict[str, RuleSummary]
    schema: str = "portaudit.difference/1"
