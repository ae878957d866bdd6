"""Where code stands in a training program: inside a step or forward, inside a loop.

Evidence is the file's own: a function that calls `backward` or an optimizer's `step`, a
`training_step`, a Module's `forward`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import libcst as cst

from portaudit.catalogue.schema import Context
from portaudit.read.python.model import Place, Scope
from portaudit.read.python.values import Reader

_DEEPEST = 6
_STEP_NAMES = {"training_step", "train_step", "compute_loss", "train_one_step", "forward_backward"}
_OPTIMIZER_WORDS = ("optim", "opt", "scaler", "sgd", "adam")


class Contexts:
    """Answers where in a training program a place is."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def holds(self, wanted: Sequence[Context], place: Place) -> bool:
        """Whether a place is in one of the wanted contexts; no wish always holds."""
        if not wanted:
            return True
        return ("step" in wanted and self.in_step(place)) or ("loop" in wanted and place.loop)

    def in_step(self, place: Place) -> bool:
        """Whether a place runs once per training step: a forward, or a loop that trains."""
        scope: Scope | None = place.scope
        while scope is not None:
            if scope in self._forwards:
                return True
            if scope in self._trainers:
                return place.loop or not self._trainers[scope]
            scope = scope.parent
        return False

    @cached_property
    def _forwards(self) -> set[Scope]:
        found: set[Scope] = set()
        for node, scope in self.reader.model.scopes.items():
            if not isinstance(node, cst.FunctionDef) or scope.parent is None:
                continue
            name = node.name.value
            if scope.parent.kind == "class" and (
                name in _STEP_NAMES or (name == "forward" and self.is_module(scope.parent))
            ):
                found.add(scope)
        return found

    def is_module(self, scope: Scope, depth: int = 0) -> bool:
        """Whether a class is a torch Module, as far as its bases tell."""
        node = scope.node
        if not isinstance(node, cst.ClassDef) or depth > _DEEPEST:
            return False
        for base in node.bases:
            for value in self.reader.values(base.value):
                name = getattr(value, "name", "")
                if name in {
                    "torch.nn.Module",
                    "torch.nn.modules.Module",
                    "torch.nn.modules.module.Module",
                }:
                    return True
                if name.startswith(("torch.nn.", "pytorch_lightning.", "lightning.")):
                    return True
                inner = getattr(value, "scope", None)
                if isinstance(inner, Scope) and self.is_module(inner, depth + 1):
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
        return found

    def _is_optimizer(self, node: cst.BaseExpression) -> bool:
        name = node.attr.value if isinstance(node, cst.Attribute) else getattr(node, "value", "")
        return isinstance(name, str) and name.lower().startswith(_OPTIMIZER_WORDS)
