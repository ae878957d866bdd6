"""Complex numbers that arithmetic brings in: `1j * x.angle()`."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from portaudit.detectors import detector
from portaudit.match.context import Contexts
from portaudit.match.hits import Spot
from portaudit.match.host import is_no_tensor
from portaudit.read.python.nodes import descendants
from portaudit.read.python.values import Reader


@detector("imaginary-literal")
def imaginary_literal(reader: Reader, contexts: Contexts) -> Iterator[Spot]:
    """Yield sums and products of an imaginary number and what may be a tensor, in steps only."""
    model = reader.model
    for node in model.numbers:
        if not isinstance(node, cst.Imaginary):
            continue
        place = model.places[node]
        side: cst.CSTNode = node
        product = model.parents.get(side)
        while isinstance(product, cst.UnaryOperation):
            side, product = product, model.parents.get(product)
        if not isinstance(product, cst.BinaryOperation):
            continue
        other = product.right if product.left is side else product.left
        plain = all(
            isinstance(
                item, (cst.BaseNumber, cst.UnaryOperation, cst.BaseUnaryOp, cst.BaseBinaryOp)
            )
            for item in descendants(other)
        )
        if plain or is_no_tensor(reader, other) or not contexts.step(place):
            continue
        yield Spot(node, place, "1j", "low")
