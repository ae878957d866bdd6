"""Whole trees in which something may switch an option on: what waits for it must not be called off.

Each says in its own way that the fast attention of a model runs. The first few say that it does
not, so that a test which no longer tells options at all fails too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from portaudit.types import Finding
from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

ATTENTION = """
    import torch

    class Attention(torch.nn.Module):
        def __init__(self, dim, use_flash=False, *, use_ring=False):
            super().__init__()
            self.use_flash = use_flash

        def forward(self, x):
            if self.use_flash:
                from flash_attn import flash_attn_func
                return flash_attn_func(x, x, x)
            return x
    """
TRAIN = """
    import argparse
    import torch
    from attention import Attention

    def main():
        parser = argparse.ArgumentParser()
        parser.add_argument("--dim", type=int, default=8)
        parser.add_argument("--use-flash", action="store_true")
        args = parser.parse_args()
        model = Attention(args.dim, use_flash=args.use_flash)
        model(torch.zeros(3, args.dim)).sum().backward()

    if __name__ == "__main__":
        main()
    """
BY_CONFIG = """
    import torch
    import yaml
    from attention import Attention

    def main():
        with open("configs/base.yaml") as file:
            cfg = yaml.safe_load(file)
        model = Attention(cfg["dim"], use_flash=cfg["use_flash"])
        model(torch.zeros(3, 8)).sum().backward()

    if __name__ == "__main__":
        main()
    """


def train(*lines: str, head: str = "", call: str = "Attention(8)") -> dict[str, str]:
    """A program that makes its model so, behind some lines of its `main`."""
    body = ["def main():", *lines, f"model = {call}", "model(torch.zeros(3, 8)).sum().backward()"]
    text = "\n    ".join(each for part in body for each in part.split("\n"))
    source = f"import torch\nfrom attention import Attention\n{head}\n\n{text}\n"
    return {"train.py": f'{source}\nif __name__ == "__main__":\n    main()\n'}


def readme(line: str) -> dict[str, str]:
    return {"README.md": f"# Train\n\n```sh\n{line}\n```\n"}


KINDS = {
    "train.py": TRAIN.replace('action="store_true"', 'default="plain"'),
    "attention.py": ATTENTION.replace("if self.use_flash:", "if 'flash' in self.config.use_flash:"),
}
"""It is on where a text has a word in it."""
PARTS = {
    **KINDS,
    "attention.py": ATTENTION.replace(
        "            if self.use_flash:",
        """            kind = self.config.use_flash.lower()
            parts = kind.split("_")
            kind = parts[-1]
            if kind == "flash":""",
    ),
}
"""Where the last part of it is that word."""


def looked_up(name: str) -> Mapping[str, str]:
    """A condition on what an object has, with a default for one that has it not."""
    asked = f'if getattr(self.config, "{name}", None) == "flash":'
    return {"train.py": TRAIN, "attention.py": ATTENTION.replace("if self.use_flash:", asked)}


MODEL = """
    from pydantic import BaseModel
    from others import More

    class Config(More, BaseModel):
        seed: int = 0
        use_flash: bool = False
    """
MODELLED = {
    "train.py": BY_CONFIG.replace(
        "cfg = yaml.safe_load(file)", "cfg = made(Config, yaml.safe_load(file)).model_dump()"
    )
    .replace("import yaml", "import yaml\n    from settings import Config")
    .replace("def main", "def made(kind, data):\n        return kind(**data)\n\n    def main"),
    "settings.py": MODEL,
    **readme("python train.py --config configs/base.yaml"),
}
OFF: Mapping[str, Mapping[str, str]] = {
    "the default of a look-up": looked_up("use_flash"),
    "nobody gives it": {"train.py": TRAIN},
    "the command leaves it out": {"train.py": TRAIN, **readme("python train.py --dim 16")},
    "it is given elsewhere under its name": {
        **train(call="build(False)"),
        "train.py": train(
            head="def build(use_flash=False):\n    return Attention(8, use_flash)",
            call="build()",
        )["train.py"],
    },
    "a text has no such word": KINDS,
    "a text has no such part": {**PARTS, **readme("python train.py --use-flash fast_plain")},
    "the default of a script says so": {
        **KINDS,
        "run.sh": 'USE_FLASH=${USE_FLASH:-"plain"}\npython train.py --use-flash ${USE_FLASH}\n',
        **readme("GPUS=8 ./run.sh"),
    },
    "the command has a short option whose letters are others": {
        "train.py": TRAIN.replace('"--dim",', '"-num",'),
        **readme("python train.py -num 16"),
    },
    "others are given by position": train(call="Attention(8, False)"),
    "settings are unpacked": train("cfg = Config()", call="Attention(**cfg)"),
    "others are given by names that are listed": train(
        "for name in ('seed', 'dim'):\n    cfg[name] = 1"
    ),
    "others are given by names that a tuple has": train(
        "names = 'seed', 'dim'\nfor name in names:\n    setattr(cfg, name, 1)"
    ),
    "it is off by a name that is listed": train(
        "for name in ['use_flash']:\n    cfg[name] = False"
    ),
    "a model of pydantic gets what the settings have": {
        **MODELLED,
        "configs/base.yaml": "dim: 8\nseed: 1\n",
    },
    "a model of pydantic is called by no places": {
        **train(
            "from settings import Config",
            "cfg = choose(Config)(given)",
            "other = choose(Config)(*many)",
            call="Attention(cfg)",
        ),
        "settings.py": MODEL,
    },
    "a table is filled by classes": train(
        "from torch.optim import AdamW\nconfigs[AdamW] = configs[Own] = 'x'",
        head="class Own: pass",
    ),
}
ON: Mapping[str, Mapping[str, str]] = {
    "by the config of a library's model": looked_up("model_type"),
    # by a text
    "by a word in a text": {**KINDS, **readme("python train.py --use-flash myflash2")},
    "by a part of a text": {**PARTS, **readme("python train.py --use-flash=fast_Flash")},
    "by a variable before a script": {
        **KINDS,
        "run.sh": 'USE_FLASH=${USE_FLASH:-"plain"}\npython train.py --use-flash ${USE_FLASH}\n',
        **readme("USE_FLASH=flash ./run.sh"),
    },
    # by position
    "by position": train(call="Attention(8, True)"),
    "by position, unknown": train(call="Attention(8, torch.rand(1) > 0)"),
    "from a list": train("given = [8, True]", call="Attention(*given)"),
    "from a dict": train(
        "import json\nloaded = json.load(open('x.json'))", call="Attention(**loaded)"
    ),
    "from a subclass": train(
        head=(
            "class Fast(Attention):\n    def __init__(self, dim):\n"
            "        super().__init__(dim, True)\n"
        ),
        call="Fast(8)",
    ),
    "through a subclass": train(head="class Fast(Attention):\n    pass\n", call="Fast(8, True)"),
    "by the base's name": train(
        head=(
            "class Fast(Attention):\n    def __init__(self, dim):\n"
            "        Attention.__init__(self, dim, True)\n"
        ),
        call="Fast(8)",
    ),
    "by partial": train("from functools import partial", call="partial(Attention, 8, True)()"),
    "by another name": train("make = Attention", call="make(8, True)"),
    "from a table": train("table = {'a': Attention}", call="table['a'](8, True)"),
    "handed to somebody": train(
        head="def call(make):\n    return make(8, True)\n", call="call(Attention)"
    ),
    "by an object": {
        **train(call="Attention(8)"),
        "attention.py": """
            import torch

            class Attention(torch.nn.Module):
                def forward(self, x, use_flash=False):
                    if use_flash:
                        from flash_attn import flash_attn_func
                        return flash_attn_func(x, x, x)
                    return x

            class Block(torch.nn.Module):
                def __init__(self, dim):
                    self.inner = Attention(dim)

                def forward(self, x):
                    return self.inner(x, True)
            """,
    },
    "by fields": {
        **train("from settings import Config\ncfg = Config(8, True)", call="Attention(cfg)"),
        "settings.py": """
            from dataclasses import dataclass

            @dataclass
            class Config:
                dim: int
                use_flash: bool = False
            """,
    },
    # by another name
    "under another name of the command line": {
        "train.py": TRAIN.replace('"--use-flash",', '"--flash-attn", dest="use_flash",'),
        **readme("python train.py --flash-attn"),
    },
    "by a second name": {
        "train.py": TRAIN.replace('"--use-flash",', '"--use-flash", "--fa",'),
        **readme("python train.py --fa"),
    },
    "by a letter": {
        "train.py": TRAIN.replace('"--use-flash",', '"-x", "--use-flash",'),
        **readme("python train.py -x"),
    },
    "by the beginning of its name": {"train.py": TRAIN, **readme("python train.py --use-fl")},
    "by a constant": {
        "train.py": TRAIN.replace(
            'action="store_true"', 'action="store_const", const=True, default=False'
        ),
        **readme("python train.py --use-flash"),
    },
    "in a Docker file": {
        "train.py": TRAIN,
        "Dockerfile": 'FROM x\nENTRYPOINT ["python", "train.py"]\nCMD ["--use-flash"]\n',
    },
    "behind a value": {"train.py": TRAIN, "train.sh": "python train.py --dim 8 ${MORE}\n"},
    "by storing false": {
        "train.py": TRAIN.replace('action="store_true"', 'action="store_false", dest="slow"'),
        "attention.py": ATTENTION.replace("if self.use_flash:", "if not self.config.slow:"),
        **readme("python train.py --use-flash"),
    },
    "by click": {
        **train(call="Attention(8, use_flash=use_flash)"),
        "train.py": """
            import click
            import torch
            from attention import Attention

            @click.command()
            @click.option("--fa", "use_flash", is_flag=True)
            def main(use_flash):
                Attention(8, use_flash=use_flash)(torch.zeros(3)).backward()

            if __name__ == "__main__":
                main()
            """,
        **readme("python train.py --fa"),
    },
    # in the words of a command
    "as two words": {"train.py": TRAIN, **readme("python train.py MODEL.USE_FLASH True")},
    "within an option": {"train.py": TRAIN, **readme("python train.py --set=model.use_flash=true")},
    "behind an option": {
        "train.py": TRAIN,
        **readme('python train.py --gin_bindings "Attention.use_flash = True"'),
    },
    "as JSON": {"train.py": TRAIN, **readme("""python train.py --args '{"use_flash": true}'""")},
    # in code
    "by OmegaConf": train("OmegaConf.update(cfg, 'model.use_flash', True)"),
    "by update": train("cfg.update({'use_flash': True})"),
    "by a list": train("cfg.merge_from_list(['model.use_flash', True])"),
    "by setattr": train("for name in names:\n    setattr(cfg, name, True)"),
    "by settings that a model of pydantic gets": {
        **MODELLED,
        "configs/base.yaml": "dim: 8\nuse_flash: true\n",
    },
    "by settings that a model of pydantic gets, which are elsewhere": {
        **MODELLED,
        **readme("python train.py --config mine/base.yaml"),
    },
    "by a model of pydantic that unpacks": {
        **train("from settings import Config\ncfg = choose(Config)(**found(1))"),
        "settings.py": MODEL,
    },
    "by a model of pydantic that data makes": {
        **train("from settings import Config\ncfg = Config(**found(1))"),
        "settings.py": MODEL,
    },
    "by another model, with a base": {
        **train("from settings import Config\ncfg = choose(Config)(0, True)"),
        "settings.py": MODEL.replace("from pydantic", "from others"),
    },
    "by names that are listed": train("for name in ('dim', 'use_flash'):\n    cfg[name] = True"),
    "by names of which one is not known": train(
        "for name in ('dim', FLASH):\n    setattr(cfg, name, True)"
    ),
    "by names that are more": train(
        "names = 'seed', 'dim'\nnames += given\nfor name in names:\n    cfg[name] = True"
    ),
    "by names in a list that may grow": train(
        "names = ['seed', 'dim']\nnames.append(given)\nfor name in names:\n    cfg[name] = True"
    ),
    "by names that others may change": train(
        "for name in NAMES:\n    cfg[name] = True", head="NAMES = ('seed', 'dim')"
    ),
    "by a variable that is given another name": train(
        "for name in ('seed', 'dim'):\n    name = given(name)\n    cfg[name] = True"
    ),
    "by a constant of the tree": {
        **train("from names import UseFlash\ncfg[UseFlash] = True"),
        "names.py": "UseFlash = 'use_flash'\n",
    },
    "by a constant of a library": train("from lib import USE_FLASH\ncfg[USE_FLASH] = True"),
    "by the object's own": train("object.__setattr__(cfg, 'use_flash', True)"),
    "by gin": train("gin.bind_parameter('Attention.use_flash', True)"),
    "by arguments in code": {
        "train.py": TRAIN.replace("parse_args()", "parse_args(['--use-flash'])")
    },
    "by changed arguments": {"train.py": TRAIN.replace("main()\n\n", "")}
    | {
        "train.py": TRAIN.replace(
            "parser = argparse", "sys.argv += ['--use-flash']\n        parser = argparse"
        )
    },
    "by a subclass": {
        **train("from attention import Fast", call="Fast(8)"),
        "attention.py": ATTENTION + "\n    class Fast(Attention):\n        use_flash = True\n",
    },
    "by a property": {
        **train("from attention import Fast", call="Fast(8)"),
        "attention.py": ATTENTION
        + "\n    class Fast(Attention):\n        @property\n        def use_flash(self):\n"
        "            return True\n",
    },
    "by a changed parameter": train(
        head=(
            "def build(use_flash=False):\n    use_flash |= True\n    return Attention(8, use_flash)"
        ),
        call="build()",
    ),
    # at run time
    "by loaded settings": train(
        "args = parser.parse_args()\nargs.__dict__.update(yaml.safe_load(open(args.path)))"
    ),
    "by loaded defaults": train("parser.set_defaults(**yaml.safe_load(open(path)))"),
    "by the environment": {
        **train("from settings import Config\ncfg = Config()", call="Attention(cfg)"),
        "settings.py": """
            from pydantic_settings import BaseSettings

            class Config(BaseSettings):
                use_flash: bool = False
            """,
    },
    "by data that is read elsewhere": train(
        head="def load_config(path):\n    return json.load(open(path))\n",
        call="Attention(8, use_flash=load_config('x')['use_flash'])",
    ),
    "by a file with a name that is put together": train(
        "cfg = yaml.safe_load(open(f'{name}.yaml'))",
        call="Attention(8, use_flash=cfg['use_flash'])",
    ),
    "by variables of the arguments": train("vars(args).update(yaml.safe_load(open(args.path)))"),
    "by each key": train("for key, value in loaded.items():\n    cfg[key] = value"),
    "by the settings' own class": {
        **train("from settings import Config\ncfg = Config()", call="Attention(cfg)"),
        "settings.py": """
            class Config:
                use_flash = False

                def __init__(self, **given):
                    for key, value in given.items():
                        setattr(self, key, value)
            """,
    },
    "by a library": train("cfg = NetConfig.from_pretrained(args.path)"),
    "by a variable of the environment": {
        "train.py": """
            import click
            import torch
            from attention import Attention

            @click.command()
            @click.option("--use-flash", is_flag=True, envvar="USE_FLASH")
            def main(use_flash):
                Attention(8, use_flash=use_flash)(torch.zeros(3)).backward()

            if __name__ == "__main__":
                main()
            """,
    },
    "by Sacred": {
        **train(call="Attention(8)"),
        "settings.py": """
            from sacred import Experiment

            ex = Experiment()

            @ex.config
            def config():
                use_flash = True
            """,
        "train.py": train(head="import settings")["train.py"],
    },
    "by a global name": {
        **train("import attention\nattention.choose()"),
        "attention.py": """
            import torch

            USE_FLASH = False

            def choose():
                global USE_FLASH
                USE_FLASH = True

            class Attention(torch.nn.Module):
                def __init__(self, dim):
                    super().__init__()

                def forward(self, x):
                    if USE_FLASH:
                        from flash_attn import flash_attn_func
                        return flash_attn_func(x, x, x)
                    return x
            """,
    },
    # launches
    "in one branch of a script": {
        "train.py": TRAIN,
        "run.sh": (
            'if [ "$1" = big ]; then\n  FLAGS="--use-flash"\nelse\n  FLAGS=""\nfi\n'
            "python train.py $FLAGS\n"
        ),
    },
    "through a function of a script": {
        "train.py": TRAIN,
        "run.sh": 'launch() {\n  python train.py "$@"\n}\nlaunch --use-flash\n',
    },
    "by words that a script sets": {
        "train.py": TRAIN,
        "run.sh": 'set -- --use-flash\npython train.py "$@"\n',
    },
    "by a command that grows": {
        "train.py": TRAIN,
        "run.py": """
            import subprocess
            import sys

            command = [sys.executable, "train.py"]
            if len(sys.argv) > 1:
                command += ["--use-flash"]
            subprocess.run(command, check=True)
            """,
    },
    "by letters together": {
        "train.py": TRAIN.replace('"--use-flash",', '"-x", "--use-flash",'),
        **readme("python train.py -vx"),
    },
    "by what it is not": {
        "train.py": TRAIN.replace('"--use-flash", action="store_true"', '"--slow"'),
        "attention.py": ATTENTION.replace("if self.use_flash:", "if not self.config.slow:"),
        **readme("python train.py --noslow"),
    },
    # over a config
    "over a config": {
        "train.py": BY_CONFIG.replace("model = ", "cfg['use_flash'] = True\n        model = "),
        "configs/base.yaml": "dim: 8\nuse_flash: false\n",
        **readme("python train.py --config configs/base.yaml"),
    },
    "over a config, by names that are not written": {
        "train.py": BY_CONFIG.replace(
            "model = ", "for name in names:\n            cfg[name] = True\n        model = "
        ),
        "configs/base.yaml": "dim: 8\nuse_flash: false\n",
        **readme("python train.py --config configs/base.yaml"),
    },
    "over a config, by setattr": {
        "train.py": BY_CONFIG.replace(
            "model = ", "for name in names:\n            setattr(cfg, name, 1)\n        model = "
        ),
        "configs/base.yaml": "dim: 8\nuse_flash: false\n",
        **readme("python train.py --config configs/base.yaml"),
    },
    "by a config": {
        "train.py": BY_CONFIG,
        "configs/base.yaml": "dim: 8\nuse_flash: true\n",
        **readme("python train.py --config configs/base.yaml"),
    },
}


def fast(make_tree: MakeTree, files: Mapping[str, str]) -> Finding:
    """The use of the fast attention."""
    sources = {"attention.py": ATTENTION, **files}
    root = make_tree({path: dedent(text).lstrip("\n") for path, text in sources.items()})
    found = report_of(root).findings
    return next(item for item in found if item.category == "fused-kernel-lib")


@pytest.mark.parametrize("case", OFF)
def test_what_nobody_switches_on_waits(make_tree: MakeTree, case: str) -> None:
    finding = fast(make_tree, OFF[case])
    assert finding.reach == "main"
    assert finding.guard != "none"
    assert finding.guard_by is not None
    assert finding.guard_by.setting == "use_flash"


@pytest.mark.parametrize("case", ON)
def test_what_something_may_switch_on_is_needed(make_tree: MakeTree, case: str) -> None:
    finding = fast(make_tree, ON[case])
    told = finding.guard_by.setting if finding.guard_by else ""
    assert (finding.reach, told) == ("main", ""), finding
    assert finding.guard in {"none", "fallback"}


# --- modules and functions ------------------------------------------------------------------------

NETS = {
    "nets/__init__.py": "",
    "nets/fused.py": """
        import torch
        from flash_attn import flash_attn_func

        class Fused(torch.nn.Module):
            def forward(self, x):
                return flash_attn_func(x, x, x)
        """,
}
MAKER = """
    import importlib
    import torch
    import yaml

    def make(name):
        module, attribute = name.rsplit(".", 1)
        return getattr(importlib.import_module(module), attribute)()

    def main():
        with open("configs/base.yaml") as file:
            cfg = yaml.safe_load(file)
        make(cfg["model"]["target"])(torch.zeros(3)).backward()

    if __name__ == "__main__":
        main()
    """
NAMED: Mapping[str, Mapping[str, str]] = {
    "in a config": {"train.py": MAKER, "configs/base.yaml": "model:\n  target: nets.fused.Fused\n"},
    "by a tag": {"train.py": MAKER, "configs/base.yaml": "model: !new:nets.fused.Fused\n  x: 1\n"},
    "by a default": {
        "train.py": MAKER.replace(
            "def main():",
            'def main():\n        parser.add_argument("--net", default="nets.fused.Fused")',
        )
    },
    "on the command line": {"train.py": MAKER, **readme("python train.py --net nets.fused.Fused")},
    "in a function that only a command names": {
        "train.py": """
            import torch

            def fit(name):
                from nets.fused import Fused
                Fused()(torch.zeros(3)).backward()
            """,
        **readme("python -c 'from train import fit; fit(1)'"),
    },
    "in a function that Fire calls": {
        "train.py": """
            import fire
            import torch

            def fit(name):
                from nets.fused import Fused
                Fused()(torch.zeros(3)).backward()

            if __name__ == "__main__":
                fire.Fire()
            """,
        **readme("python train.py fit"),
    },
    "behind the word for training": {
        "train.py": """
            import argparse
            import torch

            def fit():
                from nets.fused import Fused
                Fused()(torch.zeros(3)).backward()

            def main():
                parser = argparse.ArgumentParser()
                parser.add_argument("command", nargs="?", default="evaluate")
                args = parser.parse_args()
                if args.command == "fit":
                    fit()

            if __name__ == "__main__":
                main()
            """,
    },
}


@pytest.mark.parametrize("case", NAMED)
def test_what_only_a_name_leads_to_is_needed(make_tree: MakeTree, case: str) -> None:
    files = {**NETS, **NAMED[case]}
    root = make_tree({path: dedent(text).lstrip("\n") for path, text in files.items()})
    report = report_of(root)
    finding = next(item for item in report.findings if item.category == "fused-kernel-lib")
    assert (finding.reach, finding.guard) == ("main", "none")
    assert report.score.verdict == "replace libraries"


OPERATORS = """
#include <torch/extension.h>
__global__ void scale_kernel(float* x, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] *= 2.f;
}
__global__ void shift_kernel(float* x, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] += 2.f;
}
__global__ void copy_kernel(float* x, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] = x[0];
}
void scale_rows_cuda(torch::Tensor x) { scale_kernel<<<1, 64>>>(x.data_ptr<float>(), 64); }
void shift_rows_cuda(torch::Tensor x) { shift_kernel<<<1, 64>>>(x.data_ptr<float>(), 64); }
void copy_rows(torch::Tensor x) { copy_kernel<<<1, 64>>>(x.data_ptr<float>(), 64); }
PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {
  m.def("scale_rows_cuda", &scale_rows_cuda);
  m.def("shift_rows_cuda", &shift_rows_cuda);
  m.def("copy_rows", &copy_rows);
}
"""
SETUP = """
from setuptools import setup
from torch.utils.cpp_extension import BuildExtension, CUDAExtension
setup(name="ops", ext_modules=[CUDAExtension("ops_backend._C", ["csrc/ops.cu"])])
"""
MADE = """
import torch
import ops_backend._C as backend


def function(name, x):
    return getattr(backend, name + ("_cuda" if x.is_cuda else "_cpu"))


class Net(torch.nn.Module):
    def forward(self, x):
        backend.copy_rows(x)
        return function("scale_rows", x)(x)


if __name__ == "__main__":
    Net()(torch.zeros(64, requires_grad=True)).sum().backward()
"""


@pytest.mark.parametrize(
    ("code", "scale", "shift"),
    [
        (MADE.replace('"_cuda"', "input()"), "main", "unreached"),
        (MADE.replace("getattr(backend, ", "backend.__dict__.get("), "main", "main"),
        (MADE.replace('"scale_rows"', "input()"), "main", "main"),
        (MADE.replace("return getattr(backend, name", "return print(name"), *2 * ["unreached"]),
    ],
    ids=["by its beginning", "out of a dictionary", "by its end", "no member"],
)
def test_native_code_by_a_name_that_is_put_together(
    make_tree: MakeTree, code: str, scale: str | None, shift: str | None
) -> None:
    if scale == "unreached":
        code = code.replace('"scale_rows"', '"rows"')
    root = make_tree({"train.py": code, "setup.py": SETUP, "csrc/ops.cu": OPERATORS})
    report = report_of(root)
    reach = {item.anchor: item.reach for item in report.findings if item.kernel}
    assert reach == {"copy_kernel": "main", "scale_kernel": scale, "shift_kernel": shift}


TABLE = """
import torch
import ops_backend._C as backend

OPERATORS = {"scale": backend.scale_rows_cuda}

if __name__ == "__main__":
    OPERATORS[input()](torch.zeros(64, requires_grad=True)).sum().backward()
"""


@pytest.mark.parametrize("code", [MADE, TABLE], ids=["made", "in a table"])
def test_a_test_that_calls_native_code_is_not_all_that_does(make_tree: MakeTree, code: str) -> None:
    direct = "import ops_backend._C as backend\n\n\ndef test(x):\n    backend.scale_rows_cuda(x)\n"
    root = make_tree(
        {"train.py": code, "setup.py": SETUP, "csrc/ops.cu": OPERATORS, "tests/test_ops.py": direct}
    )
    report = report_of(root)
    reach = {item.anchor: item.reach for item in report.findings if item.kernel}
    assert reach["scale_kernel"] == "main"


WRAPPED = """
import ops_backend._C as backend


class Scale:
    def run(self, x):
        return backend.scale_rows_cuda(x)
"""
WRAPPING = """
import torch

{}


class Net(torch.nn.Module):
    def __init__(self, use_native=False):
        super().__init__()
        self.use_native = use_native

    def forward(self, x):
        if self.use_native:
            return Scale().run(x)
        return x


if __name__ == "__main__":
    Net()(torch.zeros(64, requires_grad=True)).sum().backward()
"""
MAYBE = "try:\n    from wrapped import Scale\nexcept ImportError:\n    Scale = None"
ALWAYS = "from wrapped import Scale"


@pytest.mark.parametrize(
    ("brought", "more", "kernel", "build"),
    [
        (MAYBE, "", "guarded", "guarded"),
        (ALWAYS, "", "guarded", "none"),
        (MAYBE, "\n\nOTHER = Scale().run\n", "none", "none"),
        (MAYBE, "\n\nif __name__ != 'wrapped':\n    Scale().run(1)\n", "none", "none"),
        (MAYBE, "\n\ndef unused(x):\n    backend.scale_rows_cuda(x)\n", "guarded", "guarded"),
        (MAYBE, "\n\nbackend.scale_rows_cuda(1)\n", "none", "none"),
        (MAYBE, "\n\nKEPT = [backend.scale_rows_cuda]\n", "none", "none"),
    ],
    ids=["try", "import", "elsewhere", "in its file", "by a dead function", "called", "kept"],
)
def test_native_code_waits_as_the_functions_that_call_it(
    make_tree: MakeTree, brought: str, more: str, kernel: str, build: str
) -> None:
    train = WRAPPING.format(brought + (more if "OTHER" in more else ""))
    root = make_tree(
        {
            "train.py": train,
            "wrapped.py": WRAPPED + ("" if "OTHER" in more else more),
            "setup.py": SETUP,
            "csrc/ops.cu": OPERATORS,
        }
    )
    report = report_of(root)
    (found,) = (item for item in report.findings if item.anchor == "scale_kernel")
    assert (found.reach, found.guard) == ("main", kernel)
    builds = {item.guard for item in report.findings if item.path == "setup.py"}
    assert builds == {build}


@pytest.mark.parametrize(
    ("brought", "build"),
    [
        ("try:\n    import ops_C\nexcept ImportError:\n    pass", "guarded"),
        ("try:\n    import ops_C\nexcept ImportError:\n    raise", "none"),
        ("import ops_C", "none"),
    ],
    ids=["try", "try and raise", "import"],
)
def test_a_build_waits_where_the_import_of_what_it_makes_may_fail(
    make_tree: MakeTree, brought: str, build: str
) -> None:
    scale = "class Scale:\n    def run(self, x):\n        return ops_C.scale_rows_cuda(x)\n"
    files = {
        "train.py": WRAPPING.format(ALWAYS),
        "wrapped.py": f"{brought}\n\n\n{scale}",
        "setup.py": SETUP.replace("ops_backend._C", "ops_C"),
        "csrc/ops.cu": OPERATORS,
    }
    root = make_tree(files)
    report = report_of(root)
    (found,) = (item for item in report.findings if item.anchor == "scale_kernel")
    assert (found.reach, found.guard) == ("main", "guarded")
    assert {item.guard for item in report.findings if item.path == "setup.py"} == {build}


@pytest.mark.parametrize(
    ("used", "reach"), [("old", "main"), ("new", "main"), ("other", "unreached")]
)
def test_any_call_in_a_file_reaches_native_code(make_tree: MakeTree, used: str, reach: str) -> None:
    calls = "".join(
        f"\n\ndef {name}(x):\n    return backend.{called}(x)\n"
        for name, called in (
            ("old", "scale_rows_cuda"),
            ("new", "scale_rows_cuda"),
            ("other", "shift_rows_cuda"),
        )
    )
    train = "import torch\nimport wrapped\n\nif __name__ == '__main__':\n"
    train += f"    wrapped.{used}(torch.zeros(64, requires_grad=True)).sum().backward()\n"
    root = make_tree(
        {
            "train.py": train,
            "wrapped.py": f"import ops_backend._C as backend\n{calls}",
            "setup.py": SETUP,
            "csrc/ops.cu": OPERATORS,
        }
    )
    report = report_of(root)
    (found,) = (item for item in report.findings if item.anchor == "scale_kernel")
    assert found.reach == reach
