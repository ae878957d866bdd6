"""Which code of a Python file waits for a setting, and what values files have for settings."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from textwrap import dedent

import pytest

from portaudit.catalogue import options as table
from portaudit.catalogue.load import Catalogue, load
from portaudit.catalogue.place import builtin_rules
from portaudit.errors import CatalogueError
from portaudit.kinds import kind_by_name
from portaudit.marks import BY_KEY, PARSED, POURED
from portaudit.scan import scan_file
from portaudit.types import CodeFacts, FileFacts, Option, SourceFile

HERE = "pkg/code.py"


@cache
def catalogue() -> Catalogue:
    return load()


def facts(source: str, path: str = HERE) -> FileFacts:
    content = dedent(source).lstrip("\n").encode()
    kind = kind_by_name(path)
    assert kind is not None
    file = SourceFile(path, kind, content, frozenset({"pkg"}))
    result = scan_file(file, catalogue(), "torchneuron")
    assert not result.errors, result.errors
    return result.facts


def code(source: str) -> CodeFacts:
    return facts(source).code


def told(source: str) -> list[str]:
    return [_shown(option) for option in waiting(source)]


def waiting(source: str) -> list[Option]:
    """The options of a file that are no classes or functions by themselves."""
    return [option for option in code(source).options if not option.defines]


def _shown(option: Option) -> str:
    first, last = option.lines
    where = f"{first}-{last}"
    if option.part:
        where = f"{option.part.line}:{option.part.column}-{option.part.end_column}"
    if option.guard != "none":
        return f"{where} {option.guard}{' if ' if option.name else ''}{option.name}"
    sign = "!=" if option.otherwise else "="
    name = f"[{option.name}]" if option.table else option.name
    by = f" by {option.by}" if option.by else ""
    made = " made" if option.made else ""
    return f"{where} {name}{sign}{'|'.join(option.values)}{by}{made}"


def settings(source: str, path: str = HERE) -> list[str]:
    return [
        f"{each.line} {each.name}={each.of and f'.{each.of}'}{each.value}"
        f"{'!' if each.given else ''}"
        for each in facts(source, path).settings
        if each.name not in {BY_KEY, PARSED} and each.of != POURED
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("p.add_argument('--fa', action='store_true')", {PARSED: "fa"}),
        ("@click.option('--fa', is_flag=True)\ndef main(fa): ...", {BY_KEY: "fa"}),
        ("getattr(args, 'fa', False)", {}),
        ("getattr(cfg, 'fa', False)", {BY_KEY: "fa"}),
        ("cfg['fa']\ncfg.get('fb')\nbatch['fc']", {BY_KEY: "fa fb"}),
        ("args.fa\ncfg.fb\nbatch.fc", {BY_KEY: "fb"}),
        ("opts = parser.parse_args()\nsaid = parse_args()\nopts.fa\nsaid.fb", {}),
        ("def f(fa=False, fb=2): ...", {BY_KEY: "fa fb"}),
    ],
)
def test_options_of_a_parser_are_told_from_what_has_keys(
    source: str, expected: dict[str, str]
) -> None:
    told = {each.name: each.spelled for each in facts(source).settings}
    assert {name: told[name] for name in (PARSED, BY_KEY) if name in told} == expected


# --- conditions -----------------------------------------------------------------------------------

CONDITIONS = {
    "attribute of a config": ("if cfg.use_flash:\n    go()", ["2-2 use_flash=true"]),
    "attribute of a part of it": ("if cfg.model.attn.fast:\n    go()", ["2-2 fast=true"]),
    "arguments of a program": ("if training_args.fp16:\n    go()", ["2-2 fp16=true"]),
    "not": ("if not args.plain:\n    go()", ["2-2 plain!=true"]),
    "a word": ('if args.attn == "flash":\n    go()', ["2-2 attn=flash"]),
    "a word the other way round": ('if "flash" == args.attn:\n    go()', ["2-2 attn=flash"]),
    "another word": ('if args.attn != "flash":\n    go()', ["2-2 attn!=flash"]),
    "one of": ('if args.attn in ("flash", "xla"):\n    go()', ["2-2 attn=flash|xla"]),
    "one of a set": ('if args.attn in {"a", "b"}:\n    go()', ["2-2 attn=a|b"]),
    "none of": ('if args.attn not in ["a", "b"]:\n    go()', ["2-2 attn!=a|b"]),
    "not one of": ('if not args.attn in ["a"]:\n    go()', ["2-2 attn!=a"]),
    "None": ("if cfg.moe is None:\n    go()", ["2-2 moe=null"]),
    "not None": ("if cfg.moe is not None:\n    go()", ["2-2 moe!=null"]),
    "equals None": ("if cfg.moe != None:\n    go()", ["2-2 moe!=null"]),
    "is True": ("if cfg.moe is True:\n    go()", ["2-2 moe=true"]),
    "is False": ("if cfg.moe is False:\n    go()", ["2-2 moe=false"]),
    "equals a number": ("if cfg.zero_stage == 3:\n    go()", ["2-2 zero_stage=3"]),
    "more than": ("if cfg.num_experts > 1:\n    go()", ["2-2 num_experts!=0|1"]),
    "at least": ("if cfg.num_experts >= 1:\n    go()", ["2-2 num_experts!=0"]),
    "less than tells nothing": ("if cfg.num_experts < 2:\n    go()", []),
    "and": (
        "if cfg.a and cfg.b:\n    go()",
        ["2-2 a=true", "2-2 b=true"],
    ),
    "and something unknown": ("if cfg.a and step() > 3:\n    go()", ["2-2 a=true"]),
    "or of one setting": (
        'if cfg.a == "x" or cfg.a == "y":\n    go()',
        ["2-2 a=x|y"],
    ),
    "or of two settings": ("if cfg.a or cfg.b:\n    go()", []),
    "neither": ("if not (cfg.a or cfg.b):\n    go()", ["2-2 a!=true", "2-2 b!=true"]),
    "not both": ("if not (cfg.a and cfg.b):\n    go()", []),
    "subscript": ('if cfg["use_flash"]:\n    go()', ["2-2 use_flash=true"]),
    "get": ('if cfg.get("use_flash", False):\n    go()', ["2-2 use_flash=true"]),
    "getattr": ('if getattr(cfg, "use_flash", False):\n    go()', ["2-2 use_flash=true"]),
    "keywords": (
        'def f(**kwargs):\n    if kwargs.pop("fused", False):\n        go()',
        ["3-3 fused=true"],
    ),
    "bool of it": ("if bool(cfg.a):\n    go()", ["2-2 a=true"]),
    "parameter": ("def f(x, fast=False):\n    if fast:\n        go()", ["3-3 fast=true"]),
    "parameter without default": (
        'def f(name):\n    if name == "x":\n        go()',
        ["3-3 name=x"],
    ),
    "parameter that may be missing": (
        "def f(mask=None):\n    if mask:\n        go()",
        ["3-3 f(mask=true"],
    ),
    "of what is decorated": ("@hook\ndef f(mask=None):\n    if mask:\n        go()", []),
    "parameter and None": ("def f(mask):\n    if mask is not None:\n        go()", []),
    "local name for it": (
        "def f(cfg):\n    fast = cfg.use_flash\n    if fast:\n        go()",
        ["4-4 use_flash=true"],
    ),
    "local name for a comparison": (
        'def f(cfg):\n    fast = cfg.attn == "flash"\n    if fast:\n        go()',
        ["4-4 attn=flash"],
    ),
    "changed local name": (
        "def f(cfg):\n    fast = cfg.fast\n    fast = look(fast)\n    if fast:\n        go()",
        [],
    ),
    "of a kernel": ("def f(x, EVEN=False):\n    if EVEN:\n        go()", []),
    "computed name": ("def f():\n    x = make()\n    if x:\n        go()", []),
    "call": ("if is_fast(cfg):\n    go()", []),
    "a tensor's": ("if x.grad is not None:\n    go(x)", []),
    "something's": ('if node.kind == "x":\n    go()', []),
    "training itself": (
        "class A:\n    def f(self):\n        if self.training:\n            go()",
        [],
    ),
    "walrus": ("if (x := cfg.fast):\n    go()", []),
    "library flag": (
        (
            "try:\n    import apex\n    HAS = True\nexcept ImportError:\n    HAS = False\n"
            "if HAS:\n    go()"
        ),
        ["7-7 guarded"],
    ),
    "device": ("import torch\nif torch.cuda.is_available():\n    go()", ["3-3 guarded"]),
    "device, otherwise": (
        "def f(x):\n    if x.is_cuda:\n        return fast(x)\n    return plain(x)",
        ["3-3 fallback"],
    ),
    "device in part of a condition": (
        "def f(x):\n    if x.is_cuda and load():\n        return fast(x)\n    return plain(x)",
        ["2:22-28 fallback", "3-3 fallback"],
    ),
    "device, and an error otherwise": (
        "def f(x):\n    if not x.is_cuda:\n        raise TypeError\n    return fast(x)",
        [],
    ),
    "device or else": ("def f(x):\n    if x.is_cuda or FORCE:\n        return fast(x)", []),
    "device and a setting": (
        "def f(x, args):\n    if x.is_cuda and args.fast:\n        return fast(x)\n    return 0",
        ["3-3 fallback", "3-3 fast=true"],
    ),
    "a module of the tree": (
        "try:\n    import ops_C\n    go()\nexcept ImportError:\n    pass",
        ["3-3 guarded if ops_C"],
    ),
    "an import that is not the first": (
        "try:\n    go()\n    import ops_C\n    go()\nexcept ImportError:\n    pass",
        [],
    ),
    "environment": ('import os\nif os.environ.get("FAST"):\n    go()', ["3-3 $FAST=true"]),
    "constant of a script": ("fast = False\nif fast:\n    go()", ["3-3 fast=true"]),
    "while": ("while cfg.a:\n    go()", []),
    "comprehension": ("x = [go() for i in y if cfg.a]", []),
    "nothing in it": ("if cfg.a:\n    pass", []),
    "only a value": ("def f(cfg, n):\n    if cfg.a:\n        n = 1", []),
    "an import in it": ("if cfg.a:\n    import pkg.ops", ["2-2 a=true"]),
    "a whole block": (
        "if cfg.a:\n    x = go(\n        1,\n    )\n    # said\n    y = 1\nz = 2",
        ["2-6 a=true"],
    ),
    "one line": ("if cfg.a: go()", ["1:11-15 a=true"]),
    "enum of the file": (
        "import enum\nclass A(enum.Enum):\n    FLASH = 'flash'\nif cfg.attn == A.FLASH:\n    go()",
        ["5-5 attn=FLASH|flash"],
    ),
    "enum of nowhere": ("from x import A\nif cfg.attn == A.FLASH:\n    go()", []),
    "another setting": ("if cfg.a == cfg.b:\n    go()", []),
    "in small letters": ('if cfg.a.lower() == "x":\n    go()', ["2-2 a=x"]),
    "one of several in small letters": (
        'def f(cfg):\n    kind = cfg.a.strip().lower()\n    if kind in ("x", "y"):\n        go()',
        ["4-4 a=x|y"],
    ),
    "otherwise changed": ('if cfg.a.replace("-", "") == "x":\n    go()', []),
    "a word in it": ('if "x" in cfg.a:\n    go()', ["2-2 a=*x*"]),
    "a word in what others may set": (
        'k = cfg.a.lower()\ndef f():\n    pass\nif "x" in k:\n    go()',
        [],
    ),
    "a key of what a function is given": (
        "def f(batch, cfg=None):\n    if 'x' in batch and 'x' in cfg:\n        go()",
        [],
    ),
    "a key of all settings": ("if 'x' in self.config or 'x' in trainer.cfg:\n    go()", []),
    "no word in it": ('if "x" not in cfg.a:\n    go()', ["2-2 a!=x"]),
    "how it begins": ('if cfg.a.startswith("x"):\n    go()', ["2-2 a=x*"]),
    "how it does not end": ('if not cfg.a.endswith(("x", "y")):\n    go()', ["2-2 a!=*x|*y"]),
    "how something begins": ("if cfg.a.startswith(x):\n    go()", []),
    "a part of it": ('if cfg.a.split("_")[0] == "x":\n    go()', ["2-2 a=*x*"]),
    "a member of what a function is given": (
        'def f(info=None):\n    if info["kind"] == "x" or info[0] == "y":\n        go()',
        [],
    ),
    "not a part of it": ('if cfg.a.split("_")[0] != "x":\n    go()', []),
    "no part, otherwise": (
        'if cfg.a.split("_")[0] == "x":\n    go()\nelse:\n    stop()',
        ["2-2 a=*x*"],
    ),
    "a name that becomes a part of what it was": (
        (
            "def f(cfg):\n    k = cfg.a.lower()\n    if 'w' in k:\n        go()\n"
            "    s = k.split('_')\n    k = s[-1]\n    if k == 'x':\n        go()\n"
            "    elif k == 'y':\n        go()"
        ),
        ["4-4 a=*w*", "8-8 a=*x*", "10-10 a=*y*"],
    ),
    "a name that becomes something else": (
        (
            "def f(cfg):\n    k = cfg.a.lower()\n    k = k.replace('w', 'x')\n"
            "    if k == 'x':\n        go()"
        ),
        [],
    ),
    "a name that is one of two": (
        "def f(cfg):\n    k = cfg.a\n    if c:\n        k = cfg.b\n    if k == 'x':\n        f()",
        [],
    ),
    "a word behind an option": (
        (
            "def f(args):\n    kind = None\n    for i, arg in enumerate(args):\n"
            "        if arg.startswith('--the-kind='):\n            kind = arg.split('=')[1]\n"
            "        elif arg == '--the-kind':\n            if i < 9:\n"
            "                kind = args[i + 1]\n    if kind == 'x':\n        go()"
        ),
        ["10-10 --the_kind=x"],
    ),
    "a word behind one of two options": (
        (
            "def f(args):\n    kind = None\n    for i, arg in enumerate(args):\n"
            "        if arg == '--kind':\n            kind = args[i + 1]\n"
            "        if arg == '--other':\n            kind = args[i + 1]\n"
            "    if kind == 'x':\n        go()"
        ),
        [],
    ),
    "a word behind an option, with another one else": (
        (
            "def f(args):\n    kind = 'x'\n    if args[0] == '--kind':\n"
            "        kind = args[1]\n    if kind == 'x':\n        go()"
        ),
        [],
    ),
    "what is made where there is an option": (
        (
            "def f(args):\n    kind = None\n    if '--kind' in args:\n        kind = find(args)\n"
            "    if kind == 'x':\n        go()"
        ),
        [],
    ),
    "in small letters, alone": ("if cfg.a.lower():\n    go()", []),
    "what a function looks up": (
        "def given(name):\n    return getattr(args, name, None)\nif given('a'):\n    go()",
        ["4-4 a=true"],
    ),
    "what a function looks up by keyword": (
        (
            "def given(args, name):\n    if args.quick and args[name]:\n        return True\n"
            "    return False\nif given(args, name='a'):\n    go()"
        ),
        ["6-6 a=true"],
    ),
    "what a function does not find": (
        "def given(name):\n    return getattr(args, name)\nif not given('a'):\n    go()",
        [],
    ),
    "what a function looks up elsewhere": (
        "def given(name):\n    return getattr(model, name)\nif given('a'):\n    go()",
        [],
    ),
    "what a function may find otherwise": (
        "def given(name):\n    return name in on or getattr(args, name)\nif given('a'):\n    go()",
        [],
    ),
    "what a coroutine looks up": (
        "async def given(name):\n    return getattr(args, name)\nif given('a'):\n    go()",
        [],
    ),
}


@pytest.mark.parametrize("case", CONDITIONS)
def test_a_block_under_a_setting_is_an_option(case: str) -> None:
    source, expected = CONDITIONS[case]
    assert told(source) == expected


ELSE = {
    "else": (
        "if cfg.a:\n    go()\nelse:\n    stay()",
        ["2-2 a=true", "4-4 a!=true"],
    ),
    "chain": (
        'if n.cfg.k == "a":\n    one()\nelif n.cfg.k == "b":\n    two()\nelse:\n    three()',
        ["2-2 k=a", "4-4 k=b", "6-6 k!=a|b"],
    ),
    "chain of two settings": (
        "if cfg.a:\n    one()\nelif cfg.b:\n    two()",
        ["2-2 a=true", "3-4 a!=true", "4-4 b=true"],
    ),
    "otherwise an error": (
        'if cfg.a == "x":\n    go()\nelse:\n    raise ValueError(cfg.a)',
        ["2-2 a=x", "4-4 a!=x"],
    ),
    "what must not be": (
        "if cfg.a is None:\n    raise ValueError(cfg)\nelse:\n    go()",
        ["2-2 a=null"],
    ),
    "expression": (
        "x = One() if cfg.a else Two()",
        ["1:5-10 a=true", "1:25-30 a!=true"],
    ),
    "expression over lines": (
        "x = go(\n    One()\n    if cfg.a\n    else Two()\n)",
        ["2:5-10 a=true", "4:10-15 a!=true"],
    ),
    "chain of short blocks": (
        'if cfg.k == "a": one()\nelif cfg.k == "b": two()\nelse: three()\nfour()',
        ["1:18-23 k=a", "2:20-25 k=b", "3:7-14 k!=a|b"],
    ),
    "match": (
        (
            'match cfg.k:\n    case "a":\n        one()\n    case "b" | "c":\n        two()\n'
            "    case _:\n        three()"
        ),
        ["3-3 k=a", "5-5 k=b|c"],
    ),
    "early return": (
        "def f(cfg):\n    if not cfg.a:\n        return\n    x = 1\n    go(x)\n\n\ndef g(): ...",
        ["4-5 a=true"],
    ),
    "early continue": (
        'for x in y:\n    if cfg.k == "a":\n        continue\n    go()\nend()',
        ["4-4 k!=a"],
    ),
    "two early returns": (
        (
            "def f(cfg):\n    if cfg.a:\n        return one()\n"
            "    if cfg.b:\n        return two()\n"
            "    return three()"
        ),
        ["3-3 a=true", "4-6 a!=true", "5-5 b=true", "6-6 b!=true"],
    ),
    "the rest of a demand is no option": (
        "def f(cfg):\n    if cfg.path is None:\n        raise ValueError\n    go()",
        ["3-3 path=null"],
    ),
    "the rest of a demand that leaves is no option": (
        "if not cfg.a:\n    print(cfg)\n    sys.exit(1)\ngo()",
        ["2-3 a!=true"],
    ),
    "otherwise the program leaves": (
        "if not args.a:\n    exit()\nelse:\n    go()",
        ["2-2 a!=true"],
    ),
    "a program that returns": (
        "def main(cfg):\n    if not cfg.a:\n        return show()\n    go()",
        ["3-3 a!=true"],
    ),
    "nested": (
        "if cfg.a:\n    if cfg.b:\n        go()",
        ["2-3 a=true", "3-3 b=true"],
    ),
    "in a function of it": (
        "if cfg.a:\n    def f():\n        go()",
        ["2-3 a=true"],
    ),
}


@pytest.mark.parametrize("case", ELSE)
def test_the_other_way_is_an_option_too(case: str) -> None:
    source, expected = ELSE[case]
    assert told(source) == expected


SELF = {
    "its argument": (
        (
            "class A:\n    def __init__(self, fast=False):\n        self.fast = fast\n"
            "    def f(self):\n        if self.fast:\n            go()"
        ),
        ["6-6 fast=true"],
    ),
    "a setting of another name": (
        (
            "class A:\n    def __init__(self, cfg):\n        self.fast = cfg.use_flash\n"
            "    def f(self):\n        if self.fast:\n            go()"
        ),
        ["6-6 use_flash=true"],
    ),
    "two together": (
        (
            "class A:\n    def __init__(self, cfg):\n        self.fast = cfg.use_flash and HAVE\n"
            "    def f(self):\n        if self.fast:\n            go()"
        ),
        ["6-6 use_flash=true"],
    ),
    "inherited": (
        "class A(B):\n    def f(self):\n        if self.fast:\n            go()",
        ["4-4 fast=true"],
    ),
    "inherited, and perhaps None": (
        "class A(B):\n    def f(self):\n        if self.bias is not None:\n            go()",
        [],
    ),
    "made": (
        (
            "class A:\n    def __init__(self):\n        self.proj = make()\n"
            "    def f(self):\n        if self.proj:\n            go()"
        ),
        [],
    ),
    "module that may be missing": (
        (
            "class A:\n    def __init__(self, norm=None):\n        self.norm = norm\n"
            "    def f(self):\n        if self.norm is not None:\n            go()"
        ),
        [],
    ),
    "field": (
        (
            "class A:\n    fast: bool = False\n    def f(self):\n"
            "        if self.fast:\n            go()"
        ),
        ["5-5 fast=true"],
    ),
    "its config": (
        "class A:\n    def f(self):\n        if self.config.fast:\n            go()",
        ["4-4 fast=true"],
    ),
}


@pytest.mark.parametrize("case", SELF)
def test_attributes_of_an_object(case: str) -> None:
    source, expected = SELF[case]
    assert told(source) == expected


# --- tables ---------------------------------------------------------------------------------------

TABLES = {
    "of classes": (
        (
            'from pkg.ops import Flash, Plain\nATTN = {\n    "flash": Flash,\n'
            '    "plain": Plain,\n}\n'
            "x = ATTN[config.attn_impl]()"
        ),
        ["3-3 [ATTN]=flash by attn_impl", "4-4 [ATTN]=plain by attn_impl"],
    ),
    "asked by get": (
        (
            'from pkg.ops import Flash, Plain\nATTN = {\n    "a": Flash,\n    "b": Plain,\n}\n'
            "def f(cfg):\n    return ATTN.get(cfg.impl, Plain)"
        ),
        ["3-3 [ATTN]=a by impl", "4-4 [ATTN]=b by impl"],
    ),
    "asked by a parameter": (
        (
            'from pkg.ops import Flash, Plain\nATTN = {\n    "a": Flash,\n    "b": Plain,\n}\n'
            "def f(name):\n    return ATTN[name]"
        ),
        ["3-3 [ATTN]=a by f(0:name", "4-4 [ATTN]=b by f(0:name"],
    ),
    "of functions of a library": (
        'import torch.nn.functional as F\nACT = {\n    "relu": F.relu,\n    "gelu": F.gelu,\n}',
        ["3-3 [ACT]=relu", "4-4 [ACT]=gelu"],
    ),
    "of a class": (
        (
            "from pkg.ops import Flash, Plain\nclass A:\n    table = {\n"
            '        "a": Flash,\n        "b": Plain,\n    }'
        ),
        ["4-4 [table]=a by .", "5-5 [table]=b by ."],
    ),
    "with pairs": (
        'from pkg.ops import Flash, Plain\nT = {\n    "a": (Flash, 1),\n    "b": (Plain, 2),\n}',
        ["3-3 [T]=a", "4-4 [T]=b"],
    ),
    "with partial": (
        (
            "from functools import partial\nfrom pkg.ops import Flash, Plain\nT = {\n"
            '    "a": partial(Flash, x=1),\n    "b": lambda: Plain(),\n}'
        ),
        ["4-4 [T]=a", "5-5 [T]=b"],
    ),
    "in one line": (
        'from pkg.ops import Flash, Plain\nT = {"a": Flash, "b": Plain}',
        ["2:6-16 [T]=a", "2:18-28 [T]=b"],
    ),
    "asked where it stands": (
        (
            "from pkg.ops import Flash, Plain\ndef f(cfg):\n    return {\n"
            '        "a": Flash,\n        "b": Plain,\n    }[cfg.k]()'
        ),
        ["4-4 [f]=a by k", "5-5 [f]=b by k"],
    ),
    "a registry that builds": (
        (
            "MODELS = Registry()\n@MODELS.register_module()\nclass Net:\n    x = go()\n\n\n"
            "y = MODELS.build(cfg)"
        ),
        ["2-4 [MODELS]=Net by @"],
    ),
    "all are used": (
        (
            "from pkg.ops import Flash, Plain\nT = {\n"
            '    "a": Flash,\n    "b": Plain,\n}\nfor k, v in T.items():\n    v()'
        ),
        [],
    ),
    "given away": (
        'from pkg.ops import Flash, Plain\nT = {\n    "a": Flash,\n    "b": Plain,\n}\nuse(T)',
        [],
    ),
    "only its names are looked at": (
        (
            'from pkg.ops import Flash, Plain\nT = {\n    "a": Flash,\n    "b": Plain,\n}\n'
            'if x in T:\n    print(list(T.keys()), ", ".join(T))'
        ),
        ["3-3 [T]=a", "4-4 [T]=b"],
    ),
    "of values": ('T = {"a": 1, "b": "x"}', []),
    "of data": ("def f(a, b):\n    return {'a': a, 'b': b}", []),
    "of configs": (
        (
            'from pkg.ops import AConfig, BConfig\nT = {\n    "a": AConfig(n=int(3)),\n'
            '    "b": BConfig(x=AConfig()),\n}\nuse(T)'
        ),
        ["3-3 [T]=a by ? made", "4-4 [T]=b by ? made"],
    ),
    "a config by itself": (
        'T = {}\nT["a-b"] = TrainConfig(\n    model=lambda: Net(),\n)\nT["b"] = TrainConfig()',
        ["2-4 [T]=a-b made", "5-5 [T]=b made"],
    ),
    "configs that are asked for": (
        'T = {}\nT["a"] = TrainConfig()\nT["b"] = TrainConfig()\nx = T[cfg.kind]',
        ["2-2 [T]=a by kind made", "3-3 [T]=b by kind made"],
    ),
    "a config with something made": ('T = {}\nT["a"] = TrainConfig(model=Net())', []),
    "all configs are used": (
        'T = {}\nT["a"] = TrainConfig()\nfor x in T.values():\n    x.setup()',
        [],
    ),
    "a config that is used by name": (
        'T = {}\nT["a"] = TrainConfig()\nT["b"] = TrainConfig()\nx = T["a"]',
        ["3-3 [T]=b by =a made"],
    ),
    "configs for who reads the command line": (
        (
            'import tyro\nT = {}\nT["a"] = TrainConfig()\nT["b"] = TrainConfig()\nx = sort(T)\n'
            "y = tyro.cli(x)"
        ),
        ["3-3 [T]=a by $ ~x ~y made", "4-4 [T]=b by $ ~x ~y made"],
    ),
    "asked with something that nobody knows": (
        (
            "from pkg.ops import Flash, Plain\nimport os\n"
            'T = {\n    "a": Flash,\n    "b": Plain,\n}\n'
            'x = T[os.environ["KIND"]]'
        ),
        ["4-4 [T]=a by ?", "5-5 [T]=b by ?"],
    ),
    "asked with a derived key": (
        (
            'from pkg.ops import Flash, Plain\nT = {\n    "a": Flash,\n    "b": Plain,\n}\n'
            "x = T[cfg.kind.lower()]"
        ),
        ["3-3 [T]=a by ?", "4-4 [T]=b by ?"],
    ),
    "of what is made at once": (
        'from pkg.ops import Flash, Plain\nT = {"a": Flash(), "b": Plain()}',
        [],
    ),
    "one entry is none": ('from pkg.ops import Flash\nT = {"a": Flash}', []),
    "an entry by itself": (
        'from pkg.ops import Flash, Plain\nT = {}\nT["a"] = Flash\nT["b"] = Plain',
        ["3-3 [T]=a", "4-4 [T]=b"],
    ),
    "register with a name": (
        '@register("x")\ndef f():\n    go()',
        ["1-3 [register]=x"],
    ),
    "register module": (
        "@MODELS.register_module()\nclass Net(Base):\n    def f(self):\n        go()\n\n\nx = 1",
        ["1-4 [MODELS]=Net"],
    ),
    "register without call": ("@REG.register\nclass Net:\n    x = go()", ["1-3 [REG]=Net"]),
    "register under a name": (
        '@MODELS.register_module(name="N")\nclass Net:\n    x = go()',
        ["1-3 [MODELS]=N"],
    ),
    "register under two": (
        '@MODELS.register_module(name=["N", "M"])\nclass Net:\n    x = go()',
        ["1-3 [MODELS]=N|M"],
    ),
    "registry of another file": (
        (
            "from pkg.ops import MODELS\n@MODELS.register_module()\nclass Net:\n    x = go()\n\n\n"
            "y = MODELS.get(cfg.kind)"
        ),
        ["2-4 [MODELS]=Net by ^register_module kind"],
    ),
    "register call": (
        'from pkg.ops import Flash\nREG.register("x", Flash)',
        ["2-2 [REG]=x"],
    ),
    "register call with keyword": (
        'from pkg.ops import Flash\nREG.register("x", func=Flash)',
        ["2-2 [REG]=x"],
    ),
    "a buffer": (
        'class A:\n    def __init__(self, m):\n        self.register_buffer("m", m)',
        [],
    ),
    "of torch": (
        'import torch\n@torch.library.register_fake("a::b")\ndef f(x):\n    return go(x)',
        [],
    ),
}


@pytest.mark.parametrize("case", TABLES)
def test_an_entry_of_a_table_is_an_option(case: str) -> None:
    source, expected = TABLES[case]
    assert told(source) == expected


# --- words ----------------------------------------------------------------------------------------


def words(source: str) -> tuple[set[str], list[set[str]]]:
    found = code(source)
    options = [set(each.words.split()) for each in found.options if not each.defines]
    return set(found.words.split()), options


def test_words_of_an_option_are_those_that_only_it_uses() -> None:
    base, inside = words("if cfg.a:\n    both(one)\nelse:\n    both(two)\nrest()")
    assert inside == [{"both", "one"}, {"both", "two"}]
    assert base == {"cfg", "a", "rest"}


def test_a_word_that_is_used_outside_too_is_no_options() -> None:
    base, inside = words("if cfg.a:\n    go(x)\ngo()")
    assert base == {"cfg", "a", "go"}
    assert inside == [{"x"}]


def test_words_belong_to_the_innermost_option() -> None:
    source = "if cfg.a:\n    one()\n    if cfg.b:\n        two()\n        one()"
    base, inside = words(source)
    assert inside == [{"one", "b"}, {"one", "two"}]
    assert base == {"cfg", "a"}
    assert [each.within for each in code(source).options] == [-1, 0]


def test_parts_of_one_condition_are_within_each_other() -> None:
    found = code("if cfg.a and cfg.b:\n    go()").options
    assert [(each.name, each.within, each.words) for each in found] == [
        ("a", -1, ""),
        ("b", 0, "go"),
    ]


def test_a_compared_word_is_no_use_of_that_name() -> None:
    base, inside = words('if cfg.attn == "flash":\n    flash()')
    assert base == {"cfg", "attn"}
    assert inside == [{"flash"}]


def test_a_condition_in_an_expression_has_words() -> None:
    base, inside = words("x = One() if cfg.a else Two()")
    assert (base, inside) == ({"cfg", "a"}, [{"One"}, {"Two"}])


def test_an_entry_has_its_key_and_what_it_names() -> None:
    source = 'from pkg.ops import Flash, Plain\nT = {"flash": Flash, "plain": Plain}\nx = T[cfg.k]'
    base, inside = words(source)
    assert inside == [{"flash", "Flash"}, {"plain", "Plain"}]
    assert base == {"T", "cfg", "k"}


def test_a_registered_class_is_named_by_its_option_alone() -> None:
    source = """
        @MODELS.register_module()
        class Net(Base):
            def f(self):
                kernel()
    """
    found = code(source)
    assert "Net" not in found.words.split()
    assert "Net" not in found.offered.split()
    assert {"Net", "kernel"} <= set(found.options[0].words.split())


def test_a_registered_class_with_another_decorator_stays_offered() -> None:
    found = code("@app.hook\n@MODELS.register_module()\nclass Net:\n    x = go()")
    assert "Net" in found.offered.split()


def test_an_option_in_a_registered_class_is_within_it() -> None:
    source = """
        @MODELS.register_module()
        class Net:
            def f(self, cfg):
                if cfg.a:
                    kernel()
    """
    found = code(source).options
    assert [(each.name, each.within) for each in found] == [("MODELS", -1), ("a", 0)]
    assert found[1].words == "kernel"


def test_a_registered_class_in_an_option_is_within_that() -> None:
    source = "if cfg.a:\n    @MODELS.register_module()\n    class Net:\n        x = kernel()"
    found = code(source).options
    assert [(each.name, each.within) for each in found] == [("a", -1), ("MODELS", 0)]


def test_an_early_return_keeps_the_words_of_the_rest() -> None:
    found = code("def f(cfg):\n    if not cfg.a:\n        return\n    go()\nf(x)")
    assert [each.words for each in found.options] == ["a cfg", "go"]
    assert found.words == "f x"


def test_a_file_without_options_has_all_its_words() -> None:
    base, inside = words("import os\nif os.sep:\n    go(x)")
    assert not inside
    assert base == {"os", "sep", "go", "x"}


def test_an_option_shows_the_line_that_says_so() -> None:
    (found,) = waiting("def f(cfg):\n    if cfg.a:  # why\n        go()")
    assert (found.line, found.text) == (2, "if cfg.a:  # why")


# --- classes and functions ------------------------------------------------------------------------


def defined(source: str) -> dict[str, str]:
    """The words of a file: outside, under the empty name, and in what it defines."""
    found = code(source)
    return {"": found.words, **{each.name: each.words for each in found.options if each.defines}}


DEFINED = {
    "a function": ("def f():\n    x = go(1)", {"": "", "f": "go"}),
    "two of them": ("def f():\n    go()\ndef g():\n    go()", {"": "", "f": "go", "g": "go"}),
    "used outside too": ("def f():\n    go()\ngo()", {"": "go"}),
    "a method": ("class A:\n    def f(self):\n        go()", {"": "", "A": "go"}),
    "a function in a function": ("def f():\n    def g():\n        go()", {"": "", "f": "go"}),
    "a default": ("def f(x=go): ...", {"": "go"}),
    "an annotation": ("def f(x: Net): ...", {"": "", "f": "Net"}),
    "a decorator": ("@go\ndef f(): ...", {"": "go"}),
    "a base": ("class A(Base): ...", {"": "", "A": "Base"}),
    "a base that is made": ("class A(make(Base)): ...", {"": "Base make"}),
    "what a class names": ("class A:\n    x = Net", {"": "", "A": "Net"}),
    "what a class calls": ("class A:\n    x = make(Net)", {"": "Net make"}),
    "what a class does": ("class A:\n    if Net:\n        make()", {"": "Net make"}),
    "a field": (
        "class A:\n    x: T = field(default=None)",
        {"": "", "A": "T default field"},
    ),
    "a field that makes": (
        "class A:\n    x: T = field(default_factory=lambda: Net())",
        {"": "", "A": "Net T default_factory field"},
    ),
    "a decorator of a method": ("class A:\n    @go\n    def f(self): ...", {"": "go"}),
    "a name for a member of a class": (
        "class F(Base):\n    pass\nf = F.apply\ng = other.F",
        {"": "F other", "F": "Base", "f": "apply"},
    ),
    "the only use of a class": (
        "class F(Base):\n    pass\nf = F.apply",
        {"": "", "F": "Base", "f": "F apply"},
    ),
    "a name that may be another": (
        "class F(Base):\n    pass\nf = F.apply\nf = None",
        {"": "F None apply", "F": "Base"},
    ),
    "a name for what a class gives": (
        "class F(Base):\n    pass\nf = F().apply",
        {"": "F apply", "F": "Base"},
    ),
    "a name for another module's": ("from x import F\nf = F.apply", {"": "F apply"}),
    "a function called like what is built": (
        (
            "from torch.utils.cpp_extension import load\next = load('scale', [])\n"
            "def scale(x):\n    return ext.scale(x)"
        ),
        {"": "load", "scale": "ext x"},
    ),
    "what is built under its name": (
        "from torch.utils.cpp_extension import load\nscale = load('scale', [])",
        {"": "load scale"},
    ),
    "the program": (
        'if __name__ == "__main__":\n    go()',
        {"": "__main__ __name__", "__main__": "go"},
    ),
    "a class in the program": (
        'if __name__ == "__main__":\n    class A:\n        def f(self): go()\n',
        {"": "__main__ __name__", "A": "go", "__main__": ""},
    ),
}


@pytest.mark.parametrize("case", DEFINED)
def test_words_belong_to_what_is_defined(case: str) -> None:
    source, expected = DEFINED[case]
    assert defined(source) == expected


def test_an_option_in_a_function_is_within_it() -> None:
    source = "def f(cfg):\n    if cfg.a:\n        go()\n    else:\n        stay()\n"
    found = code(source).options
    assert [(each.name, each.defines, each.within) for each in found] == [
        ("f", True, -1),
        ("a", False, 0),
        ("a", False, 0),
    ]
    assert (found[0].lines, found[0].values, found[0].text) == ((1, 5), (), "")


def test_a_registered_class_is_no_definition_by_itself() -> None:
    found = code("@MODELS.register_module()\nclass Net(Base):\n    x = Part").options
    assert [(each.name, each.words) for each in found] == [
        ("MODELS", "Base MODELS Net Part register_module")
    ]


def test_a_function_may_have_the_name_of_a_setting() -> None:
    found = waiting("def fast(cfg):\n    if cfg.fast:\n        go()")
    assert [(each.name, each.values) for each in found] == [("fast", ("true",))]


# --- how tables are asked -------------------------------------------------------------------------

ASKS = {
    "with a setting": ("from pkg.ops import T\nx = T[cfg.kind]", {"T": "kind"}),
    "with two": (
        "from pkg.ops import T\nx = T[cfg.kind]\ny = T.get(cfg.other)",
        {"T": "kind other"},
    ),
    "only looked at": (
        "from pkg.ops import T\nassert x in T, f'{T.keys()}'\nprint(', '.join(T))",
        {"T": ""},
    ),
    "its own": ('T = {"a": 1}\nx = T[cfg.kind]\nT["b"] = 2', {"T": "kind"}),
    "with something else": ("from pkg.ops import T\nx = T[cfg.kind]\ny = T[go()]", {}),
    "by a written key": ('from pkg.ops import T\nx = T["a"]', {"T": "=a"}),
    "given away": ("from pkg.ops import T\nx = T[cfg.kind]\nuse(T)", {}),
    "all of it": ("from pkg.ops import T\nx = T[cfg.kind]\nfor y in T: go(y)", {}),
    "called": ("from pkg.ops import T\nx = T()", {}),
    "under another name": ("from pkg.ops import T as U\nx = U[cfg.kind]", {"T": "kind ~U"}),
    "of a module": ("import pkg\nx = pkg.T[cfg.kind]", {"T": "kind"}),
    "a loop over kinds": ('from pkg.ops import T\nx = [T[k] for k in ("a", "b")]', {"T": "=a =b"}),
    "a config": ("from pkg.ops import T\nx = T.build(cfg)", {"T": "@", "%T": ""}),
    "tables of a class": (
        (
            "class R:\n    t = {'nets': {}, 'rest': {}}\n\n    def register_net(self, name, net):\n"
            "        self.t['nets'][name] = net\n\n    def get_net(self, name):\n"
            "        return self.t['nets'][name]\n\n\nr = R()"
        ),
        {"[nets": "get_net(0:name", "^register_net": "[nets %R %r"},
    ),
    "tables of a class that are given away": (
        (
            "class R:\n    t = {'nets': {}}\n\n    def register_net(self, name, net):\n"
            "        self.t['nets'][name] = net\n\n    def all(self):\n        return self.t"
        ),
        {"^register_net": "?"},
    ),
    "a table of an object": (
        "from pkg.ops import r\nx = r.t['nets'].values()\ny = r.t['parts'][cfg.kind]",
        {"%r": "", "[parts": "kind", "t": "=nets =parts"},
    ),
    "an object that is given away": ("from pkg.ops import r\nx = r.get_net(1)\nuse(r)", {}),
    "joined text": ('from pkg.ops import T\nx = T[f"net_{cfg.kind}"]', {}),
    "a parameter that changes": (
        "from pkg.ops import T\ndef f(kind):\n    kind += '_x'\n    return T[kind]",
        {},
    ),
}


@pytest.mark.parametrize("case", ASKS)
def test_a_file_tells_how_it_asks_tables(case: str) -> None:
    source, expected = ASKS[case]
    assert dict(code(source).asks) == expected


# --- settings -------------------------------------------------------------------------------------

SETTINGS = {
    "store_true": ('p.add_argument("--use-flash", action="store_true")', ["1 use_flash=false"]),
    "store_false": (
        'p.add_argument("--no-flash", dest="flash", action="store_false")',
        ["1 flash=true"],
    ),
    "optional boolean": (
        'p.add_argument("--flash", action=argparse.BooleanOptionalAction, default=True)',
        ["1 flash=true"],
    ),
    "short and long": ('p.add_argument("-a", "--attn", default="sdpa")', ["1 attn=sdpa"]),
    "nothing in it": ('p.add_argument("--a", default="")', ['1 a=""']),
    "of configargparse": ('g.add("--attn", "-attn", default="sdpa")', ["1 attn=sdpa"]),
    "added to something else": (
        'g.add("--attn", item, default="sdpa")',
        ["1 default=sdpa!", "1 attn=!"],
    ),
    "one of several values": (
        "def f(cfg):\n    a = cfg.a\n    a = None\n    go(a=a)",
        ["4 a=null!"],
    ),
    "one of several that nobody knows": (
        "def f(cfg):\n    a = cfg.a\n    a = go()\n    go(a=a)",
        ["4 a=!"],
    ),
    "what a checkpoint keeps": ('x = {"optim": self.optim.state_dict()}', ["1 optim=<>!"]),
    "parts of a list": ("flags = [1] * 3\nflags[i] = 0", []),
    "keys of what may be one": ("flags = find()\nflags[i] = 0", ["2 *=0!"]),
    "words of an option": ("x = yaml.safe_load(args.parts)", ["1 *=.parts!"]),
    "what a file has": ("x = yaml.safe_load(parts)", ["1 *=.{}!"]),
    "number": ('p.add_argument("--n", type=int, default=-1)', ["1 n=-1"]),
    "no default": ('p.add_argument("--attn", type=str)', ["1 attn=null"]),
    "required": ('p.add_argument("--attn", required=True)', ["1 attn="]),
    "positional": ('p.add_argument("file")', ["1 file="]),
    "default computed": ('p.add_argument("--a", default=find())', ["1 a="]),
    "a list as default": ('p.add_argument("--a", default=[1])', ["1 a="]),
    "set_defaults": ("p.set_defaults(fast=True)", ["1 fast=true!"]),
    "click flag": ('@click.option("--fast", is_flag=True)\ndef f(fast): ...', ["1 fast=false"]),
    "click pair": ('@click.option("--fast/--no-fast")\ndef f(fast): ...', ["1 fast=false"]),
    "click default": (
        '@click.option("--attn", default="sdpa")\ndef f(attn): ...',
        ["1 attn=sdpa"],
    ),
    "typer": ('def f(fast: bool = typer.Option(False, "--fast")): ...', ["1 fast=false"]),
    "absl": ('flags.DEFINE_bool("fast", False, "Be fast.")', ["1 fast=false"]),
    "dataclass": (
        'class A:\n    fast: bool = False\n    attn: str = "sdpa"\n    n: int',
        ["2 fast=false", "3 attn=sdpa"],
    ),
    "field": (
        (
            "class A:\n    a: bool = field(default=False, metadata={})\n"
            "    b: list = field(default_factory=list)\n    c: int = Field(3, ge=1)"
        ),
        ["2 a=false", "3 b=", "4 c=3"],
    ),
    "None": ("@dataclass\nclass A:\n    moe: object = None", ["3 moe=null"]),
    "not there yet": (
        "class A:\n    x = None\n    def __init__(self):\n        self.y = None",
        ["2 x=", "4 y="],
    ),
    "set later": ("class A:\n    def use(self, fast):\n        self.fast = fast", ["3 fast=!"]),
    "set at an object": ("def use(model, fast):\n    model.fast = fast", ["2 fast=!"]),
    "a constant": ('KIND = "x"\nclass A:\n    a: str = KIND', ["1 KIND=x", "3 a=x"]),
    "a constant of another file": ("from x import K\nclass A:\n    a: str = K", ["3 a="]),
    "a constant in a field": (
        'K = "x"\nclass A:\n    a: str = field(default=K)',
        ["1 K=x", "3 a=x"],
    ),
    "a constant that changes": ('K = "x"\nK = go()\ndef f(a=K): ...', ["1 K=x", "2 K=!", "3 a="]),
    "a word in an Optional": ("class A:\n    a: Optional[str] = 'x-y'", ["2 a=x-y"]),
    "a sentence": ("class A:\n    a: str = 'some words here'", ["2 a="]),
    "a float": ("class A:\n    a: float = 1e-5", ["2 a=1e-05"]),
    "parameters": (
        "def f(x, a=False, *, b='w', c=None, d=go()): ...",
        ["1 a=false", "1 b=w", "1 c=null", "1 d="],
    ),
    "assigned": ("cfg.x = True", ["1 x=true!"]),
    "assigned deep": ("cfg.model.x = 2", ["1 x=2!"]),
    "assigned by key": ('cfg["x"] = "w"', ["1 x=w!"]),
    "assigned a call": ("cfg.x = go()", ["1 x=!"]),
    "assigned by setattr": ('setattr(cfg, "x", False)', ["1 x=false!"]),
    "changed in place": ("cfg.x += 1", ["1 x=!"]),
    "yacs": ("_C = CN()\n_C.MODEL = CN()\n_C.MODEL.FAST = False", ["2 MODEL=", "3 FAST=false"]),
    "keyword": ("Model(fast=True)", ["1 fast=true!"]),
    "keyword computed": ("Model(fast=x > 1)", ["1 fast=!"]),
    "keyword handed on": ("Model(fast=cfg.fast)", ["0 (fast=!"]),
    "keyword handed on twice": ("Model(fast=cfg.fast)\nNet(fast=cfg.fast)", ["0 (fast=!"]),
    "keyword handed on by get": (
        'Model(fast=cfg.get("fast", False))',
        ["0 (fast=!", "1 fast=false"],
    ),
    "keyword from a parameter": (
        "def f(fast):\n    Model(fast=fast)",
        ["0 (fast=!", "2 Model(fast=!"],
    ),
    "keyword from a local value": ("def f():\n    m = go()\n    Model(m=m)", ["3 m=!"]),
    "keyword from a local literal": (
        "def f():\n    fast = True\n    Model(fast=fast)",
        ["3 fast=true!"],
    ),
    "keyword from one of several values": (
        "def f():\n    x, m = go()\n    Model(m=m)",
        ["3 m=!"],
    ),
    "keyword of another name": ("Model(fast=cfg.use_flash)", ["1 fast=.use_flash!"]),
    "keyword of torch": ("from torch import nn\nnn.Linear(1, 2, bias=False)", []),
    "keyword of another library": (
        "from accelerate import Accelerator\nAccelerator(fp16=True)",
        ["2 fp16=true!"],
    ),
    "dict": ('x = dict(type="Net", fast=True)', ["1 type=Net!", "1 fast=true!"]),
    "entries": ('x = {"fast": True, "n": 3, "m": go()}', ["1 fast=true!", "1 n=3!", "1 m=!"]),
    "get with a default": ('x = cfg.get("fast", False)', ["1 fast=false"]),
    "getattr with a default": ('x = getattr(cfg, "fast", "w")', ["1 fast=w"]),
    "a variable with a default": ('import os\nx = os.environ.get("FAST", "0")', ["2 $FAST=0"]),
    "a variable without one": ('import os\nx = os.environ.get("FAST")', ["2 $FAST=null"]),
    "a variable of the launcher": ('import os\nx = os.environ.get("LOCAL_RANK", "0")', []),
    "a variable by a name that is given": (
        'import os\ndef f(name):\n    return os.getenv(name, "0") == "1"',
        [],
    ),
    "any variable is set": ("import os\nos.environ[key()] = go()", ["2 $*=!"]),
    "of an object": (
        (
            "class A:\n    def __init__(self, fast):\n        self.fast = fast\n"
            "        self.n = 3\n"
            "    def on(self):\n        self.n = 4"
        ),
        ["4 n=3", "6 n=4!"],
    ),
    "of an object, perhaps": (
        "class A:\n    def __init__(self, cfg):\n        if cfg:\n            self.n = 3",
        ["4 n=3!"],
    ),
    "of a script": ('fast = False\nattn = "x"\nbig = go()', ["1 fast=false", "2 attn=x"]),
    "told once in a line": (
        "Model(fast=True), Model(fast=True)\nModel(fast=True)\nModel(fast=False)",
        ["1 fast=true!", "2 fast=true!", "3 fast=false!"],
    ),
    "in several lines of a statement": (
        "many = [\n    Model(fast=True),\n    Model(fast=True),\n    Model(slow=True),\n]",
        ["1 fast=true!", "4 slow=true!"],
    ),
    "of another setting": ("Model(fast=cfg.model.quick)", ["1 fast=.quick!"]),
    "of another setting by a name": (
        "def f(cfg):\n    quick = cfg.quick\n    return Model(fast=quick)",
        ["3 fast=.quick!"],
    ),
    "of another setting, changed": ("Model(fast=not cfg.quick)", ["1 fast=!"]),
    "of an argument": (
        "def f(quick):\n    return Model(fast=quick)",
        ["2 fast=!", "2 Model(fast=!"],
    ),
    "of an attribute": (
        "class A:\n    def __init__(self, cfg):\n        self.fast = cfg.quick",
        ["3 fast=.quick!"],
    ),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_a_setting_has_a_value(case: str) -> None:
    source, expected = SETTINGS[case]
    assert settings(source) == expected


def test_a_config_of_assignments_gives_its_values() -> None:
    source = 'fp16 = True\nmodel = dict(type="Net")\n'
    assert settings(source, "configs/big.py") == ["1 fp16=true!", "2 model=!", "2 type=Net!"]


DOCUMENTS = {
    "conf/a.yaml": (
        "model:\n  use_flash: true\n  attn: xla\n  n: 3\n  moe:\n  path: ${x.y}\n  note: a b\n",
        [
            "1 model=!",
            "2 use_flash=true!",
            "3 attn=xla!",
            "4 n=3!",
            "5 moe=null!",
            "6 path=.y!",
            "7 note=!",
        ],
    ),
    "conf/a.json": (
        '{"fp16": {"enabled": false},\n "zero": 1e-05}',
        ["1 fp16=!", "1 enabled=false!", "2 zero=1e-05!"],
    ),
    "conf/a.toml": (
        '[training]\ncompile = false\nmode = "x"\n',
        ["1 training=!", "2 compile=false!", "3 mode=x!"],
    ),
    "conf/a.gin": (
        "Model.use_flash = True\nmodel/attn.kind = 'x'\nA.f = @g\n",
        ["1 use_flash=true!", "2 kind=x!", "3 f=g!"],
    ),
}


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_settings_file_gives_its_values(path: str) -> None:
    content, expected = DOCUMENTS[path]
    assert settings(content, path) == expected


@pytest.mark.parametrize("path", ["package.json", ".github/workflows/ci.yml", "docker-compose.yml"])
def test_what_sets_up_other_tools_has_no_settings(path: str) -> None:
    content = '{"use_flash": true}' if path.endswith("json") else "use_flash: true\n"
    assert settings(content, path) == []


def test_an_enormous_document_is_data() -> None:
    content = "use_flash: true\n" + "".join(f"key{n}: {n}\n" for n in range(20_000))
    assert settings(content, "conf/a.yaml") == []


# --- notebooks, words of the catalogue ------------------------------------------------------------


def test_a_notebook_has_options_at_its_own_lines() -> None:
    notebook = """{
 "cells": [
  {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": null,
   "source": [
    "fast = False\\n",
    "if cfg.a:\\n",
    "    go()"
   ]
  }
 ],
 "metadata": {}, "nbformat": 4, "nbformat_minor": 5
}
"""
    found = facts(notebook, "x.ipynb")
    assert [(each.lines, each.line) for each in found.code.options] == [((7, 7), 6)]
    assert [(each.name, each.line) for each in found.settings] == [(BY_KEY, 0), ("fast", 5)]


def test_the_table_of_words_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "options.toml"
    path.write_text((builtin_rules() / "_data" / "options.toml").read_text() + "\nother = 1\n")
    with pytest.raises(CatalogueError, match=r"options\.toml"):
        table.read(path)
    path.write_text("")
    with pytest.raises(CatalogueError, match=r"options\.toml"):
        table.read(path)
