from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from typer.testing import CliRunner, Result

import samples
from portaudit import __version__, engine
from portaudit.cli import common, delivery, program
from portaudit.config import Config
from portaudit.report.page import Page
from portaudit.types import Report

MakeTree = Callable[[Mapping[str, str]], Path]
CODE = """
import torch

model = torch.nn.Linear(1, 1).to("cuda")
scaler = torch.cuda.amp.GradScaler()
"""


def run(*arguments: object) -> Result:
    environment = {"NO_COLOR": "", "COLUMNS": "100", "TERM": "xterm"}
    return CliRunner().invoke(program.app, [str(item) for item in arguments], env=environment)


def process(*arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "portaudit", *(str(item) for item in arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
        env={
            **os.environ,
            "PYTHONPATH": str(Path(program.__file__).parent.parent.parent),
            **environment,
        },
    )


@pytest.fixture
def canned(monkeypatch: pytest.MonkeyPatch) -> Callable[[Report], list[Config]]:
    """Let the engine give a report at once, and keep what it was asked."""

    def give(report: Report) -> list[Config]:
        asked: list[Config] = []

        def scan(config: Config, *, progress: engine.Progress | None = None, **_: object) -> Report:
            assert progress is None, "standard error is no terminal here"
            asked.append(config)
            return report

        monkeypatch.setattr(engine, "scan", scan)
        return asked

    return give


# --- scan -----------------------------------------------------------------------------------------


def test_scan_reports_and_exits_cleanly(make_tree: MakeTree) -> None:
    done = process("scan", ".", cwd=make_tree({"train.py": CODE}))
    assert done.returncode == 0
    assert done.stderr == ""
    assert "train.py:5" in done.stdout
    assert done.stdout.isascii()


def test_scan_gives_json_that_names_the_places(make_tree: MakeTree) -> None:
    done = process("scan", "--format", "json", "--jobs", "1", cwd=make_tree({"train.py": CODE}))
    report = json.loads(done.stdout)
    found = [(finding["rule"], finding["path"], finding["line"]) for finding in report["findings"]]
    assert ("AMP003", "train.py", 5) in found
    assert report["schema"] == "portaudit.report/1"


def test_scan_selects_rules(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": CODE})
    report = json.loads(run("scan", root, "--format", "json", "--select", "AMP,DST").stdout)
    assert {finding["rule"][:3] for finding in report["findings"]} == {"AMP", "DST"}
    report = json.loads(
        run("scan", root, "--format=json", "--select=AMP,DST", "--ignore=DST").stdout
    )
    assert {finding["rule"] for finding in report["findings"]} == {"AMP003"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 0),
        (["--fail-on", "blocker"], 1),
        (["--fail-on", "info"], 1),
        (["--fail-on", "none"], 0),
        (["--strict"], 2),
    ],
)
def test_scan_exits_by_gate_and_strictness(
    canned: Callable[[Report], list[Config]], tmp_path: Path, arguments: list[str], code: int
) -> None:
    canned(samples.REPORT)
    done = run("scan", tmp_path, *arguments)
    assert done.exit_code == code
    assert "REPLACE LIBRARIES" in done.stdout


def test_scan_says_why_the_gate_failed(
    canned: Callable[[Report], list[Config]], tmp_path: Path
) -> None:
    canned(samples.REPORT)
    done = run("scan", tmp_path, "--fail-on", "major")
    assert done.stderr == "gate failed: 3 findings of severity major or worse\n"
    done = run("scan", tmp_path, "--strict")
    assert done.stderr == "error: 1 file or part of a file could not be read (--strict)\n"


def test_scan_hands_the_options_to_the_engine(
    canned: Callable[[Report], list[Config]], tmp_path: Path
) -> None:
    asked = canned(samples.CLEAN)
    root = tmp_path.resolve()
    (root / "rules").mkdir()
    arguments = ["--target=xla", "--select=AMP, FUS", "--select=DST", "--ignore=AMP003"]
    arguments += ["--extend-select=RNG", "--min-confidence=medium", "-j2", "--fail-on=minor"]
    done = run("scan", root, *arguments, "--rules", root / "rules", "--root", root)
    assert done.exit_code == 0
    origins = asked[0].origins
    assert [replace(config, origins=()) for config in asked] == [
        Config(
            root=root,
            paths=(root,),
            target="xla",
            select=("AMP", "FUS", "DST"),
            ignore=("AMP003",),
            extend_select=("RNG",),
            min_confidence="medium",
            rules=(root / "rules",),
            fail_on="minor",
            jobs=2,
        )
    ]
    assert {origin for _, origin in origins} == {"command line"}


def test_scan_writes_several_formats_into_a_directory(
    canned: Callable[[Report], list[Config]], tmp_path: Path
) -> None:
    canned(samples.REPORT)
    out = tmp_path / "deep" / "out"
    done = run("scan", tmp_path, "--format", "terminal,json", "--output", out, "--color", "always")
    assert done.exit_code == 0
    assert done.stdout == ""
    assert done.stderr.splitlines() == [f"wrote {out}/report.txt", f"wrote {out}/report.json"]
    assert "\x1b" not in (out / "report.txt").read_text(encoding="utf-8")
    assert json.loads((out / "report.json").read_text(encoding="utf-8"))["partial"] is True


def test_repeated_formats_add_up(
    canned: Callable[[Report], list[Config]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canned(samples.REPORT)
    monkeypatch.chdir(tmp_path)
    done = run("scan", ".", "--format", "json=a.json", "--format", "html=a.html,terminal")
    assert done.exit_code == 0
    assert done.stderr.splitlines() == ["wrote a.json", "wrote a.html"]
    assert (tmp_path / "a.json").is_file()
    assert (tmp_path / "a.html").is_file()
    assert "root causes" in done.stdout


def test_scan_writes_one_format_to_a_file_or_into_a_directory(
    canned: Callable[[Report], list[Config]], tmp_path: Path
) -> None:
    canned(samples.REPORT)
    assert run("scan", tmp_path, "--format=json", "-o", tmp_path / "x.json", "-q").stderr == ""
    assert (tmp_path / "x.json").is_file()
    run("scan", tmp_path, "--format=json", "-o", tmp_path)
    assert (tmp_path / "report.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone"], "error: gone: no such file or directory"),
        (["--format", "jsn"], 'error: no format is called "jsn"; did you mean "json"?'),
        (["--format", "zzz"], 'error: no format is called "zzz"; there are terminal, json'),
        (["--format", "json,terminal"], "add --output DIR"),
        (["--format", "json,terminal", "-o", "file"], "file is a file; several formats need"),
        (["--format", "json", "-o", "file/x"], "file/x: cannot be written: "),
        (["--target", "tpu"], "error: --target must be one of torchneuron, xla"),
        (["--fail-on", "blokcer"], 'did you mean "blocker"?'),
        (["--select", "AMP03"], 'did you mean "AMP0'),
        (["--rules", "gone"], "gone is no directory"),
        (["--color", "allways"], 'did you mean "always"?'),
    ],
)
def test_scan_refuses_wrong_use_with_a_remedy(
    make_tree: MakeTree, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(make_tree({"file": "", "a.py": ""}))
    done = run("scan", *arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stdout == ""


def test_scan_refuses_an_unknown_option_with_code_2() -> None:
    assert run("scan", "--nonsense").exit_code == 2


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "NOTHING TO SCAN  no file that is read lies under the given paths"),
        ({"a.py": "x = 1\n"}, "NO TORCH  none of 1 file imports torch: no score"),
    ],
)
def test_scan_says_that_there_is_nothing_to_judge(
    make_tree: MakeTree, files: dict[str, str], message: str
) -> None:
    done = run("scan", make_tree(files))
    assert done.exit_code == 0
    assert message in done.stdout


def test_scan_survives_a_file_that_does_not_parse(make_tree: MakeTree) -> None:
    root = make_tree({"good.py": CODE, "bad.py": "import torch\ndef f(:\n"})
    done = run("scan", root)
    assert done.exit_code == 0
    assert "Failed   bad.py" in done.stdout
    assert run("scan", root, "--strict").exit_code == 2


def test_scan_shows_settings_and_stops(make_tree: MakeTree) -> None:
    root = make_tree({".portaudit.toml": 'target = "xla"\n'})
    done = run("scan", root, "--show-config")
    assert 'target = "xla"  # .portaudit.toml' in done.stdout


def test_scan_quiet_says_the_verdict_only(
    canned: Callable[[Report], list[Config]], tmp_path: Path
) -> None:
    canned(samples.CLEAN)
    done = run("scan", tmp_path, "--quiet")
    assert done.stdout.startswith("READY")
    assert len(done.stdout.splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "environment", "coloured"),
    [
        ([], {}, False),
        (["--color", "always"], {}, True),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {}, False),
    ],
)
def test_scan_colours_on_a_terminal_or_when_told(
    canned: Callable[[Report], list[Config]],
    tmp_path: Path,
    arguments: list[str],
    environment: dict[str, str],
    *,
    coloured: bool,
) -> None:
    canned(samples.REPORT)
    done = CliRunner().invoke(
        program.app, ["scan", str(tmp_path), *arguments], env=environment, color=True
    )
    assert ("\x1b[" in done.stdout) is coloured


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"TERM": "xterm"}, True),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, True),
        ({"TERM": "dumb"}, False),
        ({"CLICOLOR": "0"}, False),
        ({"CLICOLOR": "1"}, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"CLICOLOR": "0", "CLICOLOR_FORCE": "1"}, True),
        ({"FORCE_COLOR": "0"}, False),
    ],
)
def test_colour_is_automatic(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], *, wanted: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(common, "is_terminal", lambda _stream: True)
    assert common.wants_color("auto") is wanted


@pytest.mark.parametrize("name", ["FORCE_COLOR", "CLICOLOR_FORCE"])
def test_colour_is_forced_into_a_pipe(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(common, "is_terminal", lambda _stream: False)
    assert not common.wants_color("auto")
    monkeypatch.setenv(name, "1")
    assert common.wants_color("auto")
    assert not common.wants_color("never")


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM_PROGRAM": "iTerm.app"}, True),
        ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"VTE_VERSION": "7600"}, True),
        ({"VTE_VERSION": "4602"}, False),
        ({"VTE_VERSION": "7600", "CI": "1"}, False),
        ({"VTE_VERSION": "7600", "TERM": "dumb"}, False),
        ({"VTE_VERSION": "7600", "TMUX": "x"}, False),
        ({"TMUX": "x", "TERM_PROGRAM": "tmux", "TERM_PROGRAM_VERSION": "3.4"}, True),
        ({"TMUX": "x", "TERM_PROGRAM": "tmux", "TERM_PROGRAM_VERSION": "3.3a"}, False),
        ({"FORCE_HYPERLINK": "1"}, True),
        ({"VTE_VERSION": "7600", "FORCE_HYPERLINK": "0"}, False),
    ],
)
def test_links_are_for_terminals_that_open_them(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], *, wanted: bool
) -> None:
    known = "CI", "COLORTERM", "DOMTERM", "FORCE_HYPERLINK", "KONSOLE_VERSION", "TERM", "TMUX"
    for name in (*known, "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "VTE_VERSION", "WT_SESSION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(common, "is_terminal", lambda _stream: True)
    assert common.wants_links("auto") is wanted
    assert common.wants_links("always")
    assert not common.wants_links("never")
    monkeypatch.setattr(common, "is_terminal", lambda _stream: False)
    assert common.wants_links("auto") is (environment.get("FORCE_HYPERLINK") == "1")


def test_places_are_links_to_their_files(
    canned: Callable[[Report], list[Config]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canned(samples.REPORT)
    plain = run("scan", tmp_path, "-v").stdout
    linked = run("scan", tmp_path, "-v", "--hyperlinks", "always").stdout
    addresses = re.findall(r"\x1b\]8;;([^\x1b]+)\x1b\\", linked)
    assert len(addresses) > 10
    pages = {each for each in addresses if not each.startswith("file://")}
    assert pages
    assert all(each.startswith("https://") for each in pages)
    assert any(each.endswith(f"{tmp_path.as_posix()}/train.py") for each in addresses)
    assert re.sub(r"\x1b\]8;;[^\x1b]*\x1b\\", "", linked) == plain
    file = tmp_path / "report.txt"
    run("scan", tmp_path, "-v", "--hyperlinks", "always", "-o", file)
    assert "\x1b" not in file.read_text()
    monkeypatch.setenv("PORTAUDIT_LINK", "vscode://file{root}/{path}:{line}:{column}")
    linked = run("scan", tmp_path, "-v", "--hyperlinks", "always", "--color", "always").stdout
    assert re.search(r"\x1b\]8;;vscode://file/[^\x1b]+\.py:\d+:\d+\x1b", linked)
    assert (
        linked == run("scan", tmp_path, "-v", "--hyperlinks", "always", "--color", "always").stdout
    )


def stripped(text: str) -> str:
    """Text without links, styles, and blanks at the ends of lines."""
    shown = re.sub(r"\x1b(\]8;;[^\x1b]*\x1b\\|\[[\d;]*m)", "", text)
    return re.sub(r" +$", "", shown, flags=re.MULTILINE)


def test_files_of_a_baseline_are_links(
    make_tree: MakeTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_tree({"a b.py": CODE, f"{'long/' * 30}c.py": CODE})
    monkeypatch.chdir(root)
    run("baseline", "create")
    for color in ("never", "always"):
        plain = run("baseline", "show", "--color", color).stdout
        linked = run("baseline", "show", "--color", color, "--hyperlinks", "always").stdout
        led = set(re.findall(r"\x1b\]8;;([^\x1b]*)\x1b\\", linked)) - {""}
        assert len(led) == 2, "a name that goes over two lines leads to one file"
        assert any(each.endswith("/a%20b.py") for each in led)
        assert stripped(linked) == stripped(plain)
    (root / f"{'long/' * 30}c.py").unlink()
    run("baseline", "update", "-q")
    plain = run("baseline", "show").stdout
    assert run("baseline", "show", "--hyperlinks", "always").stdout.count("\x1b]8;;file") == 1
    assert "a b.py   " in plain, "short names stand in a table"
    again = run("baseline", "show", "--hyperlinks", "always", "--color", "always").stdout
    assert stripped(again) == plain
    linked = run("baseline", "update", "--hyperlinks", "always").stdout
    assert "newly accepted: 0" in linked
    (root / "d.py").write_text(CODE)
    assert "/d.py\x1b" in run("baseline", "update", "--hyperlinks", "always").stdout


@pytest.mark.parametrize(
    ("word", "heading"), [("file", "train.py  "), ("rule", "FUS001  "), ("category", "amp  ")]
)
def test_findings_are_grouped_as_asked(
    canned: Callable[[Report], list[Config]], tmp_path: Path, word: str, heading: str
) -> None:
    canned(samples.REPORT)
    usual = run("scan", tmp_path).stdout
    assert run("scan", tmp_path, "--group-by", "root").stdout == usual
    told = run("scan", tmp_path, "--group-by", word, "--top", "99").stdout
    assert any(line.startswith(heading) for line in told.splitlines())
    counted = [item for item in samples.REPORT.findings if item.suppressed is None]
    listed = re.findall(r"^  (?:blocker|major|minor|info) +.*\d+:\d+ ", told, re.MULTILINE)
    assert len(listed) == len(counted)
    few = run("scan", tmp_path, "--group-by", word, "--top", "1").stdout
    assert "Further " in few
    assert len(few) < len(told)


def test_grouping_by_an_unknown_word_is_a_mistake(tmp_path: Path) -> None:
    done = run("scan", tmp_path, "--group-by", "files")
    assert done.exit_code == 2
    assert 'did you mean "file"?' in done.stderr


def test_a_link_holds_nothing_that_ends_it() -> None:
    page = Page(80, color=False, links="file:///root/{path}")
    page.line(page.place("a b\x1b\\\x07;%.py", 3))
    assert page.text() == (
        "\x1b]8;;file:///root/a%20b%1B%5C%07%3B%25.py\x1b\\a b?\\?;%.py:3\x1b]8;;\x1b\\\n"
    )


def test_scan_survives_a_reader_that_goes_away(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": CODE})
    command = [sys.executable, "-m", "portaudit", "scan", str(root), "--fail-on", "info"]
    environment = {**os.environ, "PYTHONPATH": str(Path(program.__file__).parent.parent.parent)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        complaint = child.stderr.read().decode()
        assert child.wait() == common.GATE_FAILED
    assert "Traceback" not in complaint
    assert "BrokenPipe" not in complaint


def test_scan_writes_what_an_ascii_terminal_can_show(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": 'import torch\nx = torch.zeros(1).to("cuda")  # 日本語\n'})
    done = process("scan", ".", "--jobs", "1", cwd=root, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "\\u65e5\\u672c\\u8a9e" in done.stdout
    assert "?" not in done.stdout


@pytest.mark.parametrize("command", [["scan"], ["check"], ["explain", "train.py:2"]])
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_carets_stand_below_the_code_in_every_encoding(
    make_tree: MakeTree, command: list[str], encoding: str
) -> None:
    code = 'import torch\nx = torch.zeros("日本…é", "é").to("cuda", "→日")\n'
    root = make_tree({"train.py": code})
    done = subprocess.run(
        [sys.executable, "-m", "portaudit", *command, "--jobs", "1"],
        cwd=root,
        capture_output=True,
        check=False,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(program.__file__).parent.parent.parent),
            "PYTHONIOENCODING": encoding,
        },
    )
    lines = done.stdout.decode(encoding).splitlines()
    at = next(number for number, line in enumerate(lines) if re.fullmatch(r" +\| +\^+.*", line))
    start, length = lines[at].index("^"), lines[at].count("^")
    before = lines[at - 1].partition('"cuda"')[0]
    assert cell_len(before) == start
    assert length == len('"cuda"')


def test_scan_turns_an_internal_failure_into_code_2(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def scan(_config: Config, *, progress: engine.Progress | None = None, **_: object) -> Report:
        assert progress is None
        raise ZeroDivisionError

    monkeypatch.setattr(engine, "scan", scan)
    done = run("scan", tmp_path)
    assert done.exit_code == 2
    assert "ZeroDivisionError" in done.stderr
    assert "please report" in done.stderr


def test_scan_stops_at_an_interrupt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def scan(_config: Config, *, progress: engine.Progress | None = None, **_: object) -> Report:
        assert progress is None
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "scan", scan)
    assert run("scan", tmp_path).exit_code == 130


def test_scan_shows_progress_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reported: list[bool] = []

    def scan(_config: Config, *, progress: engine.Progress | None = None, **_: object) -> Report:
        reported.append(progress is not None)
        if progress:
            progress(1, 2)
        return samples.CLEAN

    monkeypatch.setattr(engine, "scan", scan)
    monkeypatch.setattr(delivery, "is_terminal", lambda _stream: True)
    assert run("scan", tmp_path, "--no-cache").exit_code == 0
    assert run("scan", tmp_path, "--no-cache", "--quiet").exit_code == 0
    monkeypatch.setenv("CI", "true")  # its log is no terminal that one watches
    assert run("scan", tmp_path, "--no-cache").exit_code == 0
    assert reported == [True, False, False]


# --- other commands -------------------------------------------------------------------------------


def test_version_and_help() -> None:
    assert run("--version").stdout == f"portaudit {__version__}\n"
    assert "scan" in run("--help").stdout
    assert run().exit_code in {0, 2}


@pytest.mark.parametrize("word", ["AMP003", "amp003", "cuda-grad-scaler"])
def test_explain_shows_the_page_of_a_rule(word: str) -> None:
    done = run("explain", word)
    assert done.exit_code == 0
    assert done.stdout.startswith("# AMP003 cuda-grad-scaler\n")


def test_explain_in_colour_draws_the_page() -> None:
    done = CliRunner().invoke(program.app, ["explain", "AMP003", "--color=always"], color=True)
    assert "\x1b[" in done.stdout
    assert "AMP003 cuda-grad-scaler" in done.stdout


def test_explain_names_the_nearest_rule() -> None:
    done = run("explain", "cuda-gradscaler")
    assert done.exit_code == 2
    assert 'did you mean "cuda-grad-scaler"?' in done.stderr


def test_rules_list_names_rules_by_words() -> None:
    done = run("rules", "list", "amp", "--target", "xla")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["id", "severity", "on", "the", "target", "category", "name"]
    assert all(line.startswith("AMP") for line in lines[1:])
    assert run("rules", "list", "nothing-like-this").exit_code == 2


def test_rules_new_writes_a_rule_that_passes_rules_test(tmp_path: Path) -> None:
    arguments = ["rules", "new", "FUS998", "our-library", "--category", "fused-kernel-lib"]
    done = run(*arguments, "--rules", tmp_path)
    assert done.exit_code == 0
    assert (tmp_path / "fused-kernel-lib" / "FUS998-our-library.toml").is_file()
    assert f"portaudit rules test FUS998 --rules {tmp_path}" in done.stdout
    done = run("rules", "test", "FUS998", "--rules", tmp_path)
    assert done.exit_code == 0
    assert done.stdout == "1 rule, 2 tests, 0 failed\n"
    assert run(*arguments, "--rules", tmp_path).exit_code == 2
    assert run(*arguments, "--rules", tmp_path / "gone").exit_code == 2


def test_rules_test_says_what_is_missing_and_what_is_noise(tmp_path: Path) -> None:
    run("rules", "new", "FUS998", "our-library", "--category=fused-kernel-lib", "--rules", tmp_path)
    path = tmp_path / "fused-kernel-lib" / "FUS998-our-library.toml"
    path.write_text(path.read_text().replace("somelibrary.some_function", "snippet.other"))
    done = run("rules", "test", "FUS998", "--rules", tmp_path)
    assert done.exit_code == 1
    assert "Missing FUS998" in done.stdout


def test_rules_docs_writes_checks_and_clears(tmp_path: Path) -> None:
    assert run("rules", "docs", "--check", "--output", tmp_path).exit_code == 1
    assert run("rules", "docs", "--output", tmp_path).exit_code == 0
    assert run("rules", "docs", "--check", "--output", tmp_path).exit_code == 0
    (tmp_path / "rules" / "OLD001.md").write_text("")
    done = run("rules", "docs", "--check", "--output", tmp_path)
    assert done.exit_code == 1
    assert "OLD001.md: belongs to no rule" in done.stderr
    run("rules", "docs", "--output", tmp_path)
    assert not (tmp_path / "rules" / "OLD001.md").exists()


def test_one_error_is_one_file(canned: Callable[[Report], list[Config]], tmp_path: Path) -> None:
    canned(replace(samples.REPORT, errors=samples.REPORT.errors * 2))
    done = run("scan", tmp_path, "--strict")
    assert done.stderr == "error: 2 files or parts of files could not be read (--strict)\n"
