"""Which comments are directives, what they say, and for which lines they speak."""

from __future__ import annotations

import ast
import json
import re
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portaudit.read.directives import directives
from portaudit.types import Directive, FileKind, SourceFile
from snippets import scan


def said(text: str, kind: FileKind = "python", name: str = "file") -> list[Directive]:
    shown = dedent(text).lstrip("\n")
    return list(directives(SourceFile(name, kind, shown.encode())))


def the(text: str, kind: FileKind = "python") -> Directive:
    (found,) = said(text, kind)
    return found


@pytest.mark.parametrize(
    "comment",
    [
        "# portaudit: ignore[DEV001,AMP] the reason",
        "#portaudit:ignore[DEV001,AMP]the reason",
        "#  PortAudit :  Ignore [ DEV001 , AMP ]  the reason",
        "# portaudit: ignore[DEV001 AMP]: the reason",
        "# portaudit: ignore[DEV001,AMP] - the reason",
        "# portaudit: ignore[DEV001,AMP] \u2014 the reason",
        "# noqa: F401  # portaudit: ignore[DEV001,AMP] the reason",
        "# portaudit: ignore[DEV001,AMP] the reason  # type: ignore[attr]",
        "# portaudit: ignore[DEV001,AMP] the reason #noqa",
    ],
)
def test_spellings(comment: str) -> None:
    found = the(f"x.cuda()  {comment}\n")
    assert (found.words, found.reason, found.lines) == (("DEV001", "AMP"), "the reason", (1,))
    assert not found.problem


def test_a_reason_may_name_an_issue_and_an_address() -> None:
    text = 'x  # portaudit: ignore[A] see #12 and https://a.b/c#d, it\'s "known"\n'
    assert the(text).reason == 'see #12 and https://a.b/c#d, it\'s "known"'


def test_two_in_one_comment() -> None:
    first, second = said("x  # portaudit: ignore[A] one # portaudit: ignore[B] two\n")
    assert [(each.words, each.reason) for each in (first, second)] == [
        (("A",), "one"),
        (("B",), "two"),
    ]
    assert (first.column, second.column) == (4, 31)


@pytest.mark.parametrize(
    "comment",
    [
        "# portaudit: noqa",
        "# portaudit: ignore",
        "# portaudit: ignore DEV001 reason",
        "# portaudit: ignore[] reason",
        "# portaudit: ignore[ , ] reason",
        "# portaudit: ignore(DEV001) reason",
        "# portaudit: ignore_file[DEV001] reason",
        "# portaudit: disable=DEV001",
        "# portaudit-ignore",
        "# portaudit-ignore[DEV001]",
        "# portaudit ignore[DEV001] reason",
        "# portaudit: ignore[DEV001 reason",
    ],
)
def test_near_misses_are_said_to_be_wrong(comment: str) -> None:
    found = the(f"x.cuda()  {comment}\n")
    assert "portaudit: ignore[RULES] reason" in found.problem
    assert (found.words, found.reason) == ((), "")


@pytest.mark.parametrize(
    "comment",
    [
        "# portaudit is run in CI",
        "# portaudit: see docs/ci.md",
        "# what portaudit ignores here",
        "# portaudit ignores comments",
        "# see https://portaudit: ignore",
        "# run `portaudit: ignore` by hand",
        "# noqa",
    ],
)
def test_prose_is_no_directive(comment: str) -> None:
    assert said(f"x.cuda()  {comment}\n") == []


def test_without_a_reason() -> None:
    for comment in (
        "# portaudit: ignore[A]",
        "# portaudit: ignore[A] --",
        "# portaudit:ignore[A] .",
    ):
        found = the(f"x  {comment}\n")
        assert (found.words, found.reason, found.problem) == (("A",), "", "")


# --- which lines ----------------------------------------------------------------------------------


def test_a_comment_behind_code_speaks_for_its_statement() -> None:
    text = """
    x = f(
        a,  # portaudit: ignore[A] why
        '''
        b''',
    )
    y = 1
    """
    assert the(text).lines == (1, 2, 3, 4, 5)


@pytest.mark.parametrize("between", ["", "# a comment\n", "\n\n", "# portaudit: ignore[B] too\n"])
def test_a_comment_alone_speaks_for_the_next_statement(between: str) -> None:
    text = f"x = 1\n# portaudit: ignore[A] why\n{between}y = f(\n  1)\nz = 1\n"
    found = said(text)[0]
    start = text[: text.index("y =")].count("\n") + 1
    assert found.lines == (2, start, start + 1)


def test_inside_brackets_a_comment_alone_speaks_for_the_whole_statement() -> None:
    assert the("f(\n  # portaudit: ignore[A] why\n  1)\ng()\n").lines == (1, 2, 3)


def test_of_a_compound_statement_only_the_header_is_meant() -> None:
    text = "# portaudit: ignore[A] why\nif (a and\n    b):\n    c()\n"
    assert the(text).lines == (1, 2, 3)
    assert the("with a as b:  # portaudit: ignore[A] why\n    c()\n").lines == (1,)


def test_above_decorators_it_speaks_for_the_definition_below() -> None:
    text = """
    # portaudit: ignore[A] why
    @first
    # a comment
    @second(
        1)
    def f(
        x):
        return x
    """
    assert the(text).lines == (1, 2, 3, 4, 5, 6, 7)


def test_backslashes_and_semicolons() -> None:
    assert the("x = 1 + \\\n    2; y()  # portaudit: ignore[A] why\nz()\n").lines == (1, 2)


def test_ignore_file_speaks_for_no_line() -> None:
    found = the("import torch\n# portaudit: ignore-file[A] why\n")
    assert (found.words, found.reason, found.lines) == (("A",), "why", ())


# --- Python ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        'x = "# portaudit: ignore[A] why"\n',
        'x = """\n# portaudit: ignore[A] why\n"""\n',
        "x = f'''{y}\n# portaudit: ignore[A] why {z}\n'''\n",
        "x = f\"{y['# portaudit: ignore[A] why']}\"\n",
        "x = '\\\n# portaudit: ignore[A] why'\n",
    ],
)
def test_never_in_a_string(text: str) -> None:
    assert said(text) == []


def test_a_comment_in_native_code_that_a_string_holds() -> None:
    text = """
    SOURCE = r'''
    #include <cuda.h>
    // portaudit: ignore[A] above
    __global__ void k() {}
    int x = f();  /* portaudit: ignore[B] behind */
    '''
    """
    first, second = said(text)
    assert (first.words, first.lines) == (("A",), (3, 4))
    assert (second.words, second.reason, second.lines) == (("B",), "behind", (5,))


def test_python_that_does_not_parse() -> None:
    text = "x = (  # portaudit: ignore[A] first\n\ndef f(:\n    y  # portaudit: ignore[B] second\n"
    assert [each.words for each in said(text)] == [("A",), ("B",)]
    broken = "if x:\n        a\n    b\nc()  # portaudit: ignore[A] why\n"
    assert [each.words for each in said(broken)] == [("A",)]


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_ends_of_lines(end: str) -> None:
    text = end.join(
        ["f(", "1)  # portaudit: ignore[A] why", "# portaudit: ignore[B] too", "g()", ""]
    )
    first, second = directives(SourceFile("a.py", "python", text.encode()))
    assert (first.reason, first.lines, second.lines) == ("why", (1, 2), (3, 4))


def test_what_is_no_text_has_none() -> None:
    for kind in ("python", "shell"):
        assert not directives(SourceFile("a", kind, b"\0# portaudit: ignore[A] why\n"))


WORD = st.sampled_from(
    ["a", "'", '"', "# ", "#", "portaudit: ignore[DEV008] why", "\\", "{", "}", "\n", " "]
)


@given(st.lists(WORD, max_size=8).map("".join), st.sampled_from(["'", '"', "'''", '"""', 'f"']))
def test_no_string_of_python_accepts_anything(inside: str, quote: str) -> None:
    literal = f"{quote}{inside}{quote.removeprefix('f')}"
    text = f"x = {literal}\n"
    try:
        (statement,) = ast.parse(text).body
    except (SyntaxError, ValueError):
        return
    assert isinstance(statement, ast.Assign)
    if ast.get_source_segment(text, statement.value) == literal:
        assert said(text) == []


# --- other kinds ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text", "lines"),
    [
        ("shell", "a \\\n  b  # portaudit: ignore[A] why\nc\n", (1, 2)),
        ("shell", "# portaudit: ignore[A] why\n\na \\\n  b\nc\n", (1, 3, 4)),
        ("shell", "cat <<EOF\n# portaudit: ignore[A] why\na\nEOF\n", (2, 3)),
        ("docker", "RUN a \\\n  # portaudit: ignore[A] why\n\n  && b\nRUN c\n", (1, 2, 3, 4)),
        ("docker", "# portaudit: ignore[A] why\nRUN a \\\n # x\n && b\nRUN c\n", (1, 2, 3, 4)),
        ("make", "# portaudit: ignore[A] why\nX = a \\\n  b\nY = c\n", (1, 2, 3)),
        ("cmake", 'f(A\n  "("  # portaudit: ignore[A] why\n  B)\ng()\n', (1, 2, 3)),
        ("cmake", "# portaudit: ignore[A] why\nf(A\n  B)\ng()\n", (1, 2, 3)),
        ("yaml", "a:\n  - b  # portaudit: ignore[A] why\n  - c\n", (2,)),
        ("yaml", "a: |  # portaudit: ignore[A] why\n  b\n  c\nd: e\n", (1, 2, 3)),
        ("yaml", "# portaudit: ignore[A] why\na: |\n  b\n  c\nd: e\n", (1, 2, 3, 4)),
        ("yaml", "a: |\n  b \\\n  c  # portaudit: ignore[A] why\n  d\n", (2, 3)),
        ("yaml", "a: don't  # portaudit: ignore[A] why\n", (1,)),
        ("toml", 'a = "b"  # portaudit: ignore[A] why\nc = 1\n', (1,)),
        ("ini", "# portaudit: ignore[A] why\na = b\n", (1, 2)),
        ("ini", "; portaudit: ignore[A] why\na = b\n", (1, 2)),
        ("hcl", "# portaudit: ignore[A] why\na = b\n", (1, 2)),
        ("hcl", "a = b // portaudit: ignore[A] why\n", (1,)),
        ("hcl", "a = b /* portaudit: ignore[A] why */\n", (1,)),
        ("requirements", "a \\\n  --hash=b  # portaudit: ignore[A] why\nc\n", (1, 2)),
        ("markdown", "<!-- portaudit: ignore[A] why -->\n\n```sh\na\n```\nb\n", (1, 3, 4, 5)),
        ("native", "a();  // portaudit: ignore[A] why\nb();\n", (1,)),
        ("native", "// portaudit: ignore[A] why\n#define A \\\n  b\nc\n", (1, 2, 3)),
        ("native", "/* portaudit: ignore[A] why */\na();\n", (1, 2)),
        ("native", "/*\n * portaudit: ignore[A] why\n */\na();\n", (2, 4)),
        ("native", "a(); /* portaudit: ignore[A] why */ b();\nc();\n", (1,)),
    ],
)
def test_other_kinds(kind: FileKind, text: str, lines: tuple[int, ...]) -> None:
    (found,) = directives(SourceFile("file", kind, text.encode()))
    assert (found.words, found.reason, found.lines) == (("A",), "why", lines)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("shell", 'echo "# portaudit: ignore[A] why"\n'),
        ("shell", "echo '# portaudit: ignore[A] why'\n"),
        ("shell", "a#portaudit: ignore[A] why\n"),
        ("yaml", 'a: " # portaudit: ignore[A] why"\n'),
        ("toml", 'a = "x # portaudit: ignore[A] why"\n'),
        ("native", 'a("// portaudit: ignore[A] why");\n'),
        ("native", 'a(R"x(\n// portaudit: ignore[A] why\n)x");\n'),
        ("native", "# portaudit: ignore[A] why\n"),
        ("markdown", "# portaudit: ignore[A] why\n"),
        ("json", '{"a": "b"} // portaudit: ignore[A] why\n'),
    ],
)
def test_what_is_no_comment_in_other_kinds(kind: FileKind, text: str) -> None:
    assert not directives(SourceFile("file", kind, text.encode()))


# --- notebooks ------------------------------------------------------------------------------------


def test_cells_of_a_notebook() -> None:
    cells = [
        ["import torch\n", "x = 1  # portaudit: ignore[A] behind"],
        ["# portaudit: ignore[B] above\n", "y = f(\n", '  "\u00e9")\n', "z()\n"],
        ["!pip install a \\\n", "  b  # portaudit: ignore[C] shell\n", "w()\n"],
        ["%%writefile k.cu\n", "// portaudit: ignore[D] native\n", "__global__ void k();\n"],
        ['s = "# portaudit: ignore[E] no"\n'],
    ]
    text = json.dumps(
        {"cells": [{"cell_type": "code", "source": each} for each in cells], "nbformat": 4},
        indent=1,
    )
    rows = text.split("\n")

    def row(part: str) -> int:
        return next(number for number, line in enumerate(rows, 1) if part in line)

    found = directives(SourceFile("a.ipynb", "notebook", text.encode()))
    assert [(each.words, each.reason) for each in found] == [
        (("A",), "behind"),
        (("B",), "above"),
        (("C",), "shell"),
        (("D",), "native"),
    ]
    assert [each.lines for each in found] == [
        (row("x = 1"),),
        (row("[B]"), row("y = f"), row("y = f") + 1),
        (row("!pip"), row("!pip") + 1),
        (row("[D]"), row("__global__")),
    ]
    assert rows[found[0].line - 1][found[0].column - 1 :].startswith("# portaudit")


def test_escapes_in_cells() -> None:
    rows = ['s = "\U0001f600\u00e9\\n"  # portaudit: ignore[A] why\n', "x = 1\n"]
    for plain in (True, False):
        whole = {"cells": [{"cell_type": "code", "source": rows}], "nbformat": 4}
        text = json.dumps(whole, indent=1, ensure_ascii=plain)
        (found,) = directives(SourceFile("a.ipynb", "notebook", text.encode()))
        line = text.split("\n")[found.line - 1]
        assert line[found.column - 1 :].startswith("# portaudit")
        assert found.lines == (found.line,)


KINDS: list[FileKind] = [
    "python", "notebook", "native", "shell", "docker", "make", "cmake", "yaml", "json", "toml",
    "ini", "hcl", "requirements", "markdown",
]  # fmt: skip
SIGNS = (
    *(
        "# portaudit: ignore[A] why",
        "// portaudit: ignore[B] why",
        "\n",
        "\r",
        "\\\n",
        "  ",
        "@a\n",
    ),
    *("'''", '"', "(", ")", "/*", "*/", "<!--", "|\n", "a: ", "```\n", "\f", "\x00", "%%cu\n"),
    *('{"cells": [{"cell_type": "code", "source": [', "]}]}", "#include <a>", '"# portaudit:'),
)
PIECE = st.one_of(st.text(max_size=5), st.sampled_from(SIGNS))


@given(st.sampled_from(KINDS), st.lists(PIECE, max_size=12).map("".join))
def test_whatever_the_text_is(kind: FileKind, text: str) -> None:
    content = text.encode("utf-8", "replace")
    lines = len(re.split("\r\n|\r|\n", text))
    for each in directives(SourceFile("a", kind, content)):
        assert 1 <= each.line <= lines
        assert all(1 <= line <= lines for line in each.lines)


# --- lines of findings ----------------------------------------------------------------------------


def lines_of(files: dict[str, str], rule: str) -> list[tuple[int, int]]:
    return [
        item.lines
        for result in scan(files).values()
        for item in result.findings
        if item.rule == rule
    ]


def test_a_finding_knows_the_lines_of_its_statement() -> None:
    text = """
    import torch
    x = torch.ones(
        1,
        device="cuda",
    )
    if (x is not None and
            x.cuda()):
        pass
    """
    assert lines_of({"a.py": text}, "DST001") == [(2, 5)]
    assert lines_of({"a.py": text}, "DEV008") == [(6, 7)]


def test_lines_of_findings_in_other_kinds() -> None:
    docker = "FROM ubuntu\nRUN pip install \\\n    # why\n    flash-attn\n"
    found = scan({"Dockerfile": docker})["Dockerfile"].findings
    assert {item.lines for item in found} == {(2, 4)}


def test_lines_of_findings_in_notebooks_are_the_files() -> None:
    source = ["import torch\n", "x = torch.ones(\n", "  1).cuda(\n", ")\n"]
    text = json.dumps({"cells": [{"cell_type": "code", "source": source}], "nbformat": 4}, indent=1)
    first = text[: text.index("x = torch")].count("\n") + 1
    assert lines_of({"a.ipynb": text}, "DEV008") == [(first, first + 2)]
