"""What other programs read of ours, and what docs/ci.md tells people to type, fits the program."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.core
import typer.main
import yaml

from portaudit import kinds
from portaudit.catalogue.load import load
from portaudit.catalogue.select import select_rules
from portaudit.cli import program
from portaudit.config import read_settings
from portaudit.deliver import deliveries
from portaudit.kinds import kind_by_name
from portaudit.report.formats import FORMATS

CHECKOUT = Path(__file__).resolve().parent.parent
PAGE = (CHECKOUT / "docs" / "ci.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
MANIFEST = yaml.safe_load((CHECKOUT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
ACTION = yaml.safe_load((CHECKOUT / "action.yml").read_text(encoding="utf-8"))
GITLAB = yaml.safe_load((CHECKOUT / "docs" / "gitlab-ci.yml").read_text(encoding="utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}


def blocks(*wanted: str) -> list[str]:
    return [match["text"] for match in BLOCK.finditer(PAGE) if match["kind"] in wanted]


def commands(script: str) -> Iterator[str]:
    for line in script.splitlines():
        if found := re.search(r"\bportaudit (?:check|baseline|suppress)\b[^\\']*", line):
            yield found[0]


def parsed(command: str) -> typer.Context:
    """What the program understands of a command line, without running it."""
    words = shlex.split(command)[1:]
    found: Any = typer.main.get_command(program.app)
    while isinstance(found, typer.core.TyperGroup):
        found, words = found.commands[words[0]], words[1:]
    context: typer.Context = found.make_context(found.name, list(words))
    return context


TOLD = sorted({command for block in blocks("sh") for command in commands(block)})
INLINE = sorted(set(re.findall(r"`(portaudit (?:check|baseline|suppress) [^`]*)`", PAGE)))


# --- docs/ci.md -----------------------------------------------------------------------------------


def test_the_page_has_commands_to_check() -> None:
    assert len(TOLD) > 8
    assert len(INLINE) > 3


@pytest.mark.parametrize("command", [*TOLD, *INLINE])
def test_the_program_understands_what_the_page_says(command: str) -> None:
    context = parsed(command)
    formats = ",".join(context.params.get("formats") or ["terminal"])
    output = context.params.get("output")
    assert deliveries(formats, Path(output) if output else None)


@pytest.mark.parametrize("text", blocks("toml"))
def test_settings_of_the_page_are_settings(text: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    settings = read_settings(tmp_path)
    assert settings is not None
    for gate in settings.values.get("gate", ()):  # type: ignore[union-attr]
        assert select_rules(load(()).rules, select=gate.rules)  # type: ignore[union-attr]


@pytest.mark.parametrize("text", blocks("yaml"))
def test_yaml_of_the_page_can_be_read(text: str) -> None:
    assert yaml.safe_load(text)


def test_hooks_that_the_page_names_exist() -> None:
    known = {hook["id"] for hook in MANIFEST}
    told = {found for text in blocks("yaml") for found in re.findall(r"- id: (\S+)", text)}
    assert told
    assert told <= known


@pytest.mark.parametrize("text", [text for text in blocks("yaml") if "args:" in text])
def test_arguments_of_hooks_on_the_page(text: str) -> None:
    entry = {hook["id"]: hook["entry"] for hook in MANIFEST}
    for hook in yaml.safe_load(text):
        parsed(shlex.join([*entry[hook["id"]].split(), *hook["args"], "a.py"]))


def test_inputs_and_outputs_of_the_action_that_the_page_names() -> None:
    used = [yaml.safe_load(text) for text in blocks("yaml") if "jobs:" in text]
    given = [
        key
        for workflow in used
        for step in workflow["jobs"]["portaudit"]["steps"]
        if "portaudit" in step["uses"]
        for key in step.get("with", ())
    ]
    assert given
    assert set(given) <= ACTION["inputs"].keys()
    listed = re.search(r"Inputs: (?P<inputs>[^;]*); outputs: (?P<outputs>[^.]*)\.", PAGE)
    assert listed is not None
    assert set(re.findall(r"`(\S+?)`", listed["inputs"])) == ACTION["inputs"].keys()
    assert set(re.findall(r"`(\S+?)`", listed["outputs"])) == ACTION["outputs"].keys()


def test_formats_that_the_page_names_exist() -> None:
    told = set(re.findall(r"--format (\S+)", PAGE))
    names = {word.partition("=")[0] for text in told for word in text.strip("`").split(",")}
    assert names <= FORMATS.keys()


# --- pre-commit -----------------------------------------------------------------------------------


@pytest.mark.parametrize("hook", MANIFEST, ids=[hook["id"] for hook in MANIFEST])
def test_entry_of_a_hook_is_a_command(hook: dict[str, Any]) -> None:
    files = ["a.py", "with space.py"] if hook.get("pass_filenames", True) else []
    context = parsed(shlex.join([*hook["entry"].split(), *files]))
    assert [str(path) for path in context.params["paths"] or ()] == files
    assert hook["require_serial"]  # we have processes of our own


NAMES = """
Dockerfile Dockerfile.gpu gpu.Dockerfile Containerfile-cuda Makefile GNUmakefile makefile.inc
chart.yaml.j2 job.yml-template a.yaml.orig requirements.txt requirements-gpu.in notes.txt
dev_constraints.txt requirements/gpu.txt README.md Readme_GPU.MD INSTALL.md CHANGELOG.md run
bin/train .bashrc .gitignore weights.bin a.rst a.c a.pyc my.lock a/uv.lock setup.cfg tox.ini
a.PY k.CU
"""


def names() -> list[str]:
    ends = [end for group in kinds._ENDS.values() for end in group]
    return [*(f"a{end}" for end in ends), *kinds._NAMES, *NAMES.split()]


@pytest.mark.parametrize("folder", ["", "deep/er/"])
@pytest.mark.parametrize("name", names())
def test_hooks_are_given_what_is_read(name: str, folder: str) -> None:
    """And names without a dot: only the file itself tells whether it is a script."""
    wanted = kind_by_name(folder + name) is not None or "." not in name.rpartition("/")[2]
    for hook in MANIFEST:
        assert bool(re.search(hook["files"], folder + name)) is wanted


# --- the GitHub action ----------------------------------------------------------------------------


def test_inputs_of_the_action_are_used_and_no_others() -> None:
    text = (CHECKOUT / "action.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{\{ inputs\.([\w-]+) \}\}", text)) == ACTION["inputs"].keys()


def test_scripts_of_the_action_hold_no_expression() -> None:
    """An input in the text of a script could run anything; by the environment it is only text."""
    scripts = [step["run"] for step in STEPS.values() if "run" in step]
    assert scripts
    assert not [script for script in scripts if "${{" in script]


def test_other_actions_are_pinned() -> None:
    used = [step["uses"] for step in STEPS.values() if "uses" in step]
    assert all(re.fullmatch(r"[\w-]+(/[\w-]+)+@(v\d+|[0-9a-f]{40})", each) for each in used)


def test_upload_cannot_fail_the_job() -> None:
    upload = STEPS["Upload to code scanning"]
    assert upload["continue-on-error"] is True
    assert "head.repo.fork != true" in upload["if"]


def test_options_that_the_action_gives_exist() -> None:
    options = set(re.findall(r"--([a-z-]+)[= ]", STEPS["Check"]["run"]))
    known = {
        name.lstrip("-")
        for parameter in parsed("portaudit check").command.params
        for name in parameter.opts
    }
    assert options
    assert options <= known


def test_default_formats_of_the_action_exist() -> None:
    assert set(ACTION["inputs"]["formats"]["default"].split(",")) <= FORMATS.keys()


def act(tree: Path, place: Path, **inputs: str) -> tuple[str, dict[str, str], str]:
    """Run the script of the step `Check` as GitHub does: output, outputs, summary."""
    bash = shutil.which("bash")
    if bash is None or os.name == "nt":
        pytest.skip("needs bash")
    values = {key: str(each.get("default", "")) for key, each in ACTION["inputs"].items()} | inputs
    expression = re.compile(r"\$\{\{ inputs\.([\w-]+) \}\}")
    given = {
        name: expression.sub(lambda match: values[match[1]], text)
        for name, text in STEPS["Check"]["env"].items()
    }
    runner = {
        "PYTHON": sys.executable,
        "PYTHONPATH": str(CHECKOUT),
        "RUNNER_TEMP": str(place),
        "GITHUB_OUTPUT": str(place / "output"),
        "GITHUB_STEP_SUMMARY": str(place / "summary"),
    }
    done = subprocess.run(
        [bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS["Check"]["run"]],
        cwd=tree,
        env={**os.environ, **given, **runner},
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    outputs = dict(line.split("=", 1) for line in (place / "output").read_text().splitlines())
    summary = place / "summary"
    return done.stdout, outputs, summary.read_text(encoding="utf-8") if summary.exists() else ""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "runner temp"
    folder.mkdir()
    return folder


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "my repo"
    folder.mkdir()
    return folder


def write(tree: Path, name: str, lines: Sequence[str]) -> None:
    (tree / name).parent.mkdir(exist_ok=True)
    (tree / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


CUDA = ("import torch", "", "model = torch.nn.Linear(1, 1).cuda()")


def test_the_action_reports_new_cuda(tree: Path, place: Path) -> None:
    write(tree, "a file.py", CUDA)
    said, outputs, summary = act(tree, place)
    assert (outputs["code"], outputs["upload"]) == ("1", "true")
    assert "::error file=a file.py,line=3" in said
    assert "FAILED" in said
    assert "a file.py" in summary
    assert (Path(outputs["reports"]) / "report.code-scanning.sarif").exists()


def test_the_action_passes_clean_code(tree: Path, place: Path) -> None:
    write(tree, "a.py", CUDA[:1])
    said, outputs, _ = act(tree, place)
    assert outputs["code"] == "0"
    assert "::error" not in said


def test_the_action_passes_on_what_it_is_given(tree: Path, place: Path) -> None:
    write(tree, "one dir/a.py", CUDA)
    write(tree, "b.py", CUDA[:1])
    write(tree, "c.py", CUDA)
    inputs = {"paths": "one dir\nb.py\n", "formats": "", "fail-on": "blocker", "target": "xla"}
    said, outputs, summary = act(tree, place, **inputs)
    assert outputs["code"] == "0"
    assert "upload" not in outputs
    assert summary == ""
    assert "c.py" not in said


def test_the_action_tells_wrong_use_from_new_cuda(tree: Path, place: Path) -> None:
    write(tree, "a.py", CUDA[:1])
    _, outputs, _ = act(tree, place, target="gpu")
    assert outputs["code"] == "2"


# --- GitLab ---------------------------------------------------------------------------------------


def test_the_job_for_gitlab_writes_what_it_uploads() -> None:
    job = GITLAB["portaudit"]
    command = next(line for line in job["script"] if line.startswith("portaudit"))
    for diff in ("", "--diff=0123abc"):
        context = parsed(command.replace("$PORTAUDIT_DIFF", diff))
        written = {
            each.format: str(each.place)
            for each in deliveries(",".join(context.params["formats"]), None)
        }
        assert written["gitlab"] == job["artifacts"]["reports"]["codequality"]
        assert written["junit"] == job["artifacts"]["reports"]["junit"]
        assert written["terminal"] == "None"
