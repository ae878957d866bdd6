"""Every public name of PyTorch that belongs to CUDA gets a verdict.

The names are a committed list; where torch is installed, the list is checked against it. Each is
mentioned in a file, and the file is scanned: a name without a finding is a gap, unless `SILENT`
says why nothing is to be said of it.
"""

from __future__ import annotations

import csv
from collections import defaultdict

import pytest

import torch_names
from portaudit.catalogue.place import builtin_rules
from snippets import catalogue, scan

SILENT = {
    "torch.cuda.Device": "an annotation: what may name a device",
    "torch.cuda.DEVICE_REQUIREMENT": "a table of the package's own, read by a warning",
    "torch.cuda.PYTORCH_RELEASES_CODE_CC": "a table of the package's own, read by a warning",
    "torch.cuda.profiler.DEFAULT_FLAGS": "a list of the package's own, read by init",
    "torch.distributed.Backend.FAKE": "for tests, without a device",
    "torch.distributed.Backend.GLOO": "portable: the backend of the CPU",
    "torch.distributed.Backend.MPI": "portable: the backend of an MPI library",
    "torch.distributed.Backend.UCC": "another transport, of which no rule speaks",
    "torch.distributed.Backend.UNDEFINED": "names no backend",
    "torch.distributed.Backend.XCCL": "another vendor's",
    "torch.distributed.ProcessGroupGloo": "portable: the backend of the CPU",
    "torch.distributed.ProcessGroupMPI": "portable: the backend of an MPI library",
    "torch.distributed.ProcessGroupUCC": "another transport, of which no rule speaks",
    "torch.distributed.ProcessGroupXCCL": "another vendor's",
    "torch.distributed.is_gloo_available": "portable: the backend of the CPU",
    "torch.distributed.is_mpi_available": "portable: the backend of an MPI library",
    "torch.distributed.is_ucc_available": "another transport, of which no rule speaks",
    "torch.distributed.is_xccl_available": "another vendor's",
}
"""Names that are no finding, and why."""
MODULES_ONLY = frozenset(
    {
        "torch.cuda.amp",
        "torch.cuda.amp.autocast_mode",
        "torch.cuda.amp.common",
        "torch.cuda.amp.grad_scaler",
        "torch.cuda.comm",
        "torch.cuda.gds",
        "torch.cuda.graphs",
        "torch.cuda.green_contexts",
        "torch.cuda.jiterator",
        "torch.cuda.memory",
        "torch.cuda.nccl",
        "torch.cuda.nvtx",
        "torch.cuda.profiler",
        "torch.cuda.random",
        "torch.cuda.sparse",
        "torch.cuda.streams",
        "torch.cuda.tunable",
    }
)
"""Submodules: what they hold is reported where it is used."""

MENTIONED = "kept.append(({name}, {name}()))"
USED = {"torch.distributed.Backend.NCCL": "torch.distributed.new_group(backend={name})"}
"""A value is reported where it becomes a backend; merely to name it is to compare with it."""


def test_no_name_is_without_a_verdict() -> None:
    names = sorted(torch_names.read_cuda() - SILENT.keys() - MODULES_ONLY)
    lines = ["import torch", *(USED.get(name, MENTIONED).format(name=name) for name in names)]
    [result] = scan({"names.py": "\n".join(lines) + "\n"}).values()
    reported = {finding.span.line for finding in result.findings}
    gaps = [name for line, name in enumerate(names, start=2) if line not in reported]
    assert not gaps


def test_what_is_silent_is_listed_and_stays_silent() -> None:
    listed = torch_names.read_cuda()
    assert listed >= SILENT.keys()
    assert listed >= MODULES_ONLY
    lines = ["import torch", *(f"kept.append({name})" for name in sorted(SILENT))]
    [result] = scan({"names.py": "\n".join(lines) + "\n"}).values()
    assert not result.findings


def test_the_test_sees_a_gap() -> None:
    [result] = scan({"names.py": "import torch\nkept.append(torch.cuda.no_such_name)\n"}).values()
    assert not result.findings


def test_the_list_is_that_of_the_installed_torch(request: pytest.FixtureRequest) -> None:
    torch = pytest.importorskip("torch")
    if str(torch.__version__) != torch_names.BUILD:
        pytest.skip(f"torch {torch.__version__} is installed; the list is of {torch_names.BUILD}")
    current = torch_names.cuda_names()
    if request.config.getoption("--update-golden"):
        torch_names.CUDA_PATH.write_text(torch_names.render(current), encoding="utf-8")
    assert torch_names.read_cuda() == set(current), "run pytest --update-golden with this torch"


def test_rows_that_share_a_verdict_are_of_a_family_with_a_reason() -> None:
    reasons = {row["family"]: row["reason"] for row in _records("torch_cuda_families")}
    rows = _records("torch_cuda_api")
    verdicts = defaultdict(set)
    for row in rows:
        verdict = tuple(cell for column, cell in row.items() if column not in {"name", "family"})
        verdicts[verdict].add((row["family"], row["name"]))
    shared = {family for group in verdicts.values() if len(group) > 1 for family, _ in group}
    assert shared <= reasons.keys()
    assert {row["family"] for row in rows} == reasons.keys()
    assert len(set(reasons.values())) == len(reasons)
    assert all(len(reason.split()) >= 8 for reason in reasons.values())


def test_a_family_is_judged_by_one_rule() -> None:
    judged = defaultdict(set)
    for (rule_id, position), rows in catalogue().rows.items():
        if catalogue().rules[rule_id].match[position].table == "torch_cuda_api":
            for row in rows:
                judged[row.cells["family"]].add(rule_id)
    several = {family: rules for family, rules in judged.items() if len(rules) > 1}
    assert not several
    assert judged.keys() == {row["family"] for row in _records("torch_cuda_families")}


def _records(table: str) -> list[dict[str, str]]:
    path = builtin_rules() / "_data" / f"{table}.csv"
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
