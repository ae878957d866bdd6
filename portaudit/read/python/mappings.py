"""What is read into a dict, and what makes attributes of one: whether a parser's options are met.

An option that only a parser of the command line declares is an attribute of its namespace. What
some data has in a dict reaches it only where something fills that namespace, or another object that
has attributes, by names which nobody sees; and where somebody asks for it by its key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import libcst as cst

from portaudit.catalogue import options as known
from portaudit.read.python.conditions import asked, holds, index, is_self
from portaudit.read.python.model import Binding, Scope
from portaudit.read.python.nodes import SPEAKING, dotted, last_name, last_part, string_value
from portaudit.read.python.values import LocalClass, LocalFunction, Reader, argument
from portaudit.types import Ref

_DICTS = frozenset({"dict", "OrderedDict", "defaultdict"})
_COPYING = frozenset({"dict", "copy", "deepcopy"})
_OPENING = frozenset({"object_hook", "object_pairs_hook", "cls", "default"})
"""What makes something else of a dict that is read."""
_LOOKING = frozenset({"items", "keys", "values", "get", "copy", "pop"})
"""Methods of a dict that put nothing in it by names that nobody sees."""
_PUTTING = frozenset({"update", "setdefault", "__setitem__", "merge"})
_MAKING = frozenset(
    {"collections.namedtuple", "dataclasses.make_dataclass", "pydantic.create_model", "exec"}
)
"""What makes classes of fields, or runs statements, that nobody sees."""
_LISTS = frozenset({"append", "extend", "insert"})
_WORD = re.compile(r"--(?:$|[%{])")
"""How the words of a command line begin of which nobody sees the name."""
_PARSING = re.compile(r"parse_(?:\w+_)?args")
_ASKING = frozenset({"__getattr__", "__getattribute__"})
_SETTING = "__setattr__"
_TYPE_PARTS = 3


def is_own_dict(reader: Reader, node: cst.BaseExpression) -> bool:
    """Whether a variable is a dict that its function, or the module, makes itself."""
    if type(node) is not cst.Name:
        return False
    scope = reader.scope_of(node)
    bindings = reader.lookup(node.value, scope)
    return bool(bindings) and all(
        each.kind == "value"
        and each.place.scope is scope
        and (
            isinstance(each.value, (cst.Dict, cst.DictComp))
            or (isinstance(each.value, cst.Call) and dotted(each.value.func) in _DICTS)
        )
        for each in bindings
    )


def gives_dict(reader: Reader, call: cst.Call) -> bool:
    """Whether what a call reads is a dict, or an object of a library's class, under a name.

    Not under one that a parser's namespace has as well.
    """
    words = known.words().holding
    function = call.func
    if not isinstance(function, cst.Attribute):
        return False
    method = function.attr.value
    if method in words.making:
        values = list(reader.values(function.value))
        is_known = all(isinstance(each, Ref) and not each.open for each in values) and bool(values)
    else:
        is_known = method in words.parsing and last_name(function.value) in words.texts
    if not is_known or any(item.keyword and item.keyword.value in _OPENING for item in call.args):
        return False
    parent = reader.model.parents.get(call)
    if isinstance(parent, cst.Return):
        return True
    targets: Sequence[cst.BaseExpression] = ()
    if isinstance(parent, cst.Assign):
        targets = [each.target for each in parent.targets]
    elif isinstance(parent, cst.AnnAssign):
        targets = [parent.target]
    return bool(targets) and all(
        isinstance(each, cst.Name) and not is_namespace(reader, each) for each in targets
    )


def is_namespace(reader: Reader, node: cst.BaseExpression) -> bool:
    """Whether something is called as the namespace of a parser is: `args`, `self.opt`."""
    name = last_name(node) if isinstance(node, (cst.Name, cst.Attribute)) else ""
    if name in known.words().holding.namespaces:
        return True
    if type(node) is not cst.Name:
        return False
    bindings = reader.lookup(name, reader.scope_of(node))
    return bool(bindings) and all(
        isinstance(each.value, cst.Call) and _PARSING.fullmatch(last_name(each.value.func))
        for each in bindings
    )


# --- by their keys --------------------------------------------------------------------------------


def keys(reader: Reader) -> Iterator[str]:
    """The names by which a file asks what has settings, and is no namespace of a parser."""
    for node in reader.model.subscripts:
        name = index(node)
        if name and holds(reader, node.value):
            yield name
    for call in reader.model.calls:
        name, _ = asked(reader, call)
        if name and not of_namespace(reader, call):
            yield name
    for each in reader.model.attributes:
        owner = each.value
        parent = reader.model.parents.get(each)
        if not isinstance(owner, (cst.Name, cst.Attribute)) or is_self(reader, owner):
            continue
        if isinstance(parent, cst.Call) and parent.func is each:
            continue  # a method
        if holds(reader, owner) and not is_namespace(reader, owner):
            yield each.attr.value


def of_namespace(reader: Reader, call: cst.Call) -> bool:
    """Whether a call asks a namespace for an attribute: `getattr(args, "x", y)`."""
    owner = argument(call, (0,)).value
    return dotted(call.func) == "getattr" and owner is not None and is_namespace(reader, owner)


# --- attributes of what is in a dict --------------------------------------------------------------


def poured(reader: Reader) -> Iterator[cst.CSTNode]:
    """Where attributes of some object, or options of a parser, get what some dict has."""
    for call in reader.model.calls:
        if _pours(reader, call):
            yield call
        if dotted(call.func) == "vars" and call.args and not _stays(reader, call):
            yield call
    for each in reader.model.attributes:
        is_kept = each.attr.value == "__dict__" and not _stays(reader, each)
        if is_kept or (dotted(each) == "sys.argv" and _is_stored(reader, each)):
            yield each
    for assign in reader.model.assigns:
        if any(_is_given(reader, each.target, assign.value) for each in assign.targets):
            yield assign
    for text in reader.model.strings:
        if _is_word(text):
            yield text
    for scope in reader.model.scopes.values():
        if scope.kind == "class" and not _is_module(scope):
            for name in _ASKING:
                bindings = scope.bindings.get(name, ())
                yield from (each.node for each in bindings if not _hands_on(each.inner))


def sets_attribute(reader: Reader, call: cst.Call) -> bool:
    """Whether `setattr` may give an object that has settings any: none of a module or a library."""
    owner = call.args[0].value
    if is_self(reader, owner):
        scope = reader.scope_of(owner).owner
        return scope is None or not _is_module(scope)
    values = list(reader.values(owner))
    return not (values and all(isinstance(each, Ref) and not each.open for each in values))


def _pours(reader: Reader, call: cst.Call) -> bool:
    name = last_part(call.func)
    holding = known.words().holding
    first = argument(call, (0, "args")).value
    if name in holding.attributed or name in holding.made or name == "set_defaults":
        is_filled = any(not (item.keyword or _is_plain(item.value)) for item in call.args)
        return is_filled and not _is_of_module(reader, call)
    if _PARSING.fullmatch(name):
        is_begun = any(item.keyword and item.keyword.value == "namespace" for item in call.args)
        return is_begun or not _is_usual(reader, first)
    if name == _SETTING and isinstance(call.func, cst.Attribute):
        return reader.scope_of(call).name != _SETTING
    if name == "type":
        return len(call.args) == _TYPE_PARTS and not _is_plain(call.args[-1].value)
    if name in _LISTS and isinstance(call.func, cst.Attribute):
        return dotted(call.func.value) == "sys.argv"
    is_made = reader.name(call.func) in _MAKING or dotted(call.func) in _MAKING
    return is_made and any(not _is_plain(item.value) for item in call.args)


def _is_of_module(reader: Reader, call: cst.Call) -> bool:
    """Whether layers keep what a call makes for themselves, and as no namespace."""
    parent = reader.model.parents.get(call)
    scope = reader.scope_of(call).owner
    if not isinstance(parent, cst.Assign) or scope is None or not _is_module(scope):
        return False
    targets = [each.target for each in parent.targets]
    return all(
        isinstance(each, cst.Attribute)
        and is_self(reader, each.value)
        and not is_namespace(reader, each)
        for each in targets
    )


def _is_usual(reader: Reader, node: cst.BaseExpression | None) -> bool:
    """Whether a parser reads the words of the command line, or written ones.

    A parameter is None unless somebody gives words: these are told where they are made.
    """
    if node is None or isinstance(node, cst.BaseString):
        return True
    if isinstance(node, (cst.List, cst.Tuple)):
        return all(isinstance(each.value, cst.SimpleString) for each in node.elements)
    if isinstance(node, cst.Name):
        bindings = reader.lookup(node.value, reader.scope_of(node))
        return node.value == "None" or (
            bool(bindings) and all(each.kind == "param" or _is_rest(each) for each in bindings)
        )
    inner = node.value if isinstance(node, cst.Subscript) else node
    return dotted(inner) == "sys.argv"


def _is_rest(binding: Binding) -> bool:
    """Whether a variable is what another parser left of the words: `args, rest = parse_known()`."""
    node = binding.node
    if not isinstance(node, cst.Assign) or not isinstance(node.value, cst.Call):
        return False
    names = [each.target for each in node.targets]
    is_last = all(
        isinstance(each, cst.Tuple)
        and isinstance(each.elements[-1].value, cst.Name)
        and each.elements[-1].value.value == binding.name
        for each in names
    )
    return is_last and last_name(node.value.func) == "parse_known_args"


def _is_plain(node: cst.BaseExpression) -> bool:
    """Whether the names of something are written there, or those that a namespace has already."""
    if isinstance(node, cst.Dict):
        return all(
            string_value(each.key) is not None
            if isinstance(each, cst.DictElement)
            else _is_plain(each.value)
            for each in node.elements
        )
    if isinstance(node, cst.Call) and (dotted(node.func) == "vars" or _copies(node)):
        return dotted(node.func) == "vars" or all(_is_plain(each.value) for each in node.args)
    if isinstance(node, cst.Attribute):
        return node.attr.value == "__dict__"
    return isinstance(node, (cst.BaseString, cst.BaseNumber))


def _copies(call: cst.Call) -> bool:
    return last_name(call.func) in _COPYING and bool(call.args)


def _stays(reader: Reader, node: cst.BaseExpression, depth: int = 0) -> bool:
    """Whether nobody puts anything by unseen names into what a namespace keeps its values in."""
    parents = reader.model.parents
    parent = parents.get(node)
    if isinstance(parent, cst.Attribute):
        call = parents.get(parent)
        method = parent.attr.value
        if not isinstance(call, cst.Call) or call.func is not parent:
            return False
        if method in _PUTTING:
            return all(item.keyword or _is_plain(item.value) for item in call.args)
        return method in _LOOKING
    if isinstance(parent, cst.Subscript):
        item = parent.slice[0].slice
        is_written = isinstance(item, cst.Index) and string_value(item.value) is not None
        return is_written or not _is_stored(reader, parent)
    if isinstance(parent, cst.Arg):
        call = parents.get(parent)
        return parent.star == "**" or (isinstance(call, cst.Call) and _only_reads(reader, call))
    if isinstance(parent, cst.Assign) and not depth:
        names = [each.target for each in parent.targets]
        return all(
            isinstance(each, cst.Name) and _stay(reader, each, parent.value) for each in names
        )
    return isinstance(parent, _LOOKED_AT)


_LOOKED_AT = (
    *(cst.ComparisonTarget, cst.For, cst.CompFor, cst.StarredDictElement, cst.Expr),
    *(cst.FormattedString, cst.FormattedStringExpression),
)


def _stay(reader: Reader, name: cst.Name, value: cst.BaseExpression) -> bool:
    """The same of a variable that is given it, wherever the file uses one of that name."""
    targets = {
        each.target
        for assign in reader.model.assigns
        for each in assign.targets
        if assign.value is value
    }
    return all(
        _stays(reader, each, 1)
        for each in reader.model.names
        if each.value == name.value and each not in targets and _is_used(reader, each)
    )


def _is_used(reader: Reader, node: cst.Name) -> bool:
    """Whether a name is used there, and neither a keyword nor given something."""
    parent = reader.model.parents.get(node)
    return not isinstance(parent, (cst.AssignTarget, cst.Param)) and node in reader.model.places


def _only_reads(reader: Reader, call: cst.Call) -> bool:
    """Whether a function keeps what it is given as it is: one of Python, of a library, a copy."""
    name = last_name(call.func)
    if name in SPEAKING or _copies(call) or dotted(call.func) in _READING:
        return True
    values = list(reader.values(call.func))
    return bool(values) and all(isinstance(each, Ref) and not each.open for each in values)


_READING = frozenset({"len", "sorted", "str", "repr", "print", "list", "set", "iter", "any", "all"})


def _is_stored(reader: Reader, node: cst.CSTNode) -> bool:
    """Whether an expression, or a part of it, is what a statement gives another value."""
    parent = reader.model.parents.get(node)
    while isinstance(parent, cst.Subscript) and parent.value is node:
        node, parent = parent, reader.model.parents.get(parent)
    if isinstance(parent, (cst.AugAssign, cst.AnnAssign)):
        return parent.target is node
    return isinstance(parent, cst.AssignTarget)


def _is_given(reader: Reader, target: cst.BaseExpression, value: cst.BaseExpression) -> bool:
    """Whether what is called as a namespace is made by a library, or by nobody knows what."""
    if not isinstance(value, cst.Call) or not value.args or not is_namespace(reader, target):
        return False
    if _PARSING.fullmatch(last_name(value.func)) or _copies(value):
        return False
    if isinstance(target, cst.Name) and not _is_an_object(reader, target):
        return False
    return not all(
        isinstance(each, (LocalFunction, LocalClass))
        or (isinstance(each, Ref) and (each.open or _is_harmless(each)))
        for each in reader.values(value.func)
    ) or not list(reader.values(value.func))


def _is_an_object(reader: Reader, target: cst.Name) -> bool:
    """Whether a variable is asked for attributes, or handed on: no tuple of arguments."""
    scope = reader.scope_of(target)
    if scope.kind != "function":
        return True
    parents = reader.model.parents
    for each in reader.model.names:
        if each.value == target.value and each in reader.model.places:
            parent = parents.get(each)
            is_arg = isinstance(parent, cst.Arg) and not parent.star
            if is_arg or isinstance(parent, (cst.Attribute, cst.Return, cst.Assign)):
                if _is_within(reader.scope_of(each), scope):
                    return True
    return False


def _is_within(inner: Scope | None, scope: Scope) -> bool:
    while inner is not None and inner is not scope:
        inner = inner.parent
    return inner is scope


def _is_harmless(ref: Ref) -> bool:
    return ref.name.partition(".")[0] in known.words().never.libraries


def _is_word(node: cst.BaseExpression) -> bool:
    """Whether a text is an option of a command line whose name is put in: `f"--{name}"`."""
    if isinstance(node, cst.FormattedString):
        first, *others = node.parts or (None,)
        return isinstance(first, cst.FormattedStringText) and first.value == "--" and bool(others)
    text = string_value(node) if isinstance(node, cst.SimpleString) else None
    return text is not None and _WORD.match(text[0]) is not None


def _is_module(scope: Scope) -> bool:
    """Whether a class is one of layers, or of a module of Python, which has no settings so."""
    node = scope.node
    bases = node.bases if isinstance(node, cst.ClassDef) else ()
    return any(last_name(each.value).endswith(_MODULES) for each in bases)


_MODULES = ("Module", "ModuleType")


def _hands_on(scope: Scope | None) -> bool:
    """Whether a method only asks another object for the attribute."""
    return scope is not None and all(
        isinstance(value, cst.Call) and dotted(value.func) == "getattr"
        for value, _ in scope.returns
    )
