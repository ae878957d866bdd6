"""Reads shell scripts, and shell wherever it stands: batch directives, `RUN`, `run:`, recipes.

Gives the commands that run, variables that are set or read, options of training launches as
configuration, packages that are installed and images that are started. tree-sitter's bash grammar
reads; what it does not understand is passed over, as a shell dialect is no mistake of the user.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from posixpath import basename, join, normpath

from msgspec import Struct
from msgspec.structs import replace
from tree_sitter import Node

from portaudit.kinds import kind_by_name
from portaudit.read.images import image, is_reference
from portaudit.read.installs import installs
from portaudit.read.items import Document, Item, ItemKind, Part, Scalar
from portaudit.read.launches import filled, started
from portaudit.read.programs import (
    ASSIGNMENT,
    LAUNCHERS,
    SHELLS,
    begins_command,
    programs,
)
from portaudit.read.text import Point, Text
from portaudit.read.tree import child, content, parse, span, walk
from portaudit.types import GuardState, Proof, ScanError, Span

_DIRECTIVE = re.compile(r"#(SBATCH|PBS|BSUB|\$|QSUB)\s+(.*)")
_SUBMITTERS = {"SBATCH": "sbatch", "PBS": "qsub", "QSUB": "qsub", "BSUB": "bsub", "$": "qsub"}
"""The command that a line of directives gives options to."""
_SHOWING = frozenset({"echo", "printf", "read", "logger", ":", "true", "false", "grep", "egrep"})
"""Commands whose words are only text."""
_ASKING = frozenset({"command", "which", "type", "hash", "test", "[", "[["})
_CONTAINERS = frozenset(
    {"docker", "podman", "nerdctl", "singularity", "apptainer", "enroot", "nvidia-docker"}
)
_IMAGE_OPTIONS = frozenset({"--container-image", "--image", "--container"})
_VARIABLE_OPTIONS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("mpirun", "mpiexec", "orterun", "prun"), frozenset({"-x", "-env", "-genv"})),
    "mpiexec.hydra": frozenset({"-genv", "-env"}),
    **dict.fromkeys(("docker", "podman", "nerdctl", "nvidia-docker"), frozenset({"-e", "--env"})),
    **dict.fromkeys(("singularity", "apptainer", "enroot"), frozenset({"--env", "-e"})),
    **dict.fromkeys(("srun", "sbatch", "salloc"), frozenset({"--export"})),
    "kubectl": frozenset({"--env"}),
    "qsub": frozenset({"-v"}),
}
"""Options by which programs hand on environment variables: `mpirun -x NCCL_DEBUG=INFO`."""
_TAKES_VARIABLES = frozenset({"env", "sudo", "make", "gmake"})
"""Programs that take assignments among their words."""
_SYSTEM_INSTALLERS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("apt", "apt-get", "aptitude"), frozenset({"install", "reinstall", "upgrade"})),
    **dict.fromkeys(
        ("yum", "dnf", "microdnf", "tdnf"),
        frozenset({"install", "localinstall", "groupinstall", "update", "upgrade"}),
    ),
    "zypper": frozenset({"install", "in"}),
    "apk": frozenset({"add"}),
    "pacman": frozenset({"-S", "-Sy", "-Syu"}),
}
"""Package managers of operating systems, and the words by which they install."""
_TAKES_STRING = frozenset({"ssh", "pdsh", "eval", "watch", "su", "runuser", "parallel"})
"""Programs besides shells that run what a string says."""
_WORDS = frozenset(
    {"word", "number", "raw_string", "string_content", "variable_name", "file_descriptor"}
)
"""Nodes below which nothing stands."""
_QUOTED = frozenset({"string", "raw_string", "concatenation"})
_READS_SCRIPT = SHELLS | {"sbatch", "ssh", "qsub", "bsub", "sudo", "su"}
_RUNS_TEXT = SHELLS | {"eval", "ssh", "source", ".", "su", "runuser"}
"""Programs that run what a command in `$(…)` or `<(…)` among their words writes."""
_HANDING = frozenset({"command_substitution", "process_substitution", "string", "concatenation"})
_PASSING_ON = frozenset({"pipeline", "command_substitution", "process_substitution"})
"""Nodes in which what a command shows is read by another one."""
_GROUPS = 1_000_000
"""Groups that one line of a script can begin: here-documents count theirs apart from each other."""
_WRITES_SCRIPT = frozenset({"cat", "tee"})
_WRITTEN = frozenset({"redirected_statement", "heredoc_redirect", "pipeline", "command"})
"""Nodes in which the file that a here-document is written to is named."""
_NOT_WRITTEN = frozenset({"python", "notebook"})
"""Kinds of file that are not read where a here-document writes them."""
_PLACEHOLDER = re.compile(r"(?<![<>\w&$(])<([A-Za-z][\w.-]*)>(?![\w>&(.-])")
"""`<node_ip>`, which the reader of a script is to fill in: no redirection."""
_PLACEHOLDERS = re.compile(
    r"(?<=\w=)<[A-Za-z][^<>\n]*>(?:[ \t]*(?:\\\n[ \t]*)?\([^()\n]*\)(?=[ \t]*$))?", re.MULTILINE
)
"""`DATA=<where it is> (such as /data)`, of several words."""
_SETTING = re.compile(
    r"(?:.*/)?\.?(?:bashrc|bash\.bashrc|bash_profile|profile|zshrc|environment|env)|"
    r"(?:.*/)?profile\.d/.*|\$\{?GITHUB_ENV\}?"
)
"""Files whose lines set variables for what runs later."""
_LOADER = re.compile(r"(?:.*/)?ld\.so\.conf(?:\.d/.*)?")
"""Files that name the directories of libraries: what is in them, `ldconfig` takes as well."""
_PATH = re.compile(r"/|\.\w")
"""Of values that are put together to paths, and are no choices."""
_SETS = re.compile(r"(?m)^\s*set\s+--\s")
_GIVEN = re.compile(r"\$(?:[@*]|\{[@*]\})")
"""The words that a script or a function is given."""
_UNSEEN = "${ARGUMENTS}"
_LONGEST_VALUE = 10_000
"""Characters of a variable that grows."""
_ASSIGNED = "variable_assignment"
_HEREDOC = re.compile(r"<<-?\s*[\"'\\]?\w")
_EXPANDED = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
_IN_QUOTES = re.compile(r"\\[\"\\$`]|.", re.DOTALL)
"""The characters of a double-quoted string, each with the backslash that it loses."""
_WITH_OPTIONS = re.compile(r"\S\s+--[A-Za-z]")
_OPTIONS_VARIABLE = re.compile(r"\s*(?:\\\n\s*)*--[A-Za-z]")
_OPTION_SIGN = re.compile(r"--[\w-]+=")
_OVERRIDE = re.compile(r"[+~]{0,2}([A-Za-z_][\w./@-]*)=(.*)", re.DOTALL)
_OPTION = re.compile(r"--?([A-Za-z][\w.-]*)(?:=(.*))?", re.DOTALL)
_CUDA_THERE = re.compile(
    r"\b(?:nvidia-smi|nvcc|nvidia-detector)\b|/dev/nvidia|/usr/local/cuda|"
    r"\blspci\b[^\n]{0,200}nvidia|\blibcuda\b|torch\.cuda\.is_available",
    re.IGNORECASE,
)
"""What a condition names that can only hold where CUDA is."""
_DENYING = re.compile(r"(?:^|\[\s*|&&\s*)!\s|\s-z\s|\s(?:-eq|==?)\s*[\"']?0\b|\s-lt\s*1\b")
_STOPPING = re.compile(r"\bexit\b(?!\s+0)|\breturn\s+[1-9]")
_IDLE = re.compile(
    r"(?:\s|;|\b(?:else|then|fi|true|exit 0|return(?: 0)?|:)(?!\S)|:|"
    r"(?:echo|printf)\b[^\n;&|]*(?=[\n;&|]|\Z))*"
)
"""What does nothing, or only says so."""
_TRUTHS: dict[str, Scalar] = {"true": True, "false": False, "none": None, "null": None}
_LONGEST_CONDITION = 2_000
"""Bytes of a condition that are looked at."""
_DEEPEST = 3
"""Scripts in strings of scripts that are followed."""
_SUBSTITUTIONS = frozenset({"command_substitution", "process_substitution"})
_SUBSTITUTION = re.compile(r"\$\(|[<>]\(|`")
_MOST_NESTED = 50
"""Substitutions in one another that are followed: each is looked at with all that is in it."""


_MOVING = frozenset({"cd", "pushd", "popd"})
_APART = frozenset({"subshell", "function_definition", "command_substitution"})
"""What goes to another folder by itself alone."""
_PLAIN_PATH = re.compile(r"[\w./+@%=:,-]+")
"""A path of which all is known."""


class _Place(Struct, frozen=True):
    """What holds where a command stands.

    `passed_on`: what it shows goes to another command or into a file · `shown`: these are words
    that a command only shows · `may_be`: not every run of the script comes here.
    """

    scope: str = ""
    guard: GuardState = "none"
    by: Proof | None = None
    passed_on: bool = False
    shown: bool = False
    may_be: bool = False


class Mapped(Text, frozen=True, dict=True):
    """A string of another text without its escapes. `places`: of each character, and of the end."""

    places: tuple[tuple[int, int], ...] = ()

    @cached_property
    def _firsts(self) -> tuple[int, ...]:
        """The position of the first character of each line."""
        return tuple(accumulate((len(line) + 1 for line in self.lines), initial=0))

    def place(self, row: int, column: int) -> tuple[int, int]:
        """The file's line and column of a row and column (in code points) that count from 0."""
        first = self._firsts[min(row, len(self.lines) - 1)]
        return self.places[min(first + column, len(self.places) - 1)]


def mapped(text: Text, start: Point, raw: str, kept: Sequence[tuple[int, str]]) -> Mapped:
    """A string that begins at a row and column (in code points) of a text and is written `raw`.

    `kept`: its characters, each with its position in `raw`; the last is empty and is the end.
    """
    row, column = start
    spots: list[Point] = []
    for character in raw:
        spots.append((row, column))
        row, column = (row + 1, 0) if character == "\n" else (row, column + 1)
    spots.append((row, column))
    places = tuple(text.place(*spots[at]) for at, _ in kept)
    return Mapped(text.path, "".join(character for _, character in kept), places=places)


def read(text: Text) -> Document:
    """A shell script as a document."""
    items = tuple(script(text))
    if len(_SUBSTITUTION.findall(text.text)) <= _MOST_NESTED:
        return Document(items)
    row = _row_too_deep(parse("bash", text).root_node)
    if row is None:
        return Document(items)
    error = ScanError(text.path, "substitutions are nested too deeply", text.place(row, 0)[0])
    return Document(items, errors=(error,))


def _row_too_deep(root: Node) -> int | None:
    """Where a substitution stands in more others than are followed."""
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        depth += node.type in _SUBSTITUTIONS
        if depth > _MOST_NESTED:
            return node.start_point[0]
        waiting.extend((each, depth) for each in node.named_children)
    return None


def script(
    text: Text, scope: str = "", depth: int = 0, values: Mapping[str, str] | None = None
) -> Iterator[Item]:
    """The items of shell code, which may be a piece of another file.

    `values`: variables that were set before, by which a command may be called (`$(NVCC) -c`).
    """
    seen: set[tuple[str, str, Span]] = set()
    if "<" in text.text:
        shown = _PLACEHOLDERS.sub(lambda found: re.sub(r"[^\w\\\n]", "_", found[0]), text.text)
        text = replace(text, text=_PLACEHOLDER.sub(r"_\1_", shown))
    found = _Script(text, depth, dict(values or {}))
    for item in found.items(parse("bash", text).root_node, _Place(scope)):
        if (item.kind, item.name, item.span) not in seen:
            seen.add((item.kind, item.name, item.span))
            yield item


def arguments(parts: Sequence[Part], scope: str = "") -> Iterator[Item]:
    """A command given as words (`CMD ["python", "train.py"]`, `command:` of a container).

    A word that is itself a script (`bash -c`) is left to the caller, who has its lines.
    """
    if parts:
        yield from _Script(Text("", ""), _DEEPEST, {}).command(tuple(parts), _Place(scope))
        yield from started(parts, {})


class _Script:
    """One piece of shell code. `values` are the variables that have been set so far.

    `told`: those whose value was read as a command where it is set · `options`: those whose value
    is a word with options, as texts with the places where they are set · `defaults`: what those
    are set to that may have been set outside · `moves`: the folders that `cd` went to, each with
    the byte at which that ends: a subshell comes back.
    """

    def __init__(self, text: Text, depth: int, values: dict[str, str]) -> None:
        self.text = text
        self.depth = depth
        self.values = values
        self.told: set[str] = set()
        self.options: dict[str, list[tuple[Text, _Place]]] = {}
        self.quoted: dict[Span, tuple[str, Node]] = {}
        self.defaults: dict[str, str] = {}
        self.moves: list[tuple[int, str]] = []
        self.sets = bool(_SETS.search(text.text))

    def inner(self, text: Text, place: _Place) -> Iterator[Item]:
        """The items of a script inside this one."""
        found = _Script(text, self.depth + 1, self.values)
        found.told, found.options = self.told, self.options
        yield from found.items(parse("bash", text).root_node, place)

    def items(self, node: Node, place: _Place) -> Iterator[Item]:
        """The items of a node and of all below it."""
        waiting = [(node, place, 0)]
        while waiting:
            current, here, depth = waiting.pop()
            kind = current.type
            depth += kind in _SUBSTITUTIONS
            if depth > _MOST_NESTED:
                continue
            if kind == "comment":
                yield from self._directive(current, here)
            elif kind == "variable_assignment":
                yield from self._assignment(current, here)
            elif kind in {"simple_expansion", "expansion"}:
                if not here.shown:
                    yield from self._expansion(current, here)
            elif kind in {"unset_command", "declaration_command"}:
                for name in current.children:
                    if name.type == "variable_name":
                        yield self._variable(name, None, here)
            elif kind == "command":
                yield from self._command(current, here)
            elif kind == "heredoc_body":
                yield from self._heredoc(current, here)
                continue
            elif kind in {"redirected_statement", "pipeline"}:
                yield from self._kept_for_later(current, here)
            waiting += ((each, around, depth) for each, around in self._below(current, here))

    def _below(self, node: Node, place: _Place) -> list[tuple[Node, _Place]]:
        """What is below a node and may say something, the last first."""
        if node.type in {"if_statement", "elif_clause", "case_statement"}:
            place = replace(place, may_be=True)
        if node.type in {"if_statement", "elif_clause"}:
            below = list(self._branches(node, place))
        elif node.type == "list" and len(node.children) == 3:  # noqa: PLR2004 - a, operator, b
            below = list(self._either(node, place))
        else:
            if node.type == "function_definition":
                name = child(node, "word")
                place = replace(place, scope=content(name) if name else place.scope)
            elif node.type in _PASSING_ON or (
                node.type == "redirected_statement" and _goes_to_file(node)
            ):
                place = replace(place, passed_on=True, shown=False)
            elif node.type == "command" and not place.passed_on:
                name = node.child_by_field_name("name")
                shown = name is not None and content(name) in {"echo", "printf"}
                place = replace(place, shown=shown) if shown else place
            below = [(each, place) for each in node.named_children if each.type not in _WORDS]
        below.reverse()
        return below

    # --- guards -----------------------------------------------------------------------------------

    def _branches(self, node: Node, place: _Place) -> Iterator[tuple[Node, _Place]]:
        """The parts of an `if`: what stands behind a question for CUDA's tools is guarded."""
        condition = next((each for each in node.children[1:] if each.is_named), None)
        others = [each for each in node.children if each.type in {"else_clause", "elif_clause"}]
        answer = _asks_for_cuda(self._head(condition)) if condition else None
        if condition is None or answer is None or place.guard != "none":
            yield from ((each, place) for each in node.children)
            return
        body = [each for each in node.children if each != condition and each not in others]
        if answer:
            inside = self._proved(condition, place, others)
            for each in node.children:
                yield each, place if each in others else inside
        else:
            outside = self._proved(condition, place, body)
            for each in node.children:
                yield each, place if each in body else outside

    def _either(self, node: Node, place: _Place) -> Iterator[tuple[Node, _Place]]:
        """`a && b`, `a || b`."""
        first, operator, second = node.children
        head = self._head(first)
        answer = _asks_for_cuda(head) if place.guard == "none" else None
        shows = head.lstrip().startswith("nvidia-smi") and "/dev/null" not in head
        if answer and operator.type == "&&" and not shows:
            inside = self._proved(first, place, [])
            yield first, inside
            yield second, inside
        elif operator.type == "||" and place.guard == "none":
            ignored = content(second).strip() in {"true", ":"} or answer is not None
            yield first, self._proved(first, place, [second]) if ignored else place
            yield second, place
        else:
            yield first, place
            yield second, place

    def _head(self, node: Node) -> str:
        """What a condition says, as far as it is looked at."""
        end = min(node.end_byte, node.start_byte + _LONGEST_CONDITION)
        return self.text.data[node.start_byte : end].decode("utf-8", "replace")

    def _proved(self, condition: Node, place: _Place, others: Iterable[Node]) -> _Place:
        """The place behind a condition for CUDA, by what runs where the condition fails."""
        text = "\n".join(content(each) for each in others).strip()
        state: GuardState = "fallback"
        if _STOPPING.search(text):
            state = "hard-fail"
        elif _IDLE.fullmatch(text):
            state = "guarded"
        return _Place(place.scope, state, self.text.proof(condition.start_point[0]))

    # --- one command ------------------------------------------------------------------------------

    def _command(self, node: Node, place: _Place) -> Iterator[Item]:
        name = node.child_by_field_name("name")
        if name is None:
            return
        words = node.children_by_field_name("argument")
        first, *more = self._named(name)
        parts = (first, *more, *(self._part(each) for each in words))
        self._move(node, parts)
        variable = _expanded(self._part(name).text)
        told, options = variable in self.told, variable in self.options
        for item in self.command(parts, place):
            again = told or (options and item.kind == "config-key")
            if item.span != first.span or not again:
                yield item
        if options:
            yield from self._expanded_options(variable)
        folder = self._folder(node)
        around = tuple(content(each) for each in node.children if each.type == _ASSIGNED)
        for item in self._started((self._part(name), *parts[1 + len(more) :]), place):
            if item.kind == "launch":
                yield replace(item, folder=folder, environment=around)
            else:
                yield item

    def _folder(self, node: Node) -> str:
        """The folder that the commands before one went to, empty where nobody knows."""
        return next((to for end, to in reversed(self.moves) if node.start_byte < end), "")

    def _move(self, node: Node, parts: Sequence[Part]) -> None:
        """What `cd` does to the commands behind it, up to the end of its subshell or function."""
        name = parts[0].text
        if name not in _MOVING:
            return
        around = node.parent
        while around is not None and around.type not in _APART:
            around = around.parent
        end = around.end_byte if around is not None else len(self.text.data) + 1
        word = next((part.text for part in parts[1:] if part.text != "--"), "/")
        known = ChainMap(self.values, self.defaults)
        to = filled(word, known) if name != "popd" else "/"
        is_unknown = to.startswith(("/", "~", "-")) or not _PLAIN_PATH.fullmatch(to)
        went = "" if is_unknown else normpath(join(self._folder(node), to))
        self.moves.append((end, "" if went.startswith("..") or went == "." else went))

    def _started(self, parts: Sequence[Part], place: _Place) -> Iterator[Item]:
        """What a command starts, and what the commands start that are words of it."""
        if place.scope or self.sets:  # who calls the function gives these words
            parts = [replace(part, text=_GIVEN.sub(_UNSEEN, part.text)) for part in parts]
        for item in started(parts, ChainMap(self.values, self.defaults)):
            yield self._placed(item, place)
        if self.depth >= _DEEPEST or basename(parts[0].text) in _SHOWING | {"git"}:
            return
        for part in parts[1:]:
            text = _OPTION_SIGN.sub("", part.text)
            if " " in text and begins_command(text):
                where = ((part.span.line, part.span.column),) * (text.count("\n") + 1)
                inner = Text(self.text.path, text, where)
                apart = _Script(inner, self.depth + 1, dict(self.values))
                found = apart.items(parse("bash", inner).root_node, place)
                yield from (item for item in found if item.kind == "launch")

    def _named(self, name: Node) -> list[Part]:
        """The words that a command begins with: a variable stands for what it was set to."""
        part = self._part(name)
        value = self.values.get(_expanded(part.text), "").split()
        return [replace(part, text=word) for word in value] or [part]

    def command(self, parts: tuple[Part, ...], place: _Place) -> Iterator[Item]:
        """What a command says, given as its words, of which the first may set variables."""
        while parts and (found := ASSIGNMENT.fullmatch(parts[0].text)):
            yield self._item("env-var", found[1], parts[0], place, found[2])
            parts = parts[1:]
        for each in programs(parts):
            program, *words = each
            name = basename(program.text)
            if name in _SHOWING or (name in _ASKING and (name != "command" or _is_asked(each))):
                return
            made = self._item("command", name, program, place, parts=tuple(words))
            yield made
            yield from self._system_packages(made)
            named = [*installs(each), *self._handed_on(each, place)]
            if name in _CONTAINERS or any(_takes_image(part.text) for part in words):
                named += self._images(words, place.scope)
            yield from (self._placed(item, place) for item in named)
            if LAUNCHERS.fullmatch(name) or name.endswith((".py", ".sh")) or name in SHELLS:
                yield from self._options(each, place)
                for word in words:
                    yield from self._expanded_options(_expanded(word.text))
            if self.depth < _DEEPEST:
                yield from self._inner(each, place)

    @staticmethod
    def _system_packages(command: Item) -> Iterator[Item]:
        """Each package that the system's package manager installs, as a command of its own."""
        verbs = _SYSTEM_INSTALLERS.get(command.name)
        if not verbs:
            return
        at = next((at for at, part in enumerate(command.parts) if part.text in verbs), None)
        if at is None:
            return
        name = f"{command.name} {command.parts[at].text}"
        for part in command.parts[at + 1 :]:
            if not part.text.startswith("-"):
                yield replace(command, name=name, span=part.span, parts=(part,))

    def _handed_on(self, parts: Sequence[Part], place: _Place) -> Iterator[Item]:
        """Variables among the words: `env A=1 program`, `mpirun -x A=1`, `docker run -e A=1`."""
        name = basename(parts[0].text)
        options, leading = _VARIABLE_OPTIONS.get(name, frozenset()), name in _TAKES_VARIABLES
        after = ""
        for part in parts[1:]:
            option, _, listed = part.text.partition("=")
            if after in options or (leading and not part.text.startswith("-")):
                yield from self._set(part.text, after, part, place)
            elif option in options and listed:
                yield from self._set(listed, option, part, place)
            after = part.text

    def _set(self, text: str, option: str, part: Part, place: _Place) -> Iterator[Item]:
        """What an option hands on: `A=1`, `A` as it is outside, Slurm's `ALL,A=1,B=2`."""
        for word in text.split(",") if option == "--export" else [text]:
            found = ASSIGNMENT.fullmatch(word)
            if found:
                yield self._item("env-var", found.group(1), part, place, found.group(2))
            elif option.startswith("-") and option != "--export" and word.isidentifier():
                yield self._item("env-var", word, part, place)

    @staticmethod
    def _images(parts: Sequence[Part], scope: str) -> Iterator[Item]:
        """Images among words: given to an option, or a word of a program for containers."""
        for part in parts:
            word = part.text
            if (_takes_image(word) and "=" in word) or ASSIGNMENT.fullmatch(word):
                word = word.partition("=")[2]
            found = image(word, part.span, scope) if is_reference(word) else None
            if found:
                yield found

    def _options(self, parts: Sequence[Part], place: _Place) -> Iterator[Item]:
        """Options and overrides of a training launch, each as a setting."""
        if "pip" in {part.text for part in parts[:3]}:
            return
        for position, part in enumerate(parts[1:], start=1):
            option, override = _OPTION.fullmatch(part.text), _OVERRIDE.fullmatch(part.text)
            if option:
                name, value = option.groups()
                follower = parts[position + 1].text if position + 1 < len(parts) else "-"
                if value is None:
                    value = None if follower.startswith("-") else follower
                scalar: Scalar = True if value is None else _scalar(value)
            elif override:
                name, scalar = override.group(1), _scalar(override.group(2))
            else:
                continue
            scope = name.rpartition(".")[0]
            setting = Item("config-key", name, part.span, scalar, (), scope, forms=("arguments",))
            yield self._placed(setting, place)

    def _expanded_options(self, variable: str) -> Iterator[Item]:
        """The options in a variable that a launch has among its words, where they are written."""
        for text, place in self.options.pop(variable, ()):
            yield from self._options((Part("", Span(0, 0, 0, 0)), *_split(text)), place)

    def _inner(self, parts: Sequence[Part], place: _Place) -> Iterator[Item]:
        """The script in `bash -c "…"` and `ssh host "…"`."""
        name = basename(parts[0].text)
        if name in SHELLS | {"su", "runuser"}:
            at = next((at for at, part in enumerate(parts) if _is_script_option(part.text)), None)
            scripts = parts[at + 1 : at + 2] if at is not None else ()
        else:
            scripts = parts[1:] if name in _TAKES_STRING else ()
        for part in scripts:
            alone = name in SHELLS and "$" not in part.text
            if alone or re.search(r"\s", part.text):
                yield from self.inner(self._unquoted(part), place)

    def _unquoted(self, part: Part) -> Text:
        """What a word says, as a text of its own: a script, or words."""
        shown, node = self.quoted.get(part.span, ("", None))
        if node is None or shown != part.text:
            return Text(self.text.path, part.text, ((part.span.line, part.span.column),))
        start = node.start_point
        raw = content(node)
        return mapped(self.text, (start[0], self.text.column(start)), raw, _kept(raw, _kind(node)))

    def _kept_for_later(self, node: Node, place: _Place) -> Iterator[Item]:
        """What `echo` writes to a file that sets variables, or that the loader reads."""
        command = child(node, "command")
        name = command.child_by_field_name("name") if command is not None else None
        if command is None or name is None or content(name) not in {"echo", "printf"}:
            return
        words = [self._part(each) for each in command.children_by_field_name("argument")]
        targets = list(self._targets(node))
        if any(_LOADER.fullmatch(target) for target in targets):
            for word in words:
                yield self._item("command", "ldconfig", word, place, parts=(word,))
        elif self.depth < _DEEPEST and any(_SETTING.fullmatch(target) for target in targets):
            for word in words:
                inside = self.inner(self._unquoted(word), place)
                yield from (item for item in inside if item.kind == "env-var")

    def _heredoc(self, node: Node, place: _Place) -> Iterator[Item]:
        """A here-document that a shell or a scheduler reads, or that is written to a file."""
        outer = node.parent
        while outer is not None and outer.type not in {"redirected_statement", "command"}:
            outer = outer.parent
        command = child(outer, "command") if outer is not None else None
        if outer is None or command is None or self.depth >= _DEEPEST:
            return
        words = [basename(content(each)) for each in command.named_children]
        piece = self._body(node)
        if (words and words[0] in _READS_SCRIPT - {"sudo"}) or self._is_handed_on(node, outer):
            yield from self.inner(piece, place)
        elif not _WRITES_SCRIPT.isdisjoint(words):
            yield from self._written(self._targets(outer), piece, place)
        elif words and words[0] in _READS_SCRIPT:
            yield from self.inner(piece, place)
        elif words and words[0] == "read" and words[-1].isidentifier():
            # `read -r -d '' words <<EOF`: the variable is what a launch is given later.
            self.values[words[-1]] = piece.text[:_LONGEST_VALUE]
            self.options[words[-1]] = [(piece, place)]

    @staticmethod
    def _is_handed_on(body: Node, outer: Node) -> bool:
        """Whether a shell gets what a here-document's command writes, by a pipe or as a word."""
        piped = child(body.parent, "pipeline") if body.parent is not None else None
        for command in piped.named_children if piped is not None else ():
            words = [basename(content(each)) for each in command.named_children]
            if words and words[0] in _READS_SCRIPT:
                return words[0] != "sudo" or not SHELLS.isdisjoint(words)
        above = outer.parent
        handed = False
        while above is not None and above.type in _HANDING:
            handed = True
            above = above.parent
        if above is None or not handed or above.type != "command":
            return False
        name = above.child_by_field_name("name")
        return name is not None and basename(content(name)) in _RUNS_TEXT

    def _written(self, targets: Iterable[str], piece: Text, place: _Place) -> Iterator[Item]:
        """What a here-document writes to a file, read as what its name says that it is.

        Inside another file one that has here-documents itself is not followed any deeper.
        """
        kinds = ((each, kind_by_name(each)) for each in targets)
        target, kind = next(((each, kind) for each, kind in kinds if kind), ("", None))
        if kind == "shell" or (kind is None and re.match(r"\s*#!.*sh\b", piece.text)):
            yield from self.inner(piece, place)
        elif kind and kind not in _NOT_WRITTEN:
            if self.text.starts and _HEREDOC.search(piece.text):
                return
            from portaudit.read.other import read as read_as  # noqa: PLC0415 - it reads shell, too

            above = _GROUPS * piece.place(0, 0)[0]
            for item in read_as(kind, replace(piece, path=target)).items:
                by = item.guard_by and replace(item.guard_by, path=self.text.path)
                apart = replace(item, guard_by=by, group=above + item.group)
                yield self._placed(apart, place)

    def _targets(self, outer: Node) -> Iterator[str]:
        """The files that a statement with a here-document may write."""
        for each in walk(outer, into=_WRITTEN):
            words: list[Node] = []
            if each.type == "file_redirect" and child(each, ">", ">>", ">|"):
                words = each.named_children[-1:]
            elif each.type == "command" and "tee" in content(each).split():
                words = each.children_by_field_name("argument")
            for word in words:
                text = self._part(word).text
                yield self.values.get(_expanded(text), text)

    def _body(self, node: Node) -> Text:
        """The lines of a here-document; `<<-` takes the tabs before each."""
        row, column = node.start_point
        lines = content(node).split("\n")
        tabs = node.parent is not None and child(node.parent, "<<-") is not None
        shown = [line.lstrip("\t") if tabs else line for line in lines]
        starts = [
            self.text.place(row + down, (0 if down else column) + len(line) - len(kept))
            for down, (line, kept) in enumerate(zip(lines, shown, strict=True))
        ]
        return Text(self.text.path, "\n".join(shown), tuple(starts))

    # --- small parts ------------------------------------------------------------------------------

    def _directive(self, node: Node, place: _Place) -> Iterator[Item]:
        found = _DIRECTIVE.fullmatch(content(node).rstrip())
        if not found:
            return
        row, column = node.start_point
        line, first = self.text.place(row, column)
        words = []
        for each in re.finditer(r"\S+", found.group(2).partition(" #")[0]):
            start = first + found.start(2) + each.start()
            where = Span(line, start, line, start + len(each.group()))
            words.append(Part(each.group(), where))
        if words:
            name = _SUBMITTERS[found.group(1)]
            yield self._item("command", name, words[0], place, parts=tuple(words))
            head = Part(name, words[0].span)
            yield from self._handed_on((head, *words), place)
            if any(_takes_image(word.text) for word in words):
                images = self._images(words, place.scope)
                yield from (self._placed(item, place) for item in images)

    def _assignment(self, node: Node, place: _Place) -> Iterator[Item]:
        name, value = (node.child_by_field_name(field) for field in ("name", "value"))
        if name is None or name.type != "variable_name":
            return
        if value is None:
            yield self._variable(name, "", place)
            return
        part = self._part(value)
        variable = content(name)
        grows = child(node, "+=") is not None or _names_itself(variable, part.text)
        may_be = place.may_be and not _PATH.search(part.text + self.values.get(variable, "/"))
        earlier = self.values.get(variable, "") if grows or may_be else ""
        own = part.text.replace(f"${{{variable}}}", "").replace(f"${variable}", "")
        self.values[variable] = f"{earlier} {own}"[:_LONGEST_VALUE] if earlier else part.text
        if not grows:
            self.told.discard(variable)
            self.options.pop(variable, None)
        yield self._variable(name, part.text, place)
        if value.type == "array":
            words = [self._part(each) for each in value.children if each.is_named]
            yield from self._options((Part("", part.span), *words), place)
        elif _OPTIONS_VARIABLE.match(own):
            words = [Part("", part.span), *_split(self._unquoted(part))]
            yield from self._options(words, place)
        elif begins_command(part.text):
            self.told.add(variable)
            yield from self.inner(self._unquoted(part), place)
        elif _WITH_OPTIONS.search(part.text):
            self.options.setdefault(variable, []).append((self._unquoted(part), place))
        elif is_reference(part.text):
            found = image(part.text, part.span, place.scope)
            if found:
                yield self._placed(found, place)

    def _expansion(self, node: Node, place: _Place) -> Iterator[Item]:
        name = child(node, "variable_name")
        if name is None:
            return
        default = next((each for each in node.children if each.type in {"word", "string"}), None)
        if default is None or child(node, ":-", ":=", "-", "=") is None:
            yield self._variable(name, None, place)
            return
        part = self._part(default)
        if child(node, ":=", "=") is not None:
            self.defaults.setdefault(content(name), part.text)
        yield self._variable(name, part.text, place)
        found = image(part.text, part.span, place.scope) if is_reference(part.text) else None
        if found:
            yield self._placed(found, place)

    def _variable(self, name: Node, value: str | None, place: _Place) -> Item:
        word = Part(content(name), span(self.text, name))
        return self._item("env-var", word.text, word, place, value)

    def _part(self, node: Node) -> Part:
        raw = content(node)
        kind = _kind(node)
        if kind in {"string", "raw_string"} and len(raw) > 1:
            raw = raw[1:-1]
        elif kind == "concatenation":
            raw = re.sub(r"[\"']", "", raw)
        part = Part(raw, span(self.text, node))
        if kind in _QUOTED:
            self.quoted[part.span] = raw, node
        return part

    @staticmethod
    def _placed(item: Item, place: _Place) -> Item:
        """An item of a command, with what holds where the command stands."""
        scoped = (
            item if item.kind == "config-key" else replace(item, scope=item.scope or place.scope)
        )
        if item.guard != "none":
            return scoped
        return replace(scoped, guard=place.guard, guard_by=place.by)

    @staticmethod
    def _item(
        kind: ItemKind,
        name: str,
        part: Part,
        place: _Place,
        value: Scalar = None,
        parts: tuple[Part, ...] = (),
    ) -> Item:
        return Item(
            kind, name, part.span, value, parts, place.scope, guard=place.guard, guard_by=place.by
        )


def _asks_for_cuda(condition: str) -> bool | None:
    """Whether a condition holds only where CUDA is, or only where it is not; else `None`.

    Judged from the words of the condition alone: a program that is run counts if its success says
    that it is there.
    """
    text = condition.strip().rstrip(";").strip()
    if not _CUDA_THERE.search(text):
        return None
    first = re.split(r"[\s|&;>]", text.lstrip('!([ $"'), maxsplit=1)[0]
    asking = first in _ASKING | {"lspci", "ldconfig", "python", "python3"}
    if not asking and not text.lstrip("! (").startswith(("[", "nvidia-smi", "nvcc")):
        return None
    denied = bool(_DENYING.search(text))
    if (denied and "&&" in text) or "||" in text:
        return None
    return not denied


def _goes_to_file(statement: Node) -> bool:
    """Whether the output of a statement is written to a file, and not to the terminal."""
    return any(
        each.type == "file_redirect" and child(each, ">", ">>", ">|", "&>", "&>>") is not None
        for each in statement.children
    )


def _split(text: Text) -> Iterator[Part]:
    """The words of a quoted string, each where it stands."""
    for row, line in enumerate(text.lines):
        for each in re.finditer(r"[^\s\\]\S*", line):
            where = Span(*text.place(row, each.start()), *text.place(row, each.end()))
            yield Part(each.group(), where)


def _kept(raw: str, kind: str) -> list[tuple[int, str]]:
    """The characters of a quoted word with their positions, and its end."""
    if kind == "concatenation":
        return [*((at, each) for at, each in enumerate(raw) if each not in "\"'"), (len(raw), "")]
    last = max(len(raw) - 1, 1)
    if kind == "raw_string":
        return [*enumerate(raw[1:last], start=1), (last, "")]
    found = _IN_QUOTES.finditer(raw, 1, last)
    return [*((each.start(), each.group()[-1]) for each in found), (last, "")]


def _kind(node: Node) -> str:
    """The type of a word's node; of the name of a command that of the word."""
    return node.children[0].type if node.type == "command_name" and node.children else node.type


def _expanded(word: str) -> str:
    """The variable that a word is the value of; empty for other words."""
    found = _EXPANDED.fullmatch(word)
    return (found[1] or found[2]) if found else ""


def _names_itself(variable: str, text: str) -> bool:
    """Whether a value holds what its variable had before."""
    name = re.escape(variable)  # of a file that is no shell it may be anything
    return bool(re.search(rf"\$(?:{name}\b|\{{{name}\}})", text))


def _is_asked(parts: Sequence[Part]) -> bool:
    return len(parts) > 1 and parts[1].text in {"-v", "-V"}


def _is_script_option(word: str) -> bool:
    return bool(re.fullmatch(r"-[a-z]*c", word))


def _takes_image(word: str) -> bool:
    return word.partition("=")[0] in _IMAGE_OPTIONS


def _scalar(word: str) -> Scalar:
    return _TRUTHS.get(word.lower(), word)
