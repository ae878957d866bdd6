"""The commands `check` and `baseline`, from the outside: files, exit codes, messages."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from portaudit.cli import baseline as baseline_commands
from portaudit.cli import program, runs

MakeTree = Callable[[Mapping[str, str]], Path]
OLD = """\
import torch

model = torch.nn.Linear(1, 1).cuda()
"""
NEW = f"{OLD}torch.cuda.synchronize()\n"
BASELINE = ".portaudit-baseline.json"


def run(*arguments: object, stdin: str | None = None) -> Result:
    environment = {"NO_COLOR": "", "COLUMNS": "100", "TERM": "xterm"}
    words = [str(item) for item in arguments]
    return CliRunner().invoke(program.app, words, env=environment, input=stdin)


def entries(root: Path) -> list[dict[str, object]]:
    text = (root / BASELINE).read_text(encoding="utf-8")
    return [entry for entry in json.loads(text)["entries"] if entry]


def states(root: Path, *arguments: object) -> dict[str, str]:
    """What `check` says of each line, by `path:line rule`."""
    report = json.loads(run("check", root, "--format", "json", *arguments).stdout)
    return {
        f"{finding['path']}:{finding['line']} {finding['rule']}": finding["state"]
        for finding in report["findings"]
    }


def test_only_new_code_fails(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": OLD})
    assert run("check", root).exit_code == 1
    done = run("baseline", "create", root)
    assert (done.exit_code, done.stdout) == (
        0,
        f"accepted 1 finding in 1 file: wrote {root / BASELINE}\n",
    )
    done = run("check", root)
    assert done.exit_code == 0
    assert "PASSED" in done.stdout
    (root / "train.py").write_text(NEW)
    done = run("check", root)
    assert done.exit_code == 1
    assert "train.py:4:1" in done.stdout
    assert "train.py:3" not in done.stdout
    assert "FAILED  1 finding (1 minor) in 1 file, against 1 accepted in" in done.stdout


def test_a_clean_tree_needs_no_baseline(make_tree: MakeTree) -> None:
    done = run("check", make_tree({"train.py": "import torch\n"}))
    assert done.exit_code == 0
    assert "PASSED  nothing new, against nothing: no finding is accepted" in done.stdout


def test_the_baseline_itself_is_no_code(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": 'import torch\ntorch.distributed.init_process_group("nccl")\n'})
    run("baseline", "create", root)
    assert {place.partition(":")[0] for place in states(root)} == {"train.py"}


def test_check_of_one_file_does_not_lose_the_others(make_tree: MakeTree) -> None:
    root = make_tree({"a.py": OLD, "b.py": OLD})
    run("baseline", "create", root)
    (root / "a.py").write_text("import torch\n")
    done = run("check", root / "b.py")
    assert done.exit_code == 0
    assert "Gone" not in done.stdout
    assert "Gone    1 accepted finding no longer there" in run("check", root).stdout
    run("baseline", "prune", root / "b.py")
    assert [entry["path"] for entry in entries(root)] == ["a.py", "b.py"]
    done = run("baseline", "prune", root)
    assert done.stdout == "a.py: DEV008 .cuda\nno longer there: 1\n"
    assert [entry["path"] for entry in entries(root)] == ["b.py"]


def test_prune_can_only_ask(make_tree: MakeTree) -> None:
    root = make_tree({"a.py": OLD})
    run("baseline", "create", root)
    assert run("baseline", "prune", root, "--check").exit_code == 0
    (root / "a.py").write_text("import torch\n")
    before = (root / BASELINE).read_bytes()
    done = run("baseline", "prune", root, "--check")
    assert done.exit_code == 1
    assert done.stderr == "1 entry is no longer needed\n"
    assert (root / BASELINE).read_bytes() == before


def test_update_says_what_it_accepts(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": OLD})
    run("baseline", "create", root)
    (root / "train.py").write_text(NEW)
    done = run("baseline", "update", root, "--reason", "the port is under way", "--owner", "ml")
    assert done.exit_code == 0
    first, last = done.stdout.splitlines()[0], done.stdout.splitlines()[-1]
    assert first.startswith("train.py:4:1: DEV007 minor ")
    assert last == "newly accepted: 1, no longer there: 0"
    assert [(entry["rule"], entry.get("reason")) for entry in entries(root)] == [
        ("DEV007", "the port is under way"),
        ("DEV008", None),
    ]
    assert run("check", root).exit_code == 0
    assert "1 accepted by ml: the port is under way" in run("baseline", "show", root).stdout


def test_an_acceptance_ends(make_tree: MakeTree, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_tree({"train.py": OLD})
    expires = (datetime.datetime.now(tz=datetime.timezone.utc) + datetime.timedelta(3)).date()
    run("baseline", "create", root, "--expires", expires, "--owner", "ml", "--reason", "q3")
    assert run("check", root).exit_code == 0
    later = expires + datetime.timedelta(1)
    for module in (runs, baseline_commands):
        monkeypatch.setattr(module, "today", lambda: later)
    done = run("check", root)
    assert done.exit_code == 1
    assert f"why now: accepted until {expires}" in done.stdout
    assert f"was accepted by ml until {expires}: q3" in done.stdout
    done = run("baseline", "update", root, "--expires", expires)
    assert done.exit_code == 2
    assert f"--expires {expires} is past already" in done.stderr
    run("baseline", "update", root)
    assert run("check", root).exit_code == 0


def test_losing_its_guard_makes_old_code_fail(make_tree: MakeTree) -> None:
    guarded = "import torch\n\nif torch.cuda.is_available():\n    torch.cuda.synchronize()\n"
    root = make_tree({"train.py": guarded})
    run("baseline", "create", root)
    assert run("check", root).exit_code == 0
    (root / "train.py").write_text("import torch\n\ntorch.cuda.synchronize()\n")
    done = run("check", root)
    assert done.exit_code == 1
    assert "why now: accepted as info" in done.stdout


def test_a_newer_catalogue_never_turns_old_code_red(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": NEW})
    run("baseline", "create", root)
    place = root / BASELINE
    text = place.read_text(encoding="utf-8")
    document = json.loads(text)
    digest = document["rules"]["device-api"]["DEV007"]
    line = next(line for line in text.splitlines() if '"DEV007", "severity"' in line)
    place.write_text(text.replace(digest, "00000000").replace(f"{line}\n", ""), encoding="utf-8")
    assert states(root)["train.py:4 DEV007"] == "newly-covered"
    done = run("check", root)
    assert done.exit_code == 0
    assert "Covered 1 place of old code" in done.stdout
    done = run("baseline", "update", root, "--newly-covered")
    assert done.stdout.endswith("newly accepted: 1, no longer there: 0\n")
    assert place.read_text(encoding="utf-8") == text


def test_pruning_with_a_newer_catalogue_keeps_old_code_green(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": NEW})
    run("baseline", "create", root)
    place = root / BASELINE
    text = place.read_text(encoding="utf-8").replace('"tool": "', '"tool": "0.0.')
    line = next(line for line in text.splitlines() if '"DEV007", "severity"' in line)
    place.write_text(text.replace(f"{line}\n", ""), encoding="utf-8")
    run("baseline", "prune", root)
    assert run("check", root).exit_code == 0
    run("baseline", "update", root / "train.py", "--newly-covered")
    assert '"tool": "0.0.' in place.read_text(encoding="utf-8")


def test_a_baseline_for_another_target_is_refused(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": OLD})
    run("baseline", "create", root)
    done = run("check", root, "--target", "xla")
    assert done.exit_code == 2
    assert "is for the target torchneuron, this run for xla" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["baseline", "update"], "`portaudit baseline create` makes one"),
        (["baseline", "show"], "`portaudit baseline create` makes one"),
        (["check", "--baseline", "none.json"], "there is no such baseline"),
        (["check", "--diff", "main", "--staged"], "--diff and --staged exclude each other"),
        (["check", "--baseline", "x", "--no-baseline"], "exclude each other"),
        (["baseline", "create", "--expires", "soon"], "--expires must be a date"),
    ],
)
def test_wrong_use_is_said(make_tree: MakeTree, arguments: list[str], message: str) -> None:
    root = make_tree({"train.py": OLD})
    done = run(*arguments, root)
    assert done.exit_code == 2
    assert message in done.stderr


def test_create_does_not_overwrite(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": OLD})
    run("baseline", "create", root)
    done = run("baseline", "create", root)
    assert done.exit_code == 2
    assert "exists already" in done.stderr
    assert run("baseline", "create", root, "--force").exit_code == 0


def test_a_damaged_baseline_stops_the_check(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": OLD, BASELINE: "<<<<<<< HEAD\n{}\n"})
    done = run("check", root)
    assert done.exit_code == 2
    assert f"{BASELINE}: holds the conflict markers of a merge" in done.stderr
    assert (root / BASELINE).read_text() == "<<<<<<< HEAD\n{}\n"


def test_zones_overrides_and_thresholds(make_tree: MakeTree) -> None:
    settings = """\
adapter-zones = ["backends/cuda/"]

[[gate]]
paths = ["tests/"]
fail-on = "blocker"

[[gate]]
rules = ["DEV008"]
fail-on = "none"
"""
    root = make_tree(
        {
            ".portaudit.toml": settings,
            "backends/cuda/a.py": NEW,
            "tests/test_a.py": NEW,
            "train.py": NEW,
        }
    )
    done = run("check", root, "-q")
    assert done.exit_code == 1
    assert [line.split(" ")[:2] for line in done.stdout.splitlines()] == [
        ["train.py:4:1:", "DEV007"]
    ]
    assert run("check", root, "--fail-on", "major").exit_code == 0
    assert run("check", root, "--fail-on", "none").exit_code == 0


def test_a_word_in_the_gate_that_names_no_rule_is_said(make_tree: MakeTree) -> None:
    gate = '[[gate]]\nrules = ["DEV999"]\nfail-on = "none"\n'
    done = run("check", make_tree({".portaudit.toml": gate, "a.py": OLD}))
    assert done.exit_code == 2
    assert "DEV999" in done.stderr


def test_text_of_an_editor_is_judged_for_its_file(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": OLD, "config.py": 'DEVICE = "cpu"\n'})
    run("baseline", "create", root)
    done = run("check", "--stdin-filename", root / "train.py", "-q", stdin=NEW)
    assert done.exit_code == 1
    assert done.stdout.startswith("train.py:4:1: DEV007")
    done = run("check", "--stdin-filename", root / "fresh.py", "-q", stdin=NEW)
    assert done.exit_code == 1
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == ["fresh.py"] * 2


# --- against git ---


def git(root: Path, *arguments: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(root),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.com",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.com",
    }
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def commit(root: Path, files: Mapping[str, str] = {}) -> str:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    if not (root / ".git").exists():
        git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "x")
    return git(root, "rev-parse", "HEAD")


def test_only_what_a_change_adds_fails(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": OLD, "other.py": OLD})
    base = commit(root)
    assert run("check", root, "--diff", base).exit_code == 0
    (root / "train.py").write_text(NEW)
    done = run("check", root, "--diff", base, "-q")
    assert done.exit_code == 1
    assert [line.split(" ")[:2] for line in done.stdout.splitlines()] == [
        ["train.py:4:1:", "DEV007"]
    ]
    git(root, "mv", "other.py", "moved.py")
    (root / "train.py").write_text(OLD)
    assert run("check", root, "--diff", base).exit_code == 0


def test_what_is_staged_is_judged_and_nothing_else(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": OLD})
    commit(root)
    (root / "train.py").write_text(NEW)
    assert run("check", root, "--staged").exit_code == 0
    git(root, "add", "train.py")
    (root / "train.py").write_text(OLD)
    done = run("check", root, "--staged", "-q")
    assert done.exit_code == 1
    assert done.stdout.startswith("train.py:4:1: DEV007")


def test_what_the_baseline_accepts_passes_in_a_change_too(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": OLD})
    base = commit(root)
    run("baseline", "create", root)
    (root / "train.py").write_text(NEW)
    assert run("check", root, "--diff", base).exit_code == 1
    run("baseline", "update", root)
    assert run("check", root, "--diff", base).exit_code == 0
    assert run("check", root, "--diff", base, "--no-baseline").exit_code == 1


def older(root: Path) -> None:
    """Make the baseline one that an older portaudit wrote."""
    place = root / BASELINE
    text = place.read_text(encoding="utf-8").replace('"tool": "', '"tool": "0.0.')
    place.write_text(text, encoding="utf-8")


def test_a_newer_catalogue_does_not_hide_that_a_guard_went(make_tree: MakeTree) -> None:
    guarded = "import torch\n\nif torch.cuda.is_available():\n    torch.cuda.synchronize()\n"
    root = make_tree({"train.py": guarded})
    run("baseline", "create", root)
    older(root)
    base = commit(root)
    assert run("check", root).exit_code == 0
    (root / "train.py").write_text("import torch\n\ntorch.cuda.synchronize()\n")
    assert run("check", root).exit_code == 1
    assert run("check", root, "--diff", base).exit_code == 1


def test_touching_an_outdated_baseline_accepts_nothing(make_tree: MakeTree) -> None:
    root = make_tree({"a.py": OLD, "gone.py": OLD})
    run("baseline", "create", root)
    older(root)
    commit(root)
    (root / "gone.py").unlink()
    (root / "n.py").write_text("import torch\n\ns = torch.cuda.Stream()\n")
    run("baseline", "prune", root)
    commit(root)
    assert run("check", root).exit_code == 1


def test_an_update_under_a_selection_ends_what_is_outdated(make_tree: MakeTree) -> None:
    root = make_tree({"a.py": OLD, ".portaudit.toml": 'ignore = ["SYN"]\n'})
    run("baseline", "create", root)
    older(root)
    run("baseline", "update", root)
    assert '"tool": "0.0.' not in (root / BASELINE).read_text(encoding="utf-8")


def test_a_wider_selection_does_not_turn_old_code_red(make_tree: MakeTree) -> None:
    root = make_tree({"a.py": NEW, ".portaudit.toml": 'select = ["DEV008"]\n'})
    run("baseline", "create", root)
    (root / ".portaudit.toml").write_text("")
    done = run("check", root)
    assert done.exit_code == 0
    assert "Covered 1 place of old code" in done.stdout


def test_code_that_leaves_its_zone_is_new(make_tree: MakeTree) -> None:
    root = make_tree({"zone/a.py": OLD, ".portaudit.toml": 'adapter-zones = ["zone/"]\n'})
    run("baseline", "create", root)
    base = commit(root)
    (root / "src").mkdir()
    git(root, "mv", "zone/a.py", "src/a.py")
    assert run("check", root).exit_code == 1
    assert run("check", root, "--diff", base).exit_code == 1
    assert run("check", root, "--staged").exit_code == 1


def test_what_is_gone_is_no_credit_for_a_file_that_was_there(make_tree: MakeTree) -> None:
    code = "import torch\n\n\ndef main(x):\n    x = x.cuda()\n    return x\n"
    root = make_tree({"legacy.py": code, "train.py": code})
    run("baseline", "create", root)
    (root / "legacy.py").unlink()
    more = code.replace("    return", "    for _ in x:\n        x = x.cuda()\n    return")
    (root / "train.py").write_text(more)
    assert run("check", root).exit_code == 1


TWICE = """\
import torch


def main(batches):
    torch.cuda.synchronize()
    for batch in batches:
        print(batch)
    torch.cuda.synchronize()
"""
ONCE = TWICE.replace("    torch.cuda.synchronize()\n    for", "    for")


def lines(root: Path, *arguments: object) -> list[str]:
    """Where a failing check points."""
    done = run("check", root, "-q", *arguments)
    assert done.exit_code == bool(done.stdout)
    return [" ".join(line.split(" ")[:2]) for line in done.stdout.splitlines()]


def test_of_equals_in_a_function_the_one_that_was_written_is_pointed_at(
    make_tree: MakeTree,
) -> None:
    root = make_tree({"train.py": ONCE})
    base = commit(root)
    (root / "train.py").write_text(TWICE)
    assert lines(root, "--diff", base) == ["train.py:5:5: DEV007"]
    assert lines(root, "--staged") == []
    git(root, "mv", "train.py", "moved.py")
    git(root, "add", "--all")
    assert lines(root, "--staged") == lines(root, "--diff", base) == ["moved.py:5:5: DEV007"]


def test_a_baseline_and_a_change_do_not_each_excuse_one_of_two_equals(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": ONCE})
    run("baseline", "create", root)
    base = commit(root)
    (root / "train.py").write_text(TWICE)
    assert lines(root, "--diff", base) == ["train.py:5:5: DEV007"]
    assert len(lines(root)) == 1


def test_hiding_the_old_one_of_two_equals_does_not_excuse_the_new_one(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": ONCE})
    base = commit(root)
    head, old, _ = TWICE.rpartition("    torch.cuda.synchronize()\n")
    (root / "train.py").write_text(f"{head}    # portaudit: ignore[DEV007] measured\n{old}")
    assert lines(root, "--diff", base) == ["train.py:5:5: DEV007"]


SMALL = "import torch\n\n\ndef small(x):\n    return x.cuda()\n" + "# what is small\n" * 20
LARGE = SMALL.replace("is small", "is large")


def copied(root: Path) -> None:
    """Rename a file, and write one with equal findings beside it, which sorts before it."""
    git(root, "mv", "small.py", "z.py")
    (root / "copy.py").write_text(LARGE)


def test_git_tells_a_renamed_file_from_its_copy(make_tree: MakeTree) -> None:
    root = make_tree({"small.py": SMALL})
    run("baseline", "create", root)
    commit(root)
    copied(root)
    for _ in ("in the work tree", "committed"):
        assert lines(root) == ["copy.py:5:12: DEV008"]
        commit(root)
    run("baseline", "update", root, "--reason", "more to come")
    reasons = {entry["path"]: entry.get("reason") for entry in entries(root)}
    assert reasons == {"copy.py": "more to come", "z.py": None}
    assert lines(root) == []


def test_a_change_tells_the_baseline_which_file_was_renamed(make_tree: MakeTree) -> None:
    root = make_tree({"small.py": SMALL.replace(".cuda()", "")})
    base = commit(root)
    (root / "small.py").write_text(SMALL)
    run("baseline", "create", root)
    commit(root)
    copied(root)
    assert lines(root, "--diff", base) == ["copy.py:5:12: DEV008"]


@pytest.mark.parametrize("away", ["commits", "repository", "history"])
def test_without_git_one_of_a_renamed_file_and_its_copy_is_new(
    make_tree: MakeTree, away: str
) -> None:
    root = make_tree({"small.py": SMALL})
    if away == "commits":  # the baseline was never committed
        commit(root)
    run("baseline", "create", root)
    if away != "commits":
        commit(root)
    copied(root)
    if away == "repository":
        shutil.rmtree(root / ".git")
    if away == "history":
        commit(root)
        git(root.parent, "clone", "--quiet", "--depth=1", root.as_uri(), "shallow")
        root = root.parent / "shallow"
    assert lines(root) == ["z.py:5:12: DEV008"]


def test_a_newer_catalogue_does_not_hide_new_code_where_git_knows(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": OLD, "old.py": NEW})
    run("baseline", "create", root)
    place = root / BASELINE
    text = place.read_text(encoding="utf-8").replace('"tool": "', '"tool": "0.0.')
    line = next(line for line in text.splitlines() if '"DEV007", "severity"' in line)
    place.write_text(text.replace(f"{line}\n", ""), encoding="utf-8")
    commit(root)
    commit(root, {"train.py": NEW})
    assert states(root) == {
        "old.py:3 DEV008": "unchanged",
        "old.py:4 DEV007": "newly-covered",
        "train.py:3 DEV008": "unchanged",
        "train.py:4 DEV007": "new",
    }


def test_the_score_before_is_known_to_a_summary(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": OLD, "other.py": OLD})
    base = commit(root)
    before = json.loads(run("scan", root, "--format", "json").stdout)["score"]["value"]
    (root / "train.py").write_text(NEW)
    report = root.parent / "out"
    done = run("check", root, "--diff", base, "--format", "json,markdown", "-o", report)
    assert done.exit_code == 1
    gate = json.loads((report / "report.json").read_text())["gate"]
    assert gate["score_before"] == before
    assert gate["against"] == f"commit {base[:7]}"
    assert gate["change"]


def test_what_was_there_before_a_change_is_not_called_accepted(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": OLD, "other.py": OLD})
    commit(root)
    for name in ("train.py", "other.py"):
        (root / name).write_text(OLD + "# more\n")
    done = run("check", root, "--diff", "HEAD")
    head = git(root, "rev-parse", "--short", "HEAD")
    assert done.stdout == f"PASSED  nothing new, against HEAD ({head}); 2 were there before\n"
    run("baseline", "create", root / "other.py", "--root", root)
    assert "; 1 was there before, 1 accepted\n" in run("check", root, "--diff", "HEAD").stdout
    sarif = json.loads(run("check", root, "--diff", "HEAD", "--format", "sarif").stdout)
    found = sarif["runs"][0]["results"]
    assert {item["baselineState"] for item in found} == {"unchanged"}
    assert sorted("suppressions" in item for item in found) == [False, True]


def test_what_became_graver_by_a_change_is_told_so(make_tree: MakeTree) -> None:
    guarded = "import torch\n\nif torch.cuda.is_available():\n    torch.cuda.synchronize()\n"
    root = make_tree({"train.py": guarded})
    commit(root)
    (root / "train.py").write_text("import torch\n\nif True:\n    torch.cuda.synchronize()\n")
    done = run("check", root, "--diff", "HEAD")
    assert done.exit_code == 1
    assert "why now: was info" in done.stdout
    page = run("check", root, "--diff", "HEAD", "--format", "markdown").stdout
    assert "**1 place fails** (1 graver than before), judged against HEAD (" in page


def test_a_submodule_that_a_change_moves_is_named(make_tree: MakeTree) -> None:
    library = make_tree({"library/x.py": "x = 1\n"}) / "library"
    commit(library)
    root = library.parent.parent / "main"
    root.mkdir()
    git(root, "init", "-q")
    git(root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "lib")
    commit(root)
    inner = commit(root / "lib", {"x.py": NEW})
    git(root, "add", "lib")
    done = run("check", root, "--staged")
    assert done.exit_code == 0
    first = done.stdout.splitlines()[0]
    assert first.startswith("lib: note the change moves the submodule `lib` from ")
    assert f" to {inner[:12]}; its files are not compared: run `portaudit check --diff " in first
    for form in ("markdown", "sarif", "code-scanning", "github", "junit", "json"):
        done = run("check", root, "--staged", "--format", form)
        assert "its files are not compared" in done.stdout, form


def test_without_git_a_change_cannot_be_told(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": OLD})
    done = run("check", root, "--diff", "main")
    assert done.exit_code == 2
    assert "is in no git repository" in done.stderr


def test_what_a_merge_brings_in_is_not_new(make_tree: MakeTree) -> None:
    root = make_tree({"c.py": "v = 1\n"})
    commit(root)
    git(root, "checkout", "-q", "-b", "feature")
    commit(root, {"c.py": "v = 2\n"})
    git(root, "checkout", "-q", "main")
    commit(root, {"c.py": "v = 3\n", "up.py": OLD})
    git(root, "checkout", "-q", "feature")
    with pytest.raises(subprocess.CalledProcessError):
        git(root, "merge", "-q", "main")
    (root / "c.py").write_text("v = 4\n")
    git(root, "add", "c.py")
    assert run("check", root, "--staged").exit_code == 0
    (root / "c.py").write_text(NEW)
    git(root, "add", "c.py")
    done = run("check", root, "--staged", "-q")
    assert done.exit_code == 1
    assert {line.partition(":")[0] for line in done.stdout.splitlines()} == {"c.py"}


def test_a_hook_may_name_files_that_are_excluded(make_tree: MakeTree) -> None:
    settings = 'exclude = ["third_party/"]\n'
    root = make_tree({".portaudit.toml": settings, "third_party/b.py": OLD, "a.py": OLD})
    run("baseline", "create", root)
    named = root / "third_party" / "b.py"
    assert run("check", named, root / "a.py").exit_code == 1
    assert run("check", "--force-exclude", named, root / "a.py").exit_code == 0


def test_a_file_that_was_split_is_old_wherever_git_says_it_went(make_tree: MakeTree) -> None:
    rest = "".join(f"def g{at}(a):\n    return a + {at}\n\n" for at in range(40))
    moved = "def f(x):\n    return x.cuda()\n"
    root = make_tree({"a.py": f"import torch\n{rest}{moved}"})
    run("baseline", "create", root)
    base = commit(root)
    (root / "a.py").unlink()
    (root / "helpers.py").write_text(f"import torch\n{rest}")
    (root / "move.py").write_text(f"import torch\n{moved}")
    assert lines(root) == lines(root, "--diff", base) == []
    (root / "new.py").write_text("import torch\ndef h():\n    return torch.cuda.Stream()\n")
    assert {line.partition(":")[0] for line in lines(root)} == {"new.py"}


def test_what_a_comment_accepted_accepts_no_twin(make_tree: MakeTree) -> None:
    line = "x = x.cuda()"
    accepted = f"{line}  # portaudit: ignore[DEV] only here"
    head = "import torch\ndef f(x, y):\n"
    root = make_tree({"t.py": f"{head}    {accepted}\n    return x\n"})
    base = commit(root)
    twin = f"{head}    if y:\n        {accepted}\n    {line}\n    return x\n"
    (root / "t.py").write_text(twin)
    assert [found.rpartition(":")[0] for found in lines(root, "--diff", base)] == ["t.py:5:9"]
    (root / "t.py").write_text(f"{head}    {line}\n    return x\n")
    assert run("check", root, "--diff", base).exit_code == 1


def test_a_baseline_behind_a_link_out_of_the_tree_is_neither_read_nor_written(
    make_tree: MakeTree, tmp_path: Path
) -> None:
    root = make_tree({"train.py": OLD})
    outside = tmp_path / "precious"
    outside.write_text("keep me")
    (root / BASELINE).symlink_to(outside)
    for words in (["check"], ["baseline", "create"], ["baseline", "update"]):
        done = run(*words, root)
        assert done.exit_code == 2
        assert "outside the root" in done.stderr
    assert outside.read_text() == "keep me"
    named = run("baseline", "create", root, "--baseline", tmp_path / "mine.json")
    assert named.exit_code == 0  # where the user says so


def test_a_baseline_that_is_a_pipe_is_not_waited_for(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": OLD})
    os.mkfifo(root / BASELINE)
    done = run("check", root)
    assert done.exit_code == 2
    assert "not a regular file" in done.stderr
