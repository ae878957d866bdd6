"""Values that a Python file has for settings: where they are declared, and where they are given.

What is handed on under its own name says nothing; what cannot be read is told as unknown, so that
nobody takes a default for what it is.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import libcst as cst
from msgspec import Struct
from msgspec.structs import replace

from portaudit.catalogue import options as known
from portaudit.marks import (
    ANY_SETTING,
    ANY_VARIABLE,
    AS_WRITTEN,
    BY_KEY,
    ELEMENT,
    EMPTY,
    IN_DICT,
    LOADED,
    OBJECT_ITSELF,
    OF_FUNCTION,
    PARSED,
    POURED,
    REQUIRED,
    SECTION,
    VARIABLE,
)
from portaudit.read.python.conditions import (
    asked,
    asked_variable,
    compared,
    elements,
    holds,
    index,
    is_changed,
    is_declared,
    is_empty,
    is_field,
    is_self,
    literal,
    section_of,
    setting,
    variable,
)
from portaudit.read.python.conditions import section as section_at
from portaudit.read.python.inherited import inherited
from portaudit.read.python.loaded import is_loaded
from portaudit.read.python.mappings import (
    gives_dict,
    is_own_dict,
    keys,
    of_namespace,
    poured,
    sets_attribute,
)
from portaudit.read.python.model import Binding, Place, Scope, around
from portaudit.read.python.nodes import (
    SPEAKING,
    body_of,
    descendants,
    dict_entries,
    dotted,
    last_name,
    last_part,
    string_value,
)
from portaudit.read.python.values import Reader, argument, is_property
from portaudit.types import Ref, Setting

_DEEPEST = 3
_WORD = re.compile(r"\w+")
_CONFIG = re.compile(r"(?:^|[/_.])(?:conf|config|configs|cfg|cfgs|recipes?|experiments?)(?:[/_.])")
"""Files that may have nothing but settings."""
_INIT = "__init__"
_MADE = frozenset({_INIT, "__post_init__", "__new__", "setup"})
"""Methods that set an object up with what it is given."""
_PLAIN_BASES = frozenset({"object", "ABC", "Protocol", "Generic", "NamedTuple", "TypedDict"})
_PLAIN_TYPES = frozenset({"bool", "float", "int", "str", "Path", "expanduser", "abspath"})
"""What makes of a word what it says."""
_PLAIN_ACTIONS = frozenset({"store", "store_true", "append", "extend"})
"""What argparse does with an option so that a command line says what it becomes."""
_STATES = frozenset({"state_dict"})
"""Methods that give what has to be kept of an object."""
_TRIPLE = 3
_PAIR = 2
_MENTION = re.compile(r"-{0,2}((?:[A-Za-z_][\w-]*[./])*[A-Za-z_][\w-]*)([=:].*)?", re.DOTALL)
"""A text that may say which setting gets a value: `MODEL.USE_FLASH`, `--use-flash`, `a.b=true`."""
_LONGEST = 120


class Told(Struct, frozen=True, eq=False):
    """A setting in the making, and where it stands.

    `by`: what declares it, a parser of the command line, or asks for it as an attribute of what
    that gives: the name of such a setting.
    """

    name: str
    value: str
    node: cst.CSTNode
    given: bool
    spelled: tuple[str, ...] = ()
    of: str = ""
    section: str = ""
    by: str = ""


_PARSER = "parser"
_ATTRIBUTE = "attribute"


def settings(reader: Reader) -> tuple[Setting, ...]:
    """The settings of a file, each value of each once in a line, in the order of the file.

    Not once in the file: of two lines the one may run, and the other not.
    """
    found: dict[Setting, None] = {}
    lines = _Lines(reader)
    parsed: set[str] = set()
    others: set[str] = set()
    for told in _all(reader):
        if told.by == _PARSER:
            parsed.add(told.name)
        elif not (told.given or told.by) and told.name.isidentifier():
            others.add(told.name)
        is_handed = told.name.startswith(OF_FUNCTION)  # once for the file, whatever runs of it
        line = 0 if is_handed else lines.of(told.node, told.name if told.value else "")
        spelled = " ".join(sorted(told.spelled))
        item = Setting(told.name, told.value, line, told.given, spelled, told.of, told.section)
        found[item] = None
    others.update(keys(reader))
    for name, names in ((PARSED, parsed), (BY_KEY, others)):
        if names:
            found[Setting(name, "", 0, spelled=" ".join(sorted(names)))] = None
    return tuple(sorted(found, key=_line))


def _line(setting: Setting) -> int:
    return setting.line


class _Lines:
    """Finds lines without printing statements: in one of several, the only one with the name."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._rows: dict[int, dict[str, list[int]]] = {}
        """The lines of statements of several, by the words in them and the first line."""

    def of(self, node: cst.CSTNode, name: str) -> int:
        """The line of a node of a statement; its first one without a name, or with it in several.

        One entry of a table may be chosen, and another not: the first line is in none of them.
        """
        place = self.reader.model.places.get(node)
        positions = self.reader.positions
        first = positions.line(place.statement if place else node)
        last = positions.last(first)
        if not name or last == first:
            return first
        found = {*self._with(name, first, last), *self._with(name.replace("_", "-"), first, last)}
        return found.pop() if len(found) == 1 else first

    def _with(self, name: str, first: int, last: int) -> Iterator[int]:
        """The lines of a statement that have a name: looked for where one of its words is."""
        rows = self._rows.get(first)
        if rows is None:
            rows = self._rows[first] = defaultdict(list)
            for number, text in enumerate(self.reader.lines[first - 1 : last], start=first):
                for word in {"", *_WORD.findall(text)}:
                    rows[word].append(number)
        word = _WORD.search(name)
        candidates = rows.get(word[0] if word else "", ())
        return (each for each in candidates if _stands(self.reader.lines[each - 1], name))


def _stands(text: str, name: str) -> bool:
    """Whether a line has a name, and not only as a part of another."""
    at = text.find(name)
    while at >= 0:
        beside = f" {text} "[at], f" {text} "[at + len(name) + 1]
        if not any(each.isalnum() or each == "_" for each in beside):
            return True
        at = text.find(name, at + 1)
    return False


def _all(reader: Reader) -> Iterator[Told]:
    yield from _of_scopes(reader)
    for field in inherited(reader):
        yield Told(field.name, field.value, field.node, False)
    for call in reader.model.calls:
        yield from _of_call(reader, call)
    for node in reader.model.dicts:
        for key, element in dict_entries(node):
            if key.isidentifier():
                yield from _given(reader, key, element.value, element.value)
    for assign in reader.model.assigns:
        for target in assign.targets:
            yield from _assigned(reader, target.target, assign.value, assign)
    yield from _augmented(reader)
    yield from (Told(ANY_SETTING, "", node, True, of=POURED) for node in poured(reader))
    lists: dict[cst.CSTNode, bool] = {}
    for text in reader.model.strings:
        yield from _mentioned(reader, text, lists)


def _augmented(reader: Reader) -> Iterator[Told]:
    """What `+=` and its like change: `cfg.x += 1`, `cfg["x"] |= y`, an element of a list."""
    model = reader.model
    for node in model.changed:
        if _is_environment(reader, node):
            yield Told(ANY_VARIABLE, "", node, True)
    changed = sorted(model.changed, key=lambda node: isinstance(node, cst.Name))
    yield from (Told(last_name(node), "", node, True) for node in changed)
    for item in model.changed_items:
        if name := index(item):
            yield Told(name, "", item, True)
        else:
            yield from _changed_element(reader, item.value, item)


# --- declared -------------------------------------------------------------------------------------


def _of_scopes(reader: Reader) -> Iterator[Told]:
    """Parameters with a default, attributes of classes and objects, constants of the module."""
    model = reader.model
    for scope in (model.root, *model.scopes.values()):
        kind = scope.kind
        if kind == "function" and scope.name:
            for name, bindings in scope.bindings.items():
                for binding in bindings:
                    if binding.kind == "param" and binding.value is not None:
                        yield from _default(reader, name, binding)
                    elif binding.kind == "value" and binding.value is not None and _tells(scope):
                        yield from _given(reader, name, binding.value, binding.node)
        elif kind == "class":
            yield from _of_class(reader, scope)
        elif kind == "module":
            yield from _of_module(reader, scope)


def _tells(scope: Scope) -> bool:
    """Whether the variables of a function are settings: of `@ex.config` of Sacred."""
    decorators = scope.node.decorators if isinstance(scope.node, cst.FunctionDef) else ()
    return any(last_name(each.decorator) in {"config", "named_config"} for each in decorators)


def _default(reader: Reader, name: str, binding: Binding) -> Iterator[Told]:
    """What a parameter or a field is where nobody gives it."""
    value = binding.value
    node = binding.node
    if isinstance(value, cst.Call) and is_field(value):
        places = known.words().declaring.fields[last_name(value.func)]
        default = argument(value, [int(each) if each.isdigit() else each for each in places]).value
        makes = argument(value, ("default_factory", "factory")).value
        spelled = tuple(each for each in _aliases(value) if each not in {name, f"no_{name}"})
        if default is not None or makes is not None or spelled:
            from_outside = any(
                item.keyword and item.keyword.value == "envvar" for item in value.args
            )
            if from_outside or default is None:
                yield Told(name, "", value, False, spelled)
            else:
                told = tuple(_defaults(reader, name, default, value, spelled))
                yield from told
                for alias in _aliases(value, only_said=True):
                    if alias != name:  # the field has what is given under that name
                        yield Told(name, "", value, False, of=alias)
                        yield from (replace(each, name=alias, spelled=()) for each in told)
    elif isinstance(value, cst.Ellipsis):
        return
    elif value is None or hands_on(reader, name, value):
        if value is None:
            yield Told(name, "", node, False)
    else:
        yield from _defaults(reader, name, value, value)


def _defaults(
    reader: Reader,
    name: str,
    value: cst.BaseExpression,
    node: cst.CSTNode,
    spelled: tuple[str, ...] = (),
) -> Iterator[Told]:
    """What a default says: of a member of an enum its name and its value, and what else it has."""
    plain = followed(reader, value)
    text = _value(plain) if plain is value else _word(plain)
    texts = () if text else compared(reader, plain)
    for each in texts:
        yield Told(name, each, node, False, spelled)
    if texts:
        yield Told(name, "", node, False, of=texts[0])
    else:
        yield Told(name, text, node, False, spelled)


def _of_class(reader: Reader, scope: Scope) -> Iterator[Told]:
    for name, bindings in scope.bindings.items():
        if is_property(bindings):
            yield Told(name, "", bindings[0].node, True)
    is_last = not bases(scope.node)
    for name, bindings in scope.attributes.items():
        for binding in bindings:
            if binding.value is None or binding.kind != "value":
                continue
            place = binding.place
            value = literal(binding.value)
            if place.scope is scope:
                if value == "null" and not _is_record(scope):
                    yield Told(name, "", binding.node, False)  # not there yet
                elif _is_from_outside(scope):
                    yield Told(name, "", binding.node, False)
                elif _is_sure(place):
                    told = _default(reader, name, binding)
                    yield from (replace(each, given=each.given or not is_last) for each in told)
                else:
                    yield from _given(reader, name, binding.value, binding.node)
            elif value:
                sure = place.scope.name == _INIT and _is_sure(place)
                yield Told(name, "" if value == "null" else value, binding.node, not sure)
            elif place.scope.name in _MADE or not isinstance(binding.value, cst.Name):
                yield from _given(reader, name, binding.value, binding.node)
            else:
                yield Told(name, "", binding.node, True)


def _is_from_outside(scope: Scope) -> bool:
    """Whether the fields of a class are set by variables of the environment."""
    return any(name in known.words().holding.outside for name in bases(scope.node))


def bases(node: cst.CSTNode) -> list[str]:
    """The bases of a class that may have fields of their own."""
    listed = node.bases if isinstance(node, cst.ClassDef) else ()
    return [name for base in listed if (name := last_name(base.value)) not in _PLAIN_BASES]


def _is_sure(place: Place) -> bool:
    """Whether a statement of a class, a function or the module is under no condition in it."""
    return all(branch.scope is not place.scope for branch in around(place.branch))


def _is_record(scope: Scope) -> bool:
    """Whether a class is there to hold settings: a dataclass or such, or one called so."""
    node = scope.node
    return isinstance(node, cst.ClassDef) and (bool(node.decorators) or known.holds(scope.name))


def _of_module(reader: Reader, scope: Scope) -> Iterator[Told]:
    """Constants of a module; in one that has nothing else they are what it is there to give."""
    config = _is_config(reader)
    for name, bindings in scope.bindings.items():
        for binding in bindings:
            if binding.kind != "value" or binding.value is None:
                continue
            value = literal(binding.value)
            if binding.place.scope is not scope:  # `global`
                yield Told(name, value, binding.node, True)
                continue
            if config:
                yield from _given(reader, name, binding.value, binding.node)
            elif value or len(bindings) > 1:
                yield Told(name, value, binding.node, not value or not _is_sure(binding.place))


def _is_config(reader: Reader) -> bool:
    """Whether a file is one of settings: nothing but assignments, and called so."""
    if not _CONFIG.search(reader.source.path):
        return False
    return all(
        isinstance(item, (cst.Assign, cst.AnnAssign, cst.Import, cst.ImportFrom, cst.Del))
        or (isinstance(item, cst.Expr) and isinstance(item.value, cst.BaseString))
        for item in body_of(reader.model.module)
    )


# --- calls ----------------------------------------------------------------------------------------


def _of_call(reader: Reader, call: cst.Call) -> Iterator[Told]:
    function = last_name(call.func)
    words = known.words()
    declaring = words.declaring
    if _declares(call):
        yield from (replace(each, by="" if each.given else _PARSER) for each in _option(call))
        return
    if function in declaring.commands and _texts(call):
        yield from _command(call)
        return
    if function in declaring.flags:
        names = _texts(call)
        default = argument(call, (1, "default")).value
        if names and default is not None:
            yield Told(names[0], literal(default), call, False)
        return
    name, default = asked(reader, call)
    if name and default is not None:
        # what a library makes has it: the default is for objects that are no such
        is_told = name not in known.words().never.outside
        by = _ATTRIBUTE if of_namespace(reader, call) else ""
        yield Told(name, literal(default) if is_told else "", call, False, by=by)
    yield from _variables(reader, call)
    yield from _changed(reader, call)
    if function == "setattr" and len(call.args) == _TRIPLE:
        text = string_value(call.args[1].value)
        if text and text[1]:
            yield from _given(reader, text[0], call.args[2].value, call)
        elif _may_hold(reader, call.args[0].value) and not _is_own_option(reader, call):
            yield from _by_key(reader, call.args[1].value, call.args[2].value, call)
        elif not _is_own_option(reader, call) and sets_attribute(reader, call):
            yield Told(ANY_SETTING, "", call, True, of=POURED)
        return
    yield from _put_together(reader, call)
    if _feeds(reader, call):
        is_own = isinstance(call.func, cst.Attribute) and is_own_dict(reader, call.func.value)
        of = _read_from(reader, call) or (IN_DICT if is_own else "")
        yield Told(ANY_SETTING, "", call, True, of=of)
    elif _is_fed(reader, call):
        of = _parsed(reader, call) or _read_from(reader, call) or _made_by(reader, call)
        yield Told(ANY_SETTING, "", call, True, of=of)
    elif path := _written_path(reader, call):
        yield Told(ANY_SETTING, "", call, True, of=path)
    if not call.args or function in declaring.fields:
        return
    values = reader.values(call.func)
    if any(_is_of_library(value) for value in values):
        return
    for item in call.args:
        yield from _argument(reader, call, item)


def _made_by(reader: Reader, call: cst.Call) -> str:
    """What a call makes of what it reads, if that is no object of settings."""
    if is_loaded(reader, call):
        return LOADED
    return IN_DICT if gives_dict(reader, call) else ""


def _changed(reader: Reader, call: cst.Call) -> Iterator[Told]:
    """That a list gets more elements, or any setting a value, by what is called."""
    if isinstance(call.func, cst.Attribute) and call.func.attr.value in _CHANGING:
        yield from _changed_element(reader, call.func.value, call)
    if _is_fed_elsewhere(call) or _makes_names(call):
        yield Told(ANY_SETTING, "true", call, True)


def _argument(reader: Reader, call: cst.Call, item: cst.Arg) -> Iterator[Told]:
    """What an argument sets by its name, or what is unpacked; a function is told for itself."""
    function = last_part(call.func)
    if item.keyword is not None:
        name = item.keyword.value
        if hands_on(reader, name, item.value):
            yield Told(f"{OF_FUNCTION}{name}", "", call, True)
        yield from _given(reader, name, item.value, call)
        if isinstance(item.value, cst.Name) and _is_parameter(reader, item.value):
            yield Told(f"{function}{OF_FUNCTION}{name}", "", call, True)
    elif item.star == "**":
        yield Told(f"{function}{OF_FUNCTION}", "", call, True)


def _is_own_option(reader: Reader, call: cst.Call) -> bool:
    """Whether an action of argparse sets its own option: `setattr(namespace, self.dest, value)`.

    It runs if the option is given, and of one with such an action nobody knows what it becomes.
    """
    name = call.args[1].value
    scope = reader.scope_of(call)
    owner = scope.owner
    if not isinstance(name, cst.Attribute) or name.attr.value != "dest" or owner is None:
        return False
    if scope.name != "__call__" or not is_self(reader, name.value) or "dest" in owner.attributes:
        return False
    if not any(each.endswith("Action") for each in bases(owner.node)):
        return False
    return all(
        _hands_on_dest(each)
        for each in reader.model.called.get(_INIT, ())
        if reader.scope_of(each).owner is owner
    )


def _hands_on_dest(call: cst.Call) -> bool:
    """Whether what sets an action up is given the name that it was made with."""
    named = [item for item in call.args if item.keyword and item.keyword.value == "dest"]
    words = named or [item for item in call.args if not (item.keyword or item.star)]
    if any(dotted(item.value) == "dest" for item in words):
        return True
    return not named and len(words) < _PAIR and any(item.star for item in call.args)


def _variables(reader: Reader, call: cst.Call) -> Iterator[Told]:
    """Variables of the environment that a call asks for with a default, or sets."""
    name, value = variable(reader, call)
    if not name:
        name, value = (*asked_variable(reader, call), "", "")[:2]
    if name not in {"", VARIABLE}:
        yield Told(name, value, call, False)
    function = last_name(call.func)
    if function == "load_dotenv":
        yield Told(ANY_VARIABLE, "", call, True)
    elif function in {"update", "setdefault", "putenv"} and _is_environment(reader, call.func):
        for item in call.args[: None if function == "update" else 1]:
            text = string_value(item.value) if isinstance(item.value, cst.BaseString) else None
            if item.keyword is not None:
                yield Told(item.keyword.value, literal(item.value), call, True)
            elif text and text[1]:
                yield Told(text[0], literal(call.args[-1].value), call, True)
            elif item.star or not isinstance(item.value, cst.Dict):
                yield Told(ANY_VARIABLE, "", call, True)


def _is_environment(reader: Reader, node: cst.BaseExpression) -> bool:
    return reader.name(node).startswith(("os.environ", "os.putenv"))


def _feeds(reader: Reader, call: cst.Call) -> bool:
    """Whether settings get whatever some data has: `cfg.update(loaded)`, `set_defaults(**loaded)`.

    Not what other settings, or literals, have: these are known by their names. Nor a file that is
    named there: it is one of the files of settings.
    """
    function = call.func
    if not isinstance(function, cst.Attribute):
        return False
    feeding = known.words().holding.feeding
    is_any = feeding.get(function.attr.value)
    if is_any is None or not (is_any or _may_hold(reader, function.value)):
        return False
    given = (item.value for item in call.args if item.star or not item.keyword)
    return not all(_has_names(reader, followed(reader, value)) for value in given)


def _put_together(reader: Reader, call: cst.Call) -> Iterator[Told]:
    """What `cfg.update({f"use_{name}": True})` sets by names that are not written there.

    So what is made, or copied, with such: `Namespace(**{…})`, `cfg.model_copy(update={…})`.
    """
    function = call.func
    words = known.words().holding
    name = last_part(function)
    owner = function.value if isinstance(function, cst.Attribute) else None
    if owner is not None and name in words.feeding and _may_hold(reader, owner):
        for item in call.args:
            for key, value in _pairs(reader, item.value):
                yield from _by_key(reader, key, value, call, owner=owner)
    elif name in words.attributed or name in words.altering:
        for item in call.args:
            is_changed_so = item.keyword is not None and item.keyword.value == "update"
            if (
                is_changed_so
                or item.star == "**"
                or (not item.keyword and name in words.attributed)
            ):
                for key, value in _pairs(reader, item.value):
                    yield from _by_key(reader, key, value, call)


def _is_copy(made: cst.DictComp) -> bool:
    """Whether a dict has the keys of another, each with its value: `{k: f(v) for k, v in …}`."""
    pair = made.for_in.target
    if not isinstance(pair, cst.Tuple) or made.for_in.inner_for_in is not None:
        return False
    names = [dotted(each.value) for each in pair.elements]
    value = made.value
    if isinstance(value, cst.Call) and len(value.args) == 1:
        value = value.args[0].value
    return [dotted(made.key), dotted(value)] == names and "" not in names


def _pairs(
    reader: Reader, node: cst.BaseExpression, depth: int = 0
) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression]]:
    """The keys of a dict that are not written there, with their values; also those put in later."""
    made = followed(reader, node)
    if isinstance(made, cst.DictComp) and not _is_copy(made):
        yield made.key, made.value
    for each in made.elements if isinstance(made, cst.Dict) else ():
        if isinstance(each, cst.StarredDictElement):
            yield from _pairs(reader, each.value, depth + 1) if depth < _DEEPEST else ()
        elif isinstance(each, cst.DictElement):
            text = string_value(each.key)
            if text is None or not text[1]:
                yield each.key, each.value
    if isinstance(node, cst.Name) and is_own_dict(reader, node):
        for assign in reader.model.assigns:
            for target in (each.target for each in assign.targets):
                if isinstance(target, cst.Subscript) and _is_key(target):
                    key = target.slice[0].slice
                    is_same = dotted(target.value) == node.value
                    if is_same and isinstance(key, cst.Index):
                        yield key.value, assign.value


def _may_hold(reader: Reader, node: cst.BaseExpression) -> bool:
    """Whether something has settings: `cfg`, `vars(args)`, or the object of such a class."""
    if isinstance(node, cst.Call) and last_name(node.func) == "vars" and node.args:
        node = node.args[0].value
    if isinstance(node, cst.Attribute) and node.attr.value == "__dict__":
        node = node.value
    if is_self(reader, node):
        owner = reader.scope_of(node).owner
        return owner is not None and known.holds(owner.name)
    return holds(reader, node)


def _is_fed(reader: Reader, call: cst.Call) -> bool:
    """Whether a call makes settings of a file that nobody sees, or of a service.

    Formats that are there for settings always do; of others the name of what gets them tells, or
    of the function that returns them.
    """
    function = call.func
    name = last_name(function)
    holding = known.words().holding
    if isinstance(function, cst.Attribute) and function.attr.value in holding.filing:
        is_known = _is_literal(reader, call) or _is_of_line(reader, call)
        return not is_known or bool(_read_from(reader, call))
    if isinstance(function, cst.Attribute) and name in holding.making:
        return known.holds(last_name(function.value)) and not _is_literal(reader, call)
    return _reads(call) and not _is_written(reader, call) and _is_for_settings(reader, call)


def _is_for_settings(reader: Reader, call: cst.Call) -> bool:
    """Whether what a call reads are settings: by its format, or by what gets them."""
    function = call.func
    owner = last_name(function.value) if isinstance(function, cst.Attribute) else ""
    holding = known.words().holding
    if owner in holding.formats:
        return True
    if owner not in holding.others:
        return False
    statement: cst.CSTNode | None = call
    while statement is not None and not isinstance(statement, cst.BaseSmallStatement):
        statement = reader.model.parents.get(statement)
    names: list[str] = []
    if isinstance(statement, cst.Return):
        names.append(reader.scope_of(call).name)
    elif isinstance(statement, cst.Assign):
        names += (last_name(each.target) for each in statement.targets)
    elif isinstance(statement, cst.AnnAssign):
        names.append(last_name(statement.target))
    return any(map(known.holds, names))


def _is_of_line(reader: Reader, call: cst.Call) -> bool:
    """Whether a word of the command line says which file is read."""
    return any(dotted(each) == "sys.argv" for each in _parts(reader, call))


def _read_from(reader: Reader, call: cst.Call) -> str:
    """The sign of the environment, if that says which file is read."""
    names = (dotted(each) for each in _parts(reader, call))
    return VARIABLE if any(name in _ENVIRONMENT for name in names) else ""


_ENVIRONMENT = frozenset({"os.environ", "environ", "os.getenv", "getenv"})


def _parts(reader: Reader, call: cst.Call) -> Iterator[cst.CSTNode]:
    """What the arguments of a call are made of, with what the variables in them are."""
    for item in call.args:
        for each in descendants(item.value):
            yield each
            if isinstance(each, cst.Name) and each in reader.model.places:
                yield from descendants(followed(reader, each))


def _written_path(reader: Reader, call: cst.Call) -> str:
    """The path of a file of settings that a call reads, if that is written there."""
    function = call.func
    if not isinstance(function, cst.Attribute):
        return ""
    holding = known.words().holding
    method = function.attr.value
    is_sure = holding.feeding.get(method)
    nodes: Iterable[cst.CSTNode] = ()
    if method in holding.filing or (_reads(call) and _is_for_settings(reader, call)):
        nodes = _parts(reader, call)
    elif is_sure or (is_sure is not None and _may_hold(reader, function.value)):
        given = (item.value for item in call.args if item.star or not item.keyword)
        nodes = (each for value in given for each in _texts_read(reader, value))
    texts = (string_value(each) for each in nodes if isinstance(each, cst.BaseString))
    return next((text[0] for text in texts if text and text[1] and _PATH.search(text[0])), "")


def _texts_read(
    reader: Reader, node: cst.BaseExpression, depth: int = 0
) -> Iterator[cst.BaseExpression]:
    """The name of a file, or that of what is read: none of the words of a list or a dict."""
    node = followed(reader, node)
    if not _reads(node):
        yield node
    elif isinstance(node, cst.Call) and depth <= _DEEPEST:
        for item in node.args:
            yield from _texts_read(reader, item.value, depth + 1)


_PATH = re.compile(r"\.(?:ya?ml|json|toml)$")


def _parsed(reader: Reader, call: cst.Call) -> str:
    """The setting whose text a call takes apart: `json.loads(args.parts)`; none of a file's."""
    function, first = call.func, call.args[0].value
    if not isinstance(function, cst.Attribute) or not isinstance(first, cst.Attribute):
        return ""
    words = known.words().holding
    if function.attr.value not in words.parsing or last_name(function.value) not in words.texts:
        return ""
    if not holds(reader, first.value) or is_self(reader, first.value):
        return ""
    name = first.attr.value
    opened = (
        assign
        for assign in reader.model.assigns
        for each in assign.targets
        if isinstance(each.target, cst.Attribute) and each.target.attr.value == name
        if any(map(_opens, descendants(assign.value)))
    )
    return "" if any(opened) else name


def _opens(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Call) and last_name(node.func) == "open"


def _is_literal(reader: Reader, call: cst.Call) -> bool:
    return bool(call.args) and all(_is_written(reader, item.value) for item in call.args)


def _has_names(reader: Reader, node: cst.BaseExpression, depth: int = 0) -> bool:
    """Whether the names of what settings are given are known: other settings', written ones."""
    if depth > _DEEPEST:  # `x = f(x)`
        return False
    if _is_written(reader, node) or isinstance(node, (cst.Dict, cst.List, cst.Tuple)):
        return True
    if isinstance(node, cst.Call):
        inner = [] if _reads(node) else [followed(reader, item.value) for item in node.args]
        return bool(inner) and all(_has_names(reader, item, depth + 1) for item in inner)
    return holds(reader, node)


def _is_written(reader: Reader, node: cst.BaseExpression, depth: int = 0) -> bool:
    """Whether something is read from a file that is named there, or is such a name."""
    if depth > _DEEPEST:  # `line = json.loads(line)`
        return False
    node = followed(reader, node)
    if not isinstance(node, cst.Call):
        return isinstance(node, (cst.SimpleString, cst.ConcatenatedString))
    if not _reads(node):
        return False
    given = (item.value for item in node.args if not item.keyword)
    return all(_is_written(reader, each, depth + 1) for each in given)


def _reads(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Call) and last_name(node.func) in known.words().holding.reading


def _is_of_library(value: object) -> bool:
    """Whether something belongs to a library whose arguments are no settings of the tree."""
    if not isinstance(value, Ref) or value.open or value.name == "argparse.Namespace":
        return False
    return value.name.partition(".")[0] in known.words().never.libraries


def _texts(call: cst.Call) -> list[str]:
    return [
        text[0]
        for item in call.args
        if item.keyword is None and not item.star and (text := string_value(item.value)) and text[1]
    ]


def _declares(call: cst.Call) -> bool:
    """Whether a call makes an option: also one of a short name, if what it takes looks like one."""
    function = last_name(call.func)
    declaring = known.words().declaring
    if function in declaring.adding and isinstance(call.func, cst.Attribute):
        names = [item for item in call.args if not (item.keyword or item.star)]
        texts = _texts(call)
        is_dashed = bool(texts) and all(text.startswith("-") for text in texts)
        return is_dashed and len(texts) == len(names) < len(call.args)
    return function in declaring.options


def _option(call: cst.Call) -> Iterator[Told]:
    """What `add_argument` makes, and what it is where nobody gives it."""
    names = _texts(call)
    dashed = [name for name in names if name.startswith("-")]
    given = {item.keyword.value: item.value for item in call.args if item.keyword}
    dest = string_value(given["dest"]) if "dest" in given else None
    long = [name for name in dashed if name.startswith("--")] or dashed or names
    name = dest[0] if dest else _bare(long[0]) if long else ""
    if not name:
        return
    action = given.get("action")
    word = string_value(action) if action is not None else ("store", True)
    spelled = {_bare(each) for each in dashed} - {name}
    spelled.update(each for each in dashed if re.match(r"-[^-].", each))  # no letters together
    made = last_name(given["type"]) if "type" in given else "str"
    is_plain = made in _PLAIN_TYPES or "bool" in made.lower()
    if "const" in given or word is None or word[0] not in _PLAIN_ACTIONS or not is_plain:
        spelled.add(name)  # what a command line says is not what it becomes
    elif made == "str" and ("default" not in given or _is_plain(given["default"])):
        spelled.add(f"{AS_WRITTEN}{name}")
    if dashed and "default" not in given and literal(given.get("required")) == "true":
        spelled.add(REQUIRED)
    if "default" in given:
        value = _value(given["default"])
    elif not dashed or ("required" in given and literal(given["required"]) != "false"):
        value = ""
    elif word is not None:
        value = known.words().declaring.switches.get(word[0], "null")
    else:
        value = "null" if last_name(action) == "BooleanOptionalAction" else ""
    yield from _dotted(Told(name, value, call, False, tuple(spelled)))
    if "env_var" in given:  # of configargparse: a variable of the environment gives it too
        yield Told(name, "", call, True)


def _dotted(told: Told) -> Iterator[Told]:
    """An option, and what code asks of the objects that a program makes of its dots.

    `--model.fast` is `args.model.fast` then.
    """
    yield told
    *outer, last = told.name.split(".")
    if outer and last.isidentifier():
        marks = {each: each.rpartition(".") for each in told.spelled}
        spelled = {
            f"{AS_WRITTEN if each.startswith(AS_WRITTEN) else ''}{name}" if dot else each
            for each, (_, dot, name) in marks.items()
        }
        yield replace(told, name=last, spelled=tuple(spelled), section=outer[-1])


def _is_fed_elsewhere(call: cst.Call) -> bool:
    """Whether a parser fills options from files that nobody names, or from the environment."""
    return any(
        item.keyword is not None
        and item.keyword.value in _ELSEWHERE
        and not (isinstance(item.value, (cst.List, cst.Tuple)) and not item.value.elements)
        and literal(item.value) not in {"false", "null"}
        for item in call.args
    )


def _makes_names(call: cst.Call) -> bool:
    """Whether fields are given under names that a function makes of theirs."""
    return any(item.keyword and item.keyword.value == "alias_generator" for item in call.args)


_ELSEWHERE = frozenset({"default_config_files", "auto_env_var_prefix", "default_env"})
"""What parsers are given for that: those of configargparse and jsonargparse."""


def _is_plain(node: cst.BaseExpression) -> bool:
    """Whether a default is nothing, or a word that has no names with values in it."""
    value = _value(node)
    return bool(value) and not re.search(r"[:={}]", value)


def _value(node: cst.BaseExpression | None) -> str:
    """A default as a setting has it: a list too that is written there, and that nobody else has."""
    return _word(node) or elements(node)


def _word(node: cst.BaseExpression | None) -> str:
    """The same of a single value: a text with nothing in it is known as well."""
    text = string_value(node) if isinstance(node, cst.SimpleString) else None
    return EMPTY if text == ("", True) else literal(node)


def _command(call: cst.Call) -> Iterator[Told]:
    """What `click.option` makes, and what it is where nobody gives it."""
    names = _texts(call)
    long = [name for name in names if name.startswith("--")]
    plain = [name for name in names if not name.startswith("-")]
    name = _bare((plain or long or names)[0].partition("/")[0])
    given: Mapping[str, cst.BaseExpression] = {
        item.keyword.value: item.value for item in call.args if item.keyword
    }
    is_flag = literal(given.get("is_flag")) == "true" or any("/" in each for each in long)
    spelled = {_bare(part) for each in names for part in each.split("/")}
    spelled -= {name, f"no_{name}"}
    if "flag_value" in given:
        spelled.add(name)
    value = ""
    if "envvar" in given:
        pass
    elif "default" in given:
        value = _value(given["default"])
    elif literal(given.get("required")) != "true":
        value = "false" if is_flag else "null"
    yield Told(name, value, call, False, tuple(spelled))


def _bare(text: str) -> str:
    """The name of an option as Python has it: `use_flash` of `--use-flash`."""
    return text.strip().lstrip("-").replace("-", "_")


def _aliases(value: cst.Call, *, only_said: bool = False) -> tuple[str, ...]:
    """Other names of a field: of `typer.Option(False, "--fa")`, `Field(alias="fa")`.

    `only_said`: those of arguments that are called so: `alias`, `validation_alias`.
    """
    found: dict[str, None] = {}
    for item in value.args:
        is_alias = item.keyword is not None and "alias" in item.keyword.value
        for node in descendants(item.value) if is_alias or not only_said else ():
            text = string_value(node) if isinstance(node, cst.BaseString) else None
            if text and (is_alias or text[0].startswith("-")):
                found.update((_bare(part), None) for part in text[0].split("/"))
    return tuple(found)


# --- given ----------------------------------------------------------------------------------------


def _assigned(
    reader: Reader, target: cst.BaseExpression, value: cst.BaseExpression, node: cst.CSTNode
) -> Iterator[Told]:
    """`cfg.x = value` and `cfg["x"] = value`; what an object sets of itself is its class's."""
    name = ""
    owner: cst.BaseExpression | None = None
    if isinstance(target, cst.Attribute):
        name, owner = target.attr.value, target.value
    elif isinstance(target, cst.Subscript):
        name, owner = index(target), target.value
    if isinstance(target, cst.Subscript) and not name and _is_environment(reader, target.value):
        yield Told(ANY_VARIABLE, "", node, True)
    if isinstance(target, cst.Subscript) and not name:
        yield from _changed_element(reader, target.value, node)
    if isinstance(target, cst.Subscript) and not name and _is_key(target):
        key = target.slice[0].slice
        is_held = _may_hold(reader, target.value) and not _is_list(reader, target.value)
        if isinstance(key, cst.Index) and is_held:
            yield from _by_key(reader, key.value, value, node, owner=target.value)
    if not name or owner is None or is_self(reader, owner):
        if isinstance(target, (cst.Tuple, cst.List)):
            for element in target.elements:
                if isinstance(element.value, (cst.Attribute, cst.Subscript)):
                    yield from _assigned(reader, element.value, target, node)
        return
    section = section_of(reader, owner)
    if is_declared(reader, owner):
        section = SECTION if is_empty(value) else section
        yield Told(name, literal(value) or elements(value), node, False, section=section)
    elif isinstance(value, cst.Name) and not literal(value) and _is_parameter(reader, value):
        yield Told(name, "", node, True, section=section)  # whatever somebody calls it with
    else:
        told = _given(reader, name, value, node)
        yield from (replace(each, section=section) for each in told)
        if section and hands_on(reader, name, value) and section_at(reader, value) != section:
            yield Told(name, "", node, True, of=name, section=section)


def _changed_element(
    reader: Reader, owner: cst.BaseExpression, node: cst.CSTNode
) -> Iterator[Told]:
    """That code puts something into a list that a setting is, whatever has it: `m.STAGES`."""
    for each in _alternatives(reader, owner):
        yield from _changed_list(reader, each, node)


def _alternatives(
    reader: Reader, node: cst.BaseExpression, depth: int = 0
) -> Iterator[cst.BaseExpression]:
    """What an expression may be: `(s := cfg.a)`, a variable of `for s in (cfg.a, cfg.b)`."""
    yield node
    if depth > _DEEPEST:
        return
    parts: list[cst.BaseExpression] = []
    if isinstance(node, cst.NamedExpr):
        parts = [node.value]
    elif isinstance(node, cst.IfExp):
        parts = [node.body, node.orelse]
    elif isinstance(node, cst.BooleanOperation):
        parts = [node.left, node.right]
    elif type(node) is cst.Name:
        for each in reader.lookup(node.value, reader.scope_of(node)):
            if each.kind == "value" and isinstance(each.value, _CHOOSING):
                parts.append(each.value)
            elif each.kind == "each" and isinstance(each.value, _LISTED):
                parts += (item.value for item in each.value.elements)
    for part in parts:
        yield from _alternatives(reader, part, depth + 1)


_CHOOSING = (cst.IfExp, cst.BooleanOperation, cst.NamedExpr)
_LISTED = (cst.Tuple, cst.List, cst.Set)


def _changed_list(reader: Reader, owner: cst.BaseExpression, node: cst.CSTNode) -> Iterator[Told]:
    name = owner.attr.value if isinstance(owner, cst.Attribute) else setting(reader, owner)
    if name.isidentifier() and not _is_environment(reader, owner):
        yield Told(f"{name}{ELEMENT}", "", node, True)


_CHANGING = frozenset({"append", "extend", "insert", "__setitem__"})
"""Methods of lists that put something in."""


def _by_key(
    reader: Reader,
    key: cst.BaseExpression,
    value: cst.BaseExpression,
    node: cst.CSTNode,
    *,
    owner: cst.BaseExpression | None = None,
) -> Iterator[Told]:
    """What is set by the name that an expression is: of each of some that are listed, else any.

    A class is no name of a setting: what has such keys is a table. `owner`: what gets it by a key.
    """
    names = _listed(reader, key)
    if names:
        for name in names:
            yield from _given(reader, name, value, node)
    elif not _is_class(reader, key):
        of = IN_DICT if owner is not None and is_own_dict(reader, owner) else ""
        yield Told(ANY_SETTING, literal(value), node, True, of=of)


def _listed(reader: Reader, node: cst.BaseExpression) -> list[str]:
    """The names that a variable has in turn: `for name in ("a", "b")`; none if not all are known.

    Of a tuple that the function itself has under a name as well, which nobody else can change.
    """
    found: list[str] = []
    for binding in _each(reader, node):
        items: cst.BaseExpression | None = binding.value
        if isinstance(items, cst.Name):
            bound = reader.lookup(items.value, reader.scope_of(items))
            is_own = len(bound) == 1 and bound[0].place.scope.kind == "function"
            items = bound[0].value if is_own and bound[0].kind == "value" else None
            if not isinstance(items, cst.Tuple) or is_changed(reader, last_name(binding.value)):
                return []
        if not isinstance(items, (cst.Tuple, cst.List, cst.Set)):
            return []
        for element in items.elements:
            text = string_value(element.value)
            if text is None or not text[1] or not text[0].isidentifier():
                return []
            found.append(text[0])
    return found


def _each(reader: Reader, node: cst.BaseExpression) -> Sequence[Binding]:
    """The loops whose variable an expression is, and nothing else."""
    if type(node) is not cst.Name or is_changed(reader, node.value):
        return ()
    bindings = reader.lookup(node.value, reader.scope_of(node))
    return bindings if all(each.kind == "each" for each in bindings) else ()


def _is_class(reader: Reader, node: cst.BaseExpression) -> bool:
    """Whether an expression is a class, of a library by how it is written."""
    if not isinstance(node, cst.Name):
        return False
    bindings = reader.lookup(node.value, reader.scope_of(node))
    return bool(bindings) and all(
        each.kind == "class"
        or (
            each.kind == "import"
            and not reader.is_open(each.target)
            and _CLASS.fullmatch(each.target.rpartition(".")[2])
        )
        for each in bindings
    )


_CLASS = re.compile(r"[A-Z]+[A-Za-z0-9]*[a-z][A-Za-z0-9]*")


def _is_key(node: cst.Subscript) -> bool:
    """Whether something is set under a name that is not written there."""
    item = node.slice[0].slice
    if not isinstance(item, cst.Index):
        return False
    if isinstance(item.value, cst.BinaryOperation):  # not `args[at + 1]`
        return any(isinstance(each, cst.BaseString) for each in descendants(item.value))
    return isinstance(item.value, _MAKING_KEYS)


_MAKING_KEYS = (cst.Name, cst.Attribute, cst.FormattedString, cst.Call, cst.Subscript)


def _is_list(reader: Reader, node: cst.BaseExpression) -> bool:
    """Whether a variable is a list that the function makes: its parts have no names."""
    return bool(bindings := _local(reader, node)) and all(
        _makes_list(each.value) and each.place.scope is reader.scope_of(node) for each in bindings
    )


def _makes_list(node: cst.BaseExpression | None) -> bool:
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Multiply):
        return isinstance(node.left, cst.List) or isinstance(node.right, cst.List)
    return isinstance(node, (cst.List, cst.ListComp))


def _given(
    reader: Reader, name: str, value: cst.BaseExpression, node: cst.CSTNode
) -> Iterator[Told]:
    """A value that somebody sets, if it is not only handed on.

    Of a variable with several, each that is handed on or written down is one of them.
    """
    several = [each.value for each in _local(reader, value)]
    if len(several) > 1 and all(hands_on(reader, name, each) or literal(each) for each in several):
        for text in dict.fromkeys(literal(each) for each in several):
            if text:
                yield Told(name, text, node, True)
    elif not hands_on(reader, name, value):
        listed = elements(value)  # of a variable the code may change it later
        value = followed(reader, value)
        text = OBJECT_ITSELF if _is_state(value) else literal(value) or listed
        yield Told(name, text, node, True, of="" if text else _other(reader, name, value))


def _is_state(value: cst.BaseExpression) -> bool:
    """Whether a value is what a checkpoint keeps of an object: a dict, and no word."""
    return isinstance(value, cst.Call) and not value.args and last_name(value.func) in _STATES


def _other(reader: Reader, name: str, value: cst.BaseExpression) -> str:
    """The setting of another name that a value is: of `config.USE_FLASH`, not of a variable."""
    if not isinstance(value, (cst.Attribute, cst.Subscript, cst.Call)):
        return ""
    found = setting(reader, value)
    return "" if found == name else found


def followed(reader: Reader, value: cst.BaseExpression) -> cst.BaseExpression:
    """A value, or what the variable or the constant of the file is bound to that it names."""
    for _ in range(_DEEPEST):
        bindings = _local(reader, value)
        if len(bindings) != 1 or bindings[0].value is None:
            break
        value = bindings[0].value
    return value


def _local(reader: Reader, node: cst.BaseExpression) -> Sequence[Binding]:
    """The bindings of a name that is a variable."""
    if type(node) is not cst.Name or node.value in {"True", "False", "None"}:
        return ()
    found = reader.lookup(node.value, reader.scope_of(node))
    return found if all(each.kind == "value" for each in found) else ()


def _is_parameter(reader: Reader, node: cst.Name) -> bool:
    found = reader.lookup(node.value, reader.scope_of(node))
    return bool(found) and all(each.kind == "param" for each in found)


_HANDING = frozenset({cst.Attribute, cst.Subscript, cst.Call, cst.Name})


def hands_on(reader: Reader, name: str, value: cst.BaseExpression | None, depth: int = 0) -> bool:
    """Whether a value is the setting of the same name, from wherever it comes."""
    if type(value) not in _HANDING:
        return False
    if type(value) is cst.Attribute:
        return value.attr.value == name and (
            is_self(reader, value.value) or holds(reader, value.value)
        )
    if type(value) is cst.Subscript:
        return index(value) == name and holds(reader, value.value)
    if type(value) is cst.Call:
        return asked(reader, value)[0] == name
    if type(value) is not cst.Name or depth > _DEEPEST:
        return False
    if value.value == name and _is_parameter(reader, value):
        return True
    found = reader.lookup(value.value, reader.scope_of(value))
    return (
        len(found) == 1
        and found[0].kind == "value"
        and hands_on(reader, name, found[0].value, depth + 1)
    )


# --- by their names in strings --------------------------------------------------------------------


def _mentioned(
    reader: Reader, node: cst.BaseExpression, lists: dict[cst.CSTNode, bool]
) -> Iterator[Told]:
    """What a string names that somebody may set by it: `update(cfg, "a.b", x)`, `["A.B", True]`.

    Not one that is a value itself, nor a name that is only looked up. `lists` has what is known of
    each: a vocabulary has thousands of strings, each of which asks.
    """
    if type(node) is not cst.SimpleString or len(node.value) > _LONGEST:
        return
    text = string_value(node)
    found = _MENTION.fullmatch(text[0]) if text else None
    if found is None or not (found.group(2) or _may_name(reader, node, lists)):
        return
    *outer, name = re.split(r"[./]", found.group(1).replace("-", "_"))
    section = outer[-1] if outer and "/" not in found.group(1) else ""
    if not _only_says(reader, node):
        yield Told(name, "", node, True, section=section)


def _may_name(reader: Reader, node: cst.BaseExpression, lists: dict[cst.CSTNode, bool]) -> bool:
    """Whether a string stands where somebody may set what it names: among arguments, in a list."""
    parents = reader.model.parents
    parent = parents.get(node)
    if isinstance(parent, cst.Element):
        inner: cst.CSTNode = parent
        outer = parents.get(inner)
        while isinstance(outer, (cst.List, cst.Tuple, cst.Element)):
            inner, outer = outer, parents.get(outer)
        if isinstance(outer, cst.Assign) and inner not in lists:
            lists[inner] = _looks_paired(inner)
        return isinstance(outer, (cst.Arg, cst.AugAssign)) or lists.get(inner, False)
    if type(parent) is not cst.Arg or parent.keyword is not None:
        return False
    call = parents.get(parent)
    if not isinstance(call, cst.Call) or len(call.args) < _PAIR:
        return False
    return not _is_declaring(reader, call)


def _looks_paired(node: cst.CSTNode) -> bool:
    """Whether a list has more than names: `["MODEL.FLASH", True]`."""
    items = node.elements if isinstance(node, (cst.List, cst.Tuple)) else ()
    return any(_is_no_name(item.value) for item in items)


def _is_no_name(node: cst.BaseExpression) -> bool:
    """Whether something in a list tells that the names beside it are no mere list of names."""
    text = string_value(node) if isinstance(node, cst.BaseString) else None
    return text[0].startswith("--") if text else bool(literal(node))


def _is_declaring(reader: Reader, call: cst.Call) -> bool:
    """Whether a call makes a setting, looks one up, or belongs to a library that knows none."""
    function = last_name(call.func)
    declaring = known.words().declaring
    if _declares(call) or function in declaring.commands | declaring.flags | _LOOKING:
        return True
    if function in declaring.fields or function in SPEAKING:
        return True
    return any(_is_of_library(value) for value in reader.values(call.func))


_LOOKING = frozenset({"getattr", "hasattr", "get", "pop", "setattr", "isinstance", "partial"})
"""What asks by a name, or sets by one and is read as such."""


def _only_says(reader: Reader, node: cst.BaseExpression) -> bool:
    """Whether a string is told to somebody."""
    parent = reader.model.parents.get(node)
    call = reader.model.parents.get(parent) if isinstance(parent, cst.Arg) else None
    return isinstance(parent, cst.Expr) or (
        isinstance(call, cst.Call) and last_name(call.func) in SPEAKING
    )
