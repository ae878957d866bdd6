"""The order that work is suggested in: what unblocks what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from portaudit.catalogue import work
from portaudit.catalogue.place import builtin_rules
from portaudit.errors import CatalogueError
from portaudit.relate.order import ordered
from portaudit.relate.project import roots
from portaudit.score import VERDICTS, Way, assess
from portaudit.types import (
    SEVERITIES,
    Category,
    Chain,
    Finding,
    GuardState,
    Kernel,
    Location,
    Proof,
    RootCause,
    Severity,
    Span,
)
from snippets import catalogue, the

ONE = the("import torch\ntorch.cuda.synchronize()\n", "DEV007")
RULES: dict[Category, str] = {
    rule.category: rule.id for rule in sorted(catalogue().rules.values(), key=lambda rule: rule.id)
}
"""A rule of each category."""
CATEGORIES = sorted(RULES)


def found(
    category: Category,
    path: str = "train.py",
    severity: Severity = "major",
    root: str = "",
    scope: str = "step",
    line: int = 1,
    guard: GuardState = "none",
) -> Finding:
    return replace(
        ONE,
        rule=RULES[category],
        category=category,
        severity=severity,
        effective_severity=severity,
        path=path,
        scope=scope,
        root=root or f"{category}:{path}",
        reach="main",
        guard=guard,
        span=Span(line, 1, line, 2),
        anchor="anchor",
        fingerprint=f"{root or category}:{path}:{line}",
    )


def chain(*paths: str) -> Chain:
    return Chain(paths[-1], tuple(Location(path, 1) for path in paths[:-1]))


TREE = (
    chain("train.py"),
    chain("train.py", "net.py"),
    chain("train.py", "net.py", "ops.py"),
    chain("train.py", "data.py"),
)
WAY = Way({each.path: "none" for each in TREE})


def steps(*findings: Finding, way: Way = WAY) -> dict[str, RootCause]:
    causes = roots(findings, catalogue(), way)
    score = assess(findings, causes, torch=True, way=way)
    packages = catalogue().packages
    return {root.id: root for root in ordered(causes, findings, way, TREE, score.lost, packages)}


def sequence(found: Iterable[RootCause]) -> list[str]:
    return [root.id for root in sorted(found, key=lambda root: root.step) if root.step]


# --- the table ------------------------------------------------------------------------------------


def test_every_category_has_one_phase_and_one_kind_of_work() -> None:
    table = work.table()
    every = sorted(get_args(Category))
    assert sorted(word for phase in table.phase for word in phase.categories) == every
    assert sorted(word for each in table.asks for word in each.categories) == every
    imported = [word for phase in table.phase for word in phase.imported]
    assert len(imported) == len(set(imported))


def test_a_phase_comes_after_phases_that_come_before_it() -> None:
    before: list[str] = []
    for phase in work.table().phase:
        assert set(phase.after) <= set(before), phase.name
        before.append(phase.name)
    assert len(before) == len(set(before))


def test_rules_that_ask_for_other_work_than_their_category_exist() -> None:
    rules = catalogue().rules
    for each in work.table().asks:
        assert each.verdict in VERDICTS[1:]
        for name in each.rules:
            assert rules[name].category not in each.categories


def test_everything_in_the_table_has_a_reason() -> None:
    table = work.table()
    reasons = [*(each.because for each in table.phase), *(each.because for each in table.asks)]
    assert all(len(because.split()) > 5 for because in reasons)


def test_a_broken_table_is_refused(tmp_path: Path) -> None:
    text = (builtin_rules() / "_data" / "work.toml").read_text("utf-8")
    path = tmp_path / "work.toml"
    path.write_text(text.replace('"fused-kernel-lib"', '"fused"'), encoding="utf-8")
    with pytest.raises(CatalogueError, match="cannot be read"):
        work.read(path)


# --- phases ---------------------------------------------------------------------------------------


def test_what_unblocks_comes_before_what_it_unblocks() -> None:
    every = (
        found("dependency", "requirements.txt"),
        found("fused-kernel-lib", scope=""),
        found("triton-kernel"),
        found("device-string"),
        found("distributed"),
        found("amp"),
        found("dynamic-shape"),
        found("profiling", severity="minor"),
    )
    assert sequence(steps(*reversed(every)).values()) == [item.root for item in every]


def test_a_library_that_is_missing_in_a_step_only_does_not_stop_the_start() -> None:
    library, device = found("fused-kernel-lib", line=2), found("device-api")
    assert sequence(steps(library, device).values()) == [device.root, library.root]
    at_start = replace(library, scope="")
    assert sequence(steps(at_start, device).values()) == [library.root, device.root]


@pytest.mark.parametrize("guard", ["import-guarded", "guarded"])
def test_a_library_that_may_be_missing_does_not_stop_the_start(guard: GuardState) -> None:
    library = found("fused-kernel-lib", scope="", guard=guard)
    device = found("device-api")
    assert sequence(steps(library, device).values()) == [device.root, library.root]


def test_what_only_tells_something_comes_last() -> None:
    told, shape = found("device-api", severity="info"), found("dynamic-shape")
    assert sequence(steps(told, shape).values()) == [shape.root, told.root]


def test_within_a_phase_what_costs_most_comes_first_then_the_name() -> None:
    equal = [found("device-api", path, "minor", root=path) for path in ("b.py", "a.py")]
    grave = found("device-api", "ops.py", root="ops.py")
    assert sequence(steps(*equal, grave).values()) == ["ops.py", "a.py", "b.py"]


def test_what_the_path_does_not_need_has_no_step() -> None:
    by = Proof("net.py", 1, "if flag:", "use_flash")
    off = replace(found("amp", "ops.py", guard="guarded"), guard_by=by)
    elsewhere = replace(found("device-api", "other.py"), reach="test")
    spared = found("rng", "net.py", "info", guard="fallback")
    needed = found("device-string")
    known = steps(off, elsewhere, spared, needed)
    assert sequence(known.values()) == [needed.root]
    assert known[off.root].setting == "use_flash"


def test_where_no_path_is_known_everything_has_a_step() -> None:
    elsewhere = replace(found("device-api", "other.py"), reach=None)
    assert sequence(steps(elsewhere, way=Way()).values()) == [elsewhere.root]


# --- what has to be done before -------------------------------------------------------------------


def test_a_cause_comes_after_those_that_lead_to_its_file_and_those_of_what_it_brings_in() -> None:
    entry, leaf, beside = (
        found("device-string", path) for path in ("train.py", "ops.py", "data.py")
    )
    autocast = found("amp", "net.py")
    known = steps(entry, leaf, beside, autocast)
    assert set(known[autocast.root].after) == {leaf.root, entry.root}
    assert known[entry.root].after == ()


def test_what_another_one_waits_for_already_is_not_repeated() -> None:
    library = found("fused-kernel-lib", scope="")
    device, group, autocast = found("device-string"), found("distributed"), found("amp")
    known = steps(library, device, group, autocast)
    assert known[device.root].after == (library.root,)
    assert known[group.root].after == (device.root,)
    assert known[autocast.root].after == (group.root,)


def test_kernels_wait_for_nothing_and_speed_waits_for_them() -> None:
    kernel, device, shape = found("cuda-source"), found("device-api"), found("dynamic-shape")
    known = steps(kernel, device, shape)
    assert known[kernel.root].after == known[device.root].after == ()
    assert set(known[shape.root].after) == {kernel.root, device.root}


def test_a_kernel_that_the_cpu_has_in_pytorch_is_done_with_the_devices() -> None:
    kernel, shape = found("cuda-source", "ops.py"), found("dynamic-shape", "ops.py")
    library = found("fused-kernel-lib", "ops.py", scope="")
    there = replace(kernel, portable=Location("ops.py", 40))
    known = steps(there, shape, library)
    assert known[kernel.root].portable == (Location("ops.py", 40),)
    assert known[kernel.root].after == (library.root,)
    assert steps(kernel, library)[kernel.root].after == ()


def test_the_parts_of_a_library_come_after_the_library() -> None:
    name = next(iter(catalogue().packages.modules))
    whole = found("fused-kernel-lib", "data.py", "minor", root="library:any")
    part = found("fused-kernel-lib", "ops.py", "blocker", root="FUS020:part")
    known = steps(*(replace(item, anchor=name) for item in (whole, part)))
    assert known["FUS020:part"].after == ("library:any",)
    assert sequence(known.values()) == ["library:any", "FUS020:part"]


# --- another way ----------------------------------------------------------------------------------


def test_a_fallback_says_where_the_code_does_without() -> None:
    branch = Proof("flags.py", 8, "except ImportError:")
    spared = replace(found("fused-kernel-lib", "ops.py", guard="fallback"), guard_by=branch)
    needed = replace(found("fused-kernel-lib", "ops.py", root=spared.root), fingerprint="n")
    (root,) = roots([spared, needed], catalogue(), WAY)
    assert root.portable == (Location("ops.py", spared.span.line),)


def test_a_kernel_with_another_way_says_where_it_is() -> None:
    item = found("triton-kernel", "ops.py")
    kernel = Kernel(
        *("scan", "triton", "ops.py", 1, 9, 8, "simple", ()),
        fallback=Location("ops.py", 40),
        fingerprint=item.fingerprint,
    )
    (root,) = roots([item], catalogue(), WAY, [kernel])
    assert root.portable == (Location("ops.py", 40),)
    (other,) = roots([replace(item, fingerprint="other")], catalogue(), WAY, [kernel])
    assert other.portable == ()


# --- properties -----------------------------------------------------------------------------------

TREES = st.lists(
    st.builds(
        found,
        st.sampled_from(CATEGORIES),
        st.sampled_from([each.path for each in TREE]),
        st.sampled_from(SEVERITIES),
        st.sampled_from(["", "a", "b", "library:flash-attn", "library:apex"]),
        st.sampled_from(["", "step"]),
        st.integers(1, 500),
        st.sampled_from(["none", "guarded", "fallback"]),
    ).map(lambda item: replace(item, anchor="apex" if item.span.line % 2 else "flash_attn.ops")),
    max_size=30,
    unique_by=lambda item: item.fingerprint,
)


@settings(deadline=None)
@given(TREES)
def test_steps_are_an_order_in_which_nothing_waits_for_what_comes_later(
    items: Sequence[Finding],
) -> None:
    known = steps(*items)
    needed = [root for root in known.values() if root.step]
    assert sorted(root.step for root in needed) == list(range(1, len(needed) + 1))
    for root in known.values():
        assert bool(root.step) == (root.effort_days[1] > 0)
        assert all(0 < known[name].step < root.step for name in root.after)
