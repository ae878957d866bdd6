"""Constant folding under default options: is this switch off unless somebody turns it on?

Folds only what is certain: literals, parameters, options and environment variables at their
defaults, comparisons and simple conversions of those.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cached_property

import libcst as cst
from msgspec import Struct, field

from portaudit.read.python.inherited import inherited_default
from portaudit.read.python.model import Binding, Scope, position_of
from portaudit.read.python.nodes import body_of, dotted, last_name, number_value, string_value
from portaudit.read.python.values import LocalClass, LocalObject, Option, Reader, argument

Plain = bool | int | float | str | None

_GENERATIONS = 8
_SPELLED: Mapping[str | None, Plain] = {"false": False, "true": True, "null": None}
"""Constants as tables of settings write them."""
_DEEPEST = 60
"""Steps of one answer; what is further away is not known."""


class Folded(Struct, frozen=True):
    """A value at default options; `source` names the option, empty for a plain constant."""

    value: Plain
    source: str = ""


class Folder(Struct, dict=True):
    """Folds expressions of one file."""

    reader: Reader
    _busy: set[object] = field(default_factory=set)

    def fold(self, node: cst.CSTNode | None) -> Folded | None:
        """The value at defaults, or None when it cannot be known."""
        if node is None or node in self._busy or len(self._busy) > _DEEPEST:
            return None
        self._busy.add(node)
        try:
            return self._fold(node)
        finally:
            self._busy.discard(node)

    @cached_property
    def _given(self) -> Mapping[str, list[tuple[str, cst.BaseExpression]]]:
        """Keyword arguments of the calls of this file: name -> (what is called, the value)."""
        found: dict[str, list[tuple[str, cst.BaseExpression]]] = defaultdict(list)
        for call in self.reader.model.calls:
            called = last_name(call.func)
            if called == "partial" and call.args:
                called = last_name(call.args[0].value)
            for item in call.args:
                if item.keyword:
                    found[item.keyword.value].append((called, item.value))
        return found

    def _switched_on(self, name: str, function: str, position: int | None = None) -> bool:
        """Whether some call of this file may switch it on: the default then says little."""
        for called, value in self._given.get(name, ()):
            if called == function or (not function and called not in _DECLARING):
                if self._may_be_on(value):
                    return True
        if position is None:
            return False
        given = (
            argument(call, (position,)).value for call in self.reader.model.called.get(function, ())
        )
        return any(value is not None and self._may_be_on(value) for value in given)

    def _assigned_on(self, name: str) -> bool:
        """Whether the file may switch it on at some object: `config.fast = True`."""
        return any(
            binding.value is not None and self._may_be_on(binding.value)
            for key, bindings in self.reader.model.members.items()
            if key.rpartition(".")[2] == name
            for binding in bindings
        )

    def _inherited_on(self, base: Scope, name: str) -> bool:
        """Whether a class of this file that is derived from `base` may switch it on."""
        return any(
            binding.value is not None and self._may_be_on(binding.value)
            for scope in self._derived.get(base, ())
            if name in scope.attributes
            for binding in scope.attributes[name]
        )

    def is_overridden(self, method: Scope) -> bool:
        """Whether a class of this file that is derived from a method's has one of the same name."""
        owner = method.parent
        return owner is not None and any(
            method.name in scope.bindings for scope in self._derived.get(owner, ())
        )

    @cached_property
    def _derived(self) -> Mapping[Scope, list[Scope]]:
        """The classes of this file that are derived from each, through some others."""
        found: dict[Scope, list[Scope]] = defaultdict(list)
        for scope in self.reader.model.scopes.values():
            seen = {scope: None}
            newest = [scope]
            for _ in range(_GENERATIONS + 1):
                newest = [base for each in newest for base in self._bases(each) if base not in seen]
                seen.update(dict.fromkeys(newest))
            for base in seen:
                if base is not scope:
                    found[base].append(scope)
        return found

    def _bases(self, scope: Scope) -> list[Scope]:
        if not isinstance(scope.node, cst.ClassDef):
            return []
        return [
            value.scope
            for item in scope.node.bases
            for value in self.reader.values(item.value)
            if isinstance(value, LocalClass)
        ]

    def _may_be_on(self, node: cst.BaseExpression) -> bool:
        folded = self.fold(node)
        return folded is None or bool(folded.value)

    def _fold(self, node: cst.CSTNode) -> Folded | None:
        if isinstance(node, cst.Name):
            if node.value in {"True", "False", "None"}:
                return Folded({"True": True, "False": False}.get(node.value))
            bindings = self.reader.lookup(node.value, self.reader.scope_of(node))
            return self._agree(bindings, node.value)
        if isinstance(node, cst.Attribute):
            return self._attribute(node)
        if isinstance(node, (cst.Integer, cst.Float)):
            number = number_value(node)
            return Folded(number) if number is not None else None
        if isinstance(node, cst.Call):
            return self._call(node)
        if isinstance(node, cst.Comparison):
            return self._comparison(node)
        if isinstance(node, cst.Subscript):
            return None
        if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
            inner = self.fold(node.expression)
            return Folded(not inner.value, inner.source) if inner else None
        if isinstance(node, cst.BooleanOperation):
            return self._boolean(node)
        if isinstance(node, cst.BaseExpression):
            text = string_value(node)
            return Folded(text[0]) if text and text[1] else None
        return None

    def _agree(self, bindings: list[Binding], name: str) -> Folded | None:
        """The value that all bindings share."""
        found: set[Folded] = set()
        for binding in bindings:
            folded = self._bound(binding, name)
            if folded is None:
                return None
            found.add(folded)
        return found.pop() if len(found) == 1 else None

    def _bound(self, binding: Binding, name: str) -> Folded | None:
        if name.lower() in _MODES:
            return None
        if binding.kind == "param":
            scope = binding.place.scope
            owner = scope.parent.name if scope.name == "__init__" and scope.parent else scope.name
            if self._switched_on(name, owner, position_of(scope, binding)):
                return None
            if binding.value is None:
                return self._declared(self.reader.option_of(binding))
            folded = self.default(binding.value)
            if folded is None or folded.value is None:
                return None  # None as a default stands for "not given", not for "off"
            return Folded(folded.value, folded.source or name)
        if binding.kind == "value" and binding.value is not None:
            folded = self.default(binding.value)
            return Folded(folded.value, folded.source or name) if folded else None
        return None

    def default(self, node: cst.BaseExpression) -> Folded | None:
        """What a field or a parameter is given where it is declared: `field(default=False)`."""
        if isinstance(node, cst.Call):
            name = last_name(node.func)
            if name in {"field", "Field", "Option", "Argument"}:
                places = ("default",) if name == "field" else (0, "default")
                return self.fold(argument(node, places).value)
        return self.fold(node)

    def _attribute(self, node: cst.Attribute) -> Folded | None:
        name = node.attr.value
        base = self.reader.values(node.value)
        for value in base:
            if isinstance(value, (LocalObject, LocalClass)):
                scope = value.scope
                if self._switched_on(name, scope.name, _field(scope, name)):
                    return None
                if self._assigned_on(name) or self._inherited_on(scope, name):
                    return None
                bindings = self.reader.class_attribute(scope, name)
                return self._agree(bindings, name) if bindings else self._of_library(scope, name)
        if self.reader.holds_options(node.value, base):
            if not self._switched_on(name, "") and not self._assigned_on(name):
                return self._declared(self.reader.options.get(name))
        return None

    def _of_library(self, scope: Scope, name: str) -> Folded | None:
        """The default of a field that a class has of a library's."""
        value = inherited_default(self.reader, scope.node, name)
        return Folded(_SPELLED[value], name) if value in _SPELLED else None

    def _declared(self, option: Option | None) -> Folded | None:
        """The default of a command-line option."""
        if option is None:
            return None
        if option.default is not None:
            folded = self.fold(option.default)
            return Folded(folded.value, folded.source or f"--{option.name}") if folded else None
        return Folded(option.truth, f"--{option.name}") if option.truth is not None else None

    def _call(self, node: cst.Call) -> Folded | None:
        function = self.reader.name(node.func) or dotted(node.func) or ""
        if function in {"os.getenv", "os.environ.get"}:
            variable = string_value(node.args[0].value) if node.args else None
            if variable is None or is_of_launcher(variable[0]):
                return None  # of one that only a caller names nobody tells here who sets it
            name = variable[0]
            default = argument(node, (1, "default")).value
            if default is None:
                return Folded(None, name)
            folded = self.fold(default)
            return Folded(folded.value, folded.source or name) if folded else None
        if function in _CONVERSIONS and len(node.args) == 1:
            folded = self.fold(node.args[0].value)
            if folded is None:
                return None
            try:
                return Folded(_CONVERSIONS[function](folded.value), folded.source)
            except (TypeError, ValueError):
                return None
        if isinstance(node.func, cst.Attribute):
            return self._method(node, node.func)
        return None

    def _method(self, node: cst.Call, function: cst.Attribute) -> Folded | None:
        name = function.attr.value
        if name in {"lower", "upper", "strip"} and not node.args:
            folded = self.fold(function.value)
            if folded is not None and isinstance(folded.value, str):
                return Folded(str(getattr(folded.value, name)()), folded.source)
        if name in {"get", "pop"} and dotted(function.value) == "kwargs" and node.args:
            default = self.fold(argument(node, (1, "default")).value)
            key = string_value(node.args[0].value)
            if default is not None and key and not self._switched_on(key[0], ""):
                return Folded(default.value, key[0])
        return None

    def _comparison(self, node: cst.Comparison) -> Folded | None:
        if len(node.comparisons) != 1:
            return None
        operator = node.comparisons[0].operator
        right = node.comparisons[0].comparator
        if isinstance(operator, (cst.In, cst.NotIn)):
            return self._membership(node.left, right, isinstance(operator, cst.NotIn))
        left, other = self.fold(node.left), self.fold(right)
        compare = _COMPARISONS.get(type(operator))
        if left is None or other is None or compare is None:
            return None
        for side in (left, other):
            if side.source and not side.source.isupper() and _is_number(side.value):
                return None  # a quantity (`world_size=1`) is no switch; one of the environment is
        try:
            return Folded(compare(left.value, other.value), left.source or other.source)
        except TypeError:
            return None

    def _membership(
        self, left: cst.BaseExpression, right: cst.BaseExpression, negative: bool
    ) -> Folded | None:
        if self.reader.name(right) == "os.environ":
            variable = string_value(left)
            if variable is None or is_of_launcher(variable[0]):
                return None
            return Folded(negative, variable[0])
        item = self.fold(left)
        elements = [self.fold(element) for element in self.reader.elements(right)]
        if item is None or not elements or None in elements:
            return None
        inside = item.value in [element.value for element in elements if element]
        return Folded(inside != negative, item.source)

    def _boolean(self, node: cst.BooleanOperation) -> Folded | None:
        left, right = self.fold(node.left), self.fold(node.right)
        conjunction = isinstance(node.operator, cst.And)
        for side in (left, right):
            if side is not None and bool(side.value) != conjunction:
                return side  # one side decides
        if left is None or right is None:
            return None
        return Folded(right.value, left.source or right.source)


def _field(scope: Scope, name: str) -> int | None:
    """Where a call of a class without a constructor of its own gives a field by position."""
    if "__init__" in scope.attributes or not isinstance(scope.node, cst.ClassDef):
        return None
    fields = [
        dotted(item.target) for item in body_of(scope.node.body) if isinstance(item, cst.AnnAssign)
    ]
    return fields.index(name) if name in fields else None


def is_of_launcher(variable: str) -> bool:
    """Whether a launcher sets a variable: it says how many processes there are, and no more."""
    return variable in _LAUNCHER or variable.startswith(_SCHEDULERS)


_LAUNCHER = {
    "RANK",
    "WORLD_SIZE",
    "LOCAL_RANK",
    "LOCAL_WORLD_SIZE",
    "GROUP_RANK",
    "NODE_RANK",
    "MASTER_ADDR",
    "MASTER_PORT",
    "NNODES",
    "NPROC_PER_NODE",
}
_SCHEDULERS = ("SLURM_", "OMPI_", "PMI_", "PMIX_", "TORCHELASTIC_", "PET_")


def _is_number(value: Plain) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_MODES = {
    "training",
    "is_training",
    "for_training",
    "train",
    "is_train",
    "do_train",
    "backward",
    "do_backward",
    "requires_grad",
}
"""Switches for training itself: off by default or not, it is what is to be moved."""
_DECLARING = {"add_argument", "add_option", "option", "field", "Field"}
_CONVERSIONS: Mapping[str, Callable[[Plain], Plain]] = {
    "int": lambda value: int(value) if value is not None else 0,
    "bool": bool,
    "str": str,
    "float": lambda value: float(value) if value is not None else 0.0,
    "distutils.util.strtobool": lambda value: str(value).lower() in {"1", "true", "yes", "on"},
}
_COMPARISONS: Mapping[type[cst.BaseCompOp], Callable[[Plain, Plain], bool]] = {
    cst.Equal: lambda left, right: left == right,
    cst.NotEqual: lambda left, right: left != right,
    cst.Is: lambda left, right: left is right,
    cst.IsNot: lambda left, right: left is not right,
    cst.GreaterThan: lambda left, right: left > right,  # type: ignore[operator]
    cst.GreaterThanEqual: lambda left, right: left >= right,  # type: ignore[operator]
    cst.LessThan: lambda left, right: left < right,  # type: ignore[operator]
    cst.LessThanEqual: lambda left, right: left <= right,  # type: ignore[operator]
}
