from __future__ import annotations

import pytest

from snippets import check, findings

# --- environment variables -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test", "guard"),
    [
        ('os.environ.get("USE_FLASH", "0") == "1"', "guarded"),
        ('os.environ.get("USE_FLASH", "0") != "0"', "guarded"),
        ('os.environ.get("USE_FLASH", "0") in ("1", "true")', "guarded"),
        ('os.environ.get("USE_FLASH", "false").lower() == "true"', "guarded"),
        ('os.environ.get("USE_FLASH") == "1"', "guarded"),
        ('os.environ.get("USE_FLASH")', "guarded"),
        ('os.environ.get("USE_FLASH") is not None', "guarded"),
        ('os.environ.get("USE_FLASH", "")', "guarded"),
        ('os.environ.get("USE_FLASH", False)', "guarded"),
        ('int(os.environ.get("USE_FLASH", 0)) == 1', "guarded"),
        ('int(os.environ.get("USE_FLASH", "0")) > 0', "guarded"),
        ('bool(int(os.environ.get("USE_FLASH", "0")))', "guarded"),
        ('os.getenv("USE_FLASH", "0") == "1"', "guarded"),
        ('os.getenv("USE_FLASH")', "guarded"),
        ('getenv("USE_FLASH") == "1"', "guarded"),
        ('environ.get("USE_FLASH", "0") == "1"', "guarded"),
        ('"USE_FLASH" in os.environ', "guarded"),
        ('"USE_FLASH" in os.environ and ready', "guarded"),
        ('os.environ.get("USE_FLASH", "1") == "1"', "none"),
        ('os.environ.get("NO_FLASH", "0") == "0"', "none"),
        ('os.environ.get("NO_FLASH", "0") != "1"', "none"),
        ('not os.environ.get("NO_FLASH")', "none"),
        ('os.environ.get("NO_FLASH") is None', "none"),
        ('os.environ.get("USE_FLASH", "0")', "none"),  # a non-empty string is true
        ('bool(os.environ.get("USE_FLASH", "0"))', "none"),
        ('int(os.environ.get("USE_FLASH", 1))', "none"),
        ('os.getenv("USE_FLASH", "1") == "1"', "none"),
        ('"NO_FLASH" not in os.environ', "none"),
        ('not "NO_FLASH" in os.environ', "none"),
        ('os.environ.get("USE_FLASH", default) == "1"', "none"),
        ('os.environ["USE_FLASH"] == "1"', "none"),  # required: whoever runs it sets it
        ('"USE_FLASH" in os.environ or ready', "none"),
    ],
)
def test_option_guard_by_an_environment_variable(test: str, guard: str) -> None:
    check(f"""
    import os
    from os import environ, getenv
    import torch
    if {test}:
        torch.cuda.synchronize()  # expect: DEV007 guard={guard}
    """)


def test_option_guard_by_a_stored_environment_variable() -> None:
    check("""
    import os
    import torch
    USE_GPU = os.environ.get("USE_GPU", "0") == "1"
    if USE_GPU:
        torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    if not USE_GPU:
        torch.cuda.synchronize()  # expect: DEV007
    def f():
        return torch.cuda.synchronize() if USE_GPU else 0  # expect: DEV007 guard=guarded
    """)


def test_option_guard_by_an_environment_variable_of_another_module() -> None:
    check(
        {
            "flags.py": """
        import os
        USE_GPU = os.environ.get("USE_GPU", "0") == "1"
        USE_IT_ANYWAY = os.environ.get("USE_GPU", "1") == "1"
        """,
            "train.py": """
        import torch
        from flags import USE_GPU, USE_IT_ANYWAY
        if USE_GPU:
            torch.cuda.synchronize()  # expect: DEV007 guard=guarded
        if not USE_GPU:
            torch.cuda.synchronize()  # expect: DEV007
        if USE_IT_ANYWAY:
            torch.cuda.synchronize()  # expect: DEV007
        """,
        }
    )


@pytest.mark.parametrize(
    "test",
    [
        '"LOCAL_RANK" in os.environ',
        '"RANK" in os.environ and "WORLD_SIZE" in os.environ',
        'int(os.environ.get("WORLD_SIZE", 1)) > 1',
        'int(os.environ.get("LOCAL_RANK", "-1")) != -1',
        'os.environ.get("LOCAL_RANK") is not None',
        'os.getenv("MASTER_ADDR")',
        '"SLURM_PROCID" in os.environ',
    ],
)
def test_option_guard_by_what_a_launcher_sets_is_none(test: str) -> None:
    check(f"""
    import os
    import torch
    if {test}:
        torch.cuda.synchronize()  # expect: DEV007
    """)


# --- parameters ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("default", "guard"),
    [
        ("=False", "guarded"),
        (": bool = False", "guarded"),
        ('=""', "guarded"),
        ("=OFF", "guarded"),
        ("=True", "none"),
        ("=0", "none"),  # a quantity, no switch
        ("=1", "none"),
        ("", "none"),
        ("=None", "none"),  # None often stands for "find out"
        ("=unknown", "none"),
        ("=ON", "none"),
    ],
)
def test_option_guard_by_a_parameter(default: str, guard: str) -> None:
    check(f"""
    import torch
    OFF = False
    ON = True
    def wait(x, gpu{default}):
        if gpu:
            torch.cuda.synchronize()  # expect: DEV007 guard={guard}
    """)


def test_option_guard_by_a_keyword_only_parameter() -> None:
    check("""
    import torch
    def wait(x, *, gpu=False, host=False):
        if gpu:
            torch.cuda.synchronize()  # expect: DEV007 guard=guarded
        if not host:
            torch.cuda.synchronize()  # expect: DEV007
        if gpu or host:
            torch.cuda.synchronize()  # expect: DEV007 guard=guarded
        if gpu or x:
            torch.cuda.synchronize()  # expect: DEV007
    """)


def test_option_guard_by_a_parameter_with_else_is_a_fallback() -> None:
    check("""
    from flash_attn import flash_attn_func  # expect: FUS001
    def attend(q, use_flash=False):
        if use_flash:
            return flash_attn_func(q)  # expect: FUS001 guard=fallback
        return q
    def attend_by_default(q, use_flash=True):
        if use_flash:
            return flash_attn_func(q)  # expect: FUS001
        return q
    """)


def test_option_guard_by_a_parameter_that_is_asserted_is_a_hard_fail() -> None:
    check("""
    import torch
    def wait(gpu=False):
        if not gpu:
            raise NotImplementedError
        torch.cuda.synchronize()  # expect: DEV007 guard=hard-fail
    """)


@pytest.mark.parametrize(
    "call",
    [
        "wait(x, gpu=True)",
        "wait(x, True)",
        "wait(x, gpu=flag)",
        "wait(x, flag)",
        "later = functools.partial(wait, gpu=True)",
    ],
)
def test_option_guard_that_a_caller_turns_on_is_none(call: str) -> None:
    check(f"""
    import functools
    import torch
    def wait(x, gpu=False):
        if gpu:
            torch.cuda.synchronize()  # expect: DEV007
    def main(x, flag):
        {call}
    """)


@pytest.mark.parametrize(
    "call", ["wait(x)", "wait(x, gpu=False)", "wait(x, False)", "other(gpu=True)"]
)
def test_option_guard_that_no_caller_turns_on_is_guarded(call: str) -> None:
    check(f"""
    import torch
    def wait(x, gpu=False):
        if gpu:
            torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    def main(x, other):
        {call}
    """)


def test_option_guard_by_a_parameter_that_is_overwritten_is_none() -> None:
    check("""
    import torch
    def wait(x, gpu=False):
        gpu = x.is_big()
        if gpu:
            torch.cuda.synchronize()  # expect: DEV007
    """)


# --- the command line ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declaration", "test", "guard"),
    [
        ('"--gpu", action="store_true"', "args.gpu", "guarded"),
        ('"-g", "--gpu", action="store_true", help="on a GPU"', "args.gpu", "guarded"),
        ('"--use-gpu", action="store_true"', "args.use_gpu", "guarded"),
        ('"--fast", dest="gpu", action="store_true"', "args.gpu", "guarded"),
        ('"--gpu", type=bool, default=False', "args.gpu", "guarded"),
        ('"--gpu", default=None', "args.gpu", "guarded"),
        ('"--gpu", default=None', "args.gpu is not None", "guarded"),
        ('"--gpu"', "args.gpu", "guarded"),
        ('"--device", default="cpu"', 'args.device == "cuda"', "guarded"),
        ('"--impl", default="eager"', 'args.impl == "flash"', "guarded"),
        ('"--impl", default="eager"', 'args.impl in ("flash", "xformers")', "guarded"),
        ('"--gpu", action=argparse.BooleanOptionalAction, default=False', "args.gpu", "guarded"),
        ('"--gpu", action="store_true"', "not args.gpu", "none"),
        ('"--no-gpu", action="store_true"', "not args.no_gpu", "none"),
        ('"--no-gpu", dest="gpu", action="store_false"', "args.gpu", "none"),
        ('"--gpu", action="store_true", default=True', "args.gpu", "none"),
        ('"--gpu", type=bool, default=True', "args.gpu", "none"),
        ('"--gpu", type=int, default=0', "args.gpu", "none"),
        ('"--gpu", type=int, default=0', "args.gpu > 0", "none"),
        ('"--gpu", type=int, default=1', "args.gpu", "none"),
        ('"--gpu", default=unknown', "args.gpu", "none"),
        ('"--impl", default="flash"', 'args.impl == "flash"', "none"),
        ('"--impl", default="eager"', 'args.impl != "flash"', "none"),
        ('"gpu"', "args.gpu", "none"),  # a positional argument is always given
        ('"--gpu", required=True', "args.gpu", "none"),
        ('"--other", action="store_true"', "args.gpu", "none"),
        ('"--local-rank", type=int, default=-1', "args.local_rank != -1", "none"),
        ('"--world-size", type=int, default=1', "args.world_size > 1", "none"),
    ],
)
def test_option_guard_by_argparse(declaration: str, test: str, guard: str) -> None:
    check(f"""
    import argparse
    import torch
    parser = argparse.ArgumentParser()
    parser.add_argument({declaration})
    args = parser.parse_args()
    if {test}:
        torch.cuda.synchronize()  # expect: DEV007 guard={guard}
    """)


@pytest.mark.parametrize(
    "switch", ["parser.set_defaults(gpu=True)", "args.gpu = True", "args.gpu = decide()"]
)
def test_option_guard_by_argparse_that_the_file_turns_on_is_none(switch: str) -> None:
    check(f"""
    import argparse
    import torch
    parser = argparse.ArgumentParser()
    parser.add_argument("--gpu", action="store_true")
    args = parser.parse_args()
    {switch}
    if args.gpu:
        torch.cuda.synchronize()  # expect: DEV007
    """)


def test_option_guard_by_a_stored_option() -> None:
    check("""
    import argparse
    import torch
    parser = argparse.ArgumentParser()
    parser.add_argument("--no-cuda", action="store_true")
    parser.add_argument("--profile", action="store_true")
    args = parser.parse_args()
    use_cuda = not args.no_cuda and torch.cuda.is_available()
    wanted = not args.no_cuda
    profile = args.profile
    if use_cuda:
        torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    if wanted:
        torch.cuda.synchronize()  # expect: DEV007
    if profile:
        torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    """)


@pytest.mark.parametrize(
    ("option", "guard"),
    [
        ('@click.option("--gpu", is_flag=True)', "guarded"),
        ('@click.option("--gpu/--no-gpu", default=False)', "guarded"),
        ('@click.option("--gpu/--no-gpu", default=True)', "none"),
        ('@click.option("--gpu", is_flag=True, default=True)', "none"),
    ],
)
def test_option_guard_by_click(option: str, guard: str) -> None:
    check(f"""
    import click
    import torch
    @click.command()
    {option}
    def main(gpu):
        if gpu:
            torch.cuda.synchronize()  # expect: DEV007 guard={guard}
    """)


@pytest.mark.parametrize(
    ("default", "guard"),
    [
        ("typer.Option(False)", "guarded"),
        ('typer.Option(False, "--gpu", help="on a GPU")', "guarded"),
        ("typer.Option(default=False)", "guarded"),
        ("typer.Option(True)", "none"),
        ("typer.Option(...)", "none"),
    ],
)
def test_option_guard_by_typer(default: str, guard: str) -> None:
    check(f"""
    import torch
    import typer
    def main(gpu: bool = {default}):
        if gpu:
            torch.cuda.synchronize()  # expect: DEV007 guard={guard}
    """)


# --- fields and attributes -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "guard"),
    [
        ("gpu: bool = False", "guarded"),
        ("gpu: bool = field(default=False)", "guarded"),
        ('gpu: bool = field(default=False, metadata={"help": "on a GPU"})', "guarded"),
        ("gpu: bool = dataclasses.field(default=False)", "guarded"),
        ("gpu: bool = True", "none"),
        ("gpu: int = 0", "none"),  # a quantity, no switch
        ("gpu: bool = field(default=True)", "none"),
        ("gpu: bool = field(default_factory=decide)", "none"),
        ("gpu: bool", "none"),
    ],
)
def test_option_guard_by_a_dataclass_field(field: str, guard: str) -> None:
    check(f"""
    import dataclasses
    from dataclasses import dataclass, field
    import torch
    @dataclass
    class Config:
        {field}
        def wait(self):
            if self.gpu:
                torch.cuda.synchronize()  # expect: DEV007 guard={guard}
    def wait(config: Config):
        if config.gpu:
            torch.cuda.synchronize()  # expect: DEV007 guard={guard}
    def wait_now():
        config = Config()
        if config.gpu:
            torch.cuda.synchronize()  # expect: DEV007 guard={guard}
    """)


@pytest.mark.parametrize(
    "switch",
    [
        "config = Config(gpu=True)",
        "config = Config(True)",
        "config.gpu = True",
    ],
)
@pytest.mark.parametrize("default", ["False", "field(default=False)"])
def test_option_guard_by_a_field_that_the_file_turns_on_is_none(switch: str, default: str) -> None:
    check(f"""
    from dataclasses import dataclass, field
    import torch
    @dataclass
    class Config:
        gpu: bool = {default}
    def wait(config: Config):
        if config.gpu:
            torch.cuda.synchronize()  # expect: DEV007
    def main(config: Config):
        {switch}
        wait(config)
    """)


def test_option_guard_by_a_class_attribute() -> None:
    check("""
    import torch
    class Model:
        gpu = False
        host = True
        def wait(self):
            if self.gpu:
                torch.cuda.synchronize()  # expect: DEV007 guard=guarded
            if self.host:
                torch.cuda.synchronize()  # expect: DEV007
            if not self.gpu:
                torch.cuda.synchronize()  # expect: DEV007
    """)


def test_option_guard_by_an_attribute_from_a_parameter() -> None:
    check("""
    import torch
    class Model:
        def __init__(self, gpu=False, host=True, maybe=None):
            self.gpu = gpu
            self.host = host
            self.maybe = maybe
        def wait(self):
            if self.gpu:
                torch.cuda.synchronize()  # expect: DEV007 guard=guarded
            if self.host:
                torch.cuda.synchronize()  # expect: DEV007
            if self.maybe:
                torch.cuda.synchronize()  # expect: DEV007
    """)


@pytest.mark.parametrize("call", ["Model(gpu=True)", "Model(True)", "Model(gpu=decide())"])
def test_option_guard_by_an_attribute_that_a_caller_turns_on_is_none(call: str) -> None:
    check(f"""
    import torch
    class Model:
        def __init__(self, gpu=False):
            self.gpu = gpu
        def wait(self):
            if self.gpu:
                torch.cuda.synchronize()  # expect: DEV007
    model = {call}
    """)


def test_option_guard_by_an_attribute_that_is_turned_on_later_is_none() -> None:
    check("""
    import torch
    class Model:
        gpu = False
        def speed_up(self):
            self.gpu = True
        def wait(self):
            if self.gpu:
                torch.cuda.synchronize()  # expect: DEV007
    """)


def test_option_guard_by_an_attribute_that_a_subclass_turns_on_is_none() -> None:
    check("""
    import torch
    class Model:
        gpu = False
        host = False
        def wait(self):
            if self.gpu:
                torch.cuda.synchronize()  # expect: DEV007
            if self.host:
                torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    class Fast(Model):
        gpu = True
    class Other:
        host = True
    """)


def test_option_guard_by_a_field_of_another_module() -> None:
    check(
        {
            "config.py": """
        from dataclasses import dataclass
        @dataclass
        class Config:
            gpu: bool = False
            host: bool = True
        """,
            "train.py": """
        import torch
        from config import Config
        def wait(config: Config):
            if config.gpu:
                torch.cuda.synchronize()  # expect: DEV007 guard=guarded
            if not config.gpu:
                torch.cuda.synchronize()  # expect: DEV007
            if config.host:
                torch.cuda.synchronize()  # expect: DEV007
        """,
        }
    )


@pytest.mark.parametrize(
    ("field", "guard"),
    [
        ("gpu: bool = field(default=False)", "guarded"),
        ("gpu: bool | None = field(default=None)", "guarded"),
        ('gpu: bool = field(default=False, metadata={"help": "on a GPU"})', "guarded"),
        ("gpu: bool = dataclasses.field(default=False)", "guarded"),
        ("gpu: bool = field(default=True)", "none"),
        ("gpu: int = field(default=0)", "none"),  # a quantity, no switch
        ("gpu: int = field(default=8)", "none"),
        ("gpu: bool = field(default_factory=decide)", "none"),
        ("gpu: bool = field()", "none"),
        ("gpu: bool = decide(default=False)", "none"),
        ("gpu: bool", "none"),
    ],
)
@pytest.mark.parametrize("owner", ["Config", "Derived", "Deeper"])
def test_option_guard_by_a_dataclass_field_of_another_module(
    field: str, guard: str, owner: str
) -> None:
    check(
        {
            "config.py": f"""
        import dataclasses
        from dataclasses import dataclass, field
        @dataclass
        class Config:
            {field}
        @dataclass
        class Derived(Config):
            rate: float = 0.1
        @dataclass
        class Deeper(Derived):
            other: bool = True
        """,
            "train.py": f"""
        import torch
        from config import {owner}
        def wait(config: {owner}):
            if config.gpu:
                torch.cuda.synchronize()  # expect: DEV007 guard={guard}
            if not config.gpu:
                torch.cuda.synchronize()  # expect: DEV007
        """,
        }
    )


def test_option_guard_by_an_inherited_field_that_is_declared_again() -> None:
    check(
        {
            "config.py": """
        from dataclasses import dataclass, field
        @dataclass
        class Config:
            gpu: bool = field(default=False)
            host: bool = field(default=True)
        @dataclass
        class Derived(Config):
            gpu: bool = field(default=True)
            host: bool = field(default=False)
        class Unrelated:
            other: bool = False
        """,
            "train.py": """
        import torch
        from config import Derived, Unrelated
        def wait(config: Derived, other: Unrelated):
            if config.gpu:
                torch.cuda.synchronize()  # expect: DEV007
            if config.host:
                torch.cuda.synchronize()  # expect: DEV007 guard=guarded
            if other.gpu:
                torch.cuda.synchronize()  # expect: DEV007
        """,
        }
    )


@pytest.mark.parametrize(
    "switch", ["config.gpu = True", "config = Config(gpu=True)", "config = Config(True)"]
)
@pytest.mark.parametrize("place", ["config.py", "train.py"])
@pytest.mark.xfail(reason="what turns a field on is seen in the class's own file and for itself")
def test_option_guard_by_a_field_of_another_module_that_is_turned_on_is_none(
    switch: str, place: str
) -> None:
    turned_on = f"""
        def speed_up(config: Config):
            {switch}
            return config
    """
    check(
        {
            "config.py": """
        from dataclasses import dataclass, field
        @dataclass
        class Config:
            gpu: bool = field(default=False)
        """
            + (turned_on if place == "config.py" else ""),
            "train.py": """
        import torch
        from config import Config
        def wait(config: Config):
            if config.gpu:
                torch.cuda.synchronize()  # expect: DEV007
        """
            + (turned_on if place == "train.py" else ""),
        }
    )


def test_option_guard_by_keyword_arguments() -> None:
    check("""
    import torch
    def wait(x, **kwargs):
        if kwargs.get("gpu", False):
            torch.cuda.synchronize()  # expect: DEV007 guard=guarded
        if kwargs.pop("host", True):
            torch.cuda.synchronize()  # expect: DEV007
    """)


# --- constants -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "guard"),
    [("False", "guarded"), ("0", "guarded"), ("True", "none"), ("1", "none"), ("f()", "none")],
)
def test_option_guard_by_a_constant(value: str, guard: str) -> None:
    check(f"""
    import torch
    DEBUG = {value}
    if DEBUG:
        torch.cuda.synchronize()  # expect: DEV007 guard={guard}
    def f():
        if DEBUG:
            torch.cuda.synchronize()  # expect: DEV007 guard={guard}
    """)


def test_option_guard_by_a_constant_that_changes_is_none() -> None:
    check("""
    import torch
    DEBUG = False
    def enable():
        global DEBUG
        DEBUG = True
    def f():
        if DEBUG:
            torch.cuda.synchronize()  # expect: DEV007
    """)


# --- which flag it is -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test", "setting"),
    [
        ("args.use_flash", "use_flash"),
        ('os.environ.get("USE_FLASH")', "USE_FLASH"),
        ("args.use_flash and torch.cuda.is_available()", "use_flash"),
        ("torch.cuda.is_available()", ""),
        ("False", ""),
    ],
)
def test_the_proof_names_the_flag_that_switches_it_on(test: str, setting: str) -> None:
    files = f"""
    import argparse
    import os
    import torch
    parser = argparse.ArgumentParser()
    parser.add_argument("--use-flash", action="store_true")
    args = parser.parse_args()
    if {test}:
        torch.cuda.synchronize()
    """
    (finding,) = findings(files, "DEV007")
    assert finding.guard == "guarded"
    assert finding.guard_by is not None
    assert finding.guard_by.setting == setting
