"""Makes `rules/_data/operator_traces.csv`: which operators a function or module of PyTorch needs.

Runs PyTorch's own samples (OpInfo and ModuleInfo) on the CPU, forward and backward, and writes down
the operators that reach a device. A device that lacks one of them runs it elsewhere or fails.

    python tests/operator_traces.py          # with the PyTorch of VERSION installed

Samples are few and small: branches that they do not take are not in the table.
"""

from __future__ import annotations

import csv
import functools
import io
import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

VERSION = "2.13.0"
PATH = Path(__file__).parent.parent / "rules" / "_data" / "operator_traces.csv"
SAMPLES = 4
"""Samples run of each function; those of a module are all run."""
EVERYWHERE = frozenset(
    {
        "aten::_local_scalar_dense",
        "aten::as_strided",
        "aten::copy_",
        "aten::detach",
        "aten::empty.memory_format",
        "aten::empty_strided",
        "aten::new_empty_strided",
        "aten::resize_",
        "aten::set_.source_Storage",
        "aten::view",
    }
)
"""Operators without which a device has no tensors at all."""
LEFT_OUT = frozenset({"torch.nn.functional.scaled_dot_product_attention", "torch.empty_like"})
"""Functions that run another operator on the CPU than on any other device."""


def traces() -> dict[str, tuple[str, frozenset[str]]]:
    """The names of PyTorch with their family (`call` or `module`) and operators."""
    import torch
    from torch.testing._internal.common_methods_invocations import op_db
    from torch.testing._internal.common_modules import module_db

    found: dict[str, tuple[str, frozenset[str]]] = {}

    def keep(name: str, family: str, operators: Iterable[str]) -> None:
        needed = frozenset(operators)
        if needed and name not in LEFT_OUT:
            before = found.get(name, (family, frozenset[str]()))[1]
            found[name] = (family, before | needed)

    for info in op_db:
        name = f"torch.{info.name}"
        if _resolve(name) and torch.float32 in info.dtypes:
            keep(name, "call", _of_function(info))
    for module in module_db:
        keep(f"torch.nn.{module.name.removeprefix('nn.')}", "module", _of_module(module))
    for name in ("rand", "randn", "randint", "randperm", "bernoulli"):
        arguments: dict[str, tuple[Any, ...]] = {
            "randint": (3, (4,)),
            "randperm": (4,),
            "bernoulli": (torch.full((4,), 0.5),),
        }
        make = getattr(torch, name)
        call = arguments.get(name, (4,))
        keep(f"torch.{name}", "call", record(functools.partial(make, *call)))
    return found


def record(run: Callable[[], object]) -> frozenset[str]:
    """The operators that reach the device while `run` runs, composite ones left out."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    seen: set[str] = set()

    class Recorder(TorchDispatchMode):  # type: ignore[misc]  # its base is not typed
        def __torch_dispatch__(
            self, func: Any, _types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            name = func.name()
            # A composite kernel works on every device: what it calls is what the device needs.
            composite = torch._C._dispatch_has_kernel_for_dispatch_key(
                name, "CompositeExplicitAutograd"
            )
            if name.startswith("aten::") and name not in EVERYWHERE and not composite:
                seen.add(name)
            return func(*args, **(kwargs or {}))

    with Recorder():
        run()
    return frozenset(seen)


def _of_function(info: Any) -> Iterator[str]:
    import torch

    backward = bool(info.supports_autograd)
    samples = info.sample_inputs("cpu", torch.float32, requires_grad=backward)
    for sample in itertools.islice(samples, SAMPLES):
        try:
            run = functools.partial(info.op, sample.input, *sample.args, **sample.kwargs)
            yield from _both_ways(run)
        except Exception:
            continue


def _of_module(info: Any) -> Iterator[str]:
    import torch

    samples = info.module_inputs_func(
        info, device="cpu", dtype=torch.float32, requires_grad=True, training=True
    )
    for sample in samples:
        made, given = sample.constructor_input, sample.forward_input
        if given is None:
            continue
        try:
            module = info.module_cls(*made.args, **made.kwargs).train()
            yield from _both_ways(functools.partial(module, *given.args, **given.kwargs))
        except Exception:
            continue


def _both_ways(run: Callable[[], Any]) -> frozenset[str]:
    import torch
    from torch.utils._pytree import tree_leaves

    results: list[Any] = []
    forward = record(lambda: results.append(run()))
    leaves = [
        leaf
        for leaf in tree_leaves(results)
        if isinstance(leaf, torch.Tensor) and leaf.requires_grad and leaf.is_floating_point()
    ]
    if not leaves:
        return forward
    ones = [torch.ones_like(leaf) for leaf in leaves]
    try:
        return forward | record(lambda: torch.autograd.backward(leaves, ones))
    except RuntimeError:  # some outputs have no gradient
        return forward


def _resolve(name: str) -> object | None:
    import torch

    found: object = torch
    for part in name.split(".")[1:]:
        found = getattr(found, part, None)
        if found is None:
            return None
    return found


def render(found: dict[str, tuple[str, frozenset[str]]]) -> str:
    """The content of the table."""
    text = io.StringIO()
    text.write(
        "# Operators that PyTorch's own samples reach on a device, forward and backward"
        f" (torch {VERSION}); made by tests/operator_traces.py.\n"
    )
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["name", "family", "operators"])
    for name, (family, operators) in sorted(found.items()):
        short = " ".join(sorted(operator.removeprefix("aten::") for operator in operators))
        writer.writerow([name, family, short])
    return text.getvalue()


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        PATH.write_text(render(traces()), encoding="utf-8")
