"""A repository that means ill shows as text in everything that portaudit writes about it.

Its names, code, settings, comments and texts are made of HTML, scripts, orders to terminals, rich's
markup, Markdown and commands of CI servers. Each output is read by what will read it.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

import html5lib
import pytest
import tomli
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from git_repos import Repo
from portaudit.cli import program
from portaudit.config import defaults

CLEAR = "\x1b[35;7;5m\x1b[2J"
TITLE = "\x1b]0;owned\x07"
LINK = "\x1b]8;;http://evil.example\x1b\\"
EVIL = f"{CLEAR}{TITLE}{LINK}<script>alert(1)</script><img src=x onerror=alert(2)>[bold red]x[/]"
NAME = "a<img src=x onerror=alert(3)>[bold red]\x1b[35;7;5m\n::error::b|`c`](d) &lt;@e.py"
ROOT = "r<b>[red]\x1b[2J&amp;"
REASON = f"because {EVIL} | `x` [y](http://evil.example)"
CODE = f"""\
import torch
import flash_attn  # {EVIL}

def f(model, option="{EVIL}"):
    if option == '{EVIL}' and torch.cuda.is_available():
        model.to("cuda")  # <!-- {EVIL} -->
    torch.cuda.synchronize("{EVIL}")
    return model.cuda("{EVIL}")
"""
TRAIN = """\
import importlib
import torch

evil = importlib.import_module("evil")

def main():
    model = torch.nn.Linear(1, 1).cuda()
    for _ in range(2):
        model(torch.ones(1)).sum().backward()

main()
"""
FILES = {
    NAME: CODE,
    "evil.py": CODE,
    "train.py": TRAIN,
    "README.md": f"# {EVIL}\n\n```sh\npython train.py --evil '{EVIL}'\n```\n",
    "conf/<b>a</b>.yaml": 'device: cuda\nbackend: nccl\n"<script>x</script>[red]":\n'
    '  device: "cuda:0"\n  "\\e[2J": nccl\n',
    "requirements.txt": "torch==2.1.0  # <script>\nflash-attn==2.0 ; python_version > '[red]'\n",
    "Dockerfile": f"FROM nvidia/cuda:12.1.0-devel-ubuntu22.04\nENV NCCL_DEBUG='{EVIL}'\n",
    "k.cu": f"// {EVIL}\n__global__ void k(float* x) {{ x[threadIdx.x] = 1; }}\n",
    "quiet.py": f"import torch\ntorch.cuda.synchronize()  # portaudit: ignore[DEV007] {REASON}\n",
    "broken.py": f"import torch\nmodel.cuda(\n{EVIL}\n",
    "cuda_backend.py": CODE,
    "cpu_backend.py": "import torch\n\ndef f(model):\n    return model.cpu()\n",
}
OURS = re.compile(r"\x1b\[[\d;]*m|\x1b\]8;;(?:file://[^\x1b\x07]*|https?://[!-~]+)?\x1b\\")
"""What portaudit itself may send to a terminal."""
TAGS = {"details", "summary", "sub", "sup", "br", "picture", "source"}
"""Elements that its Markdown has of its own, if any."""


@contextmanager
def inside(place: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(place)
    try:
        yield
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    place = tmp_path_factory.mktemp("h") / ROOT
    made = Repo.make(place, {"train.py": TRAIN, "gone<script>.py": CODE})
    (made.root / "gone<script>.py").unlink()
    try:
        made.commit(FILES)
    except OSError:
        pytest.skip("this file system refuses such names")
    with inside(made.root):
        terms = ["--reason", REASON, "--owner", EVIL, "--baseline", "accepted.json"]
        done = CliRunner().invoke(program.app, ["baseline", "create", *terms, "-q"])
        assert done.exit_code == 0, done.output
        for name, rest in (("old.json", ["evil.py"]), ("new.json", [])):
            report = ["--format", "json", "-o", name, "-q"]
            CliRunner().invoke(program.app, ["scan", *rest, "--root", ".", *report])
    return made


def told(repo: Repo, *words: str) -> str:
    """What a command says, on both streams."""
    with inside(repo.root):
        done = CliRunner().invoke(program.app, list(words), env={"COLUMNS": "100"})
    assert done.exit_code in {0, 1}, done.output
    assert "Traceback" not in done.output
    return done.output


def orders(text: str) -> set[str]:
    """Characters that a terminal would obey, or that turn its text around."""
    return {
        each for each in OURS.sub("", text) if unicodedata.category(each) == "Cc" and each != "\n"
    }


LINES = [line for line, text in enumerate(CODE.splitlines(), 1) if re.search("cuda|flash", text)]
TERMINAL = [
    ["scan", "-v"],
    ["scan", "-q"],
    *(["scan", "--group-by", by, "--top", "99"] for by in ("file", "rule", "category")),
    ["check", "--no-baseline", "-v"],
    ["check", "--no-baseline", "-q"],
    ["check", "--no-baseline", "--group-by", "root"],
    ["check", "--baseline", "accepted.json", "-v"],
    *(["explain", f"evil.py:{line}"] for line in LINES),
    ["explain", f"{NAME}:7"],
    ["explain", "train.py:4"],
    ["explain", "quiet.py:2"],
    ["explain", "Dockerfile:2"],
    ["diff", "HEAD~1", "HEAD", "-v"],
    ["diff", "old.json", "new.json", "-v"],
    ["baseline", "show", "--baseline", "accepted.json"],
    ["init"],
    ["init", "--ci", "github"],
    ["scan", "--show-config"],
]


def named(words: list[str]) -> str:
    return " ".join(words).encode("ascii", "backslashreplace").decode().replace("\n", "")[:40]


@pytest.mark.parametrize("color", ["never", "always"])
@pytest.mark.parametrize("words", TERMINAL, ids=named)
def test_a_terminal_is_given_no_orders(repo: Repo, words: list[str], color: str) -> None:
    known = told(repo, words[0], "--help") if words[0] != "baseline" else "--color --hyperlinks"
    more = [f"--{name}={color}" for name in ("color", "hyperlinks") if f"--{name}" in known]
    text = told(repo, *words, *more)
    assert orders(text) == set()
    assert CLEAR not in text
    assert "evil.example\x1b" not in text
    assert color == "always" or "\x1b" not in text


def test_comments_that_would_be_written_are_shown_as_text(repo: Repo) -> None:
    with inside(repo.root):
        words = ["suppress", ".", "-n", "--rule", "ALL", "--reason", REASON]
        done = CliRunner().invoke(program.app, words)
    assert done.exit_code == 2, "a Dockerfile's line takes no comment"
    assert "[bold red]" in done.stdout
    assert orders(done.output) == set()


def test_markup_of_rich_is_shown_as_it_is(repo: Repo) -> None:
    for color in ("never", "always"):
        text = OURS.sub("", told(repo, "scan", "-v", "--color", color))
        assert "[bold red]" in text
        assert "<img src=x onerror=alert(3)>" in text
    assert "<script>" in told(repo, "baseline", "show", "--baseline", "accepted.json")


@pytest.mark.parametrize(
    "words",
    [
        ["scan", "--format", "markdown"],
        ["check", "--no-baseline", "--format", "markdown"],
        ["check", "--baseline", "accepted.json", "--format", "markdown"],
        ["diff", "HEAD~1", "HEAD", "--format", "markdown"],
        ["plan"],
    ],
    ids=named,
)
def test_markdown_has_no_markup_of_the_code(repo: Repo, words: list[str]) -> None:
    text = told(repo, *words)
    assert orders(text) <= {"\t"}
    found = []
    waiting = MarkdownIt("gfm-like", {"linkify": False, "html": True}).parse(text)
    while waiting:
        token = waiting.pop()
        waiting += token.children or []
        if token.type in {"html_block", "html_inline"}:
            found += re.findall(r"</?(\w+)", token.content)
            assert "onerror" not in token.content
        if token.type in {"link_open", "image"}:
            assert "evil.example" not in str(token.attrs)
    assert set(found) <= TAGS


PAGES = [
    ["scan", "--format", "html"],
    ["check", "--no-baseline", "--format", "html"],
    ["scan", "--format", "html", "--title", EVIL],
    ["diff", "HEAD~1", "HEAD", "--format", "html"],
    ["diff", "old.json", "new.json", "--format", "html", "--title", EVIL],
]


@pytest.mark.parametrize("words", PAGES, ids=named)
def test_pages_have_no_elements_of_the_code(repo: Repo, words: list[str]) -> None:
    text = told(repo, *words)
    assert orders(text) <= {"\t"}
    tree = html5lib.parse(text, namespaceHTMLElements=False)
    kinds = [element.tag for element in tree.iter() if isinstance(element.tag, str)]
    assert {"img", "iframe", "object", "embed", "form", "base"}.isdisjoint(kinds)
    names = {name for element in tree.iter() for name in element.attrib}
    assert not [name for name in names if name.startswith("on")]
    scripts = ["".join(each.itertext()) for each in tree.iter("script")]
    assert all("alert(" not in each or each.lstrip().startswith(("{", "[")) for each in scripts)
    addresses = [element.attrib.get("href", "") for element in tree.iter("a")]
    assert not [each for each in addresses if "evil.example" in each or "script:" in each]
    assert "<img src=x onerror=alert" in "".join(tree.itertext())


@pytest.mark.parametrize("form", ["json", "sarif", "code-scanning", "gitlab"])
@pytest.mark.parametrize("command", ["scan", "check"])
def test_documents_of_json_hold_the_names(repo: Repo, command: str, form: str) -> None:
    more = ["--no-baseline"] if command == "check" else []
    text = told(repo, command, *more, "--format", form)
    assert orders(text) <= {"\t"}
    document = json.loads(text)
    held = json.dumps(document, ensure_ascii=False)
    assert "onerror" in held
    if "runs" in document:
        places = [
            location["physicalLocation"]["artifactLocation"]["uri"]
            for result in document["runs"][0]["results"]
            for location in result["locations"]
        ]
        assert any("onerror" in place for place in places)
        assert all(re.fullmatch(r"[\w%./~!$&'()*+,;=:@-]+", place) for place in places)
        for result in document["runs"][0]["results"]:
            assert "<script" not in result["message"].get("markdown", "")


@pytest.mark.parametrize("command", ["scan", "check"])
def test_junit_is_xml(repo: Repo, command: str) -> None:
    more = ["--no-baseline"] if command == "check" else []
    text = told(repo, command, *more, "--format", "junit")
    assert orders(text) <= {"\t"}
    tree = ET.fromstring(text)  # noqa: S314 - our own
    assert {each.tag for each in tree.iter()} <= {
        *("testsuites", "testsuite", "testcase", "failure", "skipped", "error"),
        *("properties", "property", "system-out", "system-err"),
    }
    assert any("onerror" in value for each in tree.iter() for value in each.attrib.values())


@pytest.mark.parametrize("command", ["scan", "check"])
def test_a_server_is_given_no_commands(repo: Repo, command: str) -> None:
    more = ["--no-baseline"] if command == "check" else []
    text = told(repo, command, *more, "--format", "github")
    assert orders(text) == set()
    for line in text.splitlines():
        assert re.match(r"::(?:error|warning|notice) (?:\w+=[^,:]*,?)*::|[^:]", line), line
    assert "%0A%3A%3Aerror%3A%3Ab" in text
    assert "\n::error::b" not in text


def test_a_badge_is_an_image(repo: Repo) -> None:
    text = told(repo, "scan", "--format", "badge")
    tree = ET.fromstring(text)  # noqa: S314 - our own
    assert "script" not in text
    assert all(not name.startswith("on") for each in tree.iter() for name in each.attrib)


def test_settings_that_are_shown_can_be_read(repo: Repo) -> None:
    shown = tomli.loads(told(repo, "scan", "--show-config"))
    assert shown == tomli.loads("\n".join(f"{key} = {value}" for key, value in defaults().items()))


def test_what_is_said_of_a_name_is_one_line(repo: Repo) -> None:
    wrong = ["scan", f"no\n::error::{EVIL}"], ["explain", f"no\n{EVIL}"], ["scan", f"--{EVIL}"]
    for words in (*wrong, ["scan", "--select", EVIL], ["diff", EVIL, "HEAD"]):
        with inside(repo.root):
            done = CliRunner().invoke(program.app, words, env={"COLUMNS": "100"})
        assert done.exit_code == 2, words
        assert orders(done.stderr) == set()
        lines = [line for line in done.stderr.splitlines() if not line.startswith(("Usage", "Try"))]
        assert len(lines) == 1, words
