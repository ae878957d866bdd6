"""Whole trees whose optimizer is chosen by the word of an option, and what may give that another.

What the run does not choose is off; each way in which it may be chosen unseen keeps it needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

OPTS = """
    import configargparse

    class Checked(configargparse.Action):
        def __init__(self, option_strings, dest, **kwargs):
            super().__init__(option_strings, dest, **kwargs)

        def __call__(self, parser, namespace, values, option_string=None):
            setattr(namespace, self.dest, values)

    def add(parser):
        group = parser.add_argument_group("Training")
        group.add("--optim", "-optim", default="sgd", choices=["sgd", "fusedadam"])
        group.add("--level", "-level", type=str, default="", choices=["", "O1"])
        group.add("--corpora", "-corpora", required=True)
        group.add("--kind", default="LSTM", action=Checked)
    """
OPTIM = """
    import torch
    import apex

    def build(model, opt):
        if opt.optim == "sgd":
            return torch.optim.SGD(model.parameters(), lr=0.1)
        elif opt.optim == "fusedadam":
            return apex.optimizers.FusedAdam(model.parameters())
    """
TRAINER = """
    class Trainer:
        def __init__(self, model, optim, steps=10):
            self.model = model
            self.optim = optim

        def train(self, batches):
            for batch in batches:
                self.model(batch).sum().backward()
                self.optim.step()
                self.optim.zero_grad(set_to_none=True)
            return {"model": self.model.state_dict(), "optim": self.optim.state_dict()}

    def make(model, optim):
        return Trainer(model, optim)
    """
TRAIN = """
    import configargparse
    import yaml
    import torch
    from opts import add
    from optims import build
    from trainer import make

    def main():
        parser = configargparse.ArgumentParser()
        add(parser)
        opt = parser.parse_args()
        corpora = yaml.safe_load(opt.corpora)
        opt.corpora = corpora
        flags = [1] * len(corpora)
        for i, name in enumerate(corpora):
            flags[i] = 0
        model = torch.nn.Linear(2, 2)
        optim = build(model, opt)
        make(model, optim).train(corpora)

    if __name__ == "__main__":
        main()
    """
BASE = {
    "README.md": "```sh\npython train.py --corpora data/x\n```\n",
    "opts.py": OPTS,
    "optims.py": OPTIM,
    "trainer.py": TRAINER,
    "train.py": TRAIN,
}


def edit(path: str, old: str, new: str) -> dict[str, str]:
    assert old in BASE[path]
    return {path: BASE[path].replace(old, new)}


OFF: Mapping[str, Mapping[str, str]] = {
    "by its default": {},
    "by the command": {
        "README.md": "```sh\npython train.py --corpora data/x --optim sgd\n```\n",
    },
    "by an option with nothing in it": edit("optims.py", 'opt.optim == "fusedadam"', "opt.level"),
    "by one of two words": edit(
        "train.py",
        "optim = build(model, opt)",
        "optim = build(model, opt) if opt.level else build(model, opt)",
    ),
}
ON: Mapping[str, Mapping[str, str]] = {
    "by its default": edit("opts.py", 'default="sgd"', 'default="fusedadam"'),
    "by the command": {
        "README.md": "```sh\npython train.py --corpora data/x --optim fusedadam\n```\n",
    },
    "by an option with an action": {
        **edit("optims.py", "opt.optim ==", "opt.kind =="),
        "README.md": "```sh\npython train.py --corpora data/x --kind GRU\n```\n",
    },
    "by an action that sets another": edit(
        "opts.py",
        "setattr(namespace, self.dest, values)",
        "setattr(namespace, values, 'fusedadam')",
    ),
    "by an action for another": edit(
        "opts.py",
        "super().__init__(option_strings, dest,",
        'super().__init__(option_strings, "optim",',
    ),
    "by an action that changes its own": edit(
        "opts.py",
        "            super().__init__",
        '            self.dest = "optim"\n            super().__init__',
    ),
    "by words that are read": edit(
        "train.py", "opt.corpora = corpora", "opt = configargparse.Namespace(**corpora)"
    )
    | edit("train.py", "yaml.safe_load(opt.corpora)", "yaml.safe_load(open(opt.corpora))"),
    "by words on the command line": {
        "README.md": "```sh\npython train.py --corpora '{optim: fusedadam}'\n```\n",
    },
    "by words that an option has": edit("opts.py", "required=True", 'default="{optim: x}"'),
    "by a file that an option opens": edit(
        "opts.py", "required=True", 'type=configargparse.FileType("r"), required=True'
    ),
    "by a file that code opens": edit(
        "train.py",
        "corpora = yaml",
        "opt.corpora = open(opt.corpora)\n        corpora = yaml",
    ),
    "by words that are merged": edit(
        "train.py", "opt.corpora = corpora", "vars(opt).update(corpora)"
    ),
    "by a key": edit("train.py", "flags = [1] * len(corpora)", "flags = vars(opt)"),
    "by place": edit(
        "trainer.py",
        "return Trainer(model, optim)",
        "return Trainer(model, Plan(optim))\n\n    class Plan:\n"
        "        def __init__(self, optim):\n            self.optim = optim",
    )
    | edit("train.py", "make(model, optim)", "make(model, words())"),
    "by an object that is compared": edit(
        "trainer.py",
        "self.optim = optim",
        'self.optim = None if optim == "none" else optim',
    ),
    "by an object that may be a word": edit(
        "trainer.py",
        "self.optim = optim",
        "self.optim = find(optim) if isinstance(optim, str) else optim",
    ),
    "by an object that is made anew": edit(
        "trainer.py", "self.optim = optim", "self.optim = find(optim)"
    ),
    "by an object that is bound anew": edit(
        "trainer.py",
        "self.optim = optim",
        "optim = find(optim)\n            optim.prepare()\n            self.optim = optim",
    ),
}


def state(changes: Mapping[str, str], make_tree: MakeTree) -> tuple[str, str]:
    """The guard of the line that makes the fused optimizer, and the setting that it waits for."""
    files = {path: dedent(text).lstrip("\n") for path, text in (BASE | dict(changes)).items()}
    root = make_tree(files)
    report = report_of(root)
    assert not report.errors
    (found,) = (
        each for each in report.findings if each.path == "optims.py" and "FusedAdam" in each.snippet
    )
    assert found.reach == "main"
    return found.guard, (found.guard_by.setting if found.guard_by else "")


@pytest.mark.parametrize("case", OFF)
def test_what_the_run_does_not_choose_is_optional(case: str, make_tree: MakeTree) -> None:
    guard, setting = state(OFF[case], make_tree)
    assert (guard, bool(setting)) == ("guarded", True)


@pytest.mark.parametrize("case", ON)
def test_what_may_be_chosen_is_needed(case: str, make_tree: MakeTree) -> None:
    assert state(ON[case], make_tree) == ("none", "")
