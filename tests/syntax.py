# ruff: noqa: E501 - a snippet a line is easier to compare
"""Python in every shape, and where libcst says that its parts stand."""

from __future__ import annotations

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from portaudit.types import Span

SNIPPETS = {
    "simple": "a = f(1)\nb.c(d)\n",
    "semicolons": "a = 1; b = f(a); c = g(b, h(a))\n\n\nd(); e();\n",
    "decorators": "@a\n@b(1)\n# why\n@c.d\ndef f(x=g(1), *, y: h = i(2)) -> j:\n    return k(x)\n",
    "decorated class": "@a(1)\n\n\n@b\nclass C(D, e=f(1)):\n    @g\n    def h(self): return i(1)\n",
    "elif": "if a(1):\n    b(1)\nelif c(2):\n    d(2)\nelif e(3) and f(4):\n    g(3)\nelse:\n    h(4)\n",
    "elif one line": "if a(1): b(1)\nelif c(2): d(2)\nelse: e(3)\n",
    "while": "while a(1):\n    b(2)\n    if c(3): break\nelse:\n    d(4)\n",
    "for": "for a in b(1):\n    c(a)\nelse:\n    d(2)\nfor e in f(1): g(e)\n",
    "with": "with a(1) as b, c(2):\n    d(b)\nwith e(3): f(4)\nwith (\n    g(1) as h,\n    i(2),\n):\n    j(h)\n",
    "try": "try:\n    a(1)\nexcept b.c as d:\n    e(d)\nexcept (f, g(1)):\n    h(2)\nelse:\n    i(3)\nfinally:\n    j(4)\n",
    "try star": "try:\n    a(1)\nexcept* b:\n    c(2)\n",
    "match": "match a(1):\n    case b.c if d(2):\n        e(3)\n    case [1, f]:\n        g(4)\n    case _: h(5)\n",
    "suites": "if a(1): b(2); c(3)\ndef f(x=g(1)): return h(x); i(2)\nclass C: d = e(1); f = g(2)\n",
    "lambda": "a = lambda x, y=b(1): c(x)\n",
    "comprehension": "a = [b(c) for c in d(1) if e(c) for f in c if f]\ng = {h(i): j for i, j in k(1)}\n",
    "multi-line string": 'a = """\nb(1)\n""" + c(2)\nd(\n    """x\n  y""",\n    e(3),\n)\nf(4)\n',
    "docstring": '"""a\nb(1)\n"""\n\n\ndef f():\n    """x\n    y"""\n    return g(1)\n',
    "backslash": "a = b(1) + \\\n    c(2)\nassert d(3), \\\n  e(4)\nif f(5) and \\\n   g(6):\n    h(7)\n",
    "brackets": "a(\n    b(1),\n    # c(2)\n    *d(3),\n\n    e=f(4),\n)\ng[\n  h(1):i(2)\n] = {\n  j(1): k(2),\n}\n",
    "nested f-strings": "a = f'{b(1)} {c(2)!r:>{d(3)}} {f\"{e(4)}\"}'\nf(f'''\n{g(5)}\n''')\n",
    "concatenated": "a('x' f'{b(1)}'\n  'y' f'{c(2)}')\n",
    "comments": "# a(1)\nb(2)  # c(3)\n\n  # odd\nd(4)\nif e(5):  # f(6)\n    # g(7)\n    h(8)\n    # end\n# more\ni(9)\n",
    "blank lines": "\n\n\na(1)\n\n\n\nb(2)\n   \n\t\nc(3)\n\n",
    "no newline": "a(1)\nb(2)",
    "crlf": "a(1)\r\nif b(2):\r\n    c(3)\r\n    d = '''x\r\ny''' + e(4)\r\nf(5)\r\n",
    "cr": "a(1)\rif b(2):\r    c(3)\rd(4)\r",
    "tabs": "if a(1):\n\tb(2)\n\tif c(3):\n\t\td(4); e(5)\n",
    "odd indentation": "if a(1):\n b(2)\n if c(3):\n      d(4)\nelse:\n        e(5)\n",
    "form feed": "a(1)\n\f\nb(2)\n",
    "wide text": "a = 'ü', b(1)\nc('日本', d(2)); e('😀'); f(3)\n",
    "parentheses": "a = (b(1))\n(c(2)).d((e(3)))\nf((yield_) for yield_ in (g(4)))\n",
    "async": "async def a():\n    async with b(1) as c:\n        await d(2)\n    async for e in f(3):\n        g(e)\n    return [h async for h in i(4)]\n",
    "global": "def f():\n    global a\n    a = b(1)\n    nonlocal_ = 1\n    del a[c(2)]\n    raise d(3) from e(4)\n",
    "imports": "import a, b.c as d\nfrom e import (\n    f,\n    g as h,\n)\nfrom . import i\nfrom j import *\n",
    "annotations": "a: b = c(1)\nd: e\nself.f: g = h(2)\n",
    "operators": "a = -b(1) ** c(2) if not d(3) else e(4) < f(5) <= g(6)\nh += i(7)\n(j := k(8))\n",
    "subscripts": "a[b(1)][c(2):d(3), ...] = e[f(4)]\n",
    "pass in a text": "if a('x: pass'): b(1)\nif c(': pass'):\n    d(2)\nwhile e(3): pass\n",
    "type parameters": "def f[T](x: T) -> T: return g(x)\nclass A[T](b(1)): pass\ntype X[T] = h[T]\n",
    "nested functions": "def f():\n    def g():\n        @h(1)\n        def i(): return j(2)\n        return k(3)\n    return g\n",
    "line that is only a backslash": "a = \\\n\\\n b(1)\nc(2)\n",
    "bracket opened on the keyword": "if (a(1) and\n        b(2)):\n    c(3)\nelif (d(4)\n      or e(5)):\n    f(6)\n",
    "string with a hash": "a('#'); b(1)\nc('''\n# d(2)\n'''); e(3)\n",
    "raw string": "a(r'\\'); b(1)\nc(r'\\\\')\n".replace("r'\\')", "r'\\d')"),
    "dedent comment": "def f():\n    a(1)\n  # comment\n    b(2)\nc(3)\n",
    "empty class lines": "class A:\n\n    x = a(1)\n\n    # c\n\n    def f(self):\n\n        b(2)\n\n\nc(3)\n",
}


def printed(module: cst.Module) -> dict[cst.CSTNode, Span]:
    """Where libcst says that nodes stand."""
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    return {
        node: Span(at.start.line, at.start.column + 1, at.end.line, at.end.column + 1)
        for node, at in wrapper.resolve(PositionProvider).items()
    }
