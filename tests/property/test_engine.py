"""What must hold whatever the code is: identity under edits, termination, no failure of ours."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portaudit.types import FileResult, Finding
from snippets import FILE, findings, scan

scan("")  # raises the recursion limit, which hypothesis does not like to see in a test
CALM = settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    derandomize=True,
)

STATEMENTS = (
    "{torch}.cuda.synchronize()",
    "x = {torch}.zeros(3, device='cuda')",
    "x = x.cuda()",
    "device = 'cuda' if {torch}.cuda.is_available() else 'cpu'",
    "y = [{torch}.cuda.Event() for _ in range(3)]",
    "with {torch}.cuda.amp.autocast(): x = x + 1",
    "if {torch}.cuda.is_available(): {torch}.cuda.empty_cache()",
    "{torch}.backends.cudnn.benchmark = True",
    "x = 1",
    "print(x)",
)
IMPORTS = {
    "torch": "import torch",
    "th": "import torch as th",
    "t": "import torch; t = torch",
    "lib.torch": "import torch\nclass lib: torch = torch",
}
PADDING = ("", "\n", "# a comment", "# torch.cuda.synchronize()", "\n\n\n", "    # indented")


def program(body: list[str], name: str, padding: list[str], *, depth: int) -> str:
    """The statements in a function, with blank lines and comments between them."""
    lines = [IMPORTS[name], "def f(x=None):"]
    for number, statement in enumerate(body):
        lines.append(padding[number % len(padding)] if padding else "")
        lines.append(" " * depth + statement.format(torch=name))
    return "\n".join([*lines, " " * depth + "return x", ""])


def identity(text: str) -> list[tuple[str, str, str, str]]:
    return [(item.rule, item.scope, item.anchor, item.fingerprint) for item in findings(text)]


BODIES = st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=8)
PADDINGS = st.lists(st.sampled_from(PADDING), max_size=4)


@CALM
@given(BODIES, PADDINGS, st.sampled_from([1, 2, 4, 7]))
def test_fingerprints_are_unchanged_by_blank_lines_and_comments(
    body: list[str], padding: list[str], depth: int
) -> None:
    plain = program(body, "torch", [], depth=4)
    assert identity(program(body, "torch", padding, depth=depth)) == identity(plain)


@CALM
@given(BODIES, st.sampled_from(["th", "t"]))
def test_fingerprints_are_unchanged_by_import_aliasing(body: list[str], name: str) -> None:
    plain = program(body, "torch", [], depth=4)
    assert identity(program(body, name, [], depth=4)) == identity(plain)


@CALM
@given(BODIES)
def test_fingerprints_are_distinct(body: list[str]) -> None:
    found = [item.fingerprint for item in findings(program(body, "torch", [], depth=4))]
    assert len(set(found)) == len(found)


@CALM
@given(BODIES, st.data())
def test_fingerprints_of_others_survive_the_end_of_a_line(
    body: list[str], data: st.DataObject
) -> None:
    """Removing a statement changes the identities of its own kind only."""
    gone = data.draw(st.integers(0, len(body) - 1))
    left = [item for place, item in enumerate(body) if place != gone and item != body[gone]]
    kept = [item for item in body if item != body[gone]]
    assert identity(program(left, "torch", [], depth=4)) == identity(
        program(kept, "torch", [], depth=4)
    )
    before = {item[3] for item in identity(program(body, "torch", [], depth=4))}
    assert {item[3] for item in identity(program(kept, "torch", [], depth=4))} <= before


# --- the binder terminates -----------------------------------------------------------------------

NAMES = ("x", "y", "z", "w", "v", "torch")
EXPRESSIONS = st.recursive(
    st.sampled_from([*NAMES, "torch.cuda", "None", "'cuda'", "1"]),
    lambda inner: st.one_of(
        inner.map(lambda text: f"{text}.w" if text[-1] not in "1'" else text),
        inner.map(lambda text: f"{text}.cuda" if text[-1] not in "1'" else text),
        inner.map(lambda text: f"({text})()"),
        inner.map(lambda text: f"({text})['k']"),
        inner.map(lambda text: f"getattr({text}, 'cuda')"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} if {pair[1]} else {pair[0]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} or {pair[1]})"),
        st.tuples(inner, inner).map(
            lambda pair: (
                f"[{pair[0]} for {pair[0][0]} in {pair[1]}]" if pair[0][0].isalpha() else pair[0]
            )
        ),
        inner.map(lambda text: f"(lambda x=({text}): x)()"),
    ),
    max_leaves=4,
)
TARGETS = st.sampled_from([*NAMES, "x.w", "y.z", "self.w", "x['k']", "x, y", "x = y"])
LINES = st.one_of(
    st.tuples(TARGETS, EXPRESSIONS).map(lambda pair: f"{pair[0]} = {pair[1]}"),
    st.tuples(st.sampled_from(NAMES[:5]), EXPRESSIONS).map(
        lambda pair: f"def {pair[0]}(a=({pair[1]})): return {pair[1]}"
    ),
    st.tuples(st.sampled_from(NAMES[:5]), st.sampled_from(NAMES)).map(
        lambda pair: f"class {pair[0]}({pair[1]}): w = {pair[1]}"
    ),
    st.tuples(EXPRESSIONS, EXPRESSIONS).map(
        lambda pair: f"if {pair[0]}: x = {pair[1]}\nelse: y = {pair[0]}"
    ),
    EXPRESSIONS.map(lambda text: f"for z in {text}: z.synchronize()"),
    EXPRESSIONS.map(lambda text: f"with {text} as v: v.cuda()"),
    EXPRESSIONS.map(lambda text: f"while {text}: ({text}).cuda.synchronize()"),
    st.sampled_from(NAMES).map(lambda name: f"from .{FILE[:-3]} import {name}"),
    st.sampled_from(["global x", "import torch", "from torch import *", "del x", "import x as y"]),
)


@settings(CALM, max_examples=80)
@given(st.lists(LINES, min_size=1, max_size=25))
def test_binder_terminates_on_any_alias_graph(lines: list[str]) -> None:
    result = scan("\n".join(["import torch", *lines, ""]))[FILE]
    assert not any("please report" in error.reason for error in result.errors)


@pytest.mark.parametrize(
    "text",
    [
        "x = y; y = x; z = z.w\n",
        "x = x\nx = x.x\nx = x()\nx = x[x]\n",
        "def f(): return f\nx = f()()()\n",
        "def f(x=g()): return x\ndef g(): return f(f)\n",
        "class A(A): x = A.x\nA().x.y()\n",
        "class A(B): pass\nclass B(A): pass\nA().device.to(B().device)\n",
        "class A:\n    def __init__(self): self.x = self.x.x\n    x = x\n",
        "x = [x for x in x]\nfor x in x: x = x\n",
        "x, y = y, x\n(x, (y, z)) = z, (x, y)\n",
        "x = x if x else x\nif x: x = not x\n",
        "x = lambda: x()\nx()()\n",
        "f = functools.partial(f)\nf = getattr(f, 'f')\n",
        "with x as x: x = x\n",
        "if (x := x): pass\n",
        "x.y = x\nx.y.y.y = x.y\n",
        "x['k'] = x\nx['k']['k'] = x['k']\n",
        "@f\ndef f(): pass\n@f\nclass f(f): pass\n",
        "import x\nx = x.x\nfrom x import x\n",
        "args.device = args.device\nparser.add_argument('--device', default=args.device)\n",
        "x = f'{x}'\nx = x + x\nx = x % x\nx = x.format(x)\n",
    ],
)
def test_binder_terminates_on_cycles(text: str) -> None:
    result = scan(f"import torch, functools\n{text}torch.zeros(3, device=x).cuda()\n")[FILE]
    assert not result.errors


# --- any input -----------------------------------------------------------------------------------


@settings(CALM, max_examples=80)
@given(st.binary(max_size=200))
def test_scan_file_survives_any_bytes(content: bytes) -> None:
    check_result(scan({FILE: content})[FILE])


PIECES = st.sampled_from(
    [
        "import torch\n",
        "torch.cuda.synchronize()",
        "\n",
        "    ",
        "\t",
        "(",
        ")",
        "[",
        "{",
        "'",
        '"""',
        "#",
        "\\",
        ":",
        "def f",
        "class A",
        "if x",
        "else",
        "try",
        "except",
        "print 'x'",
        "=",
        ",",
        "@",
        "lambda",
        "\r\n",
        "\f",
        "f'{",
        "}'",
        "é",
        ";",
        "return",
        "x.cuda()",
        "async ",
        "match x",
        "case _",
    ]
)


@settings(CALM, max_examples=120)
@given(st.lists(PIECES, max_size=25))
def test_scan_file_survives_any_text(pieces: list[str]) -> None:
    check_result(scan({FILE: "".join(pieces).encode()})[FILE])


@CALM
@given(BODIES, st.integers(0, 200), st.sampled_from(["", ")", "'", "\n", "  ", "\\", "def "]))
def test_scan_file_survives_a_spoiled_program(body: list[str], cut: int, put: str) -> None:
    text = program(body, "torch", [], depth=4)
    check_result(scan({FILE: (text[:cut] + put + text[cut + 3 :]).encode()})[FILE])


def check_result(result: FileResult) -> None:
    assert result.path == FILE
    assert not any("please report" in error.reason for error in result.errors)
    for finding in result.findings:
        check_finding(finding)
    if result.errors:
        assert {item.confidence for item in result.findings} <= {"low"}


def check_finding(finding: Finding) -> None:
    span = finding.span
    assert 1 <= span.line <= span.end_line
    assert span.column >= 1
    assert (span.line, span.column) <= (span.end_line, span.end_column)
    assert finding.fingerprint.startswith("pa1:")
    assert (finding.guard_by is None) == (finding.guard == "none")
