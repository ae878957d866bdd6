"""Files in any state: nothing raises, what cannot be read is said, the rest is judged."""

from __future__ import annotations

import pytest

from portaudit.read.python import quick
from portaudit.read.python.lexing import logical_lines
from portaudit.read.python.parse import UnreadableError, decode, parse
from portaudit.types import FileFacts, FileResult
from snippets import FILE, findings, scan

SYNC = "torch.cuda.synchronize()"


def result(content: str | bytes) -> FileResult:
    return scan({FILE: content.encode() if isinstance(content, str) else content})[FILE]


def lines(content: str | bytes, rule: str = "DEV007") -> list[int]:
    return [item.span.line for item in result(content).findings if item.rule == rule]


# --- decode --------------------------------------------------------------------------------------


def test_decode_reads_by_mark_or_cookie() -> None:
    assert decode("x = 'ü'".encode()) == "x = 'ü'"
    assert decode(b"\xef\xbb\xbfx = 1") == "x = 1"
    assert decode("# -*- coding: latin-1 -*-\nx = 'ü'".encode("latin-1")).endswith("'ü'")
    assert decode("#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n'€'".encode("cp1252")) == (
        "#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n'€'"
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"import torch\0", "NUL"),
        (b"\0", "NUL"),
        (f"import torch\n{SYNC}\n".encode("utf-16"), "UTF-16 or UTF-32, which Python does not run"),
        (f"import torch\n{SYNC}\n".encode("utf-32"), "UTF-16 or UTF-32, which Python does not run"),
        ("x = 'ü'".encode("latin-1"), "utf-8"),
        (b"# coding: no-such-codec\nx = 1", "no-such-codec"),
        (b"# coding: utf-8\nx = '\xff'", "utf-8"),
        (b"\xef\xbb\xbf# coding: latin-1\nx = 1", "encoding"),
    ],
)
def test_decode_says_why_bytes_are_no_text(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason):
        decode(content)
    found = result(content)
    assert not found.findings
    assert found.facts == FileFacts()
    assert [(error.path, reason in error.reason) for error in found.errors] == [(FILE, True)]


# --- files that are fine, however they are written -----------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"\n\n\n",
        b"   \n\t\n",
        b"# only\n# comments",
        b"# no line end",
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbf# comment",
        b'"""only a docstring"""',
        b"pass",
        b"\f",
        b"\r\n",
    ],
)
def test_scan_file_without_code_is_empty(content: bytes) -> None:
    assert result(content) == FileResult(FILE)


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [
        (f"import torch\r\n{SYNC}\r\n".encode(), 2, 1),
        (f"import torch\r\nif x:\r\n    {SYNC}\r\n".encode(), 3, 5),
        (f"import torch\r{SYNC}\r".encode(), 2, 1),
        (f"import torch\n\f\n{SYNC}".encode(), 3, 1),
        (f"import torch\nif x:\n\t{SYNC}".encode(), 3, 2),
        (f"import torch\nif x:\n        {SYNC}\n".encode(), 3, 9),
        (f"\xef\xbb\xbfimport torch\n{SYNC}".encode("latin-1"), 2, 1),
        (f"# coding: latin-1\nimport torch; s = 'ü'; {SYNC}\n".encode("latin-1"), 2, 24),
        (f"import torch; s = '日本'; {SYNC}\n".encode(), 1, 25),
        (f"import torch; s = '😀'; {SYNC}\n".encode(), 1, 24),
        (f"\n\nimport torch\n\n{SYNC}".encode(), 5, 1),
        (f"import torch\n# {SYNC}\n{SYNC}  # {SYNC}".encode(), 3, 1),
        (f"import torch\nx = '''\n{SYNC}\n'''; {SYNC}".encode(), 4, 6),
        (f"import torch\nif x: {SYNC}".encode(), 2, 7),
    ],
)
def test_scan_file_gives_lines_and_columns_in_code_points(
    content: bytes, line: int, column: int
) -> None:
    found = [item for item in result(content).findings if item.rule == "DEV007"]
    assert [(item.span.line, item.span.column) for item in found] == [(line, column)]
    assert found[0].span.end_column == column + len(SYNC)
    assert SYNC in found[0].snippet
    assert found[0].confidence == "high"
    assert not result(content).errors


@pytest.mark.parametrize(
    "modern",
    [
        "def f[T](x: T) -> T: return x",
        "type Alias[T] = list[T]",
        "class A[T]: pass",
        "match x:\n    case {'a': [1, *rest], **more}: pass\n    case A(b=1) | None: pass",
        "try: pass\nexcept* ValueError: pass",
        "with (open(x) as a, open(y) as b): pass",
        "async def f():\n    async with x: pass\n    return [y async for y in x if await y]",
        "def f(a, /, b, *, c): pass",
        "if (n := 1): pass",
        "print(f'{x!r:>{width}} {y=}')",
        "print(f'{d[\"k\"]}')",
        "lambda *a, k=1, **kw: (yield)",
        "x = 1_000j; y = 0o17; z = 0b1",
        "global_ = ...; x: int; *a, b = c",
        "del (a), b[1:2, ::3]",
        "@(lambda f: f)\ndef g(): pass",
        "for x in *a, *b: pass\nelse: pass",
        "while x: break\nelse: pass",
        "return_ = not x if y else z",
        "async def f(): return await x ** 2",
        "raise A from b",
        "nonlocal_ = x @ y; x @= z; x //= 2; x >>= 3",
        "from . import (a as b,)\nfrom .. import *",
    ],
)
def test_scan_file_reads_every_form_of_statement(modern: str) -> None:
    content = f"import torch\n{modern}\n{SYNC}\n"
    assert not result(content).errors
    assert lines(content) == [content.count("\n")]


# --- broken files --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason", "line", "found"),
    [
        (f"import torch\nx = = 1\n{SYNC}\n", "syntax error", 2, [3]),
        (f"import torch\n{SYNC}\nprint 'x'\n{SYNC}\n", "Python 2", 3, [2, 4]),
        (f"import torch\nexec 'x'\n{SYNC}\n", "Python 2", 2, [3]),
        (f"import torch\nraise E, 'x'\n{SYNC}\n", "Python 2", 2, [3]),
        (f"import torch\nx = 0777\n{SYNC}\n", "", 2, [3]),
        (f"import torch\nx = `y`\n{SYNC}\n", "", 2, [3]),
        (f"import torch\nif x <> y:\n    {SYNC}\n", "", 2, [3]),
        (f"import torch\ndef f(a, (b, c)):\n    {SYNC}\n", "", 2, [3]),
        (f"import torch\ndef f(:\n    {SYNC}\n{SYNC}\n", "", 2, [3, 4]),
        (f"import torch\nclass A(:\n    def f(self):\n        {SYNC}\n", "", 2, [4]),
        (f"import torch\nx = (1,\n{SYNC}\ndef f():\n    {SYNC}\n", "", None, [5]),
        (f"import torch\nx = 'unclosed\n{SYNC}\n", "", 2, [3]),
        (
            f"{SYNC}\nimport torch\n<<<<<<< HEAD\n{SYNC}\n=======\n{SYNC}\n>>>>>>> b\n",
            "",
            3,
            [1, 4, 6],
        ),
        (f"import torch\n{{% if x %}}\n{SYNC}\n{{% endif %}}\n", "", 2, [3]),
        (f"import torch\n!pip install x\n%load_ext y\n{SYNC}\n", "", 2, [4]),
        (f"import torch\n  x = 1\n{SYNC}\n", "", None, [3]),
        (f"import torch\nif x:\n        y = 1\n    z = 1\n{SYNC}\n", "", None, [5]),
        (f"import torch\nif x:\n{SYNC}\n", "", None, [3]),
        (f"import torch\nif x:\n\ty = 1\n        {SYNC}\n{SYNC}\n", "", None, [4, 5]),
        (f"import torch\nelse:\n    {SYNC}\n{SYNC}\n", "", None, [3, 4]),
        (f"import torch\n{SYNC}\nreturn (\n", "", None, [2]),
        (f"import torch\nx = 1 +\n{SYNC}\n", "", 2, [3]),
        (f"import torch\nimport\n{SYNC}\n", "", 2, [3]),
        (f"import torch\nlambda: = 3\n{SYNC}\n", "", 2, [3]),
        (f"import torch\n€ = 3\n{SYNC}\n", "", 2, [3]),
        (f"import torch\n\x01\n{SYNC}\n", "", 2, [3]),
    ],
)
def test_scan_file_judges_the_readable_rest(
    content: str, reason: str, line: int | None, found: list[int]
) -> None:
    scanned = result(content)
    assert len(scanned.errors) == 1
    error = scanned.errors[0]
    assert error.path == FILE
    assert reason in error.reason
    assert "could not be read" in error.reason
    assert line is None or error.line == line
    assert lines(content) == found
    assert {item.confidence for item in scanned.findings} == {"low"}


def test_scan_file_keeps_guards_and_scopes_of_a_mended_file() -> None:
    found = findings(
        """
        import torch
        print 'x'
        class A:
            def f(self):
                if torch.cuda.is_available():
                    torch.cuda.synchronize()
                else:
                    print 'no GPU'
        """,
        "DEV007",
    )
    assert [(item.scope, item.guard) for item in found] == [("A.f", "guarded")]


@pytest.mark.parametrize("spoiled", ["print 'x'", ""])
def test_scan_file_of_python_2_keeps_the_handler_of_an_import(spoiled: str) -> None:
    found = findings(
        f"""
        {spoiled}
        try:
            import flash_attn
        except ImportError, e:
            flash_attn = None
        """,
        "FUS001",
    )
    assert [item.guard for item in found] == ["import-guarded"]


def test_scan_file_of_a_broken_file_tells_its_facts() -> None:
    scanned = result("import torch\nDEVICE = 'cuda'\nprint 'x'\n")
    assert scanned.facts.imports_torch
    assert "DEVICE" in dict(scanned.facts.exports)


@pytest.mark.parametrize(
    "content",
    [
        "(" * 50,
        ")" * 50,
        "'" * 7,
        '"""',
        "\\",
        "@",
        ":",
        "def",
        "class",
        "\t\t\t\tx",
        "x\\\n\\\n\\",
        "[{(" * 300,
        "else:\nelif x:\nexcept:\nfinally:\ncase x:\n",
        "é" * 300 + "=",
        "\x00",
        "match x:\n",
        "try:\n",
        "with (",
        "async",
        "f'{'",
        "f'{x'",
        "0x",
        "1__0",
        "print 'a'\n" * 500,
    ],
)
def test_scan_file_never_raises_and_always_says_so(content: str) -> None:
    scanned = result(content)
    assert scanned.path == FILE
    assert scanned.errors
    assert all(error.reason for error in scanned.errors)
    assert not any("please report" in error.reason for error in scanned.errors)


@pytest.mark.parametrize(
    "literal",
    [
        r"'\d'",
        r"b'\d'",
        r"f'\d{x}'",
        r"'\N{no such name}'",
        r"'\x'",
        r"'\u12'",
        "b'ü'",
        "1" * 5_000,
        "1" * 400 + ".0",
        "1e999",
        "0x" + "f" * 9_000,
        "1_0j",
    ],
    ids=lambda text: text[:8],
)
def test_scan_file_with_an_odd_literal_is_judged(literal: str) -> None:
    content = f"""import torch
x = {literal}
if x:
    {SYNC}
if x == {literal}:
    {SYNC}
torch.zeros(3).to({literal})
"""
    assert not any("please report" in error.reason for error in result(content).errors)
    assert lines(content) == [4, 6]


# --- large expressions ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "expression",
    [
        " + ".join(["a"] * 5_000),
        " and ".join(["a"] * 3_000),
        "[" + ", ".join(["[1, 2]"] * 1_000) + "]",
        "a" + ".b" * 1_000,
        "a" + "(1)" * 300,
        "a" + "[1]" * 300,
        "-" * 500 + "1",
        "not " * 500 + "a",
        "(" * 90 + "a" + ")" * 90,
        "[" * 90 + "a" + "]" * 90,
        "f(" * 90 + "a" + ")" * 90,
        " ".join(["'cuda'"] * 2_000),
        " if a else ".join(["a"] * 300),
        "lambda: " * 200 + "a",
    ],
    ids=lambda text: text[:8],
)
def test_scan_file_with_a_large_expression_is_quick_and_complete(expression: str) -> None:
    content = f"import torch\nx = {expression}\n{SYNC}\n"
    scanned = result(content)
    assert scanned.errors or lines(content) == [3]
    assert not any("please report" in error.reason for error in scanned.errors)


def test_scan_file_with_a_long_sum_is_judged() -> None:
    content = f"import torch\nx = {' + '.join(['a'] * 1_000)} + {SYNC}\n{SYNC}\n"
    assert not result(content).errors
    assert lines(content) == [2, 3]


def test_scan_file_with_a_sum_that_is_too_long_leaves_it_out() -> None:
    content = f"import torch\n{SYNC}\n\nx = {' + '.join(['a'] * 5_000)}\n{SYNC}\n"
    scanned = result(content)
    assert [(error.line, "nested too deeply" in error.reason) for error in scanned.errors] == [
        (4, True)
    ]
    assert lines(content) == [2, 5]
    assert {item.confidence for item in scanned.findings} == {"low"}


def test_scan_file_with_much_data_is_read_whole() -> None:
    triple = 3 * '"'
    rows = ", ".join(["(1.5, -2, a.b, 'c: (', f(x)[0])"] * 300)
    text = triple + "a + b (" * 2_000 + triple
    chain = ".a(1, 2)" * 100
    content = f"import torch\nx = [{rows}]\ny = {text}\nz = b{chain}\n{SYNC}\n"
    assert not result(content).errors
    assert lines(content) == [5]


def test_scan_file_with_deep_blocks_is_judged() -> None:
    blocks = "".join(f"{' ' * depth}if x:\n" for depth in range(80))
    content = f"import torch\n{blocks}{' ' * 80}{SYNC}\n"
    assert lines(content) == [82]


def test_scan_file_with_a_long_elif_chain_is_judged() -> None:
    chain = "".join(f"elif x == {number}:\n    {SYNC}\n" for number in range(300))
    assert len(lines(f"import torch\nif x:\n    pass\n{chain}")) == 300


def test_scan_file_with_an_endless_elif_chain_is_judged_and_said() -> None:
    bodies = (SYNC, "pass", "pass")  # so that the file does not have too many findings as well
    chain = "".join(f"elif x == {n}:\n    {bodies[n % 3]}\n" for n in range(9_000))
    scanned = result(f"import torch\nif x:\n    pass\n{chain}{SYNC}\n")
    (error,) = scanned.errors
    assert error.reason.startswith("more than 4,000 elif of one if, from line 2004 on")
    found = [item.span.line for item in scanned.findings if item.rule == "DEV007"]
    assert len(found) == 3_001
    assert {item.confidence for item in scanned.findings} == {"low"}


def test_scan_file_with_many_short_chains_is_read_whole() -> None:
    chains = "if x:\n    pass\nelif y:\n    pass\nelif z:\n    pass\n" * 2_500
    content = f"import torch\n{chains}{SYNC}\n"
    assert not result(content).errors
    assert len(lines(content)) == 1


def test_scan_file_with_a_line_of_data_leaves_it_out() -> None:
    content = f"import torch\nx = [{'1, ' * 400_000}]\n{SYNC}\n"
    scanned = result(content)
    (error,) = scanned.errors
    assert error.reason.startswith("line 2 is longer than 1,000,000 characters")
    assert lines(content) == [3]


@pytest.mark.parametrize("last", ["return x", "raise RuntimeError"])
def test_scan_file_with_calls_of_calls_without_end_is_judged(last: str) -> None:
    chain = "".join(f"def f{at}(x):\n    f{at + 1}(x)\n" for at in range(2_000))
    content = (
        f"import torch\n{chain}def f2000(x):\n    {last}\n"
        f"if torch.cuda.is_available():\n    {SYNC}\nelse:\n    f0(1)\n"
    )
    scanned = result(content)
    assert not scanned.errors
    assert lines(content) == [content.count("\n") - 2]


def test_scan_file_nested_too_deeply_says_so() -> None:
    content = f"import torch\nx = {'(' * 5_000}a{')' * 5_000}\n{SYNC}\n"
    scanned = result(content)
    assert [error.path for error in scanned.errors] == [FILE]
    assert "please report" not in scanned.errors[0].reason


@pytest.mark.parametrize(
    "inside",
    [
        f"{'(' * 20_000}a{')' * 20_000}",
        f"{'a + ' * 20_000}a",
        f"a:{'{a:' * 20_000}{'}' * 20_000}",
        f"{'[' * 20_000}a",
    ],
    ids=lambda text: text[:8],
)
@pytest.mark.parametrize("prefix", ["f", "Rf", "fr"])
def test_scan_file_nested_too_deeply_in_a_string_says_so(prefix: str, inside: str) -> None:
    content = f'import torch\nx = {prefix}"a {{{inside}}}"\n{SYNC}\n'
    scanned = result(content)
    assert [(error.line, "nested too deeply" in error.reason) for error in scanned.errors] == [
        (2, True)
    ]
    assert lines(content) == [3]


@pytest.mark.parametrize("inside", [f"{'(' * 20_000}a{')' * 20_000}", f"{'a | ' * 20_000}a"])
def test_scan_file_with_an_annotation_that_nobody_could_read_is_judged(inside: str) -> None:
    content = f'import torch\ndef f(x: "{inside}"):\n    x.to("cuda")\n    {SYNC}\n'
    assert not result(content).errors
    assert lines(content) == [4]


def test_scan_file_with_a_long_template_is_read_whole() -> None:
    text = "a-b.c {{ (x + {a.b}) / {c[0]} }} {{{{ {{ (" * 1_000
    content = f'import torch\nx = f"{text}"\n{SYNC}\n'
    assert not result(content).errors
    assert lines(content) == [3]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("print 1\n\\\nimport torch\n{}\n", 4),
        ("if a:\n    import torch\n\\\n    {}\nprint 1\n", 4),
        ("import torch\n  \\\n{}\nprint 1\n", 3),
        ("if a:\n  \\\n \\\n    import torch\n  {}\nprint 1\n", 5),
        ("a b\n\\\nimport torch\n{}\n  c\n", 4),
        ("import torch\n\r)\n{}\n", 4),
        ("import torch\r)\r{}\r", 3),
        ("import torch\n\r\f \\\n{}\r)\n", 4),
        ("def f():\n    import torch\n    \\\n{}\n    a b\n", 4),
    ],
)
def test_scan_file_with_damage_counts_all_lines(content: str, line: int) -> None:
    assert lines(content.format(SYNC)) == [line]


@pytest.mark.parametrize("rows", ["\f \\\n\r\f \\\n", "      \\\n", "\\\n"])
def test_scan_file_with_damage_has_columns_that_are_in_their_lines(rows: str) -> None:
    content = f"import torch\n{rows}{SYNC}\n)\n"
    found = [item.span for item in result(content).findings if item.rule == "DEV007"]
    assert found
    for span in found:
        assert 1 <= span.column <= span.end_column <= len(SYNC) + 1


@pytest.mark.parametrize("by_libcst", [False, True])
@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("\\\nimport torch\n{}\n", 3),
        ("import torch\n\\\n{}\n", 3),
        ("import torch\n\\\nif torch:\n    \\\n    \\\n    {}\n", 6),
    ],
)
def test_scan_file_with_a_backslash_before_a_statement_counts_it(
    content: str, line: int, *, by_libcst: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if by_libcst:
        monkeypatch.setattr(quick, "read", lambda _: None)
    assert not result(content.format(SYNC)).errors
    assert lines(content.format(SYNC)) == [line]


@pytest.mark.parametrize(
    "value", ["json.load(line)", "open(line)", "f(g(line), line)", "Path(line)"]
)
def test_scan_file_with_a_name_that_is_made_of_itself_is_judged(value: str) -> None:
    content = f"import torch, json\nline = {value}\ncfg.a = line\ncfg.update(line)\n{SYNC}\n"
    assert not result(content).errors
    assert lines(content) == [5]


def test_scan_file_with_a_long_name_that_is_no_module_is_judged() -> None:
    name = f"{'a' * 60}-b"
    content = f"import importlib, torch\nimportlib.import_module('{name}')\n{SYNC}\n"
    assert lines(content) == [3]


def test_scan_file_with_bytes_beside_text_leaves_them_out() -> None:
    content = f"import torch\n{SYNC}\nx = b'a' 'b'\n{SYNC}\n"
    assert [error.line for error in result(content).errors] == [3]
    assert lines(content) == [2, 4]


def test_scan_file_with_many_literals_is_quick() -> None:
    content = "import torch\n" + "".join(
        f"device{number} = 'cuda'\nx.to(device{number})\n" for number in range(500)
    )
    assert len(lines(content, "DST001")) == 500


# --- logical lines and mending -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb\n", ["a\n", "b\n"]),
        ("a", ["a"]),
        ("", []),
        ("f(\n1,\n)\nb\n", ["f(\n1,\n)\n", "b\n"]),
        ("x = '''\na\n'''\nb\n", ["x = '''\na\n'''\n", "b\n"]),
        ('x = """\n\\"""\n"""\nb', ['x = """\n\\"""\n"""\n', "b"]),
        ("a + \\\n b\nc\n", ["a + \\\n b\n", "c\n"]),
        ("a  # f(\nb\n", ["a  # f(\n", "b\n"]),
        ("'#'\nb", ["'#'\n", "b"]),
        ("f('(')\nb", ["f('(')\n", "b"]),
        ("[1, # ]\n2]\nb", ["[1, # ]\n2]\n", "b"]),
        ("f(\ndef g():\n", ["f(\n", "def g():\n"]),
        ("a)\nb", ["a)\n", "b"]),
        ("rb'\\'\\n'\nb", ["rb'\\'\\n'\n", "b"]),
        ("f'{x}'\nb", ["f'{x}'\n", "b"]),
    ],
)
def test_logical_lines_respect_brackets_and_strings(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in logical_lines(text)] == expected


def test_parse_keeps_the_lines_of_a_mended_file() -> None:
    parsed = parse(FILE, b"a = 1\nb = = 2\nc = 3\n")
    assert parsed.module.code == "a = 1\npass\nc = 3\n"
    assert parsed.text == "a = 1\nb = = 2\nc = 3\n"
    assert [(error.line, error.reason) for error in parsed.damage] == [
        (2, "syntax error on line 2; 1 statement(s) could not be read")
    ]


def test_parse_of_a_whole_file_has_no_damage() -> None:
    text = "a = 1\n\n\ndef f():\n    return a\n"
    parsed = parse(FILE, text.encode())
    assert (parsed.by_libcst("a.py").module.code, parsed.text, parsed.damage) == (text, text, ())
