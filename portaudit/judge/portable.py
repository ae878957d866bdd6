"""Tells where a branch that all devices but the CPU take has its operator in PyTorch beside it.

`if x.device.type == "cpu": return plain(x)` with a kernel behind it. Only the code of the other arm
proves that: it has to give what this arm gives, of the same things, and to compute it with calls of
torch, of tensors, and of functions of the file that do no more.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Iterator, Sequence

import libcst as cst

from portaudit.judge.guards import DEEPEST
from portaudit.read.python.model import Binding, Branch, Scope
from portaudit.read.python.nodes import body_of, descendants, dotted, last_name, string_value
from portaudit.read.python.values import (
    AnyValue,
    LocalClass,
    LocalFunction,
    LocalObject,
    LocalText,
    Reader,
)
from portaudit.types import Constant, Instance, Ref, Text

_CPU = "cpu"
_DEVICE = "device"
_ALIASES = 3
_COMPILED = (
    "torch.ops",
    "torch.classes",
    "torch.cuda",
    "torch._C",
    "torch.library",
    "torch.distributed",
    "torch.utils.cpp_extension",
)
"""Modules of torch by which code comes to what is no operator of PyTorch."""
_PLAIN = frozenset(
    {
        *("torch", "builtins", "collections", "contextlib", "copy", "functools", "itertools"),
        *("math", "numbers", "operator", "typing", "warnings"),
    }
)
_OPAQUE = frozenset(["__import__", "compile", "eval", "exec", "getattr", "globals", "open"])
"""Builtin functions behind which anything may be."""
_NO_TENSORS = frozenset(["apply", "backward", "cuda", "forward", "launch", "run"])
"""Methods of modules, extensions and the like that a tensor has not, or not to compute."""
_SHAPING = frozenset(
    {
        *("arange", "as_tensor", "bfloat16", "bool", "clone", "contiguous", "cpu", "detach"),
        *("device", "dim", "double", "empty", "empty_like", "expand", "expand_as", "flatten"),
        *("float", "full", "full_like", "get_device", "half", "int", "is_contiguous", "item"),
        *("long", "movedim", "ndimension", "new", "new_empty", "new_full", "new_ones"),
        *("new_tensor", "new_zeros", "no_grad", "numel", "ones", "ones_like", "permute"),
        *("requires_grad_", "reshape", "reshape_as", "size", "squeeze", "stride", "t", "tensor"),
        *("to", "tolist", "transpose", "type", "type_as", "unsqueeze", "view", "view_as"),
        *("zeros", "zeros_like"),
    }
)
"""What makes room, or another shape, type or copy of a tensor: nothing is computed by it."""
_ARITHMETIC = (
    cst.Add,
    cst.Subtract,
    cst.Multiply,
    cst.Divide,
    cst.MatrixMultiply,
    cst.Power,
)
_Definition = (cst.FunctionDef, cst.ClassDef, cst.Lambda)
Behind = Callable[[cst.If], Sequence[cst.CSTNode]]
"""Tells what stands behind an `if`."""


class Portable:
    """Answers for the branches of one file."""

    def __init__(self, reader: Reader, behind: Behind) -> None:
        self._reader = reader
        self._behind = behind
        self._known: dict[Scope, tuple[bool, bool]] = {}
        self._made: dict[Binding, bool] = {}
        self._depth = 0

    def beside(self, branch: Branch) -> cst.CSTNode | None:
        """What the CPU runs instead of a branch, if that is its operator in PyTorch."""
        if branch.kind != "test" or branch.test is None or branch.scope.kind != "function":
            return None
        if not self._holds(branch.test, not branch.truth):
            return None
        here, other = self._here(branch), self._other(branch)
        if not here or not other or not self._gives_the_same(here, other, branch.scope):
            return None
        is_plain, computes = self._is_plain(other), self._computes(other)
        return other[0] if is_plain and computes else None

    # --- what the condition is ---

    def _holds(self, test: cst.BaseExpression, truth: bool, depth: int = 0) -> bool:
        """Whether a condition has this truth on the CPU, because it asks for that."""
        if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
            return self._holds(test.expression, not truth, depth)
        if isinstance(test, cst.BooleanOperation):
            sides = (self._holds(each, truth, depth) for each in (test.left, test.right))
            return all(sides) if isinstance(test.operator, cst.And) == truth else any(sides)
        if isinstance(test, cst.Attribute):
            return truth and test.attr.value == "is_cpu"
        if isinstance(test, cst.Name) and depth < _ALIASES:
            bindings = self._reader.bindings(test)
            value = bindings[0].value if len(bindings) == 1 else None
            is_value = value is not None and bindings[0].kind == "value"
            return is_value and value is not None and self._holds(value, truth, depth + 1)
        if isinstance(test, cst.Comparison) and len(test.comparisons) == 1:
            return self._equals(test.left, test.comparisons[0], truth)
        return False

    def _equals(self, left: cst.BaseExpression, right: cst.ComparisonTarget, truth: bool) -> bool:
        operator, other = right.operator, right.comparator
        if isinstance(operator, (cst.Equal, cst.NotEqual)):
            said = (self._is_cpu(left) and self._is_device(other)) or (
                self._is_cpu(other) and self._is_device(left)
            )
            return said and isinstance(operator, cst.Equal) == truth
        if isinstance(operator, (cst.In, cst.NotIn)):
            words = [self._is_cpu(each) for each in self._reader.elements(other)]
            said = (self._is_device(left) and any(words)) or (
                self._is_cpu(left) and self._is_device(other)
            )
            return said and isinstance(operator, cst.In) == truth
        return False

    def _is_cpu(self, node: cst.BaseExpression) -> bool:
        """Whether an expression is the CPU: its word, or the device that has this name."""
        if isinstance(node, cst.Call) and len(node.args) == 1:
            is_made = any(ref.name == "torch.device" for ref in self._reader.refs(node.func))
            return is_made and self._is_cpu(node.args[0].value)
        return string_value(node) == (_CPU, True)

    def _is_device(self, node: cst.BaseExpression) -> bool:
        """Whether an expression says by its name that it is a device, the type or text of one."""
        if isinstance(node, cst.Call):
            inner = node.func.value if isinstance(node.func, cst.Attribute) else None
            if isinstance(node.func, cst.Name) and node.func.value == "str" and node.args:
                inner = node.args[0].value
            return inner is not None and self._is_device(inner)
        if isinstance(node, cst.Attribute) and node.attr.value == "type":
            return self._is_device(node.value)
        part = node.attr if isinstance(node, cst.Attribute) else node
        return isinstance(part, cst.Name) and _DEVICE in part.value.lower()

    # --- the arms ---

    def _here(self, branch: Branch) -> Sequence[cst.CSTNode]:
        """What a branch runs."""
        node = branch.node
        if isinstance(node, cst.IfExp):
            return (node.body if branch.truth else node.orelse,)
        if not isinstance(node, cst.If):
            return ()
        if branch.truth:
            return body_of(node.body)
        if isinstance(node.orelse, cst.If):
            return (node.orelse, *self._behind(node))
        return body_of(node.orelse.body) if node.orelse else self._behind(node)

    def _other(self, branch: Branch) -> Sequence[cst.CSTNode]:
        """What runs instead."""
        node, other = branch.node, branch.otherwise
        if other.kind == "expression" and other.expression is not None:
            return (other.expression,)
        if not isinstance(node, cst.If):
            return ()
        if not branch.truth:
            return body_of(node.body)
        if isinstance(node.orelse, cst.If):
            return ()
        return body_of(node.orelse.body) if node.orelse else self._behind(node)

    def _gives_the_same(
        self, here: Sequence[cst.CSTNode], other: Sequence[cst.CSTNode], scope: Scope
    ) -> bool:
        """Whether two arms end in an answer, or give the same names a value, of the same things."""
        if self._locals(here, scope).isdisjoint(self._locals(other, scope)):
            return False
        if isinstance(other[0], cst.BaseExpression):
            return True
        if _answers(other):
            return any(
                isinstance(each, cst.Return) and _is_answer(each)
                for item in here
                for each in _own(item)
            )
        if any(isinstance(each, cst.Return) for item in here for each in _own(item)):
            return False
        given, wanted = _given(other), _assigned(here)
        if wanted is None or not (given & wanted):
            return False
        return all(name in given for name in self._asked(wanted, here, scope))

    def _locals(self, block: Iterable[cst.CSTNode], scope: Scope) -> set[str]:
        """The names of a function that a block uses."""
        return {
            node.value
            for item in block
            for node in descendants(item)
            if isinstance(node, cst.Name) and node.value in scope.bindings
        }

    def _asked(
        self, names: Iterable[str], block: Sequence[cst.CSTNode], scope: Scope
    ) -> Iterator[str]:
        """Those of some names that a function uses outside a block."""
        inside = {node for item in block for node in descendants(item)}
        model = self._reader.model
        stored = {each for target in model.targets for each in descendants(target)}
        used = {
            node.value
            for node in model.names
            if node not in inside and node not in stored and self._sees(node, scope)
        }
        yield from (name for name in names if name in used)

    def _sees(self, node: cst.CSTNode, scope: Scope) -> bool:
        inner: Scope | None = self._reader.scope_of(node)
        while inner is not None and inner is not scope:
            inner = inner.parent
        return inner is scope

    # --- what the other arm does ---

    def _is_plain(self, block: Iterable[cst.CSTNode]) -> bool:
        """Whether all that a block calls, and names, is PyTorch's, or does no more than call it."""
        return all(self._is_plain_node(node) for item in block for node in descendants(item))

    def _is_plain_node(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Call):
            return self._is_plain_call(node)
        if isinstance(node, cst.Name):
            return self._is_plain_name(node)
        if isinstance(node, cst.Attribute):
            return node.attr.value != "cuda"
        if isinstance(node, (cst.SimpleString, cst.ConcatenatedString)):
            text = string_value(node)
            return text is None or not text[0].startswith("cuda")
        closed = (cst.Yield, cst.Await, cst.Import, cst.ImportFrom, cst.Global, cst.Nonlocal)
        return not isinstance(node, closed)

    def _is_plain_name(self, node: cst.Name) -> bool:
        """Whether a name is none of an extension, nor of a library that is not PyTorch."""
        if node not in self._reader.model.places:
            return True
        for binding in self._reader.bindings(node):
            if binding.kind == "import" and not self._is_plain_import(binding):
                return False
            if binding.kind == "value" and not all(map(_is_harmless, self._reader.values(node))):
                return False
        return True

    def _is_plain_import(self, binding: Binding) -> bool:
        return not self._reader.is_open(binding.target) and _is_plain_ref(binding.target)

    def _is_plain_call(self, call: cst.Call) -> bool:
        function = call.func
        if not isinstance(function, (cst.Name, cst.Attribute)):
            return False
        values = self._reader.values(function)
        if values:
            return all(map(self._is_plain_value, values))
        if isinstance(function, cst.Name):
            is_builtin = hasattr(builtins, function.value) and function.value not in _OPAQUE
            return is_builtin and not self._reader.bindings(function)
        return function.attr.value not in _NO_TENSORS and self._is_tensor(function.value)

    def _is_plain_value(self, value: AnyValue) -> bool:
        if isinstance(value, Instance):
            value = value.of
        if isinstance(value, Ref):
            return not value.open and _is_plain_ref(value.name)
        if isinstance(value, (LocalFunction, LocalClass, LocalObject)):
            return self._of_scope(value.scope)[0]
        return False

    def _is_tensor(self, node: cst.BaseExpression) -> bool:
        """Whether a method of what nothing is known of may be that of a tensor.

        Of what the function has, or has made; of a member of an object or a module only if that is
        known to be one.
        """
        values = self._reader.values(node)
        if values:
            return all(map(_is_harmless, values))
        while isinstance(node, (cst.Attribute, cst.Subscript)):
            node = node.value
        if not isinstance(node, cst.Name):
            return True  # an expression, whose own parts are looked at
        bindings = self._reader.bindings(node)
        return bool(bindings) and all(map(self._is_own, bindings))

    def _is_own(self, binding: Binding) -> bool:
        """Whether a function is given a value, or has made it of tensors."""
        if binding.place.scope.kind != "function" or binding.name in self._reader.model.self_names:
            return False
        if binding not in self._made:
            self._made[binding] = True  # made of itself
            value = binding.value
            if binding.kind == "import":
                self._made[binding] = False
            elif isinstance(value, (cst.Name, cst.Attribute, cst.Subscript)):
                self._made[binding] = self._is_tensor(value)
            elif value is not None and binding.kind != "param":
                self._made[binding] = self._is_plain([value])
        return self._made[binding]

    def _computes(self, block: Iterable[cst.CSTNode]) -> bool:
        """Whether anything is computed in a block, and not only copied or laid out anew."""
        return any(self._computes_node(node) for item in block for node in descendants(item))

    def _computes_node(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.BinaryOperation):
            return isinstance(node.operator, _ARITHMETIC) and not self._is_of_shape(node)
        if not isinstance(node, cst.Call) or self._is_of_shape(node):
            return False
        for value in self._reader.values(node.func):
            if isinstance(value, (LocalFunction, LocalClass, LocalObject)):
                return self._of_scope(value.scope)[1]
            name = value.of.name if isinstance(value, Instance) else ""
            if isinstance(value, Ref):
                name = value.name
            if name.startswith("torch."):
                return name.rpartition(".")[2] not in _SHAPING
            return False
        return isinstance(node.func, cst.Attribute) and node.func.attr.value not in _SHAPING

    def _is_of_shape(self, node: cst.CSTNode) -> bool:
        """Whether an expression is an index, or given to what only lays a tensor out."""
        parents = self._reader.model.parents
        inner, outer = node, parents.get(node)
        while isinstance(outer, (cst.BaseExpression, cst.Arg, cst.SubscriptElement, cst.Index)):
            if isinstance(outer, cst.Subscript) and inner is not outer.value:
                return True
            if isinstance(outer, cst.Call) and inner is not outer.func:
                return last_name(outer.func) in _SHAPING or (
                    isinstance(outer.func, cst.Attribute) and outer.func.attr.value in _SHAPING
                )
            inner, outer = outer, parents.get(outer)
        return False

    def _of_scope(self, scope: Scope) -> tuple[bool, bool]:
        """Whether a function, or all methods of a class, are plain, and whether they compute."""
        if scope not in self._known:
            self._known[scope] = True, False  # what calls itself
            if self._depth >= DEEPEST:
                return False, False
            self._depth += 1
            block = list(_parts(scope.node))
            self._known[scope] = self._is_plain(block), self._computes(block)
            self._depth -= 1
        return self._known[scope]


def _parts(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """What a definition runs: bodies and decorators, without the types that it is written with."""
    if isinstance(node, cst.Lambda):
        yield node.body
    elif isinstance(node, cst.FunctionDef):
        yield from (each.decorator for each in node.decorators)
        yield from body_of(node.body)
    elif isinstance(node, cst.ClassDef):
        yield from (each.value for each in node.bases)
        for item in body_of(node.body):
            yield from _parts(item) if isinstance(item, _Definition) else (item,)


def _is_plain_ref(name: str) -> bool:
    if any(f"{name}.".startswith(f"{each}.") for each in _COMPILED):
        return False
    return name.partition(".")[0] in _PLAIN


def _is_harmless(value: AnyValue) -> bool:
    """Whether a value is none that an extension, or another library, gave."""
    if isinstance(value, Instance):
        value = value.of
    if isinstance(value, Ref):
        return not value.open and _is_plain_ref(value.name)
    return isinstance(value, (Constant, Text, LocalText, LocalFunction, LocalClass, LocalObject))


def _own(item: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """A statement and all in it, without the functions in it."""
    if isinstance(item, _Definition):
        return
    yield item
    if isinstance(item, cst.If):
        for each in (*body_of(item.body), *((item.orelse,) if item.orelse else ())):
            yield from _own(each)
    elif isinstance(item, (cst.Else, cst.With, cst.For, cst.While)):
        for each in body_of(item.body):
            yield from _own(each)


def _is_answer(item: cst.Return) -> bool:
    return item.value is not None and dotted(item.value) not in {"None", "NotImplemented"}


def _last(block: Sequence[cst.CSTNode]) -> cst.CSTNode | None:
    last = block[-1] if block else None
    while isinstance(last, cst.With):
        inner = body_of(last.body)
        last = inner[-1] if inner else None
    return last


def _answers(block: Sequence[cst.CSTNode]) -> bool:
    """Whether a block ends in an answer, whichever of its own arms it takes."""
    last = _last(block)
    if isinstance(last, cst.Return):
        return _is_answer(last)
    if isinstance(last, cst.If) and last.orelse is not None:
        rest = [last.orelse] if isinstance(last.orelse, cst.If) else body_of(last.orelse.body)
        return _answers(body_of(last.body)) and _answers(rest)
    return False


def _given(block: Iterable[cst.CSTNode]) -> set[str]:
    """The names that a block gives a value whichever of its own arms it takes."""
    found: set[str] = set()
    for item in block:
        if isinstance(item, cst.If) and item.orelse is not None:
            rest = [item.orelse] if isinstance(item.orelse, cst.If) else body_of(item.orelse.body)
            found |= _given(body_of(item.body)) & _given(rest)
        elif isinstance(item, cst.With):
            found |= _given(body_of(item.body))
        else:
            found.update(each.value for each in _targets(item) if isinstance(each, cst.Name))
    return found


def _assigned(block: Iterable[cst.CSTNode]) -> set[str] | None:
    """The names that a block may give a value; None where it keeps something otherwise."""
    found: set[str] = set()
    for item in block:
        for each in _own(item):
            for target in _targets(each):
                if not isinstance(target, cst.Name):
                    return None
                found.add(target.value)
    return found


def _targets(item: cst.CSTNode) -> Iterator[cst.BaseExpression]:
    targets: list[cst.BaseExpression] = []
    if isinstance(item, cst.Assign):
        targets = [each.target for each in item.targets]
    elif isinstance(item, (cst.AnnAssign, cst.AugAssign)):
        targets = [item.target]
    for target in targets:
        if isinstance(target, (cst.Tuple, cst.List)):
            yield from (each.value for each in target.elements)
        else:
            yield target
