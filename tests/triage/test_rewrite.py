"""Comments written into files: accepted by them, nothing else changed."""

from __future__ import annotations

import ast
import json
import re
from textwrap import dedent

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portaudit.catalogue.select import named
from portaudit.kinds import kind_by_name
from portaudit.read.directives import directives
from portaudit.triage.rewrite import Rewritten, accept
from portaudit.triage.suppress import apply
from portaudit.types import FileResult, Finding, SourceFile
from snippets import catalogue, scan

REASON = "known, see #12"
COMMENT = re.compile(r"[ \t]*(?:#|//|<!--) portaudit: ignore\[[A-Z0-9,]+\] known, see #12(?: -->)?")


def source(content: bytes, path: str) -> SourceFile:
    kind = kind_by_name(path)
    assert kind
    return SourceFile(path, kind, content)


def result(content: bytes, path: str) -> FileResult:
    return scan({path: content})[path]


def left(content: bytes, path: str) -> tuple[list[Finding], list[str]]:
    """The findings that nothing accepts, and the notices."""
    rules = catalogue().rules
    found = result(content, path)
    judged, notices = apply(
        found.findings, found.directives, lambda word: named(rules, word), set(rules)
    )
    return [item for item in judged if not item.suppressed], [each.message for each in notices]


def written(content: bytes, path: str, *rules: str) -> Rewritten:
    found = [item for item in result(content, path).findings if not rules or item.rule in rules]
    assert found
    return accept(source(content, path), found, REASON)


def check(text: str | bytes, path: str) -> str:
    """Accept everything in a file: all is accepted, and only comments are new."""
    content = dedent(text).lstrip("\n").encode() if isinstance(text, str) else text
    new = written(content, path)
    assert new.refused == ()
    assert left(new.content, path) == ([], [])
    assert len(new.comments) == len(COMMENT.findall(new.content.decode("utf-8", "surrogateescape")))
    without_rows = re.sub(
        rf"(?m)^{COMMENT.pattern}(?:\r\n|\r|\n)", "", new.content.decode("utf-8", "surrogateescape")
    )
    assert COMMENT.sub("", without_rows).encode("utf-8", "surrogateescape") == content
    assert sorted(left(content, path)[0], key=_key) == sorted(
        (item for item in result(content, path).findings), key=_key
    )
    return new.content.decode("utf-8", "surrogateescape")


def _key(item: Finding) -> str:
    return item.fingerprint


def test_behind_the_statement_where_it_fits() -> None:
    text = check("import torch\ntorch.cuda.synchronize()\n", "a.py")
    assert text == (
        "import torch\ntorch.cuda.synchronize()  # portaudit: ignore[DEV007] known, see #12\n"
    )


def test_above_where_it_does_not() -> None:
    long = "a" * 60
    text = check(f"import torch\ndef f():\n\ttorch.cuda.synchronize(); {long} = 1\n", "a.py")
    assert text.split("\n")[2] == "\t# portaudit: ignore[DEV007] known, see #12"


@pytest.mark.parametrize(
    "body",
    [
        "x = torch.ones(\n    1,\n    device='cuda',\n)",
        "x = torch.ones(1).to( \\\n    'cuda')",
        "x = 1 + \\\n    torch.ones(1).cuda() + \\\n    2",
        "with torch.cuda.device(0), \\\n        open('a') as b:\n    pass",
        "with (\n    torch.cuda.device(0),\n    open('a') as b,\n):\n    pass",
        "x = '''\n{}'''.format(torch.ones(1).cuda())",
        "x = f'{torch.ones(1).cuda():{3}} {\"#\"}'",
        "if torch.ones(1).cuda() is None: pass",
        "if x is None:\n    pass\nelif torch.ones(1).cuda():\n    pass",
        "try:\n    pass\nexcept torch.cuda.OutOfMemoryError:\n    pass",
        "@torch.cuda.amp.autocast()\ndef g():\n    pass",
        "@torch.compile(\n    mode='x')\n# a\n@torch.cuda.amp.autocast(\n    True)\ndef g(): pass",
        "for _ in range(torch.cuda.device_count()):  # a comment\n    x = 1",
        "x = torch.ones(1).cuda(); y = 1  # noqa: E702",
        "x = [torch.ones(1).cuda(),  # first\n     torch.ones(2).cuda()]",
        "return torch.cuda.synchronize(), torch.ones(1).cuda(), 'cuda'",
        "assert torch.ones(1).cuda(), '''a\nb # portaudit: ignore[DEV008] no\n'''",
        "x = {\n    'device': torch.device('cuda'), # x\n    'b': '''c\n    d''',\n}",
        "lambda: torch.ones(1).cuda()",
        "class A(torch.nn.DataParallel): pass",
        "match torch.cuda.device_count():\n    case 1: torch.cuda.synchronize()",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_statements_of_python(body: str, end: str) -> None:
    inner = "".join(f"    {line}\n" for line in body.split("\n"))
    text = f"import torch\n\ndef f(x):\n{inner}".replace("\n", end)
    new = check(text.encode(), "a.py")
    assert ast.dump(ast.parse(new)) == ast.dump(ast.parse(text))


def test_the_bytes_stay_what_they_are() -> None:
    for content in (
        b"\xef\xbb\xbfimport torch\r\ntorch.cuda.synchronize()",
        b"# -*- coding: latin-1 -*-\nimport torch\ntorch.cuda.synchronize() # \xe9\n",
        b"import torch\n\x0ctorch.cuda.synchronize()\r\nx = 1\n",
    ):
        new = written(content, "a.py").content
        assert left(new, "a.py") == ([], [])
        assert re.sub(rb" +# portaudit: ignore\[DEV007\] known, see #12", b"", new) == content


def test_bytes_that_are_no_text_stay_what_they_are() -> None:
    content = b"# \xe3\x85\xff\nmodel:\n  attn_impl: triton  # \xb9\n"
    made = accept(source(content, "conf.yaml"), result(content, "conf.yaml").findings, REASON)
    assert made.content.startswith(b"# \xe3\x85\xff\nmodel:\n  ")
    assert b"  # portaudit: ignore[" in made.content or b"\n  # portaudit: ignore[" in made.content
    assert not left(made.content, "conf.yaml")[0]


def test_a_reason_that_the_encoding_lacks_is_refused() -> None:
    content = b"# -*- coding: latin-1 -*-\nimport torch\ntorch.cuda.synchronize() # \xe9\n"
    new = accept(source(content, "a.py"), result(content, "a.py").findings, "\u4e2d")
    assert new.content == content
    assert ["latin-1" in why or "iso" in why for _, why in new.refused] == [True]


def test_it_joins_a_comment_that_is_there() -> None:
    text = "import torch\nx = torch.ones(1, device='cuda').cuda()\n"
    first = written(text.encode(), "a.py", "DEV008").content
    second = written(first, "a.py", "DST001").content
    assert second.decode().count("portaudit") == 1
    assert left(second, "a.py") == ([], [])
    other = [item for item in result(first, "a.py").findings if item.rule == "DST001"]
    apart = accept(source(first, "a.py"), other, "another reason").content
    assert left(apart, "a.py") == ([], [])
    assert apart.decode().count("portaudit") == 2


def test_it_gives_a_comment_the_reason_that_it_lacks() -> None:
    text = b"import torch\ntorch.cuda.synchronize()  # portaudit: ignore[DEV007]\n"
    new = written(text, "a.py").content
    assert new == text[:-1] + b" known, see #12\n"


def test_two_statements_join_one_comment() -> None:
    text = (
        b"import torch\n# portaudit: ignore[DST001] known, see #12\n"
        b"@torch.cuda.amp.autocast()\ndef f(x=torch.ones(1).cuda(), d=torch.device('cuda')): pass\n"
    )
    new = written(text, "a.py", "AMP001", "DEV008").content
    assert left(new, "a.py") == ([], [])
    assert new == text.replace(b"[DST001]", b"[DST001,AMP001,DEV008]")


def test_code_in_strings_is_accepted_on_the_statement() -> None:
    text = """
    import torch
    from torch.utils.cpp_extension import load_inline
    m = load_inline(
        "m",
        cuda_sources='''
        #include <cuda_runtime.h>
        __global__ void scale(float* x) { x[0] = 1; }
        ''')
    """
    check(text, "a.py")


def test_python_that_does_not_parse() -> None:
    text = "import torch\ntorch.cuda.synchronize()\nprint 'a'\n"
    new = written(text.encode(), "a.py", "DEV007").content.decode()
    assert COMMENT.search(new.split("\n")[1])


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("run.sh", "export CUDA_VISIBLE_DEVICES=0\nnvidia-smi\n"),
        ("run.sh", "pip install \\\n  flash-attn \\\n  apex\n"),
        ("run.sh", "cat > b.sh <<EOF\nexport CUDA_VISIBLE_DEVICES=0\nnvidia-smi\nEOF\n"),
        ("run.sh", "if true; then\n\tnvidia-smi # see\nfi\n"),
        ("Dockerfile", "FROM nvidia/cuda:12.1.0-devel-ubuntu22.04\nENV NCCL_DEBUG=INFO\n"),
        (
            "Dockerfile",
            "FROM ubuntu\nRUN pip install a \\\n    # b\n    flash-attn \\\n  && nvidia-smi\n",
        ),
        (
            "Dockerfile",
            "# syntax=docker/dockerfile:1\nFROM ubuntu\nRUN <<EOF\n  pip install flash-attn\nEOF\n",
        ),
        ("Makefile", "NVCC = nvcc\nall:\n\tnvidia-smi\n\tpip install \\\n\t  flash-attn\n"),
        ("CMakeLists.txt", "find_package(CUDA REQUIRED)\nproject(a\n  LANGUAGES CXX CUDA)\n"),
        ("a.yaml", "a:\n  image: nvidia/cuda:12.1\n  env:\n    NCCL_DEBUG: INFO\n"),
        (
            ".github/workflows/a.yml",
            "jobs:\n a:\n  steps:\n   - run: |\n      nvidia-smi\n      pip install apex\n   - c\n",
        ),
        (
            ".github/workflows/a.yml",
            "jobs:\n  a:\n    steps:\n      - run: pip install\n          flash-attn\n",
        ),
        (
            "pyproject.toml",
            '[project]\nname = "a"\ndependencies = [\n  "flash-attn>=2",\n  "apex"\n]\n',
        ),
        (
            "setup.cfg",
            "[metadata]\nname = a\n[options]\ninstall_requires =\n    flash-attn\n    b\n",
        ),
        ("requirements.txt", "flash-attn==2.5 \\\n    --hash=sha256:aa\nxformers\nb\n"),
        ("main.tf", 'resource "aws_instance" "a" {\n  instance_type = "p4d.24xlarge"\n}\n'),
        ("README.md", "# a\n\n```sh\npip install flash-attn\n```\n"),
        (
            "k.cu",
            "#include <cuda_runtime.h>\n\n__global__ void scale(float* x) {\n  x[0] = 1;\n}\n",
        ),
        (
            "k.cu",
            "#define CALL(x) \\\n  cudaMalloc(&x, 1)\nint main() {\n  float* x; CALL(x);\n}\n",
        ),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_other_kinds(path: str, text: str, end: str) -> None:
    check(text.replace("\n", end).encode(), path)


def test_no_comment_in_a_recipe_is_shown_by_make() -> None:
    text = check("all:\n\tnvidia-smi\n", "Makefile")
    assert text.split("\n")[1].startswith("# portaudit")


def test_json_is_refused() -> None:
    content = b'{"fp16": {"enabled": true, "loss_scale": 0}, "zero_optimization": {"stage": 3}}\n'
    new = accept(source(content, "ds.json"), result(content, "ds.json").findings, REASON)
    assert new.content == content
    assert {why for _, why in new.refused} == {"its format has no comments"}


# --- notebooks ------------------------------------------------------------------------------------


def notebook(*cells: list[str] | str, indent: int | None = 1) -> bytes:
    whole = {"cells": [{"cell_type": "code", "source": each} for each in cells], "nbformat": 4}
    return (json.dumps(whole, indent=indent) + "\n").encode()


CELLS = (
    ["import torch\n", "x = torch.ones(\n", '  1, device="cuda"\n', ").cuda()"],
    ["if x:\n", f"\tx.cuda({'1, ' * 30})\n", "y = '\u00e9'\n"],
    ["!pip install \\\n", "  flash-attn\n", "%env NCCL_DEBUG=INFO\n"],
    ["%%bash\n", "nvidia-smi\n"],
    ["%%writefile k.cu\n", "__global__ void scale(float* x) { x[0] = 1; }\n"],
)


@pytest.mark.parametrize("indent", [1, 2, None])
def test_cells_of_notebooks(indent: int | None) -> None:
    content = notebook(*CELLS, indent=indent)
    new = written(content, "a.ipynb")
    assert new.refused == ()
    assert left(new.content, "a.ipynb") == ([], [])
    old, now = (json.loads(each)["cells"] for each in (content, new.content))
    for before, after in zip(old, now, strict=True):
        rows = [row for row in "".join(after["source"]).split("\n") if not COMMENT.fullmatch(row)]
        assert COMMENT.sub("", "\n".join(rows)) == "".join(before["source"])
    if indent:
        assert all(row.count("\n") <= 1 for cell in now for row in cell["source"])


def test_a_cell_that_is_one_string() -> None:
    content = notebook("import torch\nx = torch.ones(1).cuda()\n")
    new = written(content, "a.ipynb")
    assert left(new.content, "a.ipynb") == ([], [])
    assert b"cuda()  # portaudit: ignore[DEV008] known, see #12\\n" in new.content


def test_the_first_line_of_a_magic_cell_is_refused() -> None:
    content = notebook(["%%cu\n", "__global__ void scale(float* x) {}\n"])
    new = written(content, "a.ipynb")
    assert all(item.span.line for item, _ in new.refused)
    assert len(left(new.content, "a.ipynb")[0]) == len(new.refused)


# --- whatever the code is -------------------------------------------------------------------------

scan("")  # raises the recursion limit, which hypothesis does not like to see in a test
STATEMENTS = (
    "torch.cuda.synchronize()",
    "x = torch.zeros(3, device='cuda')",
    "x = torch.zeros(\n{0}    3, # a\n{0}    device='cuda')",
    "x = x.cuda() + \\\n{0}    1",
    "with torch.cuda.amp.autocast(): x = x + 1",
    "s = '''\n# portaudit: ignore[DEV007] no'''; torch.cuda.synchronize()",
    "s = f'''{{x.cuda()}}\n'''",
    "x = 1  # a comment",
    "if torch.cuda.is_available():\n{0}\ttorch.cuda.empty_cache()",
    "@torch.cuda.amp.autocast()\n{0}def g(): torch.cuda.synchronize()",
    "# portaudit: ignore[DST001] known, see #12\n{0}x = torch.zeros(3, device='cuda').cuda()",
)


@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    derandomize=True,
)
@given(
    st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=6),
    st.sampled_from(["    ", "\t", " "]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.data(),
)
def test_what_is_accepted_is_accepted_and_nothing_else_changes(
    body: list[str], indent: str, end: str, closed: bool, data: st.DataObject
) -> None:
    lines = ["import torch", "def f(x=None):", *(indent + each.format(indent) for each in body)]
    text = ("\n".join(lines) + "\n" * closed).replace("\n", end)
    content = text.encode()
    open_before, _ = left(content, "a.py")
    wanted = [item for item in open_before if data.draw(st.booleans())]
    new = accept(source(content, "a.py"), wanted, REASON)
    assert new.refused == ()
    assert ast.dump(ast.parse(text)) == ast.dump(ast.parse(new.content))
    open_after, notices = left(new.content, "a.py")
    assert notices == []
    after = {item.fingerprint for item in open_after}
    assert after.isdisjoint(item.fingerprint for item in wanted)
    statements = {(item.rule, item.lines) for item in wanted}
    beside = {item.fingerprint for item in open_before if (item.rule, item.lines) in statements}
    assert after == {item.fingerprint for item in open_before} - beside
    if not wanted:
        assert new.content == content
    assert all(each.reason for each in directives(source(new.content, "a.py")))
