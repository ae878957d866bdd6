"""Whether a module of the tree is imported where code says so: the guards of imports."""

from __future__ import annotations

import libcst as cst

from portaudit.judge.guards import UNGUARDED, Guard, Judge, Subject
from portaudit.read.python.model import Place, around, imports_if_there, imports_or_skips


def decided(judgment: Judge, node: cst.CSTNode, place: Place, name: str) -> Guard | None:
    """The guard of an import of `name`; None where it never happens, or not with CUDA."""
    if judgment.silent(place):
        return None
    guard = _guard(judgment, place, name)
    if guard.state == "none" and isinstance(node, cst.Call):
        if imports_if_there(node) or imports_or_skips(node):
            return Guard("import-guarded", judgment.flags.reader.proof(node))
    return guard


def _guard(judgment: Judge, place: Place, name: str) -> Guard:
    if place.branch is None:
        return UNGUARDED
    found = judgment.guard(place, Subject("", name, is_import=True))
    if found.state == "none":  # the branch may ask for what the module needs, not for itself
        found = judgment.guard(place, Subject("", name))
    return found if found.state != "none" else _tried(judgment, place, name)


def _tried(judgment: Judge, place: Place, name: str) -> Guard:
    """The guard of an import that may fail where another module of the same package takes over."""
    for branch in around(place.branch):
        modules = [module for module, _ in branch.modules]
        if branch.kind == "attempt" and branch.truth and _begins(name, modules):
            outcome = judgment.outcome(branch.otherwise)
            proof = judgment.flags.reader.proof(branch.node)
            return Guard("fallback" if outcome == "works" else "hard-fail", proof)
    return UNGUARDED


def _begins(name: str, modules: list[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)
