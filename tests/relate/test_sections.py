"""Whole trees with settings of one name in several sections: `TRAIN.ENABLE`, `DETECTION.ENABLE`.

What is off in its own section is off; whatever may give it the value of another one leaves it on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from portaudit.relate.options import command, joined
from portaudit.types import Finding
from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

SETTINGS = """
    from yacs.config import CfgNode as CN

    _C = CN()
    _C.TRAIN = CN()
    _C.TRAIN.ENABLE = True
    _C.DETECTION = CN()
    _C.DETECTION.ENABLE = False
    _C.DETECTION.SIZE = 7

    def make(args):
        config = _C.clone()
        config.merge_from_file(args.cfg)
        config.merge_from_list(args.opts)
        return config
    """
NET = """
    import torch
    from flash_attn import flash_attn_func

    class Head(torch.nn.Module):
        def forward(self, q, k, v):
            return flash_attn_func(q, k, v)

    class Net(torch.nn.Module):
        def __init__(self, cfg):
            super().__init__()
            self.is_detecting = cfg.DETECTION.ENABLE
            self.size = cfg.DETECTION.SIZE
            if self.is_detecting:
                self.head = Head()
    """
TRAIN = """
    import argparse

    from net import Net
    from settings import make

    if __name__ == "__main__":
        parser = argparse.ArgumentParser()
        parser.add_argument("--cfg", required=True)
        parser.add_argument("opts", nargs="*")
        config = make(parser.parse_args())
        model = Net(config)
        if config.TRAIN.ENABLE:
            model(1).sum().backward()
    """
FILES = {
    "README.md": "```sh\npython train.py --cfg=configs/a.yaml\n```\n",
    "train.py": TRAIN,
    "settings.py": SETTINGS,
    "net.py": NET,
    "configs/a.yaml": "TRAIN:\n  ENABLE: true\n",
}


def needs(make_tree: MakeTree, files: Mapping[str, str]) -> bool:
    """Whether the main run needs the kernel that the head calls."""
    root = make_tree(
        {path: dedent(text).lstrip("\n") for path, text in {**FILES, **files}.items() if text}
    )
    found: list[Finding] = [
        each for each in report_of(root).findings if each.path == "net.py" and each.span.line == 6
    ]
    assert found
    return any(each.guard == "none" for each in found)


def changed(path: str, old: str, new: str) -> dict[str, str]:
    text = dedent(FILES[path]).lstrip("\n")
    assert old in text
    return {path: text.replace(old, new)}


def under(text: str) -> dict[str, str]:
    """The function that makes the config, with more lines in it."""
    lines = dedent(text).strip().replace("\n", "\n    ")
    return changed("settings.py", "    return config", f"    {lines}\n    return config")


OFF: dict[str, dict[str, str]] = {
    "nothing else": {},
    "a word of the command line in another section": {
        "README.md": "```sh\npython train.py --cfg=configs/a.yaml TRAIN.ENABLE False\n```\n"
    },
    "a part of the section in the command line": {
        "README.md": "```sh\npython train.py --cfg=configs/a.yaml DETECTION.SIZE 3\n```\n"
    },
    "a value in code in another section": under("config.TRAIN.ENABLE = True"),
    "asked at once": changed("net.py", "if self.is_detecting:", "if cfg.DETECTION.ENABLE:"),
    "asked with strings": changed(
        "net.py", "if self.is_detecting:", 'if cfg["DETECTION"]["ENABLE"]:'
    ),
    "more than a number may be asked of a list": under(
        "for i in range(3):\n    print(config.DETECTION.SIZE, config.TRAIN.SIZES[i + 1])"
    ),
}


@pytest.mark.parametrize("files", OFF.values(), ids=list(OFF))
def test_a_setting_that_is_off_in_its_section_is_off(
    make_tree: MakeTree, files: dict[str, str]
) -> None:
    assert not needs(make_tree, files)


README = "```sh\npython train.py --cfg=configs/a.yaml {}\n```\n"
NEEDED: dict[str, dict[str, str]] = {
    "the default": changed("settings.py", "DETECTION.ENABLE = False", "DETECTION.ENABLE = True"),
    "the file that is given": {"configs/a.yaml": "DETECTION:\n  ENABLE: true\n"},
    "the file, spelled otherwise": {"configs/a.yaml": "detection:\n  ENABLE: true\n"},
    "the file, by an alias": {
        "configs/a.yaml": "TRAIN: &it\n  ENABLE: true\nDETECTION: *it\n",
    },
    "the file, by a reference": {
        "configs/a.yaml": "TRAIN:\n  ENABLE: true\nDETECTION: ${TRAIN}\n",
    },
    "the file, without a section": {"configs/a.yaml": "ENABLE: true\n"},
    "the file, in a dotted key": {"configs/a.yaml": "DETECTION.ENABLE: true\n"},
    "the command line": {"README.md": README.format("DETECTION.ENABLE True")},
    "the command line, with a sign": {"README.md": README.format("detection.ENABLE=true")},
    "the command line, alone": {"README.md": README.format("ENABLE True")},
    "code": under("config.DETECTION.ENABLE = True"),
    "code, from another section": under("config.DETECTION.ENABLE = config.TRAIN.ENABLE"),
    "code, from a part": under("part = config.TRAIN\nconfig.DETECTION.ENABLE = part.ENABLE"),
    "code, by a part": under("part = config.DETECTION\npart.ENABLE = True"),
    "code, by a name in a string": under('config.merge_from_list(["DETECTION.ENABLE", True])'),
    "code, by setattr": under('setattr(config.DETECTION, "ENABLE", True)'),
    "code, the whole section": under("config.DETECTION = config.TRAIN"),
    "code, the whole section by a name in a string": under(
        'setattr(config, "DETECTION", config.TRAIN)'
    ),
    "code, all of another": under("config.DETECTION.update(config.TRAIN)"),
    "code, in a loop": under("for key in config.TRAIN:\n    config.DETECTION[key] = True"),
    "code, by a name that is not written": under(
        "for name in args.parts:\n    config[name].update(config[args.other])"
    ),
    "code, in a dict": under('config.merge_from_other_cfg(CN({"DETECTION": {"ENABLE": True}}))'),
    "a config of its own that is handed on": changed(
        "net.py", "if self.is_detecting:", "cfg = cfg.TRAIN\n        if cfg.ENABLE:"
    ),
    "the section under another name": changed(
        "net.py",
        "if self.is_detecting:",
        "cfg.TRAIN.DETECTION = cfg.TRAIN\n        if cfg.TRAIN.DETECTION.ENABLE:",
    ),
    "one of two sections": changed(
        "net.py", "if self.is_detecting:", "if cfg.DETECTION.ENABLE or cfg.TRAIN.ENABLE:"
    ),
}


@pytest.mark.parametrize("files", NEEDED.values(), ids=list(NEEDED))
def test_what_may_give_it_the_value_of_another_section_leaves_it_on(
    make_tree: MakeTree, files: dict[str, str]
) -> None:
    assert needs(make_tree, files)


def test_a_part_that_is_handed_on_has_any_section(make_tree: MakeTree) -> None:
    net = dedent(NET).replace("if self.is_detecting:", "if given(cfg.DETECTION):")
    net += "\ndef given(cfg):\n    if cfg.ENABLE:\n        return Head()\n"
    assert needs(make_tree, {"net.py": net})


def test_a_command_line_says_what_settings_stand_in() -> None:
    said = command("a.x=1 --b.x 2 --x=3 c.x True c/x=4 d.y".split())  # noqa: SIM905
    assert said.within("x") == {"a": {"1"}, "b": {"true", "2"}, "": {"3", "4"}}
    assert said.mentions("y", "d")
    assert not said.mentions("y", "e")
    assert said.mentions("y")
    assert not said.has("d")
    both = joined([said, command(["y", "x=5"])])
    assert both.mentions("y", "e")
    assert both.within("x")[""] == {"3", "4", "5"}
