"""Names and paths that code puts together: what is known of their text.

`f"models.{name}"` is `models.*`: `*` stands for what is only known at run time. `__package__` is
empty, so that what follows is spelled as a relative import; a path that begins with a slash begins
at the root of the tree, as what is made of `__file__` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import product
from posixpath import basename, dirname, normpath, splitext

import libcst as cst

from portaudit.marks import ANY_PART, CONFIGURED
from portaudit.read.python.model import Binding, position_of
from portaudit.read.python.nodes import descendants, dotted, last_name, string_value
from portaudit.read.python.values import LocalText, Reader, argument
from portaudit.types import Ref, Text

_DEEPEST = 12
"""Expressions in one another that are followed."""
_MOST = 24
"""Texts of one expression that are told apart."""
_ENDS = re.compile(r"\w*\*[\w*]*")
_SHORTEST = 2
"""Letters that are enough to tell names by how they begin or end."""
_FIELD = re.compile(r"\{[^{}]*\}")
_FORMAT = re.compile(r"%(?:\(\w+\))?[-+ #0]*\d*(?:\.\d+)?[diouxXeEfFgGcrsa]")
_SAME = frozenset(
    {
        *("str", "Path", "PurePath", "PosixPath", "fspath", "abspath", "realpath", "normpath"),
        *("expanduser", "resolve", "absolute", "as_posix", "strip", "lstrip", "rstrip"),
        *("get_original_cwd", "to_absolute_path", "lower", "format_map", "casefold"),
    }
)
"""Calls that hand on the text or the path that they are given, or whose method they are."""
_JOINING = frozenset({"join", "joinpath"})
_SPLITTING = frozenset({"split", "rsplit", "partition", "rpartition"})
_EACH = frozenset({"items", "values", "keys", "sorted", "list", "tuple", "set", "enumerate"})


def is_telling(text: str) -> bool:
    """Whether a text of which a part is not known says how names begin, or end."""
    ends = (text.partition(ANY_PART)[0], text.rpartition(ANY_PART)[2])
    longest = max(len(each.strip("_")) for each in ends)
    return longest >= _SHORTEST and _ENDS.fullmatch(text) is not None


def spelled(reader: Reader, node: cst.CSTNode | None) -> tuple[str, ...]:
    """The texts that an expression may be, each once."""
    return _Spelling(reader).of(node)


class _Spelling:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._busy: set[object] = set()

    def of(self, node: cst.CSTNode | None) -> tuple[str, ...]:
        if node is None or node in self._busy or len(self._busy) > _DEEPEST:
            return (ANY_PART,)
        self._busy.add(node)
        try:
            found = tuple(dict.fromkeys(self._of(node)))
        finally:
            self._busy.discard(node)
        return found if 0 < len(found) <= _MOST else (ANY_PART,)

    def _of(self, node: cst.CSTNode) -> Iterable[str]:
        if isinstance(node, cst.SimpleString):
            text = string_value(node)
            return (text[0],) if text else (ANY_PART,)
        if isinstance(node, cst.ConcatenatedString):
            return self._sum([self.of(node.left), self.of(node.right)])
        if isinstance(node, cst.FormattedString):
            return self._sum([self._part(part) for part in node.parts])
        if isinstance(node, cst.BinaryOperation):
            return self._operation(node)
        if isinstance(node, cst.IfExp):
            return (*self.of(node.body), *self.of(node.orelse))
        if isinstance(node, cst.BooleanOperation):
            return (*self.of(node.left), *self.of(node.right))
        if isinstance(node, cst.Name):
            return self._name(node)
        if isinstance(node, cst.Attribute):
            return self._attribute(node)
        if isinstance(node, cst.Call):
            return self._call(node)
        if isinstance(node, cst.Subscript):
            return self._subscript(node)
        return (ANY_PART,)

    def _part(self, part: cst.BaseFormattedStringContent) -> tuple[str, ...]:
        if isinstance(part, cst.FormattedStringText):
            return (part.value.replace("{{", "{").replace("}}", "}"),)
        if isinstance(part, cst.FormattedStringExpression):
            return self.of(part.expression)
        return (ANY_PART,)

    def _sum(self, parts: list[tuple[str, ...]], between: str = "") -> Iterator[str]:
        size = 1
        for at, part in enumerate(parts):
            size *= len(part)
            if size > _MOST:
                parts[at], size = (ANY_PART,), size // len(part)
        return (_once(between.join(each)) for each in product(*parts))

    def _operation(self, node: cst.BinaryOperation) -> Iterable[str]:
        if isinstance(node.operator, cst.Add):
            return self._sum([self.of(node.left), self.of(node.right)])
        if isinstance(node.operator, cst.Divide):
            return map(_path, self._sum([self.of(node.left), self.of(node.right)], "/"))
        if isinstance(node.operator, cst.Modulo):
            right = node.right
            given = (
                [each.value for each in right.elements]
                if isinstance(right, cst.Tuple)
                else []
                if isinstance(right, cst.Dict)
                else [right]
            )
            return self._filled(node.left, _FORMAT, given)
        return (ANY_PART,)

    def _filled(
        self, node: cst.BaseExpression, field: re.Pattern[str], given: list[cst.BaseExpression]
    ) -> Iterator[str]:
        """A text with fields; where as many values are given as it has, these in order."""
        for text in self.of(node):
            fields = field.findall(text)
            plain = len(fields) == len(given) and all(not each[1:-1] for each in fields)
            known = plain or (field is _FORMAT and len(fields) == len(given))
            filling = [self.of(each) for each in given] if known else [(ANY_PART,)] * len(fields)
            pieces: list[tuple[str, ...]] = []
            for at, piece in enumerate(field.split(text)):
                pieces.append((piece,))
                pieces.extend(filling[at : at + 1])
            yield from self._sum(pieces)

    # --- names ---

    def _name(self, node: cst.Name) -> Iterable[str]:
        reader = self._reader
        if node not in reader.model.places:
            return (ANY_PART,)
        bindings = reader.bindings(node)
        if bindings:
            return [text for binding in bindings for text in self._bound(binding)]
        if node.value == "__file__":
            return (f"/{reader.source.path}",)
        if node.value == "__package__":
            return ("",)
        if node.value == "__name__":
            return ("" if basename(reader.source.path) == "__init__.py" else ANY_PART,)
        return (ANY_PART,)

    def _bound(self, binding: Binding) -> Iterable[str]:
        if binding.kind == "param":
            return self._parameter(binding)
        if binding.kind == "value":
            return self.of(binding.value)
        if binding.kind in {"first", "second"}:
            return self._first(binding)
        if binding.kind in {"each", "unknown"}:
            return self._each(binding)
        if binding.kind == "import":
            values = self._reader.bound(binding)
            exact = [
                each.value for each in values if isinstance(each, (Text, LocalText)) and each.exact
            ]
            return exact or (ANY_PART,)
        return (ANY_PART,)

    def _first(self, binding: Binding) -> Iterable[str]:
        call = binding.value
        if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute):
            name = call.func.attr.value
            if name in _SPLITTING and call.args and string_value(call.args[0].value) == (".", True):
                return (CONFIGURED,)
        if isinstance(call, cst.Call) and last_name(call.func) == "splitext" and call.args:
            if binding.kind == "first":
                return (splitext(text)[0] for text in self.of(call.args[0].value))
        return (ANY_PART,)

    def _each(self, binding: Binding) -> Iterable[str]:
        """What a loop takes one by one, if that is written down: of a dictionary, all texts."""
        node = binding.node
        source = node.iter if isinstance(node, (cst.For, cst.CompFor)) else None
        return self._elements(source) or (ANY_PART,)

    def _elements(self, node: cst.BaseExpression | None) -> list[str]:
        if isinstance(node, cst.Call):
            if last_name(node.func) not in _EACH:
                if isinstance(node.func, cst.Attribute) and node.func.attr.value in _EACH:
                    return self._elements(node.func.value)
                return []
            inner = node.func.value if isinstance(node.func, cst.Attribute) else None
            return self._elements(inner or (node.args[0].value if node.args else None))
        if isinstance(node, cst.Name) and node in self._reader.model.places:
            bindings = self._reader.bindings(node)
            if len(bindings) != 1 or bindings[0].kind != "value" or node in self._busy:
                return []
            return self._elements(bindings[0].value)
        if isinstance(node, (cst.List, cst.Tuple, cst.Set, cst.Dict)):
            texts = (
                string_value(each)
                for each in descendants(node)
                if isinstance(each, cst.SimpleString)
            )
            return [text[0] for text in texts if text and text[1]]
        return []

    def _parameter(self, binding: Binding) -> Iterator[str]:
        """The default of a parameter, what calls of this file give, and whatever others give."""
        reader, scope = self._reader, binding.place.scope
        if scope.self_name == binding.name:
            yield ANY_PART
            return
        if binding.value is not None and string_value(binding.value) is not None:
            yield from self.of(binding.value)
        function = scope.owner.name if scope.name == "__init__" and scope.owner else scope.name
        for call in reader.model.called.get(function, ()) if function else ():
            position = position_of(scope, binding)
            places = (binding.name,) if position is None else (position, binding.name)
            given = argument(call, places).value
            if given is not None:
                yield from self.of(given)
        if not function.startswith("_") or function.startswith("__"):
            yield ANY_PART

    def _attribute(self, node: cst.Attribute) -> Iterator[str]:
        reader, name = self._reader, node.attr.value
        if name in {"__name__", "__package__", "__file__"}:
            yield from self._of_module(node, name)
        elif name == "parent":
            owned = last_name(node.value) == "__spec__"
            yield from ("",) if owned else map(_folder, self.of(node.value))
        elif name == "stem":
            yield from (splitext(basename(text))[0] for text in self.of(node.value))
        elif name == "name" and isinstance(node.value, cst.Call):
            yield from map(basename, self.of(node.value))
        else:
            option = reader.options.get(name)
            choices = argument(option.call, ("choices",)).value if option else None
            if choices is not None and (listed := self._elements(choices)):
                yield from listed
                return
            if exact := [text.value for text in reader.texts(node) if text.exact]:
                yield from exact
            yield ANY_PART

    def _of_module(self, node: cst.Attribute, name: str) -> Iterator[str]:
        for value in self._reader.values(node.value):
            if isinstance(value, Ref) and value.open and name != "__file__":
                yield value.name
        yield ANY_PART

    # --- calls ---

    def _call(self, node: cst.Call) -> Iterable[str]:
        name = last_name(node.func)
        method = node.func if isinstance(node.func, cst.Attribute) else None
        name = name or (method.attr.value if method else "")
        given = [each.value for each in node.args if not each.star and not each.keyword]
        owner = method.value if method else None
        is_text = owner is not None and not _is_module(self._reader, owner)
        if name == "format" and owner is not None:
            return self._filled(owner, _FIELD, given if len(given) == len(node.args) else [])
        if name in _JOINING:
            return self._joined(owner, given, is_text=is_text)
        if name == "replace" and owner is not None and len(given) > 1:
            old, new = (string_value(each) for each in given[:2])
            if old and new:
                return (text.replace(old[0], new[0]) for text in self.of(owner))
        if name in {"with_suffix", "removesuffix"} and owner is not None:
            return (splitext(text)[0] for text in self.of(owner))
        if name == "dirname" and given:
            return map(_folder, self.of(given[0]))
        if name == "basename" and given:
            return (basename(text) or ANY_PART for text in self.of(given[0]))
        if name in _SAME:
            return map(_path, self.of(owner if is_text else next(iter(given), None)))
        if name in {"get", "pop"} and owner is not None and (listed := self._elements(owner)):
            return (*listed, *(self.of(given[1]) if given[1:] else ()))
        exact = [text.value for text in self._reader.texts(node) if text.exact]
        return (*exact, ANY_PART) if exact else (ANY_PART,)

    def _joined(
        self, owner: cst.BaseExpression | None, given: list[cst.BaseExpression], *, is_text: bool
    ) -> Iterable[str]:
        text = string_value(owner) if owner is not None else None
        if text is not None:
            if not given:
                return (ANY_PART,)
            parts = self._reader.elements(given[0])
            if parts:
                return self._sum([self.of(each) for each in parts], text[0])
            return self._of_split(given[0], text[0])
        pieces = [owner, *given] if is_text else given
        return map(_path, self._sum([self.of(each) for each in pieces], "/"))

    def _of_split(self, node: cst.BaseExpression, sign: str) -> Iterable[str]:
        """`".".join(name.split(".")[:-1])`."""
        if sign == "." and isinstance(node, cst.Subscript):
            inner = node.value
            if isinstance(inner, cst.Call):
                return self._subscript(node)
            return (CONFIGURED,)
        return (ANY_PART,)

    def _subscript(self, node: cst.Subscript) -> Iterable[str]:
        call = node.value
        if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute):
            if call.func.attr.value in _SPLITTING and call.args:
                if string_value(call.args[0].value) == (".", True):
                    of_module = last_name(call.func.value) in {"__name__", "__package__"}
                    return ("" if of_module else CONFIGURED,)
            if call.func.attr.value == "splitext" and call.args:
                return (splitext(text)[0] for text in self.of(call.args[0].value))
        if isinstance(call, cst.Attribute) and call.attr.value == "parents":
            depth = _number(node)
            if depth is not None:
                return (_climbed(text, depth + 1) for text in self.of(call.value))
        if listed := self._elements(call):
            return listed
        if _is_slice(node):  # `name[:-3]`
            return (splitext(text)[0] for text in self.of(call))
        exact = [text.value for text in self._reader.texts(node) if text.exact]
        return (*exact, ANY_PART) if exact else (ANY_PART,)


def _once(text: str) -> str:
    return re.sub(r"\*{2,}", "*", text)


def _path(text: str) -> str:
    """Without the parts that mean nothing; `a//b` is what is absolute behind the slashes."""
    if "/" not in text:
        return text
    inner = text.rpartition("//")[2] if "//" in text else None
    return normpath(f"/{inner}" if inner is not None else text)


def _folder(text: str) -> str:
    return dirname(text) if "/" in text else (ANY_PART if text == ANY_PART else "")


def _climbed(text: str, levels: int) -> str:
    for _ in range(levels):
        text = _folder(text)
    return text


def _number(node: cst.Subscript) -> int | None:
    item = node.slice[0].slice if len(node.slice) == 1 else None
    inner = item.value if isinstance(item, cst.Index) else None
    return int(inner.value) if isinstance(inner, cst.Integer) and inner.value.isdigit() else None


def _is_slice(node: cst.Subscript) -> bool:
    return any(isinstance(each.slice, cst.Slice) for each in node.slice)


def _is_module(reader: Reader, owner: cst.BaseExpression) -> bool:
    """Whether what stands before a method is a module, as in `os.path.join`."""
    return any(isinstance(value, Ref) for value in reader.values(owner)) and bool(dotted(owner))
