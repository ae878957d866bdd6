"""Device and backend strings: from the one literal to everything it reaches."""

from __future__ import annotations

import pytest

from portaudit.relate.project import roots
from snippets import catalogue, check, findings, scan, the

# --- from the literal to its uses ----------------------------------------------------------------


def test_literal_counts_its_uses() -> None:
    check("""
    import torch
    device = "cuda"  # expect: DST001 uses=3
    x = torch.zeros(3, device=device)
    y = x.to(device)
    z = x.to(device=device)
    print(device)
    """)


def test_literal_used_in_place_has_no_further_uses() -> None:
    check("""
    import torch
    x = torch.zeros(3, device="cuda")  # expect: DST001 uses=0
    x.to("cuda")  # expect: DST001 uses=0
    """)


def test_literal_records_where_and_into_what_it_goes() -> None:
    finding = the(
        """
        import torch
        name = "cuda"
        x = torch.zeros(3, device=name)
        """,
        "DST001",
    )
    assert [(use.path, use.line, use.into) for use in finding.uses] == [
        ("snippet.py", 3, "torch.zeros")
    ]


def test_literal_through_a_device_object() -> None:
    check("""
    import torch
    device = torch.device("cuda")  # expect: DST001 uses=2
    x = torch.zeros(3).to(device)
    y = torch.zeros(3, device=device)
    """)


def test_literal_through_a_device_object_made_of_a_variable() -> None:
    check("""
    import torch
    name = "cuda"  # expect: DST001 uses=2
    device = torch.device(name)
    x = torch.zeros(3).to(device)
    """)


def test_literal_through_a_default_argument() -> None:
    check("""
    import torch
    def f(x, where="cuda"):  # expect: DST001 uses=1
        return x.to(where)
    def g(x, *, device: str = "cuda"):  # expect: DST001 uses=2
        y = torch.zeros(3, device=device)
        return x.to(device), y
    h = lambda x, device="cuda": x.to(device)  # expect: DST001 uses=1
    """)


def test_literal_through_an_attribute_of_self() -> None:
    check("""
    import torch
    class Trainer:
        def __init__(self):
            self.place = "cuda"  # expect: DST001 uses=2
        def f(self, x):
            return x.to(self.place)
        def g(self):
            return torch.zeros(3, device=self.place)
    """)


def test_literal_through_a_parameter_stored_on_self() -> None:
    check("""
    import torch
    class Trainer:
        def __init__(self, where="cuda"):  # expect: DST001 uses=2
            self.device = torch.device(where)
        def f(self, x):
            return x.to(self.device)
    """)


def test_literal_through_a_class_attribute() -> None:
    check("""
    import torch
    class Trainer:
        place = "cuda"  # expect: DST001 uses=2
        def f(self, x):
            return x.to(self.place)
    torch.zeros(3, device=Trainer.place)
    """)


def test_literal_through_a_property() -> None:
    check("""
    import torch
    class Trainer:
        @property
        def place(self):
            return "cuda"  # expect: DST001 uses=1
        def f(self, x):
            return x.to(self.place)
    """)


@pytest.mark.parametrize(
    "field",
    [
        'place: str = "cuda"',
        'place: str = field(default="cuda")',
        'place: str = dataclasses.field(default="cuda", metadata={"help": "cuda or cpu"})',
        'place: str = Field("cuda", description="cuda")',
        'place: str = Field(default="cuda")',
    ],
)
def test_literal_through_a_dataclass_field(field: str) -> None:
    check(f"""
    import dataclasses
    import torch
    from dataclasses import dataclass, field
    from pydantic import Field
    @dataclass
    class Config:
        {field}  # expect: DST001 uses=3
        def f(self, x):
            return x.to(self.place)
    def g(x, config: Config):
        return x.to(config.place)
    def h(x):
        config = Config()
        return x.to(config.place)
    """)


@pytest.mark.parametrize(
    ("declaration", "use"),
    [
        ('"--place", default="cuda"', "args.place"),
        ('"--place", type=str, default="cuda", help="cuda or cpu"', "args.place"),
        ('"-p", "--place", default="cuda", choices=["cuda", "cpu"]', "args.place"),
        ('"--where", dest="place", default="cuda"', "args.place"),
        ('"--my-place", default="cuda"', "args.my_place"),
        ('"--place", default="cuda"', 'getattr(args, "place")'),
    ],
)
def test_literal_through_argparse(declaration: str, use: str) -> None:
    check(f"""
    import argparse
    import torch
    parser = argparse.ArgumentParser()
    parser.add_argument({declaration})  # expect: DST001 uses=1
    args = parser.parse_args()
    torch.zeros(3).to({use})
    """)


def test_literal_through_argparse_in_another_function() -> None:
    check("""
    import argparse
    import torch
    def parse():
        parser = argparse.ArgumentParser()
        parser.add_argument("--place", default="cuda")  # expect: DST001 uses=2
        return parser.parse_args()
    def main(args):
        device = torch.device(args.place)
        torch.zeros(3, device=device)
    main(parse())
    """)


def test_literal_through_click_and_typer() -> None:
    check("""
    import click
    import torch
    @click.command()
    @click.option("--place", default="cuda", help="cuda or cpu")  # expect: DST001 uses=1
    def main(place):
        torch.zeros(3).to(place)
    """)
    check("""
    import torch
    import typer
    def main(place: str = typer.Option("cuda", help="cuda or cpu")):  # expect: DST001 uses=1
        torch.zeros(3).to(place)
    """)


def test_literal_through_a_dict() -> None:
    check("""
    import torch
    config = {"place": "cuda", "size": 3}  # expect: DST001 uses=1
    torch.zeros(3).to(config["place"])
    options = dict(device="cuda")  # expect: DST001
    torch.zeros(3, **{"device": "cuda"})  # expect: DST001
    config["other"] = "cuda"  # expect: DST001 uses=1
    torch.zeros(3).to(config["other"])
    """)


def test_literal_as_the_default_of_a_look_up() -> None:
    check("""
    import os
    import torch
    def f(config, kwargs, x):
        x.to(config.get("place", "cuda"))  # expect: DST001
        device = kwargs.pop("device", "cuda")  # expect: DST001
        y = torch.device(os.environ.get("DEVICE", "cuda"))  # expect: DST001
        z = x.to(getattr(config, "device", "cuda"))  # expect: DST001
        return x.to(device), y, z
    """)


def test_literal_through_a_function_that_returns_it() -> None:
    check("""
    import torch
    def pick():
        return "cuda"  # expect: DST001 uses=2
    def pick_device():
        return torch.device("cuda")  # expect: DST001 uses=1
    torch.zeros(3).to(pick())
    torch.zeros(3, device=pick())
    torch.zeros(3, device=pick_device())
    """)


def test_literal_through_a_constant_of_another_file() -> None:
    check(
        {
            "config.py": 'PLACE = "cuda"  # expect: DST001 uses=3\n',
            "a.py": "import torch\nfrom config import PLACE\ntorch.zeros(3, device=PLACE)",
            "b.py": "import torch\nimport config\ntorch.zeros(3).to(config.PLACE)",
            "c.py": "import torch\nfrom config import PLACE as P\nD = P\ntorch.zeros(3).to(D)",
        }
    )


def test_literal_through_a_re_export_counts_its_uses() -> None:
    check(
        {
            "pkg/__init__.py": "from .defaults import *",
            "pkg/defaults.py": "from ._low import PLACE",
            "pkg/_low.py": 'PLACE = "cuda"  # expect: DST001 uses=1',
            "train.py": "import torch\nfrom pkg import PLACE\ntorch.zeros(3, device=PLACE)",
        }
    )


def test_literal_through_a_device_of_another_file() -> None:
    check(
        {
            "config.py": 'import torch\nDEVICE = torch.device("cuda")  # expect: DST001 uses=1\n',
            "train.py": "import torch\nfrom config import DEVICE\ntorch.zeros(3, device=DEVICE)",
        }
    )


def test_literal_through_a_function_of_another_file() -> None:
    check(
        {
            "config.py": 'def pick(): return "cuda"  # expect: DST001 uses=1\n',
            "train.py": "import torch\nfrom config import pick\ntorch.zeros(3, device=pick())",
        }
    )


def test_literal_through_a_field_of_a_class_of_another_file() -> None:
    check(
        {
            "pkg/__init__.py": "from .config import Config",
            "pkg/config.py": """
        from dataclasses import dataclass
        @dataclass
        class Config:
            place: str = "cuda"  # expect: DST001 uses=3
        """,
            "train.py": """
        import torch
        from pkg import Config
        def f(x, config: Config):
            return x.to(config.place)
        def g(x):
            config = Config()
            return x.to(config.place)
        torch.zeros(3, device=Config.place)
        """,
        }
    )


@pytest.mark.parametrize(
    ("imported", "note"),
    [
        ("from config import Config", "Config"),
        ("from config import Config as C", "C"),
        ("from config import Config", "Config | None = None"),
        ("from config import Config", "Optional[Config] = None"),
        ("from config import Config", "typing.Union[Config, dict]"),
        ("from config import Config", '"Config"'),
        ("from config import Config", 'Optional["Config"] = None'),
        ("import config", "config.Config"),
        ("import config as c", "Optional[c.Config] = None"),
    ],
)
def test_literal_through_the_annotation_of_a_parameter(imported: str, note: str) -> None:
    own = """
        class Config:
            place: str = "cuda"  # expect: DST001 uses={uses}
    """
    use = f"""
        import torch
        import typing
        from typing import Optional
        {imported}
        def f(x, settings: {note}):
            return x.to(settings.place)
    """
    check({"config.py": own.format(uses=1), "train.py": use})
    if imported == "from config import Config":
        body = use.replace(imported, own.format(uses=1).strip())
        check(body)


def test_literal_names_the_files_of_its_uses() -> None:
    finding = the(
        {
            "config.py": 'PLACE = "cuda"\n',
            "train.py": "import torch\nfrom config import PLACE\ntorch.zeros(3, device=PLACE)",
        },
        "DST001",
    )
    assert finding.path == "config.py"
    assert [(use.path, use.line) for use in finding.uses] == [("train.py", 3)]


def test_literal_used_by_others_is_certain_whatever_its_name() -> None:
    files = {
        "config.py": 'PLACE = "cuda"\n',
        "train.py": "import torch\nfrom config import PLACE\ntorch.zeros(3, device=PLACE)",
    }
    unsure = the({"config.py": files["config.py"]}, "DST001")
    assert unsure.confidence != "high"
    assert the({"config.py": 'DEVICE = "cuda"\n'}, "DST001").confidence == "high"


# --- spelling ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "anchor"),
    [
        ('"cuda:0"', "cuda:0"),
        ("'cuda:0'", "cuda:0"),
        ('"cuda:" + str(i)', "cuda:*"),
        ('"cuda:%d" % i', "cuda:*"),
        ('"cuda:{}".format(i)', "cuda:*"),
        ('f"cuda:{i}"', "cuda:*"),
        ('f"cuda:{i % 8}"', "cuda:*"),
        ('"cuda" ":0"', "cuda:0"),
        ('"cuda" f":{i}"', "cuda:*"),
        ('r"cuda:0"', "cuda:0"),
        ('"""cuda:0"""', "cuda:0"),
        ('str("cuda:0")', "cuda:0"),
        ('"cuda:{:d}".format(i)', "cuda:*"),
        ('"cuda:0" if i else "cpu"', "cuda:0"),
        ('i or "cuda:0"', "cuda:0"),
        ('(n := "cuda:0")', "cuda:0"),
    ],
)
@pytest.mark.parametrize("sink", ["x.to({})", "torch.device({})", "torch.zeros(3, device={})"])
def test_literal_with_an_index(expression: str, anchor: str, sink: str) -> None:
    finding = the(f"import torch\ndef f(x, i):\n    return {sink.format(expression)}\n", "DST002")
    assert finding.anchor == anchor
    assert finding.confidence == "high"


def test_literal_with_an_index_through_a_variable() -> None:
    check("""
    import torch
    def f(x, rank):
        place = f"cuda:{rank}"  # expect: DST002 uses=1
        return x.to(place)
    def g(x, rank):
        base = "cuda"  # expect: DST001 uses=1
        return x.to(f"{base}:{rank}")
    def h(x, rank):
        base = "cuda:"  # expect: DST002 uses=1
        return x.to(base + str(rank))
    """)


def test_literal_bytes_and_other_words_are_silent() -> None:
    check("""
    import torch
    def f(x):
        x.to(b"cuda")
        x.to("cudax")
        x.to("CUDA")
        x.to("not cuda")
        x.to("cpu")
        x.to("meta")
        x.to(f"{x}cuda")
        x.to("cu" "da")  # expect: DST001
    """)


# --- several literals, one root ------------------------------------------------------------------


def test_literals_that_reach_one_variable_are_several_findings_of_one_root() -> None:
    found = findings(
        """
        import torch
        if fast:
            device = "cuda"
        else:
            device = torch.device("cuda")
        torch.zeros(3, device=device)
        other_device = "cuda"
        """,
        "DST001",
    )
    assert [item.span.line for item in found] == [3, 5, 7]
    assert found[0].root == found[1].root != found[2].root
    assert [len(item.uses) for item in found] == [1, 1, 0]
    causes = roots(found, catalogue())
    assert sorted(len(cause.findings) for cause in causes) == [1, 2]


def test_literals_of_the_same_name_in_other_scopes_have_other_roots() -> None:
    found = findings(
        """
        def f():
            device = "cuda"
        def g():
            device = "cuda"
        """,
        "DST001",
    )
    assert len({item.root for item in found}) == 2


def test_literals_in_a_conditional_expression_are_each_a_finding() -> None:
    check("""
    import torch
    def f(x, fast):
        device = "cuda" if fast else "cuda"  # expect: DST001, DST001
        return x.to(device)
    """)


# --- the availability idiom ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "expression",
    [
        '"cuda" if torch.cuda.is_available() else "cpu"',
        '"cpu" if not torch.cuda.is_available() else "cuda"',
        'torch.device("cuda" if torch.cuda.is_available() else "cpu")',
        'torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")',
        pytest.param(
            'torch.cuda.is_available() and "cuda" or "cpu"',
            marks=pytest.mark.xfail(reason="`and` and `or` are not read as a choice"),
        ),
        '("cuda" if torch.cuda.is_available() else "mps" if mps() else "cpu")',
        '"mps" if torch.xpu.is_available() else "cuda" if torch.cuda.is_available() else "cpu"',
    ],
)
def test_availability_idiom_is_one_finding(expression: str) -> None:
    found = findings(f"import torch\ndevice = {expression}\nx = torch.zeros(3, device=device)\n")
    assert [(item.rule, item.guard) for item in found] == [("DST001", "fallback")]
    assert found[0].effective_severity == "info"
    assert len(found[0].uses) == 1


def test_availability_idiom_in_statements() -> None:
    check("""
    import torch
    if torch.cuda.is_available():
        device = "cuda"  # expect: DST001 guard=fallback
    else:
        device = "cpu"
    place = torch.device("cpu")
    if torch.cuda.is_available():
        place = torch.device("cuda")  # expect: DST001 guard=fallback
    target = "cuda"  # expect: DST001 guard=fallback
    if not torch.cuda.is_available():
        target = "cpu"
    torch.zeros(3).to(device).to(place).to(target)
    """)


def test_availability_idiom_the_wrong_way_round_is_unguarded() -> None:
    check("""
    import torch
    device = "cpu" if torch.cuda.is_available() else "cuda"  # expect: DST001
    """)


def test_availability_idiom_in_a_function() -> None:
    check("""
    import torch
    def pick():
        if torch.cuda.is_available():
            return "cuda"  # expect: DST001 guard=fallback uses=1
        return "cpu"
    def pick_or_fail():
        if not torch.cuda.is_available():
            raise RuntimeError
        return "cuda"  # expect: DST001 guard=hard-fail
    torch.zeros(3, device=pick())
    """)


def test_availability_idiom_by_a_stored_check() -> None:
    check("""
    import torch
    use_cuda = torch.cuda.is_available()
    device = "cuda" if use_cuda else "cpu"  # expect: DST001 guard=fallback
    """)


def test_literal_that_replaces_nothing_is_unguarded() -> None:
    check("""
    import torch
    device = "cpu"
    device = "cuda"  # expect: DST001
    """)


# --- compared, asserted --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "test",
    [
        'device.type == "cuda"',
        '"cuda" == device.type',
        'device.type != "cuda"',
        'device.type in ("cuda", "xpu")',
        'device.type in ["cuda"]',
        '"cuda" in str(device)',
        'str(device).startswith("cuda")',
        'device == "cuda"',
        'device is "cuda"',
        'device == torch.device("cuda")',
        'torch.device("cuda") == device',
        'device.type == "cuda" and x',
        'x == {"cuda": 1}.get(device)',
        'backend == "nccl"',
        'backend != "nccl"',
    ],
)
@pytest.mark.parametrize("use", ["if {}: f()", "while {}: f()", "y = {}", "return {}", "print({})"])
def test_compared_literal_is_silent(test: str, use: str) -> None:
    check(f"""
    import torch
    def g(device, backend, x, f):
        {use.format(test)}
    """)


@pytest.mark.parametrize(
    "statement",
    [
        'assert device.type == "cuda"',
        'assert device.type == "cuda", "no GPU"',
        'assert device == "cuda" and x',
        'if device.type != "cuda": raise ValueError',
        'if not device.type == "cuda": raise ValueError',
        'if device.type == "cuda": pass\n        else: raise ValueError',
        'if device == torch.device("cuda"): pass\n        else: raise ValueError',
    ],
)
def test_compared_literal_that_must_hold_is_a_hard_fail(statement: str) -> None:
    check(f"""
    import torch
    def g(device, x):
        {statement.partition(chr(10))[0]}  # expect: DST001 guard=hard-fail
{statement.partition(chr(10))[2]}
    """)


@pytest.mark.parametrize(
    "statement",
    [
        'assert device.type != "cuda"',
        'assert device.type in ("cuda", "cpu")',
        'if device.type == "cuda": raise ValueError',
        'if device.type != "cuda": return x',
    ],
)
def test_compared_literal_that_need_not_hold_is_silent(statement: str) -> None:
    check(f"""
    import torch
    def g(device, x):
        {statement}
    """)


# --- where the word means nothing ----------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '# device = "cuda"',
        '"""device = "cuda" """',
        '"cuda"',
        'def f():\n    "cuda"',
        'class A:\n    """cuda"""',
        'print("cuda")',
        'print("device", "cuda")',
        'logger.info("cuda")',
        'logging.warning("cuda")',
        'warnings.warn("cuda")',
        'raise ValueError("cuda")',
        'x = ValueError("cuda")',
        'parser.add_argument("--device", help="cuda")',
        'parser.add_argument("cuda")',
        'parser.add_argument("--device", choices=["cuda", "cpu"])',
        'parser.add_argument("--cuda", action="store_true")',
        'ArgumentParser(description="cuda")',
        'click.option("--device", help="cuda")',
        'x = {"cuda": 1}',
        'x = {"cuda": 1, "cpu": 2}["cpu"]',
        'x["cuda"] = 1',
        'y = x["cuda"]',
        'y = x.get("cuda")',
        'y = x.pop("cuda", None)',
        'y = x.setdefault("cuda", 1)',
        'class Kind(Enum):\n    CUDA = "cuda"',
        'class Kind(str, enum.Enum):\n    CUDA = "cuda"\n    GPU: str = "cuda"',
        'def f(device: "cuda"): pass',
        'def f(x) -> "cuda": pass',
        'device: "cuda"',
        'device: Literal["cuda", "cpu"] = choose()',
        'Device = Literal["cuda", "cpu"]',
        '__all__ = ["cuda"]',
        '__all__ += ["cuda"]',
        '__slots__ = ("cuda",)',
        'getattr(x, "cuda")',
        'hasattr(x, "cuda")',
        'setattr(x, "cuda", 1)',
        'open("cuda")',
        'x.split("cuda")',
        'x.replace("cuda", "cpu")',
        'x.startswith("cuda")',
        '"cuda".upper()',
        '" ".join(["cuda"])',
        'Path("cuda")',
        'os.path.join("cuda", "x")',
        'm = import_module("cuda")',
        'T = TypeVar("cuda")',
        'getLogger("cuda")',
        'pytest.mark.skipif(x, reason="cuda")',
        'assert x, "cuda"',
        'del x["cuda"]',
        'for k in x["cuda"]: pass',
        'x = "cuda" "core"',
        'f"cuda is {x}"',
        'x = f"built with {x} cuda"',
    ],
)
def test_literal_without_a_device_meaning_is_silent(text: str) -> None:
    setup = (
        "import torch, enum, os, logging, warnings\nfrom enum import Enum\nfrom typing import *\n"
    )
    assert not findings(setup + text, "DST001", "DST002")


def test_literal_in_a_list_of_words_needs_a_device_name() -> None:
    check("""
    import torch
    words = ["cpu", "cuda"]
    places = ["cpu", "cuda"]  # expect: DST001 uses=1
    for place in places:
        torch.zeros(3).to(place)
    for device in ["cpu", "cuda"]:  # expect: DST001
        torch.zeros(3, device=device)
    """)


def test_literal_given_to_a_function_of_the_file() -> None:
    check("""
    import torch
    def move(x, where):
        return x.to(where)
    move(torch.zeros(3), "cuda")  # expect: DST001
    move(torch.zeros(3), where="cuda")  # expect: DST001
    """)


@pytest.mark.xfail(reason="an argument is not followed into the function that it is given to")
def test_literal_given_to_a_function_of_the_file_counts_its_uses() -> None:
    check("""
    import torch
    def move(x, where):
        return x.to(where)
    move(torch.zeros(3), "cuda")  # expect: DST001 uses=1
    """)


def test_literal_of_a_backend() -> None:
    check("""
    import torch.distributed as dist
    BACKEND = "nccl"  # expect: DIS001 uses=1
    dist.init_process_group(BACKEND)
    dist.init_process_group(backend="nccl")  # expect: DIS001
    print("nccl")
    if dist.get_backend() == "nccl":
        dist.barrier()
    """)


def test_literal_that_an_api_explains_is_told_by_the_api() -> None:
    found = findings("""
    import torch
    with torch.autocast("cuda"):
        pass
    with torch.autocast(device_type="cuda"):
        pass
    """)
    assert [item.rule for item in found] == ["AMP001", "AMP001"]


# --- facts that travel ---------------------------------------------------------------------------


def test_exports_tell_only_strings_that_some_rule_speaks_of() -> None:
    facts = scan('NAME = "adam"\nDEVICE = "cuda"\nSIZE = 3\n')["snippet.py"].facts
    assert [name for name, _ in facts.exports] == ["DEVICE"]


# --- lists that are computed ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        '[f"cuda:{i}" for i in range(2)]',
        '["cuda:%d" % i for i in range(2)]',
        '{f"cuda:{i}" for i in range(2)}',
        'list(f"cuda:{i}" for i in range(2))',
        'tuple([f"cuda:{i}" for i in range(2)])',
        '[f"cuda:{i}" for i in range(1 if torch.cuda.device_count() == 1 else 2)]',
    ],
)
def test_literal_in_a_comprehension(value: str) -> None:
    check(f"""
    import torch
    CUDA_DEVICES = {value}  # expect: DST002
    """)


def test_literal_in_a_comprehension_counts_its_uses() -> None:
    check("""
    import torch
    devices = [f"cuda:{i}" for i in range(2)]  # expect: DST002 uses=1
    for device in devices:
        torch.zeros(3, device=device)
    """)


def test_literal_in_a_comprehension_of_a_table() -> None:
    check("""
    import torch
    device_map = {name: "cuda" for name in names}  # expect: DST001
    sizes = {name: "cuda" for name in names}
    kinds = [name == "cuda" for name in names]
    files = [f"cuda:{i}" for i in range(2)]
    """)


# --- what is only compared, shown or imitated -----------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        'if getattr(args, "gpu_arch_type", "cuda") == "rocm": pass',
        'if "rocm" != os.environ.get("DEVICE", "cuda"): pass',
        'if args.get("device", "cuda") in ("rocm", "xpu"): pass',
        'if (getattr(args, "device", "cuda")) not in NAMES: pass',
        'print(getattr(args, "device", "cuda"))',
        "print(f\"on {getattr(args, 'device', 'cuda')}\")",
        "logger.info(f\"on {os.environ.get('DEVICE', 'cuda')}\")",
    ],
)
def test_default_that_is_only_compared_or_shown_is_silent(statement: str) -> None:
    check(f"import os\nimport torch\n{statement}\n")


@pytest.mark.parametrize(
    "statement",
    [
        'device = getattr(args, "device", "cuda")',
        'run(getattr(args, "device", "cuda"))',
        'x.to(os.environ.get("DEVICE", "cuda"))',
        'where = getattr(args, "device", "cuda").lower()',
    ],
)
def test_default_that_goes_on_is_a_finding(statement: str) -> None:
    check(f"import os\nimport torch\n{statement}  # expect: DST001\n")


@pytest.mark.parametrize(
    "literal", ['{"cuda", "xpu", "hpu"}', '("cuda", "xpu")', '["cuda"]', 'frozenset({"cuda"})']
)
def test_literal_in_a_collection_that_is_only_asked_is_silent(literal: str) -> None:
    check(f"""
    import torch
    _VRAM_DEVICE_TYPES = {literal}
    class Channel:
        GPU_DEVICES = {literal}
        def kind(self, device):
            if device.type in _VRAM_DEVICE_TYPES:
                return "VRAM"
            if device.type not in self.GPU_DEVICES:
                raise ValueError("not one of " + ", ".join(sorted(self.GPU_DEVICES)))
            raise ValueError(f"not one of {{_VRAM_DEVICE_TYPES}}")
    """)


@pytest.mark.parametrize(
    "use",
    [
        "for device in DEVICES: run(device)",
        "run(DEVICES)",
        "known: list[str] = DEVICES",
        "first = DEVICES[0]",
        "DEVICES += ['hpu']",
        "where = ','.join(DEVICES)",
        "",
    ],
)
def test_literal_in_a_collection_that_is_asked_and_more_is_a_finding(use: str) -> None:
    test = "device in DEVICES" if use else ""
    check(f"""
    import torch
    DEVICES = ["cuda", "xpu"]  # expect: DST001
    {test}
    {use}
    """)


@pytest.mark.parametrize(
    "statements",
    [
        'x.device.type = "cuda"',
        'x = MagicMock()\nx.device = "cuda"',
        'x = mock.Mock()\nx.where.device = "cuda"',
    ],
)
def test_literal_given_to_an_imitation_is_silent(statements: str) -> None:
    check(
        "import torch\nfrom unittest import mock\nfrom unittest.mock import MagicMock\n"
        f"{statements}\n"
    )


def test_literal_given_to_an_object_is_a_finding() -> None:
    check("""
    import torch
    config = Config()
    config.device = "cuda"  # expect: DST001
    config.device.name = "cuda"  # expect: DST001
    """)
