"""What the tests of a version come to if a package has a certain one.

Compared as the code would compare them: versions, their texts, their parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

import libcst as cst
from msgspec import Struct
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from portaudit.catalogue import stack
from portaudit.judge.guards import fails
from portaudit.read.python.model import Branch, Place, around
from portaudit.read.python.nodes import dotted, last_name, number_value, string_value
from portaudit.read.python.values import Reader
from portaudit.types import Ref, Target

_PARSERS = {
    *("parse", "parse_version", "digit_version", "Version", "LooseVersion", "StrictVersion"),
    *("TorchVersion", "V"),
}
"""Last parts of the names of functions that make a version comparable."""
_TORCH = {"torch.__version__", "torch.version.__version__", "torch.torch_version.__version__"}
_ASKED = {
    "importlib.metadata.version": 0,
    "importlib_metadata.version": 0,
    "pkg_resources.get_distribution": 0,
}
_TORCH_TESTS = {
    "accelerate.utils.is_torch_version",
    "accelerate.utils.versions.is_torch_version",
    "transformers.utils.is_torch_version",
    "diffusers.utils.is_torch_version",
    "diffusers.utils.import_utils.is_torch_version",
}
_FIELDS = ("major", "minor", "micro")
_DEEPEST = 12

Plain = Version | str | int | float | tuple[int, ...]
"""A version that compares as one, the text of one, a number in it, or its parts."""
_Ordered = TypeVar("_Ordered", Version, str, float, tuple[int, ...])
_SPELLED: Mapping[type[cst.BaseCompOp], str] = {
    cst.LessThan: "<",
    cst.LessThanEqual: "<=",
    cst.GreaterThan: ">",
    cst.GreaterThanEqual: ">=",
    cst.Equal: "==",
    cst.NotEqual: "!=",
}
_SIGNS: Mapping[str, frozenset[int]] = {
    "<": frozenset({-1}),
    "<=": frozenset({-1, 0}),
    ">": frozenset({1}),
    ">=": frozenset({0, 1}),
    "==": frozenset({0}),
    "!=": frozenset({-1, 1}),
}
"""Which outcomes of left against right (less, equal, greater) make a comparison true."""


_OTHER = Version("9999.9999.9999")
"""A version that no package has."""


class Trial(Struct, frozen=True):
    """What expressions come to if `package` has this version; None when nobody knows."""

    reader: Reader
    package: str
    version: Version

    def reaches(self, place: Place) -> bool:
        """Whether no condition around a place is known to keep this version away from it.

        One whose other way fails is a refusal of its own: mended, it would let the version through.
        """
        return not any(map(self.refuses, around(place.branch)))

    def refuses(self, branch: Branch) -> bool:
        """Whether a condition keeps this version away, and goes another way without a failure."""
        return (
            branch.kind == "test"
            and branch.test is not None
            and self.truth(branch.test) is (not branch.truth)
            and not fails(branch.otherwise)
        )

    def truth(self, node: cst.BaseExpression, depth: int = 0) -> bool | None:
        """The truth of a test. A test that asks no version is not known."""
        if depth > _DEEPEST:
            return None
        if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
            inner = self.truth(node.expression, depth + 1)
            return None if inner is None else not inner
        if isinstance(node, cst.BooleanOperation):
            sides = (self.truth(node.left, depth + 1), self.truth(node.right, depth + 1))
            decisive = isinstance(node.operator, cst.Or)
            if decisive in sides:
                return decisive
            return None if None in sides else not decisive
        if isinstance(node, cst.Comparison):
            return self._comparison(node)
        if isinstance(node, cst.Call):
            return self._called(node)
        if isinstance(node, cst.Name):
            value = self._only(node)
            return None if value is None else self.truth(value, depth + 1)
        return None

    def _comparison(self, node: cst.Comparison) -> bool | None:
        """A comparison, or a chain of them, that mentions the version."""
        sides = [node.left, *(target.comparator for target in node.comparisons)]
        if not any(self._is_asked(side) for side in sides):
            return None
        found: list[bool | None] = []
        left = self.value(node.left)
        for target in node.comparisons:
            right = self.value(target.comparator)
            found.append(_compare(left, _SPELLED.get(type(target.operator), ""), right))
            left = right
        if False in found:
            return False
        return None if None in found else True

    def _called(self, node: cst.Call) -> bool | None:
        """`torch.__version__.startswith("1.13")` and `is_torch_version("<", "2.1")`."""
        if isinstance(node.func, cst.Attribute) and node.func.attr.value == "startswith":
            value = self.value(node.func.value) if self._is_asked(node.func.value) else None
            text = string_value(node.args[0].value) if node.args else None
            if value is None or text is None:
                return None
            return isinstance(value, (str, Version)) and str(value).startswith(text[0])
        if self.package == "torch" and self.reader.name(node.func) in _TORCH_TESTS:
            parts = [string_value(item.value) for item in node.args]
            if len(parts) == len(("operation", "version")) and parts[0] and parts[1]:
                return _compare(self.version, parts[0][0], parts[1][0])
        return None

    def _is_asked(self, node: cst.BaseExpression) -> bool:
        """Whether an expression comes from the version of the package."""
        mine = self.value(node)
        return mine is not None and mine != Trial(self.reader, self.package, _OTHER).value(node)

    def _is_own(self, function: cst.BaseExpression) -> bool:
        """Whether a function is one of the tree, which may make anything of a version."""
        return any(
            not isinstance(value, Ref) or value.open for value in self.reader.values(function)
        )

    def _only(self, node: cst.Name) -> cst.BaseExpression | None:
        """The expression that a name stands for, if it was bound once."""
        bindings = self.reader.bindings(node)
        if len(bindings) != 1 or bindings[0].kind != "value":
            return None
        is_changed = any(last_name(each) == node.value for each in self.reader.model.changed)
        return None if is_changed else bindings[0].value

    def value(self, node: cst.BaseExpression | None, depth: int = 0) -> Plain | None:
        """A version, a part of one, or a constant."""
        if node is None or depth > _DEEPEST:
            return None
        text = string_value(node)
        if text is not None:
            return text[0] if text[1] else None
        if isinstance(node, cst.Integer):
            return _integer(node)
        if isinstance(node, cst.Float):
            return number_value(node)
        if isinstance(node, (cst.Tuple, cst.List)):
            parts = [self.value(element.value, depth + 1) for element in node.elements]
            numbers = [part for part in parts if isinstance(part, int)]
            return tuple(numbers) if len(numbers) == len(parts) else None
        if isinstance(node, cst.Attribute):
            return self._attribute(node, depth)
        if isinstance(node, cst.Subscript):
            return self._subscript(node, depth)
        if isinstance(node, cst.Call):
            return self._call(node, depth)
        if isinstance(node, (cst.GeneratorExp, cst.ListComp)):
            return self.value(node.for_in.iter, depth + 1)
        if isinstance(node, cst.Name):
            known = self._named(node)
            return known if known is not None else self.value(self._only(node), depth + 1)
        return None

    def _named(self, node: cst.BaseExpression) -> Plain | None:
        """The version, where a name or attribute is it."""
        name = self.reader.name(node)
        if self.package == "torch" and name in _TORCH:
            return self.version
        if self.package == stack.PYTHON and name == "sys.version_info":
            return self.version.release
        return None

    def _attribute(self, node: cst.Attribute, depth: int) -> Plain | None:
        known = self._named(node)
        if known is not None:
            return known
        base = self.value(node.value, depth + 1)
        field = node.attr.value
        if isinstance(base, str):
            return base if field == "version" else None
        if isinstance(base, Version):
            if field in {"public", "base_version"}:
                return str(base)
            base = base.release
        if isinstance(base, tuple):
            if field == "release":
                return base
            if field in _FIELDS and _FIELDS.index(field) < len(base):
                return base[_FIELDS.index(field)]
        return None

    def _subscript(self, node: cst.Subscript, depth: int) -> Plain | None:
        """`sys.version_info[:2]`, `version.split(".")[0]`, `version.split("+")[0]`."""
        base = self.value(node.value, depth + 1)
        if len(node.slice) != 1 or base is None:
            return None
        parts: str | tuple[int, ...]
        if isinstance(base, (str, Version)):
            parts = str(base)  # a part of torch.__version__ is text
        elif isinstance(base, tuple):
            parts = base
        else:
            return None
        part = node.slice[0].slice
        if isinstance(part, cst.Index) and isinstance(part.value, cst.Integer):
            index = _integer(part.value)
            if isinstance(base, str) and isinstance(node.value, cst.Call):
                return base if index == 0 else None  # what stands before a suffix
            return parts[index] if index < len(parts) else None
        if isinstance(part, cst.Slice) and part.lower is None and part.step is None:
            if isinstance(part.upper, cst.Integer):
                return parts[: _integer(part.upper)]
        return None

    def _call(self, node: cst.Call, depth: int) -> Plain | None:
        function = node.func
        if isinstance(function, cst.Attribute) and function.attr.value in {"split", "partition"}:
            base = self.value(function.value, depth + 1)
            mark = string_value(node.args[0].value) if node.args else None
            whole = _as_version(base) if isinstance(base, (str, Version)) else None
            if whole is None or mark is None:
                return None
            return whole.release if mark[0] == "." else str(whole)
        name = self.reader.name(function) or dotted(function) or ""
        first = node.args[0].value if node.args else None
        if name == "platform.python_version":
            return str(self.version) if self.package == stack.PYTHON else None
        if name in _ASKED:
            text = string_value(first) if first is not None else None
            asked = text is not None and canonicalize_name(text[0]) == self.package
            return str(self.version) if asked else None
        if name in {"tuple", "list", "int", "float", "str"} and len(node.args) == 1:
            return _converted(name, self.value(first, depth + 1))
        if name == "map" and len(node.args) == len(("int", "parts")):
            return self.value(node.args[1].value, depth + 1)
        if name.rpartition(".")[2] in _PARSERS and len(node.args) == 1:
            if self._is_own(function):
                return None
            value = self.value(first, depth + 1)
            return _as_version(value) if isinstance(value, (str, Version)) else value
        return None


def trials(reader: Reader, target: Target, package: str) -> Iterator[Trial]:
    """One for each version of a package that the target may have, oldest first."""
    return (Trial(reader, package, version) for version in stack.versions(target, package))


def _integer(node: cst.Integer) -> int:
    return int(number_value(node) or 0)


def _converted(name: str, value: Plain | None) -> Plain | None:
    """What `int`, `float`, `str`, `tuple` and `list` make of a value."""
    try:
        if isinstance(value, str) and name in {"int", "float"}:
            return int(value) if name == "int" else float(value)
    except ValueError:
        return None
    if name == "str" and isinstance(value, Version):
        return str(value)
    return value


def _as_version(value: Plain) -> Version | None:
    if isinstance(value, Version):
        return value
    text = ".".join(map(str, value)) if isinstance(value, tuple) else str(value)
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _compare(left: Plain | None, symbol: str, right: Plain | None) -> bool | None:
    """Compare as the code would: versions with what can be read as one, tuples and numbers."""
    signs = _SIGNS.get(symbol)
    if left is None or right is None or signs is None:
        return None
    if isinstance(left, Version) or isinstance(right, Version):
        if isinstance(left, (int, float)) or isinstance(right, (int, float)):
            return None
        first, second = _as_version(left), _as_version(right)
        return None if first is None or second is None else _sign(first, second) in signs
    if isinstance(left, tuple) and isinstance(right, tuple):
        return _sign(left, right) in signs
    if isinstance(left, str) and isinstance(right, str):
        return _sign(left, right) in signs  # letter by letter: "2.13" is less than "2.4"
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return _sign(float(left), float(right)) in signs
    return None


def _sign(left: _Ordered, right: _Ordered) -> int:
    return (left > right) - (left < right)
