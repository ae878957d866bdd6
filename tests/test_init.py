"""`portaudit init`: shows first, writes only when told, overwrites nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import tomli
import yaml
from typer.testing import CliRunner, Result

from portaudit.cli import program
from portaudit.config import Options, load
from portaudit.init import PRE_COMMIT
from portaudit.jobs import JOBS

MakeTree = Callable[[Mapping[str, str]], Path]
CHECKOUT = Path(__file__).resolve().parent.parent
TRAIN = """import torch

def main():
    net = torch.nn.Linear(1, 1).cuda()
    net(torch.ones(1)).sum().backward()

if __name__ == "__main__":
    main()
"""
HOOKS = """# what we run
repos:
  - repo: https://example.com/x   # pinned
    rev: v1
    hooks:
      - id: x
"""


def run(*words: object) -> Result:
    return CliRunner().invoke(program.app, ["init", "-j", "1", *map(str, words)])


def held(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_nothing_is_written_unasked(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": TRAIN, PRE_COMMIT: HOOKS})
    before = held(root)
    done = run(root)
    assert done.exit_code == 0, done.output
    assert held(root) == before
    for words in (
        "would create .portaudit.toml: settings\n",
        '    # entry = ["train.py"]\n',
        "would create .portaudit-baseline.json: accepts what there is: 1 finding in 1 file\n",
        f"would add to the end of {PRE_COMMIT}: a commit hook\n",
        "    " + "  - repo: local\n",
    ):
        assert words in done.stdout
    assert "nothing is written yet" in done.stderr


def test_what_is_written_works_and_is_not_written_again(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": TRAIN, PRE_COMMIT: HOOKS})
    assert run(root, "--write").exit_code == 0
    after = held(root)
    hooks = (root / PRE_COMMIT).read_text()
    assert hooks.startswith(HOOKS)
    assert [each["repo"] for each in yaml.safe_load(hooks)["repos"]] == [
        "https://example.com/x",
        "local",
    ]
    checked = CliRunner().invoke(program.app, ["check", "-j", "1", str(root)])
    assert checked.exit_code == 0, checked.output
    (root / "train.py").write_text(TRAIN + "torch.cuda.synchronize()\n")
    assert CliRunner().invoke(program.app, ["check", "-j", "1", str(root)]).exit_code == 1
    (root / "train.py").write_text(TRAIN)
    again = run(root, "--write")
    assert again.exit_code == 0
    assert held(root) == after
    assert again.stderr.count("kept ") == 3


def test_what_was_written_is_undone_by_deleting_what_is_listed(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": TRAIN, PRE_COMMIT: HOOKS})
    before = held(root)
    listed = run(root, "--write").stderr.partition("to undo it, delete ")[2].splitlines()[0]
    files, _, lines = listed.rpartition(", ")
    found = re.fullmatch(rf"the last (\d+) lines of {re.escape(PRE_COMMIT)}", lines)
    assert found
    for name in files.split(", "):
        (root / name).unlink()
    place = root / PRE_COMMIT
    place.write_text("".join(place.read_text().splitlines(keepends=True)[: -int(found[1])]))
    assert held(root) == before


def test_every_proposal_may_be_taken(make_tree: MakeTree) -> None:
    root = make_tree(
        {
            "train.py": TRAIN,
            "third_party/a.py": "import torch\ntorch.cuda.synchronize()\n",
            "backends/cuda/a.py": "import torch\ntorch.cuda.synchronize()\n",
            "backends/cpu/a.py": "",
            "cuda_ops.py": "import torch\ntorch.cuda.synchronize()\n",
            "rocm_ops.py": "",
            "cuda_alone.py": "import torch\ntorch.cuda.synchronize()\n",
        }
    )
    run(root, "--write")
    place = root / ".portaudit.toml"
    text = place.read_text()
    assert load([root], Options(), cwd=root).target == "torchneuron"
    taken = re.sub(r"^# (?=[a-z-]+ = )", "", text, flags=re.MULTILINE)
    place.write_text(taken)
    config = load([root], Options(), cwd=root)
    assert config.entry == ("train.py",)
    assert config.exclude == ("third_party/",)
    assert config.adapter_zones == ("backends/cuda/", "/cuda_ops.py")
    assert config.fail_on == "major"
    assert "# beside backends/cuda/: backends/cpu/" in text


@pytest.mark.parametrize(
    "content",
    [
        '[project]\nname = "x"\n',
        '[project]\nname = "x"',
        "[tool.ruff]\nline-length = 90  # wide\n",
        "",
        '[project]\r\nname = "x"\r\n',
    ],
)
def test_settings_go_into_the_project_file(make_tree: MakeTree, content: str) -> None:
    root = make_tree({"train.py": TRAIN})
    place = root / "pyproject.toml"
    place.write_bytes(content.encode())
    assert run(root, "--write", "--target", "xla").exit_code == 0
    after = place.read_bytes().decode()
    assert after.startswith(content)
    assert ("\r\n" in content) is ("\r\n" in after)
    assert not re.search(r"(?<!\r)\n", after) or "\r\n" not in content
    told = tomli.loads(after)
    assert told["tool"].pop("portaudit") == {"target": "xla"}
    assert not (root / ".portaudit.toml").exists()


@pytest.mark.parametrize(
    "content", ["[project\n", 'tool = { ruff = {} }\n[project]\nname = "x"\n', "\xff"]
)
def test_settings_have_their_own_file_where_lines_cannot_be_added(
    make_tree: MakeTree, content: str
) -> None:
    root = make_tree({"train.py": TRAIN})
    place = root / "pyproject.toml"
    place.write_bytes(content.encode("latin-1"))
    assert run(root, "--write").exit_code == 0
    assert place.read_bytes() == content.encode("latin-1")
    assert (root / ".portaudit.toml").is_file()


@pytest.mark.parametrize(
    ("content", "works"),
    [
        (HOOKS, True),
        (HOOKS.rstrip("\n"), True),
        ("repos:\n- repo: local\n  hooks: []\n", True),
        (HOOKS.replace("\n", "\r\n"), True),
        ("repos: []\n", False),
        (HOOKS + "default_stages: [commit]\n", False),
        ("repos: [\n", False),
        ("- a\n", False),
    ],
)
def test_hooks_are_added_only_where_nothing_else_changes(
    make_tree: MakeTree, content: str, *, works: bool
) -> None:
    root = make_tree({"train.py": TRAIN})
    place = root / PRE_COMMIT
    place.write_bytes(content.encode())
    done = run(root, "--write")
    after = place.read_bytes().decode()
    assert after.startswith(content)
    if works:
        assert done.exit_code == 0
        before = yaml.safe_load(content)["repos"]
        assert yaml.safe_load(after)["repos"][:-1] == before
        assert yaml.safe_load(after)["repos"][-1]["hooks"][0]["id"] == "portaudit"
    else:
        assert after == content
        assert done.exit_code == 2
        assert "- repo: local" in done.stdout


def test_a_file_for_pre_commit_is_begun_only_if_asked(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": TRAIN})
    run(root, "--write", "--no-baseline")
    assert not (root / PRE_COMMIT).exists()
    assert not (root / ".portaudit-baseline.json").exists()
    run(root, "--write", "--pre-commit")
    assert yaml.safe_load((root / PRE_COMMIT).read_text())["repos"][0]["repo"] == "local"


def test_where_nothing_is_found_no_baseline_is_needed(make_tree: MakeTree) -> None:
    root = make_tree({"a.py": "x = 1\n"})
    done = run(root)
    assert "keeps .portaudit-baseline.json: there is nothing to accept" in done.stdout


def test_settings_above_are_in_the_way(make_tree: MakeTree) -> None:
    root = make_tree({".portaudit.toml": "", "sub/train.py": TRAIN})
    done = run(root / "sub")
    assert done.exit_code == 2
    assert "has settings of portaudit, which hold for" in done.stderr
    assert run(root / "sub" / "train.py").exit_code == 2


def test_a_name_that_is_no_word_stays_out_of_the_settings(make_tree: MakeTree) -> None:
    root = make_tree({'tr"a\\in.py': TRAIN, "tr\nain.py": TRAIN})
    assert run(root, "--write").exit_code == 0
    text = (root / ".portaudit.toml").read_text()
    assert tomli.loads(text) == {"target": "torchneuron"}
    assert all(line.startswith(("#", "target")) for line in text.splitlines() if line)


def test_jobs_are_those_of_the_documents() -> None:
    pages = (CHECKOUT / "docs" / "ci.md").read_text("utf-8")
    assert f"```yaml\n{run('--ci', 'github').stdout}```" in pages
    assert run("--ci", "gitlab").stdout == (CHECKOUT / "docs" / "gitlab-ci.yml").read_text("utf-8")
    assert all(yaml.safe_load(text) for text in JOBS.values())
    assert 'did you mean "github"?' in run("--ci", "gitub").stderr
