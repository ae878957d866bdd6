"""Where code stands in a training program: inside a step or forward, inside a loop.

Evidence is the file's own. *Sure*: a Module's `forward`, a `training_step`, the methods that run
once per step (an optimizer's `step`, an autograd function, a scaler), what those
call in the same file, functions that touch gradients or call `backward` or an optimizer's `step`,
and loops over such functions. *Likely*: a function that takes tensors by its annotations, and other
methods of a Module.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Literal

import libcst as cst

from portaudit.catalogue.schema import Context
from portaudit.read.python.model import Place, Scope
from portaudit.read.python.nodes import last_name
from portaudit.read.python.values import LocalFunction, Reader, classes
from portaudit.types import Ref

Certainty = Literal["sure", "likely", ""]

_DEEPEST = 6
STEP_NAMES = {"training_step", "train_step", "compute_loss", "train_one_step", "forward_backward"}
_OPTIMIZER_WORDS = ("optim", "opt", "scaler", "sgd", "adam")
MODULES = (
    "torch.nn.",
    "pytorch_lightning.",
    "lightning.",
    "transformers.",
    "diffusers.",
    "timm.",
    "torchvision.models.",
    "mmengine.model.",
    "megatron.core.transformer.",
    "torch_geometric.nn.",
)
"""Beginnings of the names of Modules."""
_MODULE_WORDS = ("Module", "Model", "Layer", "Loss", "Network", "Encoder", "Decoder", "Transformer")
"""How classes of other files are called that are Modules."""
_NO_MODULES = ("object", "abc.", "enum.", "typing.", "dataclasses.", "Exception")
_PER_STEP = (
    (("torch.autograd.Function", "torch.autograd.function.Function"), {"forward", "backward"}),
    (("torch.optim.",), {"step"}),
    (
        ("torch.cuda.amp.GradScaler", "torch.amp.GradScaler", "torch.cuda.amp.grad_scaler."),
        {"scale", "unscale_", "step", "update"},
    ),
)
"""Methods that run once per step, by the names of their class's bases."""
_TENSORS = {
    "Tensor",
    "FloatTensor",
    "HalfTensor",
    "BFloat16Tensor",
    "LongTensor",
    "IntTensor",
    "BoolTensor",
}
_ELSEWHERE = (
    "eval",
    "valid",
    "test",
    "infer",
    "generat",
    "sample",
    "predict",
    "decod",
    "plot",
    "log",
    "save",
    "load",
    "from_",
    "export",
    "convert",
    "init",
    "reset",
    "extra_repr",
    "visuali",
    "print",
    "display",
    "dump",
    "main",
    "setup",
    "build",
    "make",
    "create",
    "collate",
    "prepare_data",
    "preprocess",
)
"""How the names of functions begin that set up, look at or use a model instead of training it."""
OF_LOSS = ("log_prob", "loss", "criterion", "objective", "energy")
"""How the names of functions begin that a training step minimises."""
_HOST_WORDS = frozenset(["cpu", "np", "numpy", "ref", "reference", "state"])
"""Words in the names of functions that work on the host on purpose."""
_MODEL_FOLDERS = frozenset(
    [
        *("geometry", "heads", "layers", "losses", "models", "modeling", "modules", "nn", "ops"),
        *("necks", "backbones", "loss", "model", "operators", "transforms"),
    ]
)
"""Folders whose functions work on what a model is given."""
_TEST_FILE = re.compile(r"(^|/)(tests?|testing)/|(^|/)test_[^/]*$|_test\.py$")
_ASIDE = re.compile(rf"{_TEST_FILE.pattern}|(^|/)((torch)?metrics?|evaluation|eval)(/|\.py$)")
"""Files whose functions look at what a model gives: tests, metrics."""


class Contexts:
    """Answers where in a training program a place is."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._steps: dict[tuple[Scope, bool], Certainty] = {}

    def holds(self, wanted: Sequence[Context], place: Place) -> Certainty:
        """How sure it is that a place is in one of the wanted contexts; no wish always holds."""
        if not wanted or ("loop" in wanted and place.loop):
            return "sure"
        if "model" in wanted and self._makes_model(place.scope):
            return "sure"
        return self.step(place) if "step" in wanted else ""

    def _makes_model(self, scope: Scope) -> bool:
        """Whether a place makes parts of a Module: its `__init__`, or its body."""
        owner = scope.owner
        return (
            owner is not None
            and scope.name in {"__init__", "reset_parameters"}
            and self.is_module(owner)
        )

    def step(self, place: Place) -> Certainty:
        """Whether a place runs once per training step: a forward, or a loop that trains."""
        key = place.scope, place.loop
        if key not in self._steps:
            self._steps[key] = self._step(*key)
        return self._steps[key]

    def _step(self, scope: Scope | None, in_loop: bool) -> Certainty:
        likely = False
        while scope is not None:
            if scope in self._called_in_steps:
                return "sure"
            if scope in self._trainers:
                return "sure" if in_loop or not self._trainers[scope] else ""
            likely = likely or scope in self._likely
            scope = scope.parent
        return "likely" if likely else ""

    @cached_property
    def _functions(self) -> list[tuple[cst.FunctionDef, Scope]]:
        return [
            (node, scope)
            for node, scope in self.reader.model.scopes.items()
            if isinstance(node, cst.FunctionDef) and scope.parent is not None
        ]

    @cached_property
    def _forwards(self) -> set[Scope]:
        found: set[Scope] = set()
        found.update(self._touching_gradients)
        for node, scope in self._functions:
            owner = scope.parent
            name = node.name.value
            if name in STEP_NAMES:
                found.add(scope)
            elif owner is not None and owner.kind == "class":
                if (name == "forward" and self._may_be_module(owner)) or any(
                    name in methods and self._is_a(owner, bases) for bases, methods in _PER_STEP
                ):
                    found.add(scope)
        return found

    @cached_property
    def _touching_gradients(self) -> set[Scope]:
        """Functions that read `p.grad`: clipping, scaling, reducing of gradients."""
        found: set[Scope] = set()
        for node in self.reader.model.attributes:
            if node.attr.value == "grad" and not _is_module_name(node.value):
                scope = _function_around(self.reader.model.places[node].scope)
                if scope is not None and not _TEST_FILE.search(self.reader.source.path):
                    found.add(scope)
        return found

    @cached_property
    def _called_in_steps(self) -> set[Scope]:
        """The forwards, and the functions of this file that they call, directly or not."""
        found = set(self._forwards)
        waiting = list(found)
        while waiting:
            for callee in self._callees.get(waiting.pop(), ()):
                if callee not in found:
                    found.add(callee)
                    waiting.append(callee)
        return found

    @cached_property
    def _callees(self) -> dict[Scope, set[Scope]]:
        """The functions of this file that each of its functions calls."""
        found: dict[Scope, set[Scope]] = {}
        for call in self.reader.model.calls:
            caller = _function_around(self.reader.model.places[call].scope)
            if caller is None:
                continue
            for value in self.reader.values(call.func):
                if isinstance(value, LocalFunction) and value.scope is not caller:
                    found.setdefault(caller, set()).add(value.scope)
        return found

    @cached_property
    def _likely(self) -> set[Scope]:
        """Functions that take tensors, and methods of Modules, unless their name says otherwise."""
        found: set[Scope] = set()
        if _ASIDE.search(self.reader.source.path):
            return found
        for node, scope in self._functions:
            name = node.name.value.lower().strip("_")
            if name.startswith(_ELSEWHERE) or _HOST_WORDS.intersection(name.split("_")):
                continue
            owner = scope.parent
            if self._in_models and _has_inputs(node):
                found.add(scope)
                continue
            if name.startswith(OF_LOSS) or name.endswith("log_prob"):
                found.add(scope)
                continue
            of_module = owner is not None and owner.kind == "class" and self.is_module(owner)
            if of_module or any(map(self._is_tensor, _annotations(node))):
                found.add(scope)
        return found

    @cached_property
    def _in_models(self) -> bool:
        """Whether the file lies where parts of models are kept, and works with torch itself."""
        folders = self.reader.source.path.lower().split("/")[:-1]
        return not _MODEL_FOLDERS.isdisjoint(folders) and any(
            target.split(".")[0] == "torch" for _, target, _ in self.reader.model.imports
        )

    def _is_tensor(self, note: cst.BaseExpression) -> bool:
        return any(
            name.rpartition(".")[2] in _TENSORS and self._of_torch(name) for name in classes(note)
        )

    def _of_torch(self, name: str) -> bool:
        """Whether a name in an annotation leads to torch, or to a module that may pass it on."""
        first = name.partition(".")[0]
        bindings = self.reader.lookup(first, self.reader.model.root)
        return any(
            item.kind == "import"
            and (item.target.split(".")[0] == "torch" or self.reader.is_open(item.target))
            for item in bindings
        )

    def is_module(self, scope: Scope) -> bool:
        """Whether a class is a torch Module, as far as its bases and their names tell."""
        return self._is_a(scope, MODULES, words=_MODULE_WORDS)

    def _may_be_module(self, scope: Scope) -> bool:
        """Whether a class with a `forward` is a Module, as far as its bases allow."""
        node = scope.node
        if not isinstance(node, cst.ClassDef) or not node.bases:
            return False
        return self.is_module(scope) or any(
            isinstance(value, Ref) and (value.open or not value.name.startswith(_NO_MODULES))
            for base in node.bases
            for value in self.reader.values(base.value)
        )

    def _is_a(
        self, scope: Scope, names: Sequence[str], depth: int = 0, words: tuple[str, ...] = ()
    ) -> bool:
        """Whether a base of a class is one of these, or below one that ends in a dot.

        A class of another file is also one if its name ends in one of the words.
        """
        node = scope.node
        if not isinstance(node, cst.ClassDef) or depth > _DEEPEST:
            return False
        for base in node.bases:
            for value in self.reader.values(base.value):
                name = value.name if isinstance(value, Ref) else ""
                if any(name.startswith(n) if n.endswith(".") else name == n for n in names):
                    return True
                if words and isinstance(value, Ref) and value.open and name.endswith(words):
                    return True
                inner = getattr(value, "scope", None)
                if isinstance(inner, Scope) and self._is_a(inner, names, depth + 1, words):
                    return True
        return False

    @cached_property
    def _trainers(self) -> dict[Scope, bool]:
        """Functions that call `backward()` or step an optimizer, and whether they loop over it."""
        found: dict[Scope, bool] = {}
        for call in self.reader.model.calls:
            function = call.func
            if not isinstance(function, cst.Attribute):
                continue
            place = self.reader.model.places[call]
            if function.attr.value == "backward" or (
                function.attr.value == "step" and self._is_optimizer(function.value)
            ):
                scope: Scope | None = place.scope
                while scope is not None and scope.kind == "comprehension":
                    scope = scope.parent
                if scope is not None and (place.loop or scope.kind == "function"):
                    found[scope] = found.get(scope, False) or place.loop
        for call in self.reader.model.calls:  # a loop over a function that is a step is a trainer
            place = self.reader.model.places[call]
            caller = _function_around(place.scope)
            if caller is None or caller in found or not place.loop:
                continue
            for value in self.reader.values(call.func):
                if isinstance(value, LocalFunction) and (
                    found.get(value.scope) is False or value.scope.name in STEP_NAMES
                ):
                    found[caller] = True
        return found

    def _is_optimizer(self, node: cst.BaseExpression) -> bool:
        name = node.attr.value if isinstance(node, cst.Attribute) else getattr(node, "value", "")
        return isinstance(name, str) and name.lower().startswith(_OPTIMIZER_WORDS)


def _function_around(scope: Scope | None) -> Scope | None:
    while scope is not None and scope.kind != "function":
        scope = scope.parent if scope.kind == "comprehension" else None
    return scope


def _is_module_name(node: cst.BaseExpression) -> bool:
    """`jax.grad` and `torch.autograd.grad` are functions."""
    return last_name(node) in {"jax", "autograd", "functorch", "func"}


def _has_inputs(node: cst.FunctionDef) -> bool:
    """Whether a function is given something other than its object."""
    names = [parameter.name.value for parameter in node.params.params]
    return bool(names) and names not in (["self"], ["cls"])


def _annotations(node: cst.FunctionDef) -> Iterator[cst.BaseExpression]:
    for parameter in (*node.params.posonly_params, *node.params.params, *node.params.kwonly_params):
        if parameter.annotation is not None:
            yield parameter.annotation.annotation
