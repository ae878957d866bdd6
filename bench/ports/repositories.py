"""The pinned ports: what was ported, and the port. Fetched, compared and scanned, never run."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """One commit of a public repository."""

    repository: str
    commit: str

    def store(self, folder: Path) -> Path:
        """The git directory under ``folder`` that has the commit, fetched if there is none."""
        store = folder / "git" / self.repository.replace("/", "+")
        if not store.exists():
            url = f"https://github.com/{self.repository}"
            _git("init", "--quiet", "--bare", str(store))
            _git(f"--git-dir={store}", "remote", "add", "origin", url)
        if not _has(store, self.commit):
            _git(f"--git-dir={store}", "fetch", "--quiet", "--depth=1", "origin", self.commit)
        return store


@dataclass(frozen=True)
class Port:
    """A repository before and after somebody moved it to other hardware."""

    name: str
    hardware: str
    original: Source
    port: Source
    relation: str


PORTS: tuple[Port, ...] = (
    Port(
        "megatron-neuron",
        "AWS Trainium, torch-neuronx on PyTorch/XLA",
        Source("NVIDIA/Megatron-LM", "b31e1296354e979722627a6c4dedafe19b51fa97"),
        Source(
            "aws-neuron/aws-neuron-reference-for-megatron-lm",
            "868d46cccb320a05eeac833be4a55c2c07db620a",
        ),
        "fork with history; the original is the newest commit that both have",
    ),
    Port(
        "fairseq-gaudi",
        "Intel Gaudi",
        Source("HabanaAI/Fairseq", "e16e44c658495ab3d704e25cf0b8c2c3eef6a476"),
        Source("HabanaAI/Fairseq", "89c96d2bf79342c4a889813281317516c64f53a3"),
        "one commit on top of facebookresearch/fairseq v0.12.3",
    ),
    Port(
        "mae-tpu",
        "TPU, PyTorch/XLA",
        Source("facebookresearch/mae", "6a2ba402291005b003a70e99f7c87d1a2c376b0d"),
        Source("facebookresearch/long_seq_mae", "95993105ce284ed2448eeccf05df47fd428e158c"),
        "one commit on top of the original",
    ),
    Port(
        "torchgt-ascend",
        "Huawei Ascend, torch_npu",
        Source("zxmeng98/torchgt", "44a3c522ecaad2b3f18f80112b9a9eddd8e7d297"),
        Source("nihaopeng/torchgt_npu", "57053b0afedd962b0769bfc353fc63cd69663e7a"),
        "imported files; the original is the commit that the import is closest to, the port the"
        " last commit before a feature that has nothing to do with it",
    ),
    Port(
        "biggan-tpu",
        "TPU, PyTorch/XLA",
        Source("ajbrock/BigGAN-PyTorch", "98459431a5d618d644d54cd1e9fceb1e5045648d"),
        Source("Leiwx52/BigGAN-Pytorch-TPU", "651ea1fd3329f087457293de0ff4e64671ba02e0"),
        "imported files; the original is the commit that the import is closest to, the port the"
        " import itself, before everything was formatted anew",
    ),
)


def export(source: Source, folder: Path, target: Path) -> Path:
    """The files of a commit, in ``target``."""
    if target.is_dir():
        return target
    archive = target.with_suffix(".tar")
    partial = target.with_suffix(".part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    store = source.store(folder)
    _git(f"--git-dir={store}", "archive", f"--output={archive}", source.commit)
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and ".." not in Path(member.name).parts:
                tar.extract(member, partial, set_attrs=False)
    archive.unlink()
    return partial.rename(target)


def compare(original: Path, port: Path) -> str:
    """What changed, without context and without changes of white space alone."""
    folder = original.parent
    command = ["git", "-c", "core.quotePath=false", "diff", "--no-index", "--no-ext-diff"]
    command += ["--no-color", "--src-prefix=a/", "--dst-prefix=b/", "--diff-algorithm=myers"]
    command += ["--find-renames", "-w", "-U0", original.name, port.name]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)  # noqa: S603
    if done.returncode not in {0, 1}:
        raise SystemExit(done.stderr.decode())
    return done.stdout.decode(errors="replace")


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True)  # noqa: S603, S607 - pinned sources


def _has(store: Path, commit: str) -> bool:
    command = ["git", f"--git-dir={store}", "cat-file", "-e", f"{commit}^{{commit}}"]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    return not done.returncode
