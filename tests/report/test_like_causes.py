"""Root causes that reports tell as one: the operators of a folder, named by what the path needs."""

from __future__ import annotations

from msgspec.structs import replace

from portaudit.report.causes import causes
from portaudit.types import OPERATOR, Finding, Location, Reach, Report, RootCause, Score
from samples import FLASH, REPORT


def operator(name: str, *places: tuple[str, Reach]) -> tuple[RootCause, list[Finding]]:
    findings = [
        replace(
            FLASH,
            rule="SRC010",
            path=path,
            reach=reach,
            fingerprint=f"{path}:{name}",
            suppressed=None,
        )
        for path, reach in places
    ]
    root = RootCause(
        id=f"{OPERATOR}{places[0][0]}:{name}",
        rule="SRC010",
        title=f"`{name}` is a CUDA kernel",
        category="cuda-source",
        severity="blocker",
        effort_days=(1.0, 5.0),
        findings=tuple(item.fingerprint for item in findings),
        sites=tuple(Location(item.path, item.span.line) for item in findings),
        reach="main",
    )
    return root, findings


def test_operators_of_a_folder_are_one_entry() -> None:
    made = [operator(name, ("csrc/a.cu", "main")) for name in ("nms", "knn")]
    made.append(operator("scan", ("ops/b.cu", "main")))
    report = with_roots(made)
    titles = [cause.title for cause in causes(report)]
    assert titles == ["2 operators of GPU kernels in `csrc`", "`scan` is a CUDA kernel"]


def test_operators_that_the_cpu_has_in_pytorch_are_an_entry_of_their_own() -> None:
    (first, found), *made = [
        operator(name, (f"csrc/{name}.cu", "main")) for name in ("nms", "knn", "scan")
    ]
    there = [replace(item, guard="none", portable=Location("ops.py", 8)) for item in found]
    report = with_roots([(first, there), *((root, unguarded(each)) for root, each in made)])
    titles = {cause.title for cause in causes(report)}
    assert titles == {"`nms` is a CUDA kernel", "2 operators of GPU kernels in `csrc`"}


def unguarded(findings: list[Finding]) -> list[Finding]:
    return [replace(item, guard="none") for item in findings]


def test_an_entry_is_named_by_the_copy_that_the_path_needs() -> None:
    made = [
        operator(name, ("a_old/a.cu", "other"), ("csrc/a.cu", "main")) for name in ("nms", "knn")
    ]
    (cause,) = causes(with_roots(made))
    assert cause.title == "2 operators of GPU kernels in `csrc`"
    assert {site.path for site in cause.sites} == {"csrc/a.cu"}


def with_roots(made: list[tuple[RootCause, list[Finding]]]) -> Report:
    return replace(
        REPORT,
        roots=tuple(root for root, _ in made),
        findings=tuple(item for _, findings in made for item in findings),
        score=Score(50.0, "write kernels", False, (1.0, 5.0)),
    )
