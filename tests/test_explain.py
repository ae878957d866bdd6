"""`portaudit explain PATH:LINE`: why a line has a finding, or why it has none."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner, Result

from portaudit import engine
from portaudit.cli import program
from portaudit.config import Config
from portaudit.discover import Side, walk
from portaudit.explain import Place, explain
from portaudit.files import Disk
from portaudit.read.python.values import Answers
from portaudit.report import explanation, plan
from portaudit.report.schema import json_schema
from portaudit.ruleset import Rules
from portaudit.trace import WORDS, trace_file
from portaudit.types import Explanation, SourceFile

MakeTree = Callable[[Mapping[str, str]], Path]
CHECKOUT = Path(__file__).resolve().parent.parent
STORIES = sorted(path.parent for path in (CHECKOUT / "fixtures").glob("*/expected.json"))

TRAIN = """\
\"\"\"Train a net on `cuda`.\"\"\"
import argparse
from typing import TYPE_CHECKING

import torch
from torch import nn

from lib.names import cuda as gpu, wait

parser = argparse.ArgumentParser()
parser.add_argument("--bench", action="store_true")
args = parser.parse_args()
# torch.cuda.synchronize()

def train():
    net = nn.Linear(2, 2)
    if torch.cuda.is_available():
        net.cuda()
    for _ in range(10):
        net(torch.ones(2)).sum().backward()
    gpu.synchronize()
    wait()
    stop = gpu.synchronize
    stop()
    if args.bench:
        gpu.empty_cache()
    print("cuda")
    if TYPE_CHECKING:
        gpu.empty_cache()
    raise RuntimeError(f"needs {gpu.device_count()}")

train()
"""
FILES = {
    "train.py": TRAIN,
    "lib/__init__.py": "",
    "lib/names.py": "from torch import cuda\n\nwait = cuda.synchronize\nDEVICE = 'cuda:0'\n",
    "data.bin": "",
    "third_party/x.py": "import torch\ntorch.cuda.synchronize()\n",
    "pyproject.toml": '[tool.portaudit]\nexclude = ["third_party/"]\n',
}


@pytest.fixture
def tree(make_tree: MakeTree, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = make_tree(FILES)
    monkeypatch.chdir(root)
    return root


def line_of(text: str, nth: int = 1) -> int:
    found = [number for number, line in enumerate(TRAIN.splitlines(), 1) if text in line]
    return found[nth - 1]


def explained(root: Path, path: str, line: int, column: int | None = None) -> Explanation:
    config = Config(root, (root,), jobs=1, exclude=("third_party/",))
    return explain(config, Place(path, line, column))


def run(*words: str) -> Result:
    return CliRunner().invoke(program.app, ["explain", "-j", "1", *words], env={"COLUMNS": "100"})


def flat(text: str) -> str:
    return " ".join(text.split())


def test_the_way_of_a_name_leads_across_files(tree: Path) -> None:
    line = line_of("gpu.synchronize()")
    (reason,) = explained(tree, "train.py", line).reasons
    assert reason.finding.rule == "DEV007"
    assert "torch.cuda.synchronize" in reason.matched
    places = [(step.path, step.line, step.text) for step in reason.steps]
    assert places == [
        ("train.py", line_of("from lib.names"), "from lib.names import cuda as gpu, wait"),
        ("lib/names.py", 1, "from torch import cuda"),
    ]
    assert reason.steps[0].means == "`torch.cuda`"


def test_the_guard_is_shown_with_what_it_proves(tree: Path) -> None:
    (reason,) = explained(tree, "train.py", line_of("net.cuda()")).reasons
    proof = reason.finding.guard_by
    assert proof is not None
    (condition,) = [each for each in reason.conditions if each.line == proof.line]
    assert condition.text == "if torch.cuda.is_available():"
    assert condition.says == "a CUDA device is there"


def test_the_object_of_a_method_is_followed(tree: Path) -> None:
    (reason,) = explained(tree, "train.py", line_of("net.cuda()")).reasons
    assert [step.text for step in reason.steps] == ["net = nn.Linear(2, 2)", "from torch import nn"]
    assert reason.steps[0].means == "what `torch.nn.Linear` gives"


@pytest.mark.usefixtures("tree")
def test_an_option_is_named() -> None:
    done = run(f"train.py:{line_of('gpu.empty_cache()')}")
    assert "only with bench" in done.stdout
    assert "where the setting `bench` decides" in done.stdout


def test_the_way_of_a_program_is_shown_with_its_lines(tree: Path) -> None:
    (reason,) = explained(tree, "lib/names.py", 3).reasons
    assert reason.finding.reach == "main"
    assert [(step.path, step.text, step.means) for step in reason.way] == [
        ("train.py", "from lib.names import cuda as gpu, wait", "lib/names.py")
    ]


@pytest.mark.usefixtures("tree")
def test_fact_cost_and_comment_are_told() -> None:
    line = line_of("gpu.synchronize()")
    done = run(f"train.py:{line}")
    assert done.exit_code == 0, done.output
    for words in (
        "Target    torchneuron: supported (official, SDK",
        "https://awsdocs-neuron",
        "Cost      root cause: `torch.cuda.synchronize`",
        f'Accept    portaudit suppress train.py:{line} DEV007 --reason "..."',
        "writes: gpu.synchronize()  # portaudit: ignore[DEV007] say why",
        "Rule      portaudit explain DEV007",
    ):
        assert words in done.stdout, words


@pytest.mark.parametrize(
    ("text", "nth", "rule", "reason"),
    [
        ("stop()", 1, "DEV007", "elsewhere"),
        ('print("cuda")', 1, "DST001", "words"),
        ("gpu.empty_cache()", 2, "MEM001", "silent"),
        ("raise RuntimeError", 1, "DEV002", "complaint"),
    ],
)
def test_a_line_without_a_finding_says_who_looked(
    tree: Path, text: str, nth: int, rule: str, reason: str
) -> None:
    found = explained(tree, "train.py", line_of(text, nth))
    assert found.reasons == ()
    assert (rule, reason) in [(each.rule, each.reason) for each in found.passed]


def test_the_line_that_silences_is_shown(tree: Path) -> None:
    found = explained(tree, "train.py", line_of("gpu.empty_cache()", 2))
    (passed,) = [each for each in found.passed if each.reason == "silent"]
    assert passed.by is not None
    assert passed.by.text == "if TYPE_CHECKING:"


def test_what_is_told_once_names_the_first_place(make_tree: MakeTree) -> None:
    net = "from torch import nn\n\nnorm = nn.BatchNorm2d(8)\npool = nn.MaxPool2d(2)\n"
    found = explained(make_tree({"net.py": net}), "net.py", 4)
    (passed,) = [each for each in found.passed if each.rule == "OPF006"]
    assert passed.reason == "once"
    assert passed.by is not None
    assert passed.by.line == 3


@pytest.mark.parametrize(
    ("path", "line", "note"),
    [
        ("train.py", 1, "docstring"),
        ("train.py", TRAIN.splitlines().index("# torch.cuda.synchronize()") + 1, "a comment"),
        ("train.py", 4, "the line is empty"),
        ("data.bin", 1, "reads no files of this kind"),
        ("third_party/x.py", 2, "third_party is left out: "),
    ],
)
def test_what_is_not_looked_at_is_said(tree: Path, path: str, line: int, note: str) -> None:
    found = explained(tree, path, line)
    assert found.reasons == ()
    assert any(note in each for each in found.notes), found.notes


def test_names_that_no_rule_knows_are_told(tree: Path) -> None:
    found = explained(tree, "train.py", line_of("net = nn.Linear"))
    assert found.passed == ()
    assert ("nn.Linear", "`torch.nn.Linear`") in [(each.name, each.means) for each in found.names]
    assert found.near
    assert "no rule knows anything" in run(f"train.py:{found.line}").stdout


def test_where_a_name_of_the_tree_is_made_is_told(tree: Path) -> None:
    found = explained(tree, "train.py", line_of("    wait()"))
    assert [(each.name, each.means) for each in found.names] == [
        ("wait", "`lib.names.wait` of this tree, made at lib/names.py:3")
    ]


def test_a_guard_says_for_whom(tree: Path) -> None:
    found = explained(tree, "train.py", line_of("if torch.cuda.is_available()"))
    assert [place.line for place in found.guards] == [line_of("net.cuda()")]


def test_where_a_value_arrives_is_said(make_tree: MakeTree) -> None:
    root = make_tree(
        {
            "a.py": "import torch\nfrom b import DEV\nx = torch.ones(2).to(DEV)\n",
            "b.py": "DEV = 'cuda'\n",
        }
    )
    found = explained(root, "a.py", 3)
    assert [(place.path, place.line) for place in found.uses] == [("b.py", 1)]


def test_accepted_findings_say_by_whom(make_tree: MakeTree) -> None:
    code = "import torch\ntorch.cuda.synchronize()  # portaudit: ignore[DEV007] GPU only\n"
    root = make_tree({"a.py": code})
    (reason,) = explained(root, "a.py", 2).reasons
    assert reason.finding.suppressed is not None
    assert reason.accept == ""


def test_what_the_settings_leave_out_is_said(tree: Path) -> None:
    place = f"train.py:{line_of('gpu.synchronize()')}"
    done = run(place, "--ignore", "DEV007")
    assert done.exit_code == 2  # it has no such option: the settings of the tree decide
    (tree / "pyproject.toml").write_text('[tool.portaudit]\nignore = ["DEV007"]\n')
    assert "the settings do not select the rule" in flat(run(place).stdout)
    (tree / "pyproject.toml").write_text('[tool.portaudit]\nmin-confidence = "high"\n')
    done = run(f"train.py:{line_of('net.cuda()')}")
    assert "its confidence is" not in done.stdout  # it is sure of that
    (tree / "pyproject.toml").write_text("[tool.portaudit]\n")
    (tree / "x.py").write_text("import torch\n\ndef f(x):\n    return x.cuda()\n")
    assert "no finding" not in run("x.py:4").stdout
    (tree / "pyproject.toml").write_text('[tool.portaudit]\nmin-confidence = "high"\n')
    assert "its confidence is medium, and min-confidence is high" in flat(run("x.py:4").stdout)


def test_a_column_chooses_among_the_findings(make_tree: MakeTree) -> None:
    code = "import torch\ntorch.cuda.synchronize(); torch.cuda.empty_cache()\n"
    root = make_tree({"a.py": code})
    assert [each.finding.rule for each in explained(root, "a.py", 2).reasons] == [
        "DEV007",
        "MEM001",
    ]
    assert [each.finding.rule for each in explained(root, "a.py", 2, 27).reasons] == ["MEM001"]
    none = explained(root, "a.py", 2, 25)
    assert none.reasons == ()
    assert none.notes == ("nothing is found at this column; the line has findings at 1, 27",)


def test_other_kinds_of_files_are_explained(make_tree: MakeTree) -> None:
    cells = [{"cell_type": "code", "source": ["import torch\n", "torch.cuda.synchronize()"]}]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    root = make_tree(
        {
            "requirements.txt": "flash-attn==2.0\nnumpy\n",
            "a.ipynb": json.dumps(notebook, indent=1),
            "Dockerfile": "FROM nvidia/cuda:12.0-base\n",
        }
    )
    (reason,) = explained(root, "requirements.txt", 1).reasons
    assert reason.matched.startswith("the requirement `flash-attn`")
    assert explained(root, "requirements.txt", 2).reasons == ()
    line = next(
        number
        for number, text in enumerate((root / "a.ipynb").read_text().splitlines(), 1)
        if "synchronize" in text
    )
    (reason,) = explained(root, "a.ipynb", line).reasons
    assert [step.line for step in reason.steps] == [line - 1]
    (reason,) = explained(root, "Dockerfile", 1).reasons
    assert reason.matched.startswith("the image `nvidia/cuda`")


@pytest.mark.usefixtures("tree")
def test_json_has_all_of_it() -> None:
    done = run(f"train.py:{line_of('gpu.synchronize()')}", "--format", "json")
    told = json.loads(done.stdout)
    assert told["schema"] == "portaudit.explanation/1"
    (reason,) = told["reasons"]
    assert reason["finding"]["rule"] == "DEV007"
    assert reason["finding"]["line"] == told["line"]
    assert reason["steps"][1]["path"] == "lib/names.py"
    assert reason["root"]["findings"]
    assert json.loads(run("DEV007", "--format", "json").stdout)["id"] == "DEV007"


@pytest.mark.usefixtures("tree")
def test_json_is_valid_by_the_published_schema() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(json_schema("explanation")))
    lines = Path("train.py").read_text(encoding="utf-8").count("\n")
    filled: set[str] = set()
    for line in range(1, lines + 1):
        told = json.loads(run(f"train.py:{line}", "--format", "json").stdout)
        validator.validate(told)
        filled |= {key for key, value in told.items() if value}
    assert {"reasons", "passed", "names", "rules"} <= filled
    assert not validator.is_valid(told | {"reasons": [{}]})
    assert list(told) == list(validator.schema["$defs"]["PublishedExplanation"]["properties"])


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train.py:999"], "the file has"),
        (["train.py"], "say which line: train.py:LINE"),
        (["lib:1"], "lib is a directory"),
        (["no/such.py:1"], "no/such.py: no such file"),
        (["train.py:0"], "count from 1"),
        (["train.py:1", "--format", "jsn"], 'did you mean "json"?'),
    ],
)
def test_what_cannot_be_explained_is_a_wrong_use(words: list[str], said: str) -> None:
    done = run(*words)
    assert done.exit_code == 2, done.output
    assert said in done.stderr


@pytest.mark.usefixtures("tree")
def test_a_place_as_a_report_of_another_root_spells_it(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        assert run(f"train.py:{line_of('gpu.synchronize()')}").exit_code == 2
        done = run(f"train.py:{line_of('gpu.synchronize()')}", "--root", "repo")
    assert "DEV007" in done.stdout, done.output


def test_a_line_has_the_number_that_the_plan_has() -> None:
    """Root causes that a plan has together, or sorts by track, have no number of their own."""
    root = CHECKOUT / "fixtures" / "legacy"
    report = engine.scan(Config(root, (root,), jobs=1))
    planned = plan.render(report, ())
    own = plan.numbers(report)
    assert any(own[root.id] != root.step for root in report.roots if root.id in own)
    numbered = set()
    for finding in report.findings:
        found = explain(Config(root, (root,), jobs=1), Place(finding.path, finding.span.line))
        reason = next(each for each in found.reasons if each.finding == finding)
        if not reason.number:
            continue
        assert reason.root is not None
        piece = planned[planned.index(f"**{reason.number}.** ") :].split("- [ ]")[0]
        assert reason.root.rule in piece
        told = explanation.render(found, width=100, color=False)
        assert f"step {reason.number} of the plan" in flat(told)
        numbered.add(reason.number)
    assert len(numbered) > 3


@pytest.mark.parametrize("word", ["spconv", "flash_attn", "spconv.pytorch", "apex"])
def test_a_library_has_its_rules_listed(word: str) -> None:
    done = run(word)
    assert done.exit_code == 0
    listed = {"s": "FUS044", "f": "FUS001", "a": "FUS012"}[word[0].lower()]
    assert listed in done.stdout
    assert "DEP" in done.stdout
    assert run(word, "--format", "json").exit_code == 2
    assert listed in run(word, "--format", "json").stderr


def test_hostile_code_is_shown_as_text(
    make_tree: MakeTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import torch\nif '\x1b[31m[bold]':\n    torch.cuda.synchronize()  # \x1b]8;;x\x07\n"
    monkeypatch.chdir(make_tree({"a.py": code}))
    for words in (["a.py:3"], ["a.py:2"], ["a.py:3", "--color", "never"]):
        done = run(*words)
        assert done.exit_code == 0
        assert "\x1b" not in done.stdout
        assert "\x07" not in done.stdout
    assert "[bold]" in run("a.py:3").stdout


@pytest.mark.parametrize("root", STORIES, ids=lambda path: path.name)
def test_a_trace_sees_what_the_scan_sees(root: Path) -> None:
    """Each finding of a file has its match; what was dropped is none of them."""
    config = Config(root, (root,), jobs=1)
    rules = Rules(config)
    side = Side(Disk(root), walk(Disk(root), [root]))
    findings = defaultdict(set)
    for each in engine.scan(config, rules=rules, side=side).findings:
        findings[each.path].add((each.rule, each.span))
    with closing(engine.Tellers(config, rules, side)) as tellers:
        for path, found in findings.items():
            source = tellers.source(path)
            assert isinstance(source, SourceFile)
            lines = frozenset(range(1, source.content.count(b"\n") + 2))
            answers = Answers(ask=tellers.ask(path))
            trace = trace_file(
                source, rules.chosen, "torchneuron", lines, answers, lambda _path, _name: None
            )
            matched = {(each.rule, each.span) for each in trace.kept}
            assert found <= matched, path
            assert {each.reason for each in trace.passed} <= set(WORDS)
