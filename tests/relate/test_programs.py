"""What each program of a tree is worth by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from portaudit import engine
from portaudit.catalogue.assumptions import standard
from portaudit.config import Config
from portaudit.relate import programs
from portaudit.relate.project import roots, weighable
from portaudit.score import Way, assess
from portaudit.types import (
    GUARD_STATES,
    REACHES,
    SEVERITIES,
    EntryPoint,
    Finding,
    GuardState,
    Score,
    Span,
)
from snippets import catalogue, the

MakeTree = Callable[[Mapping[str, str]], Path]
ONE = the("import torch\ntorch.cuda.synchronize()\n", "DEV007")
LIBRARY = "library:flash-attn"
EVAL = EntryPoint("eval.py", "evaluation")


def assessed(
    findings: Sequence[Finding], others: programs.Others, *, torch: bool = True
) -> dict[str, EntryPoint]:
    way = Way({})
    causes = roots(findings, catalogue(), way)
    main = assess(weighable(findings, way), causes, torch=torch, way=way)
    listed = [EntryPoint("train.py", "training", main=True), EVAL]
    told = programs.assessed(listed, others, findings, causes, main, standard())
    return {each.path: each for each in told}


def finding(mark: str, **changes: object) -> Finding:
    changed = {"root": mark, "fingerprint": mark, "reach": "other", **changes}
    return replace(ONE, **changed)


def test_a_program_is_worth_what_it_comes_to() -> None:
    kernel = finding(
        "kernel", severity="blocker", effective_severity="blocker", category="cuda-source",
        rule="SRC010", effort="large",
    )  # fmt: skip
    items = [finding("main", reach="main"), finding("edit"), kernel]
    known = assessed(items, {"eval.py": {"edit": "none", "kernel": "none"}})
    other = known["eval.py"]
    assert (other.verdict, other.roots) == ("write kernels", ("kernel", "edit"))
    assert other.effort_days == (5.0, 20.2)
    assert other.score is not None
    assert other.score < 75
    assert known["train.py"].roots == ("main",)
    assert known["train.py"].verdict == "edits only"


def test_a_program_of_which_nobody_knows_what_it_comes_to_has_no_score() -> None:
    assert assessed([finding("a")], {})["eval.py"] == EVAL


def test_a_program_that_comes_to_nothing_is_ready() -> None:
    other = assessed([finding("a")], {"eval.py": {}})["eval.py"]
    assert (other.score, other.verdict, other.effort_days) == (100.0, "ready", (0.0, 0.0))


def test_of_many_programs_those_that_say_most_are_weighed() -> None:
    asked: list[str] = []

    class Others(dict[str, Mapping[str, GuardState]]):
        def __getitem__(self, path: str) -> Mapping[str, GuardState]:
            asked.append(path)
            return {}

    tools = [EntryPoint(f"a{at:03}.py", "tool") for at in range(programs.MOST)]
    listed = [*tools, EntryPoint("z.py", "training")]
    others = Others({each.path: {} for each in listed})
    main = Score(100.0, "ready", False, (0.0, 0.0))
    told = programs.assessed(listed, others, (), (), main, standard())
    assert len(asked) == programs.MOST
    assert [each.path for each in told if each.score is None] == [tools[-1].path]


def test_without_torch_no_program_has_a_score() -> None:
    known = assessed([finding("a")], {"eval.py": {"a": "none"}}, torch=False)
    assert {each.score for each in known.values()} == {None}


def test_a_requirement_counts_for_the_programs_that_use_its_library() -> None:
    code = finding("code", root=LIBRARY, category="fused-kernel-lib", rule="FUS001")
    line = finding("line", root=LIBRARY, category="dependency", rule="DEP050", reach="main")
    uses = assessed([code, line], {"eval.py": {"code": "none"}})["eval.py"].effort_days
    alone = assessed([code], {"eval.py": {"code": "none"}})["eval.py"].effort_days
    none = assessed([code, line], {"eval.py": {}})["eval.py"].effort_days
    assert uses is not None
    assert alone is not None
    assert uses >= alone > (0.0, 0.0)
    assert none == (0.0, 0.0)


def test_a_tree_says_of_every_program_what_it_is_worth(make_tree: MakeTree) -> None:
    root = make_tree(
        {
            "train.py": "import torch\nimport net\nif __name__ == '__main__':\n"
            "    loss = net.Net().cuda()\n    loss.backward()\n",
            "eval.py": "import torch\nimport net\nimport flash_attn\n"
            "if __name__ == '__main__':\n    flash_attn.flash_attn_func(net.Net())\n",
            "net.py": "import torch\n\n\nclass Net(torch.nn.Module):\n    pass\n",
        }
    )
    report = engine.scan(Config(root, (root,), jobs=1, cache=False))
    known = {each.path: each for each in report.score.entry_points}
    assert known["train.py"].main
    assert (known["train.py"].score, known["train.py"].verdict) == (
        report.score.value,
        report.score.verdict,
    )
    assert known["train.py"].effort_days == report.score.effort_days
    assert known["eval.py"].roots == (LIBRARY,)
    assert known["eval.py"].verdict == "replace libraries"
    ids = {cause.id for cause in report.roots}
    assert all(ids.issuperset(each.roots) for each in known.values())


# --- properties -----------------------------------------------------------------------------------

TREES = st.lists(
    st.builds(
        lambda root, severity, guard, reach, line: finding(
            f"{root}:{line}",
            root=root,
            severity=severity,
            effective_severity=severity,
            guard=guard,
            reach=reach,
            span=Span(line, 1, line, 2),
        ),
        st.sampled_from("abcd"),
        st.sampled_from(SEVERITIES),
        st.sampled_from(GUARD_STATES),
        st.sampled_from([None, *REACHES]),
        st.integers(1, 99),
    ),
    max_size=25,
    unique_by=lambda item: item.fingerprint,
)


def on_way(items: Sequence[Finding], found: Mapping[str, GuardState]) -> Score:
    """The score of a program, worked out the plain way."""
    way = Way(found=found)
    met = [item for item in items if way.counts(item)]
    causes = [replace(root, reach="main") for root in roots(met, catalogue(), way)]
    return assess(weighable(met, way), causes, torch=True, way=way)


@settings(deadline=None)
@given(TREES, st.data())
def test_a_program_is_worth_the_same_whatever_others_there_are(
    items: list[Finding], data: st.DataObject
) -> None:
    marks = [item.fingerprint for item in items]
    reached = st.dictionaries(st.sampled_from(marks or ["x"]), st.sampled_from(GUARD_STATES))
    others = {name: data.draw(reached) for name in ("eval.py", "b.py", "c.py")}
    way = Way({})
    causes = roots(items, catalogue(), way)
    main = assess(weighable(items, way), causes, torch=True, way=way)
    listed = [EntryPoint(name, "tool") for name in others]
    for each in programs.assessed(listed, others, items, causes, main, standard()):
        plain = on_way(items, others[each.path])
        assert (each.score, each.verdict, each.effort_days) == (
            plain.value,
            plain.verdict,
            plain.effort_days,
        )
