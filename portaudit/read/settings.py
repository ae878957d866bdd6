"""The common core of the readers of values (YAML, JSON, TOML): a tree of keys and scalars -> items.

Every scalar is a setting under the path of its keys. What else stands in such files is known by
the word of its key (environment variables, images) or by the document's form (commands, scripts).
A block of text that is itself a document (a file in a ConfigMap) is read as one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from posixpath import basename, join, normpath

from msgspec import Struct, field
from msgspec.structs import replace

from portaudit.catalogue.forms import Command, Form, forms, forms_of, pattern, registries
from portaudit.catalogue.items import normal
from portaudit.read.images import image
from portaudit.read.items import MAPPING, Item, Part, Scalar
from portaudit.read.launches import is_file, of_setting, started
from portaudit.read.programs import begins_command
from portaudit.read.shell import arguments, script
from portaudit.read.templates import MASK
from portaudit.read.text import Point, Text
from portaudit.types import Span

_REFERENCE = re.compile(r"\$\{[^{}]*\}")
"""A value that stands elsewhere: in another key (OmegaConf), in the environment."""
_FOLDER_KEYS = frozenset({"working_directory", "workingdirectory"})
_FOLDER = re.compile(r"[\w.-]+(?:/[\w.-]+)*")
_DEFAULTS = "defaults.run"
"""The mapping that holds for all commands of a workflow, or of a job."""
_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*_[A-Z0-9_]*")
_IN_ENVIRONMENT = re.compile(r"[A-Za-z_]\w*")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(?:=(.*))?", re.DOTALL)
_MATRIX = re.compile(r"\$\{\{ *matrix\.(?:[\w-]+\.)*([\w-]+) *\}\}")
"""The value of a workflow's setting that its matrix gives."""
_SCRIPT = re.compile(r"#!.*sh\b")
_DOCUMENT = re.compile(
    r"(?:[^\S\n]*(?:#.*)?\n)*[^\S\n]*(?:- +)?(?:[\w./-]+:(?:\s|$)|[\[{]\s*(?:[\n\"{]|\w+:))"
)
"""The beginning of a text that is a document of settings, and no prose or program."""
_SHELLS = frozenset({"bash", "sh", "zsh", "dash", "ksh", "ash"})
_SCRIPT_OPTION = re.compile(r"-[a-z]*c")
_PROGRAM = "python"
"""What a container is taken to start where only arguments are given."""
_LONGEST_KEY = 200
_LONGEST_LIST = 64
"""Numbers in a list beyond which it is data."""
_DEEPEST = 3
"""Documents in texts of documents that are read."""
_MOST_PLACES = 16
"""Settings of a job that one key of its matrix gives the value of."""
_OUTLINE_LEVELS = 3
_OUTLINE_KEYS = 3_000
"""Keys looked at to know a form: a document of more is a table of data."""


class Leaf(Struct):
    """A scalar, and the region it fills: rows and columns of the text, from 0.

    `style`: `|` and `>` for blocks, the quote for quoted ones, else empty · `escaped`: `text` is
    not what the characters of the region say.
    """

    text: str
    value: Scalar
    at: tuple[int, int, int, int]
    style: str = ""
    escaped: bool = False


class Branch(Struct):
    """A mapping."""

    entries: list[tuple[Leaf, Node]] = field(default_factory=list)


class Listing(Struct):
    """A list."""

    elements: list[Node] = field(default_factory=list)


Node = Leaf | Branch | Listing
Parse = Callable[[Text], Iterable[Node]]
"""Makes the documents of a text."""


class _Place(Struct, frozen=True):
    """Where a node stands: the path of its keys, the path above its own key, its mapping.

    `word`: its own key as patterns see it · `listed`: it is an element of a list · `environment`:
    the key says that variables are inside · `variable`: its own key is one.
    """

    path: str = ""
    scope: str = ""
    key: Leaf | None = None
    word: str = ""
    group: int = 0
    listed: bool = False
    environment: bool = False
    variable: bool = False


class Columns:
    """Regions of tree-sitter's, whose columns are bytes, in code points.

    Asked in the order of the file it reads every line once, however long the line is.
    """

    def __init__(self, text: Text) -> None:
        self.lines = text.data.split(b"\n")
        self.same = text.text.isascii()
        self.row = self.byte = self.column = 0

    def region(self, start: Point, end: Point) -> tuple[int, int, int, int]:
        """The rows and columns from one point to another."""
        return start[0], self._column(start), end[0], self._column(end)

    def _column(self, point: Point) -> int:
        row, byte = point
        if self.same:
            return byte
        if row != self.row or byte < self.byte:
            self.row, self.byte, self.column = row, 0, 0
        between = self.lines[row][self.byte : byte]
        self.byte, self.column = byte, self.column + len(between.decode("utf-8", "replace"))
        return self.column


def settings(
    text: Text,
    roots: Iterable[Node],
    written: Text | None = None,
    inner: Parse | None = None,
    group: int = 0,
    level: int = 0,
) -> Iterator[Item]:
    """The items of the documents of a text, in the order of the file.

    `written`: the same text with its templates' expressions · `inner`: reads a block of text that
    is a document itself · `group`, `level`: where the numbers of mappings begin, and how many
    documents this one stands in.
    """
    for root in roots:
        if isinstance(root, Leaf):
            continue
        known = forms_of(text.path, _outline(root))
        if not any(form.silent for form in known):
            document = _Document(text, written or text, known, inner, group, level)
            yield from sorted(document.items(root), key=lambda item: item.span)
            group = document.group


class _Document:
    """One document: its forms say where commands are."""

    def __init__(
        self,
        text: Text,
        written: Text,
        known: Sequence[Form],
        inner: Parse | None,
        group: int,
        level: int,
    ) -> None:
        self.text = text
        self.written = written
        self.inner = inner if level < _DEEPEST else None
        self.level = level
        self.named: set[Span] = set()
        """Where images are found: a name may be told by its mapping and by itself."""
        self.asked: dict[tuple[str, str], set[str]] = {}
        """The keys that the matrix of a job gives values for, by the job and the matrix's key."""
        self.forms = tuple(form.name for form in known)
        scripts = [each for form in known for each in form.scripts]
        self.scripts = pattern(scripts) if scripts else None
        self.commands = tuple(each for form in known for each in form.commands)
        self.words = forms().words
        self.images = pattern(self.words.image)
        self.group = group
        self.went: dict[int, str] = {}
        """The folders that commands are run in, by the groups of the mappings that say so."""
        self.usual: dict[str, str] = {}
        """Those of all commands below a place that say nothing of it (`defaults.run`)."""

    def items(self, root: Node) -> Iterator[Item]:
        """The items of a node and of all below it."""
        found = list(self._walk(root))
        yield from found
        yield from self._given(found)

    def _walk(self, root: Node) -> Iterator[Item]:
        waiting: list[tuple[Node, _Place]] = [(root, _Place())]
        while waiting:
            node, place = waiting.pop()
            if isinstance(node, Leaf):
                yield from self._leaf(node, place)
            elif isinstance(node, Branch):
                if place.key is not None and not place.listed:
                    yield self._setting(place, place.key, MAPPING)
                if place.listed and (named := _named(node, place)):
                    yield self._variable(*named)
                    continue
                yield from self._branch(node, place)
                waiting.extend(reversed(list(self._entries(node, place))))
            else:
                waiting.extend((each, _listed(place)) for each in reversed(node.elements))

    def _entries(self, node: Branch, place: _Place) -> Iterator[tuple[Node, _Place]]:
        self.group += 1
        group = self.group
        variable = place.environment and not place.listed
        self._note_folder(node, place, group)
        for key, value in node.entries:
            name = key.text[:_LONGEST_KEY].replace(MASK, "_").removeprefix("--")
            word = normal("config-key", name)
            if word == "<<":
                if isinstance(value, Branch):
                    yield value, replace(place, listed=True)
            elif not self._is_silent(word, value):
                path = f"{place.path}.{name}" if place.path else name
                inside = word in self.words.environment
                yield (
                    value,
                    _Place(path, place.path, key, word, group, False, inside, variable),
                )

    def _note_folder(self, node: Branch, place: _Place, group: int) -> None:
        """Take in where a mapping says that its commands are run, as GitHub and Azure spell it."""
        for key, value in node.entries:
            if normal("config-key", key.text) in _FOLDER_KEYS and isinstance(value, Leaf):
                folder = normpath(value.text.strip())
                is_known = _FOLDER.fullmatch(folder) and not folder.startswith("..")
                self.went[group] = folder if is_known else ""
                if place.path.endswith(_DEFAULTS):
                    self.usual[place.path.removesuffix(_DEFAULTS)] = self.went[group]

    def _moved(self, items: Iterable[Item], place: _Place) -> Iterator[Item]:
        """Items of a script, its launches in the folder that it is run in."""
        folder = self.went.get(place.group)
        if folder is None:
            around = (to for at, to in reversed(self.usual.items()) if place.path.startswith(at))
            folder = next(around, "")
        for item in items:
            is_moved = folder and item.kind == "launch"
            yield replace(item, folder=normpath(join(folder, item.folder))) if is_moved else item

    def _is_silent(self, word: str, value: Node) -> bool:
        """Whether an entry chooses nothing: what is allowed, or a row of a table."""
        if isinstance(value, Listing) and word in self.words.choices:
            return True
        return _is_data(word, value)

    def _leaf(self, leaf: Leaf, place: _Place) -> Iterator[Item]:
        key = place.key
        if key is None:
            return
        unknown = MASK in leaf.text or _REFERENCE.fullmatch(leaf.text)
        if not leaf.text.strip(f"${MASK}") and "github-workflow" in self.forms:
            self._ask(leaf, place)
        if place.listed and place.environment:
            found = _ASSIGNMENT.fullmatch(leaf.text)
            if found:
                yield self._variable(leaf, found[1], found[2])
                return
        yield self._setting(place, leaf, None if unknown else leaf.value)
        if not place.listed:
            known = _VARIABLE.fullmatch(key.text)
            if known or (place.variable and _IN_ENVIRONMENT.fullmatch(key.text)):
                yield self._variable(key, key.text, leaf.text)
        if ("/" in leaf.text or ":" in leaf.text) and (
            self.images.fullmatch(place.word) or is_hosted(leaf.text)
        ):
            yield from self._image(leaf, leaf.text.removeprefix("docker:"), place.scope)
        if self.scripts and self.scripts.fullmatch(normal("config-key", place.path)):
            yield from self._moved(script(code(self.text, leaf), place.scope), place)
            return
        if leaf.style == "|" or (leaf.escaped and "\n" in leaf.text):
            yield from self._inside(leaf, place)
        if " " in leaf.text or leaf.text.endswith(".py"):
            yield from self._started(leaf, place)

    def _image(self, leaf: Leaf, reference: str, scope: str) -> Iterator[Item]:
        where = self.span(leaf)
        found = image(reference.replace(MASK, "$"), where, scope)
        if found and where not in self.named:
            self.named.add(where)
            yield found

    def _inside(self, leaf: Leaf, place: _Place) -> Iterator[Item]:
        """What a block of text says that is a script or a document itself."""
        if _SCRIPT.match(leaf.text):
            yield from script(code(self.text, leaf), place.scope)
        elif self.inner and leaf.style == "|" and is_document(leaf.text):
            inner = code(self.text, leaf)
            roots = self.inner(inner)
            found = list(settings(inner, roots, None, self.inner, self.group, self.level + 1))
            self.group = max((item.group for item in found), default=self.group)
            yield from found

    def _started(self, leaf: Leaf, place: _Place) -> Iterator[Item]:
        """What a setting starts that names a program, or is a command under whatever key."""
        named = of_setting(place.path, leaf.text, self.span(leaf))
        if named is not None:
            yield named
        elif begins_command(leaf.text):
            for item in script(code(self.text, leaf), place.scope):
                if item.kind == "launch" and is_file(item):
                    yield item

    def _ask(self, leaf: Leaf, place: _Place) -> None:
        """Remember which setting of a job a key of its matrix gives the value of."""
        row, column, end_row, end_column = leaf.at
        if row == end_row and place.path.startswith("jobs."):
            for key in _MATRIX.findall(self.written.line_at(row)[column:end_column]):
                job = place.path.split(".", 2)[1]
                places = self.asked.setdefault((job, key.lower()), set())
                if len(places) < _MOST_PLACES:
                    places.add(place.path)

    def _given(self, found: Sequence[Item]) -> Iterator[Item]:
        """The values of a matrix once more, as what the job takes them for."""
        for item in found:
            keys = item.name.split(".")
            if item.kind != "config-key" or keys[2:4] != ["strategy", "matrix"]:
                continue
            for name in sorted(self.asked.get((keys[1], keys[-1].lower()), ())):
                yield replace(item, name=name, scope=name.rpartition(".")[0])
                if self.images.fullmatch(normal("config-key", name.rpartition(".")[2])):
                    made = image(str(item.value), item.span, item.scope)
                    if made and ("/" in made.name or made.value) and item.span not in self.named:
                        self.named.add(item.span)
                        yield made

    def _branch(self, node: Branch, place: _Place) -> Iterator[Item]:
        """What the keys of a mapping say together."""
        values = {normal("config-key", key.text): value for key, value in node.entries}
        named = bool(self.images.fullmatch(place.word))
        repository = values.get("repository", values.get("name") if named else None)
        repository = values.get("newname", repository)  # of Kustomize
        tag = _text(values.get("tag", values.get("newtag")))
        if isinstance(repository, Leaf) and (named or "tag" in values or "newname" in values):
            registry = _text(values.get("registry"))
            name = f"{registry}/{repository.text}" if registry else repository.text
            reference = f"{name}:{tag}" if tag else name
            if "/" in name:
                yield from self._image(repository, reference, place.path)
        path = normal("config-key", place.path)
        given = [
            each
            for each in self.commands
            if any(word in values for word in each.words) and pattern((each.place,)).fullmatch(path)
        ]
        if not given and any(self.images.fullmatch(word) for word in values):
            words = tuple(word for word in self.words.started if word in values)
            given = [Command("", words)] if words else []
        for each in given:
            yield from self._command(each, values, place)
        source, command = values.get("source"), values.get("command")
        if isinstance(source, Leaf) and command is not None and source.style:
            if any(basename(leaf.text) in _SHELLS for leaf in _leaves(command)):
                yield from script(code(self.text, source), place.path)
        entry = values.get("entrypoint")
        if entry is not None and command is not None:
            yield from self._start_whole(entry, command)
        program, varied = values.get("program"), values.get("parameters")
        if isinstance(program, Leaf) and isinstance(varied, Branch):
            yield from self._sweep(program, varied, command)

    def _command(
        self, command: Command, values: Mapping[str, Node], place: _Place
    ) -> Iterator[Item]:
        given = [values[word] for word in command.words if word in values]
        leaves = [leaf for node in given for leaf in _leaves(node)]
        if not leaves:
            return
        shown = [leaf.text.replace(MASK, "_") for leaf in leaves]
        if isinstance(given[0], Leaf) and len(given) == 1 and not command.program:
            yield from script(code(self.text, given[0]), place.path)
            return
        if command.program:
            split = [
                (leaf, word)
                for leaf, text in zip(leaves, shown, strict=True)
                for word in text.split()
            ]
            leaves, shown = [leaf for leaf, _ in split], [word for _, word in split]
        parts = [Part(word, self.span(leaf)) for word, leaf in zip(shown, leaves, strict=True)]
        if command.program or parts[0].text.startswith("-"):
            parts.insert(0, Part(command.program or _PROGRAM, parts[0].span))
        yield from arguments(parts, place.path)
        if leaves and basename(leaves[0].text) in _SHELLS:
            for option, leaf in pairwise(leaves):
                if _SCRIPT_OPTION.fullmatch(option.text):
                    yield from script(code(self.text, leaf), place.path)
                    break

    def _start_whole(self, entry: Node, command: Node) -> Iterator[Item]:
        """What a container starts by its `entrypoint` and `command` together."""
        parts = [*self._words(entry), *self._words(command)]
        yield from (item for item in started(parts, {}) if is_file(item)) if parts else ()

    def _words(self, node: Node) -> Iterator[Part]:
        """The words of a command: a list of them, or a text that is split as a shell does."""
        for leaf in _leaves(node):
            words = leaf.text.split() if isinstance(node, Leaf) else [leaf.text]
            yield from (Part(word.replace(MASK, "$"), self.span(leaf)) for word in words)

    def _sweep(self, program: Leaf, varied: Branch, command: Node | None) -> Iterator[Item]:
        """The runs of a sweep (Weights & Biases): its program, with all values of all settings."""
        named = of_setting("program", program.text, self.span(program))
        if named is None:
            return
        own = [leaf.text for leaf in _leaves(command)] if command is not None else []
        at = own.index("${program}") + 1 if "${program}" in own else len(own)
        words = own[at:] or ["${args}"]
        given = list(_varied(varied))
        told: list[str] = []
        for word in words:
            if word in {"${args}", "${args_no_boolean_flags}"}:
                told += (f"--{name}={value}" for name, value in given)
            elif word in {"${args_no_hyphens}", "${args_append_hydra}"}:
                told += (f"{name}={value}" for name, value in given)
            else:
                told.append(word)
        yield replace(named, parts=tuple(Part(word, named.span) for word in told))

    # --- small parts ------------------------------------------------------------------------------

    def span(self, leaf: Leaf) -> Span:
        """Where a scalar stands in the file."""
        row, column, end_row, end_column = leaf.at
        return Span(*self.text.place(row, column), *self.text.place(end_row, end_column))

    def _setting(self, place: _Place, leaf: Leaf, value: Scalar) -> Item:
        return Item(
            "config-key",
            place.path,
            self.span(leaf),
            value,
            scope=place.scope,
            group=place.group,
            forms=self.forms,
        )

    def _variable(self, leaf: Leaf, name: str, value: str | None) -> Item:
        shown = None if value is None else value.replace(MASK, "$")
        return Item("env-var", name, self.span(leaf), shown, forms=self.forms)


def _listed(place: _Place) -> _Place:
    if place.listed:
        return place
    return replace(place, listed=True)


def _named(node: Branch, place: _Place) -> tuple[Leaf, str, str | None] | None:
    """A variable given as an element `name: X, value: Y` of a list."""
    values = {key.text.lower(): value for key, value in node.entries}
    name, value = values.get("name"), values.get("value")
    if not isinstance(name, Leaf) or not values.keys() <= {"name", "value", "valuefrom"}:
        return None
    if _VARIABLE.fullmatch(name.text) or (
        place.environment and _IN_ENVIRONMENT.fullmatch(name.text)
    ):
        return name, name.text, _text(value)
    return None


def is_document(text: str) -> bool:
    """Whether a text begins as a document of settings does, and not as prose or a program."""
    return bool(_DOCUMENT.match(text))


def is_hosted(reference: str) -> bool:
    """Whether a reference begins with the host of a registry of images."""
    host, slash, _ = reference.partition("/")
    return bool(slash) and bool(registries().fullmatch(host))


def _varied(varied: Branch, above: str = "") -> Iterator[tuple[str, str]]:
    """The values of the settings of a sweep; one that is drawn from a range is a variable."""
    for key, node in varied.entries:
        name = f"{above}{key.text}"
        said = (
            {each.text: value for each, value in node.entries} if isinstance(node, Branch) else {}
        )
        inner = said.get("parameters")
        listed = said.get("values", said.get("value"))
        leaves = list(_leaves(listed)) if listed is not None else []
        if isinstance(inner, Branch):
            yield from _varied(inner, f"{name}.")
        elif leaves:
            yield from ((name, leaf.text.replace(MASK, "$")) for leaf in leaves)
        else:
            yield name, f"${{{key.text}}}"


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Leaf) else ""


def _is_data(word: str, value: Node) -> bool:
    """Whether an entry is a row of a table rather than a setting: numbers, by number or many."""
    if isinstance(value, Leaf):
        return word.isdigit() and not isinstance(value.value, str)
    return (
        isinstance(value, Listing)
        and len(value.elements) > _LONGEST_LIST
        and all(
            isinstance(each, Leaf) and isinstance(each.value, int | float)
            for each in value.elements
        )
    )


def _leaves(node: Node) -> Iterator[Leaf]:
    """The scalars of a list of words; a mapping among them is no word."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Leaf):
            yield each
        elif isinstance(each, Listing):
            waiting.extend(reversed(each.elements))


def _outline(root: Branch | Listing) -> dict[str, str]:
    """The keys of a document's first levels, elements of lists under the key of the list."""
    outline: dict[str, str] = {}
    waiting: list[tuple[Node, str, int]] = [(root, "", 0)]
    for node, path, level in waiting:
        if isinstance(node, Leaf):
            outline[path] = node.text
        elif isinstance(node, Listing):
            waiting.extend((each, path, level) for each in node.elements)
        else:
            outline.setdefault(path, "")
            if level < _OUTLINE_LEVELS:
                for key, value in node.entries:
                    name = normal("config-key", key.text)
                    waiting.append((value, f"{path}.{name}" if path else name, level + 1))
        if len(waiting) > _OUTLINE_KEYS:
            break
    return outline


def code(text: Text, leaf: Leaf) -> Text:
    """A scalar as a script that knows where each of its lines stands in the file."""
    row, column, end_row, end_column = leaf.at
    if leaf.style in {"|", ">"}:
        lines = [text.line_at(at) for at in range(row + 1, end_row + bool(end_column))]
        indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
        starts = [(row + 1 + down, indent) for down in range(len(lines))]
        lines = [line[indent:] for line in lines]
        folded = leaf.style == ">"
    elif len(leaf.style) > 1 and row != end_row:
        lines, starts = _broken(text, leaf)
        folded = False
    elif row == end_row or leaf.escaped:
        quote = len(leaf.style)
        shown = (
            leaf.text if leaf.escaped else text.line_at(row)[column + quote : end_column - quote]
        )
        lines = shown.split("\n")
        starts = [(row, column + quote)] * len(lines)
        folded = False
    else:
        lines, starts = _broken(text, leaf)
        folded = True
    if folded:
        lines = [*(f"{line} \\" if line.strip() else line for line in lines[:-1]), *lines[-1:]]
    shown = "\n".join(lines).replace(MASK, "_")
    return Text(text.path, shown, tuple(text.place(*start) for start in starts) or ((1, 1),))


def _broken(text: Text, leaf: Leaf) -> tuple[list[str], list[tuple[int, int]]]:
    """The lines of a plain or quoted scalar that is broken over several, without indentation."""
    row, column, end_row, end_column = leaf.at
    quote = len(leaf.style)
    lines: list[str] = []
    starts: list[tuple[int, int]] = []
    for at in range(row, end_row + 1):
        line = text.line_at(at)
        first = column + quote if at == row else len(line) - len(line.lstrip())
        last = end_column - quote if at == end_row else len(line)
        lines.append(line[first:last].rstrip())
        starts.append((at, first))
    return lines, starts
