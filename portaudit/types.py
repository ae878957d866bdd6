"""The data that the stages hand on: frozen, plain, picklable, comparable.

Nothing here computes, reads a file or knows a parser: a syntax node never leaves the stage
that made it. What a file gives is `gc=False`: it is held until all files are known, and what is
frozen and made of such parts is in no cycle (tests/test_memory.py).
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
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
EntryKind = Literal[
    "training",
    "evaluation",
    "inference",
    "export",
    "data preparation",
    "benchmark",
    "test",
    "example",
    "tool",
]
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
COMPILED: frozenset[Language] = frozenset({"cuda", "hip"})
"""Languages of kernels that a compiler builds into an extension; Python makes all others."""
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
REACHES: tuple[Reach, ...] = ("main", "other", "example", "test", "unreached")
"""What counts first of a file, or of a root cause, that several programs reach."""
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
UNGUARDED: frozenset[GuardState] = frozenset({"none", "hard-fail"})
"""Guards under which code has to run on the target."""


class Span(Struct, frozen=True, gc=False, order=True):
    """A region of text: 1-based lines and code-point columns, the end column exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class Location(Struct, frozen=True, gc=False, order=True):
    """A line of a file, the path relative to the root and posix."""

    path: str
    line: int


class Proof(Struct, frozen=True, gc=False):
    """The line that proves a guard.

    `setting`: the flag, the option or the entry of a table that was not chosen, where the guard is
    one that a user switches on; empty where it asks for CUDA or for a library.
    """

    path: str
    line: int
    text: str
    setting: str = ""


# --- symbolic values and flags: what one file tells another ---------------------------------------


class Ref(Struct, frozen=True, gc=False, tag=True):
    """A dotted name. `open` when it belongs to a module of the audited tree.

    An open name is spelled as the importing file sees it (`.config.DEVICE`, `pkg.config.DEVICE`);
    a closed one is a name of an installed package (`torch.cuda.synchronize`).
    """

    name: str
    open: bool = False


class Text(Struct, frozen=True, gc=False, tag=True):
    """A string literal and where it stands. `exact` is false when only the beginning is known."""

    value: str
    exact: bool
    path: str
    line: int
    column: int


class Constant(Struct, frozen=True, gc=False, tag=True):
    """True, False, None or a number."""

    value: bool | int | float | None


class Instance(Struct, frozen=True, gc=False, tag=True):
    """What calling `of` gives."""

    of: Ref


Value = Ref | Text | Constant | Instance
"""One of the things that a name may be; a name has a tuple of them, empty when nothing is known."""

FactKind = Literal["cuda", "no-cuda", "lib", "no-lib", "opt-in", "vendor", "never", "module"]


class Fact(Struct, frozen=True, gc=False, eq=False):
    """What is known where a condition holds.

    `cuda`: a CUDA device is there · `lib`: the library `subject` can be imported · `opt-in`: the
    flag `subject`, off by default, was switched on · `vendor`: another vendor's device is there ·
    `never`: the code does not run (`if TYPE_CHECKING`) · `module`: an import in a `try` went well
    of `subject`, as it is written there, which may be what the tree builds for CUDA. Facts with
    another proof are equal.
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


class Atom(Struct, frozen=True, gc=False, tag=True):
    """A condition that means something by itself: the facts when true, and when false."""

    when_true: tuple[Fact, ...] = ()
    when_false: tuple[Fact, ...] = ()


class Not(Struct, frozen=True, gc=False, tag=True):
    """The negation of a flag."""

    flag: Flag


class AllOf(Struct, frozen=True, gc=False, tag=True):
    """The conjunction of flags (`and`)."""

    flags: tuple[Flag, ...]


class AnyOf(Struct, frozen=True, gc=False, tag=True):
    """The disjunction of flags (`or`)."""

    flags: tuple[Flag, ...]


class Known(Struct, frozen=True, gc=False, tag=True):
    """A flag whose truth is a constant of the program; `None` when nothing is known of it."""

    truth: bool | None = None


class Choice(Struct, frozen=True, gc=False, tag=True):
    """A name bound in several places: pairs of (what holds at the place, the flag bound there)."""

    cases: tuple[tuple[Flag, Flag], ...]


class Named(Struct, frozen=True, gc=False, tag=True):
    """The truth of a name of another module of the tree (or of its call, `call`)."""

    name: str
    call: bool = False


Flag = Atom | Not | AllOf | AnyOf | Known | Choice | Named


class Export(Struct, frozen=True, gc=False):
    """What a module-level name is, for the files that import it.

    `returns` and `returns_flag` say the same of its call; `members` of its attributes (a class's
    defaults). `otherwise` proves that the name has another value that works where its library is
    missing. `asks`: of a function that is true only where the variable of the environment has one
    of some values which it is given the name of: the default, and these.
    """

    values: tuple[Value, ...] = ()
    flag: Flag = Known()
    returns: tuple[Value, ...] = ()
    returns_flag: Flag = Known()
    members: tuple[tuple[str, Export], ...] = ()
    otherwise: Proof | None = None
    fails: bool = False
    asks: tuple[str, ...] = ()

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
    first_party: AbstractSet[str] = frozenset()


class Externals(Struct, frozen=True):
    """What other modules told: solved exports of open names, keyed as the file spells them."""

    names: tuple[tuple[str, Export], ...] = ()


NO_EXTERNALS = Externals()
"""What a file is judged with before any other was read."""


class Task(Struct, frozen=True):
    """One file to scan, and what other modules told of its names."""

    path: str
    kind: FileKind = "python"
    first_party: AbstractSet[str] = frozenset()
    externals: Externals = NO_EXTERNALS


class Use(Struct, frozen=True, gc=False):
    """A place where a value from a literal arrives (`path:line`), with the receiver's name."""

    path: str
    line: int
    into: str = ""


class ForeignUse(Struct, frozen=True, gc=False):
    """A use, seen in this file, of a literal of another file."""

    path: str
    line: int
    column: int
    use: Use


class TargetFacts(Struct, frozen=True, gc=False):
    """What a finding's target says of it: the rule's facts, or its table row's."""

    status: Status
    evidence: Evidence
    source: str
    sdk: str
    checked: str
    replacement: str = ""
    note: str = ""


class Finding(Struct, frozen=True, gc=False):
    """A match that survived judging.

    `lines`: the first and the last line of the statement, or of what is one in the file's format ·
    `cell`: of a notebook's, the cell and the line in it (`a1b2:3`) · `root` groups what one change
    repairs; `context` is a hash of the statement, a tie-breaker for baselines that is no part of
    the fingerprint · `is_switch`: only flags of its code guard it, so nothing does where these are
    set · `topics`: sections of the report it belongs to · `state` and `accepted`: what a baseline
    or an earlier revision says of it · `brings`: the names that an import binds, where
    other findings speak of all that the file does with them, and else empty · `kernel`: the place
    of the kernel to be written that it speaks of, if it does; of a copy, that of the first one ·
    `portable`: where the tree has in PyTorch what native code does here, which only the CPU takes.
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
    brings: str = ""
    kernel: str = ""
    is_switch: bool = False
    portable: Location | None = None


class Suppression(Struct, frozen=True, gc=False):
    """The comment, or the setting, that accepts a finding, and why it does."""

    reason: str
    path: str
    line: int


class Directive(Struct, frozen=True, gc=False):
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


class Entry(Struct, frozen=True, gc=False, order=True):
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
    was scanned · `unjudged`: files with findings that the report leaves out, which may be new.
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
    unjudged: tuple[str, ...] = ()


# --- kernels --------------------------------------------------------------------------------------


class Feature(Struct, frozen=True, gc=False):
    """Something a kernel uses that decides how hard it is to write anew, and where it first does.

    `name` is a word of `docs/inventory.md` (`shared memory`, `atomics`, `tensor cores`, …).
    """

    name: str
    line: int
    count: int = 1


class Binding(Struct, frozen=True, gc=False):
    """The name under which Python reaches native code: `pybind` (`m.def`) or `torch-library`."""

    form: Literal["pybind", "torch-library"]
    name: str
    path: str
    line: int


class Counterpart(Struct, frozen=True, gc=False):
    """A kernel of nki-library that does the same job: `tier` is core or experimental."""

    name: str
    tier: str
    since: str
    source: str


class Kernel(Struct, frozen=True, gc=False):
    """A GPU kernel of the audited code: what one would have to write again.

    `line` is where its definition begins, `lines` its lines of code without comments ·
    `parameters` as declared · `variants`: template parameters, `constexpr` arguments and element
    types that it is compiled for · `helper`: only other kernels call it · `launched_by`,
    `bound_as`, `callers` (Python) lead to who uses it · `fallback`: a way that does the same
    without it · `variant_of`: the kernel that stands for it, where whoever launches it chooses one
    of several that take the same · `fingerprint` is that of its finding.
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
    variant_of: str = ""
    fingerprint: str = ""


class Function(Struct, frozen=True, gc=False):
    """A function of native code: the kernels that it launches, the functions that it calls.

    An operator that it may ask the dispatcher for has its space among `calls`: `net::scale` ·
    `device` is `cuda` or `cpu` where its registration or its file's build says so, else empty ·
    `features` and `lines` are those of a function for the device · `choices`: kernels of the same
    parameters, as far as the file can tell, of which one run launches one at most · `again`: those
    of `calls` that one run may come to more than once, with other values.
    """

    name: str
    line: int
    launches: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    device: str = ""
    features: tuple[Feature, ...] = ()
    lines: int = 0
    choices: tuple[tuple[str, ...], ...] = ()
    again: tuple[str, ...] = ()


class Bound(Struct, frozen=True, gc=False):
    """A native function and the name that Python has for it."""

    binding: Binding
    function: str
    device: str = ""


class Called(Struct, frozen=True, gc=False):
    """A name of another module that a Python file calls, as it spells it, and the first such line.

    `open` when the module belongs to the audited tree.
    """

    name: str
    line: int
    open: bool = False


class Compiled(Struct, frozen=True, gc=False):
    """Native sources that a line of Python compiles: paths, `*` for what is not known of them.

    One that begins with a slash begins at the root of the tree, another one anywhere. `loads`: when
    the line runs, and not when something is installed.
    """

    line: int
    sources: tuple[str, ...]
    loads: bool = False


class NativeFacts(Struct, frozen=True, gc=False):
    """What joins kernels across files: functions that start them, and what Python sees of those.

    `on_device`: functions for the device that have features of their own, and the kernels that
    call functions of other files, where such features may be · `builds`: names of modules that a
    build script makes for CUDA, with a `!` in front of those that it makes otherwise, or may ·
    `loose`: names that may be of functions which something calls in ways that are not told, `*part`
    for any that has such a part, `.name` for one of a class · `compiles`: what lines of Python
    compile · `includes`: the names of files that are included, and could be compiled themselves.
    """

    functions: tuple[Function, ...] = ()
    bound: tuple[Bound, ...] = ()
    on_device: tuple[Function, ...] = ()
    builds: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()
    compiles: tuple[Compiled, ...] = ()
    includes: tuple[str, ...] = ()


NO_NATIVE = NativeFacts()
"""A file without native code."""


# --- what starts what -----------------------------------------------------------------------------


class Import(Struct, frozen=True, gc=False):
    """A module of the tree that a Python file brings in, or names in a string.

    `name`: as the file spells it, with the member that it takes, which may be a module itself
    (`.ops.attn`) · `scope`: the function that does it when it is called, empty for code that runs
    with the module · `guard`, `guard_by`: what decides whether it happens · `named`: a string says
    it (`import_module("pkg.x")`, `{"_target_": "pkg.x.Model"}`) · `asks`: the setting that is what
    is not known of the name (`f"pkg.{args.model}"`), `?` for what is made of settings ·
    `text`: its line then · `turn`: how many names are tried before it, until one is there ·
    `is_switch`: only flags of the code decide, so there is no other way where they are set ·
    `usual`: a file of settings that the program is given unless a line says another one.
    """

    name: str
    line: int
    scope: str = ""
    guard: GuardState = "none"
    guard_by: Proof | None = None
    named: bool = False
    asks: str = ""
    text: str = ""
    turn: int = 0
    is_switch: bool = False
    usual: bool = False


class Launch(Struct, frozen=True, gc=False):
    """A command that starts a program, maybe one of the tree.

    `launcher`: the program in front (`python`, `torchrun`), empty where `target` is a command
    itself · `target`: a file, with `module` a dotted name, as written · `arguments`: the words
    behind it · `folder`: where the commands before it went, seen from where they began ·
    `launcher_settings`: the files of settings that the launcher itself is given · `said`: a
    sentence speaks of it · `environment`: variables that it sets for that alone (`KIND=x`).
    """

    line: int
    target: str
    launcher: str = ""
    module: bool = False
    arguments: tuple[str, ...] = ()
    folder: str = ""
    launcher_settings: tuple[str, ...] = ()
    said: bool = False
    environment: tuple[str, ...] = ()


class Mention(Struct, frozen=True, gc=False):
    """A line of a document that leads to a file or a folder: its path from the root of the tree."""

    line: int
    path: str


class Script(Struct, frozen=True, gc=False):
    """A command that installing the project makes: `ns-train` for `nerfstudio.train:main`.

    Of another entry point the name has its group in front: `nerfstudio.methods:splat`.
    """

    line: int
    name: str
    target: str


Deed = Literal[
    "backward", "optimizer", "fit", "evaluate", "no-grad", "generate", "export", "options", "write"
]
"""What a program does, as far as one call says it."""


class Setting(Struct, frozen=True, gc=False):
    """A value that a file has for a flag, an option or a field of a config.

    `name`: without what is around it (`use_flash` of `cfg.model.use_flash`, `--use-flash`); `*` is
    any that data has which is read at run time, or with a `value` any at all; `(` stands before one
    that some call of the file hands on by its name, in line 0 · `value`: a word, a number, `true`,
    `false` or `null` as JSON writes them, `""` for a text with nothing in it, `<>` for an object
    that is no word, empty where it is not written down ·
    `given`: it is set here, and is not what holds where nobody sets it · `parameter`: what it is
    the default of, which has none where `value` is empty · `spelled`: the
    names by which a command line gives it that say something else than its name and a value, and
    with their hyphen those of several letters that have one, in alphabetical order and separated
    by spaces; `--` and its name if what is said is the value, `!` if its parser takes no command
    line without it · `of`: another setting that it has
    the value of here, or of `*` whose text is read, the path of a file that is, `$` for one that
    the environment names, `{.}` for an object of a library, `{}` for what is read into a dict,
    `{**}` for where attributes come of one; `value` is mostly empty then · `section`: the name of
    what it stands in, where that is spelled (`attn` of `cfg.model.attn.fused`), a dot if it is
    itself such a section. Two of a file tell names in `spelled`: `--*` options that a parser of a
    command line declares, `[*]` what is asked by its key there, or declared otherwise.
    """

    name: str
    value: str
    line: int
    given: bool = False
    spelled: str = ""
    of: str = ""
    section: str = ""


class Option(Struct, frozen=True, gc=False):
    """Code that runs only where a setting has some value, or an entry of a table was chosen.

    `lines`: first and last, (0, 0) where it is only a part of its lines: that is `part` then ·
    `name`: of the setting, or of the table (a dict with names as keys, a registry) · `values`: one
    of which it must have, as in `Setting.value`, `true` for whatever counts as true, with `*` for
    whatever else a text has before or behind; of a table the key · `otherwise`: it must have none
    of them · `table`: it is an entry of a table;
    `by`: what its own file asks the table with, as in `CodeFacts.asks`, `?` for what nobody knows,
    and the method that puts it there (`^register_net`) · `text`: the line that says so, its
    number is `line` · `words`: like those of `CodeFacts`: names that the file uses nowhere else but
    in options · `within`: the place among the file's options of one that must hold as well: the
    nearest around it, or another part of the same condition; -1 for none · `made`: the entry is a
    config that is made whatever is chosen, so its own lines run · `defines`: it is a class or a
    function of the module, `name`, which runs only where that is used, or what runs only if the
    file is the program (`__main__`), or a method; it has no `values`, but a method its class ·
    `guard`: it waits for no setting but for
    CUDA, or for a library that only CUDA has; this is what its place is for code in it, `fallback`
    or `guarded`. If it has a `name`, that is names of modules, separated by spaces, and it waits
    for CUDA if the tree builds one of these for it; `values` are then names that nothing may set ·
    `imports`: the setting is the name of a module, so it must have a value · `section`: what the
    setting stands in, as in `Setting` · `called`: the entry is the definition of what is called so.
    """

    lines: tuple[int, int]
    name: str
    values: tuple[str, ...]
    line: int
    text: str
    otherwise: bool = False
    table: bool = False
    by: str = ""
    words: str = ""
    within: int = -1
    part: Span | None = None
    made: bool = False
    defines: bool = False
    guard: GuardState = "none"
    imports: bool = False
    section: str = ""
    called: str = ""
    portable: int = 0


class CodeFacts(Struct, frozen=True, gc=False):
    """What of a Python file says what it starts, and what of it is used.

    `main`: the line of `if __name__ == "__main__"`, 0 for none · `does`: each deed with its first
    line · `words`: names that the code uses, in alphabetical order and separated by spaces: of
    variables, attributes and arguments, and strings that could be one; not those that it only
    defines, imports or lists in `__all__` · `offered`: names, written so, that code elsewhere may
    call without a word of them; `module.*` is any of a module's, `.*` any of its own, `x.()` any
    method if `x` is no module, `A<B` says that A has the base B, `<B` that all below B are meant,
    `@module` that somebody gets it, if it is one · `options`: code that not every run of it runs;
    their words are not among `words` · `asks`: tables, its own and those that it imports, of which
    all is known that it does with them: what it asks them with, separated by spaces: a setting
    `kind`, a written key `=plain`, a parameter of a function with its place `build(0:kind`, `@` for
    the type that a config names, `$` for a word of the command line; `~NAMES` is another name of
    the table, `.` marks that of a class, `[nets` is one that a class keeps under a written key,
    `^register_net` a method that puts something into a table, with that and, behind a `%`, the
    class and its objects; alone `%registry` is an object of which only methods are called ·
    `gives`: functions that it only calls and what each call gives, by place or name:
    `0=plain kind:attn_kind 1?` · `handing`: the calls that fill parameters
    by their places: the last name of the function, or of the class that is made, and its arguments,
    separated by spaces: `true`, `8`, `.use_flash` for the setting of that name, `?` for anything
    else, `...` for any number more, `**` for any names as well. Alone, `^`: somebody of the tree
    gets the function itself, `&`: somebody else does; `A<B`: who makes an A fills the parameters of
    B; `()` is the name of an object that is called, `(?)` of whatever is · `taking`: functions and
    classes, and the names of their parameters in order, separated by spaces, behind a `*` those
    that are given by name only; of fields of a dataclass behind a `@`, behind a `%` if they are
    given by name only; `!` ends the name of an object that is no word, `>` of what is only passed
    on · `guesses`: what it may bring in besides, for whoever knows all files: a module's name with
    `*` for what is not known of it, a file's path, a folder that Python is told to search (`lib/`),
    a group of entry points (`pkg.models:`), a word that may be a module's name (`?fused`), a module
    that is none of the tree unless some folder is searched, `@` for what settings name, and behind
    a `|` the function of the tree that is given a package · `own`: those of all its words by which
    it means nothing but what it defines itself, like `words` · `trains`: all lines that may train
    it, not the first ones only · `sets`: names that it gives another value than their own statement
    does (`ops.HAVE = True`) · `mixed`: names of the module that need not mean the function, the
    class or the member that it defines or brings in by them, so too; `*` where any may · `keeps`:
    functions that do no more with what they are given than to keep it, of those that are called as
    if they brought it in, with a `!` before others that are called so · `sections`: words that
    it only uses for what settings stand in (`attn` of `cfg.attn.fused`); behind a `!` those of
    which it uses all at once without any of its words saying so, behind a `*` those of which it
    asks something by a name that is not written, which may be all settings · `members`: those of
    all its words by which it only asks objects of its classes for what these set themselves ·
    `objects`: settings that it asks of what may be an object that a library read, `*` if it makes
    pairs of one, and before a `(` functions that it gives one ·
    `whole`: those of `offered` that it asks by whole names only, and these, separated by spaces:
    `=get_rows`, `named(0:name` for what a function of it is given, `~WAYS` for a table of it that
    nobody else may change · `spaces`: of operators, those that it keeps or hands on.
    """

    imports: tuple[Import, ...] = ()
    main: int = 0
    does: tuple[tuple[Deed, int], ...] = ()
    words: str = ""
    offered: str = ""
    options: tuple[Option, ...] = ()
    asks: tuple[tuple[str, str], ...] = ()
    handing: tuple[tuple[str, str], ...] = ()
    taking: tuple[tuple[str, str], ...] = ()
    guesses: tuple[Import, ...] = ()
    gives: tuple[tuple[str, str], ...] = ()
    own: str = ""
    trains: tuple[int, ...] = ()
    sets: str = ""
    mixed: str = ""
    keeps: str = ""
    sections: str = ""
    members: str = ""
    objects: str = ""
    whole: tuple[tuple[str, str], ...] = ()
    spaces: str = ""


NO_CODE = CodeFacts()
"""A file that is not Python."""


class FileFacts(Struct, frozen=True, gc=False):
    """What the tree needs to know of one file.

    `exports`: module-level names, as far as the file can tell alone · `stars`: modules imported
    with `*`, `foreign_stars` those of them that belong to torch · `open`: names of other modules
    that the judgment of this file would like to know · `imports_torch` · `native`: what starts
    kernels here · `calls`: names of other modules that are called, as far as they may lead to one ·
    `held`: such names, and modules, that are kept or handed on · `code`, `launches`, `scripts`:
    what starts what · `settings`: values of flags and options, of a settings file too · `mentions`:
    where the first page of the tree leads to · `is_project`: installing the folder of this manifest
    makes something of it · `packages`: where it says that packages are, each with its name, empty
    for all that it has no other place for · `installs`: words of lines that install something, of
    which each may be a folder of the tree.
    """

    exports: tuple[tuple[str, Export], ...] = ()
    stars: tuple[str, ...] = ()
    foreign_stars: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    imports_torch: bool = False
    native: NativeFacts = NO_NATIVE
    calls: tuple[Called, ...] = ()
    code: CodeFacts = NO_CODE
    launches: tuple[Launch, ...] = ()
    scripts: tuple[Script, ...] = ()
    settings: tuple[Setting, ...] = ()
    mentions: tuple[Mention, ...] = ()
    is_project: bool = False
    packages: tuple[tuple[str, str], ...] = ()
    held: tuple[Called, ...] = ()
    installs: tuple[str, ...] = ()


class ScanError(Struct, frozen=True, gc=False):
    """A file, or a part of one, that could not be read: counted and shown, never silent.

    `surplus`: its findings that are left out because there are too many (`portaudit.surplus`).
    """

    path: str
    reason: str
    line: int | None = None
    surplus: int = 0


class Skipped(Struct, frozen=True):
    """A file that was left out on purpose, and why."""

    path: str
    reason: str


class FileResult(Struct, frozen=True, gc=False):
    """All that one file gives.

    `failed`: one of its errors is a failure of ours, which another run need not have.
    """

    path: str
    findings: tuple[Finding, ...] = ()
    facts: FileFacts = FileFacts()
    foreign_uses: tuple[ForeignUse, ...] = ()
    errors: tuple[ScanError, ...] = ()
    inventory: tuple[Kernel, ...] = ()
    directives: tuple[Directive, ...] = ()
    failed: bool = False


# --- the whole ------------------------------------------------------------------------------------


LIBRARY = "library:"
"""What the ids of root causes begin with that are a library, before the name of the package."""
OPERATOR = "operator:"
"""The same of those that are kernels to be written, before the file and the name of the first."""


class RootCause(Struct, frozen=True):
    """What one change would repair. `effort_days` is a range in engineer-days.

    Severity and effort are those of its places on the main training path, where that is known and
    reaches any; of one that is off the path, what it would take. `reach` is the best of its places.
    `setting`: the flag or the option that all its places on the path wait for, empty if there is
    none · `step`: its place in the suggested order, from 1, 0 for what the path does not need ·
    `after`: roots that have to be done before · `portable`: where the tree has another way ·
    `fix`: what to do, where that is not what the rule says.
    """

    id: str
    rule: str
    title: str
    category: Category
    severity: Severity
    effort_days: tuple[float, float]
    findings: tuple[str, ...]
    sites: tuple[Location, ...]
    reach: Reach | None = None
    setting: str = ""
    step: int = 0
    after: tuple[str, ...] = ()
    portable: tuple[Location, ...] = ()
    fix: str = ""


class Check(Struct, frozen=True):
    """What to look at on the target beside the code, and the page that says so."""

    text: str
    source: str
    evidence: Evidence
    sdk: str
    checked: str


PlanPart = Literal["before", "run", "numerics", "memory", "speed", "security"]


class PlanCheck(Struct, frozen=True):
    """A check that a porting plan adds to those of the sections.

    `{entry}` in its text is the program that trains · `when`: rules and categories of which the
    work must have one, else it is left out unless it is said `always`.
    """

    part: PlanPart
    check: Check
    when: tuple[str, ...] = ()
    always: bool = True


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


class Gain(Struct, frozen=True):
    """What the score would be once a root cause and those before it in a list are done.

    `points`: by how much that is more than without it.
    """

    root: str
    points: float
    score: float


class Assumption(Struct, frozen=True, order=True):
    """A number behind effort and score that the user set, and what it is without that.

    Values as JSON writes them (`[5, 20]`) · `source`: where the user has it from.
    """

    name: str
    value: str
    default: str
    source: str = ""


class EntryPoint(Struct, frozen=True):
    """A program that somebody can start, and its score.

    `main`: the main training path begins here · `evidence`: the lines that show it, what says most
    first · `why`: in words, what makes it this kind of program, and of the main one why it is ·
    `roots`: ids of what lies on its path, gravest first.
    """

    path: str
    kind: EntryKind
    score: float | None = None
    main: bool = False
    evidence: tuple[Location, ...] = ()
    why: str = ""
    verdict: Verdict | None = None
    effort_days: tuple[float, float] | None = None
    roots: tuple[str, ...] = ()


class Chain(Struct, frozen=True):
    """How the main training path comes to a file: a shortest chain of imports, entry first.

    Of a file that only other programs reach: how the first of those does. `imports`: the lines that
    import, the last one `path` itself; none for the entry · `guard`, `guard_by`: what decides on
    the way whether it comes there · `main`: it is the main path · `left_out`: so many imports after
    the first are not told, as the chain is very long.
    """

    path: str
    imports: tuple[Location, ...] = ()
    guard: GuardState = "none"
    guard_by: Proof | None = None
    main: bool = True
    left_out: int = 0


class Score(Struct, frozen=True):
    """0 to 100: `value` and all points `lost` sum to 100. No value without torch in the tree.

    `gains`: what would raise it most, each step after those before it · `assumptions`: those that
    are not the standard ones of `docs/scoring.md`.
    """

    value: float | None
    verdict: Verdict
    provisional: bool
    effort_days: tuple[float, float]
    lost: tuple[Lost, ...] = ()
    entry_points: tuple[EntryPoint, ...] = ()
    gains: tuple[Gain, ...] = ()
    assumptions: tuple[Assumption, ...] = ()


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
    """What was looked at: `unknown_facts` counts places whose status on the target is unknown.

    `rules_total`: the rules that there are; 0 in a report of a version that did not count them.
    """

    files_scanned: int
    files_total: int
    files_torch: int
    unknown_facts: int
    rules_run: int
    rules_total: int = 0


class Report(Struct, frozen=True):
    """Enough to build every format and to compare two runs. No clock, no absolute path.

    `chains`: of each file with a finding that a program reaches.
    """

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
    chains: tuple[Chain, ...] = ()
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


# --- why a line is a finding, or is none ----------------------------------------------------------


class Step(Struct, frozen=True):
    """A line on the way to something: an import, an assignment, a place where a value arrives.

    `name`: what is bound or reached there, as it is spelled · `means`: what that is, as far as it
    is known.
    """

    path: str
    line: int
    text: str
    name: str = ""
    means: str = ""


class Condition(Struct, frozen=True):
    """A condition in force at a place; `says` is what it proves, empty for nothing that matters."""

    path: str
    line: int
    text: str
    says: str = ""


class Passed(Struct, frozen=True):
    """A rule that knows something on a line and reports nothing there, and why.

    `reason`: why in a word, `why` in words · `by`: the line that decides, where there is one.
    """

    rule: str
    name: str
    line: int
    column: int
    anchor: str
    reason: str
    why: str
    by: Proof | None = None


class Reason(Struct, frozen=True):
    """Why a finding is there, and what it comes to.

    `matched`: the pattern of its rule in words · `steps`: how the code's spelling leads to what the
    rule knows, across files · `conditions`: those in force there, innermost first · `chain`: how a
    program comes to the file, `way` its lines with what they say, the program's own first ·
    `root`: the piece of work that it belongs to, with the points that this costs · `number`: that
    of the plan for it, 0 where no plan has it · `accept`: the comment that would accept it; empty
    where none can stand, or none is needed.
    """

    finding: Finding
    matched: str = ""
    steps: tuple[Step, ...] = ()
    conditions: tuple[Condition, ...] = ()
    chain: Chain | None = None
    way: tuple[Step, ...] = ()
    root: RootCause | None = None
    points: float = 0.0
    number: int = 0
    accept: str = ""


class Explanation(Struct, frozen=True):
    """What there is to know of one line: why it has findings, or why it has none.

    `reasons`: of findings that begin there, or whose statement it is part of · `passed`: rules that
    looked and said nothing · `names`: what the line spells that no rule knows · `uses`: findings
    elsewhere whose value arrives here, `guards`: those for which this line is the proof · `notes`:
    what else decides, in words · `near`: the closest lines of the file that have findings.
    """

    tool: Tool
    target: Target
    path: str
    line: int
    column: int | None
    text: str
    reasons: tuple[Reason, ...] = ()
    passed: tuple[Passed, ...] = ()
    names: tuple[Step, ...] = ()
    uses: tuple[Location, ...] = ()
    guards: tuple[Location, ...] = ()
    notes: tuple[str, ...] = ()
    near: tuple[int, ...] = ()
    rules: dict[str, RuleSummary] = {}
    schema: str = "portaudit.explanation/1"
