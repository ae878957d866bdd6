"""Draw the lines that are to be labelled: by words, from all files, knowing nothing of the rules.

A stratum is a set of words; a line belongs to the first stratum that its text matches. Each has a
quota, filled by turns over the distributions and over their files, so that neither a huge
distribution nor a huge file fills it. Words match where nothing is wrong as well: a stratum yields
what has to be found and what looks like it.

    python bench/accuracy/sample.py SOURCES SAMPLE.csv

The draw is fixed by ``SEED`` and the pinned sources; it was made once, before the labels.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import random
import re
import tokenize
from collections import defaultdict
from pathlib import Path

from corpus import DISTRIBUTIONS

SEED = 20261122
PER_FILE = 3
"""Lines drawn of one file at most."""
TEST_SHARE = 0.12
"""Share of lines that may come from tests, as their CUDA is of little interest."""
TEST = re.compile(r"(^|/)tests?/|(^|/)test_[^/]*\.py$|_test\.py$")

STRATA: tuple[tuple[str, int, str], ...] = (
    ("vendor", 30, r"torch_xla|torch_neuron|\bxm\.|\b(npu|xpu|hpu|mps|musa|rocm|hip)\b"),
    ("patch", 35, r"^\s*torch\.[\w.]+\s*=[^=]|\btorch\._[A-Za-z]\w*|setattr\(\s*torch"),
    ("compile", 70, r"torch\.compile|torch\.jit|_dynamo|inductor|\.compile\(|dynamic=|fullgraph"),
    (
        "shape",
        85,
        (
            r"nonzero|\bunique\w*\(|masked_select|\bnms\b|argwhere|bincount|repeat_interleave"
            r"|\w\[[^\]]*(mask|==|<|>|!=|~)[^\]]*\]|torch\.where\([^,]*\)"
        ),
    ),
    (
        "sync",
        85,
        r"\.item\(\)|\.tolist\(\)|\.cpu\(\)|\.numpy\(\)|\bif\b.*\.(any|all)\(|print\(.*loss|is_nonzero",
    ),
    (
        "dtype",
        75,
        r"float64|\bdouble\b|complex|float8|fp8|e4m3|\bfft\b|\bstft\b|torch\.int64|\.long\(",
    ),
    (
        "streams",
        40,
        r"[sS]tream\(|current_stream|\bEvent\(|CUDAGraph|cuda\.graph|record_stream|synchronize\(",
    ),
    (
        "memory",
        35,
        r"memory_(allocated|reserved|stats|summary)|empty_cache|mem_get_info|max_memory|OutOfMemory|ALLOC_CONF",
    ),
    ("rng", 30, r"manual_seed|rng_state|Generator\(|default_generators"),
    ("amp", 45, r"autocast|GradScaler|\bamp\b|\bfp16\b|\.half\(\)"),
    (
        "distributed",
        60,
        (
            r"nccl|NCCL|init_process_group|new_group|all_to_all|all_gather|reduce_scatter|DataParallel|ReduceOp"
            r"|FSDP|fully_shard|\brpc\b"
        ),
    ),
    (
        "library",
        80,
        (
            r"flash_attn|xformers|\bapex\b|transformer_engine|megatron|deepspeed|bitsandbytes|\bbnb\b|liger|unsloth"
            r"|mamba_ssm|causal_conv1d|torch_scatter|torch_sparse|spconv|pytorch3d|mmcv\.ops|detectron2"
            r"|torchvision\.ops|cupy|cudf|numba|pycuda|pynvml|nvtx|vllm|tensorrt|onnxruntime|torchao|fairscale"
            r"|horovod|\bdali\b|faiss|\bk2\b|kernels\b"
        ),
    ),
    (
        "custom",
        55,
        (
            r"cpp_extension|CUDAExtension|load_inline|torch\.ops\.|torch\.library|ctypes|RawKernel|RawModule|triton"
            r"|\btl\.|\b_C\b|dlpack|tilelang|cutlass|\[grid"
        ),
    ),
    ("pipeline", 30, r"pin_memory|non_blocking|DataLoader\(|fork|spawn|multiprocessing"),
    (
        "flags",
        35,
        (
            r"backends\.|allow_tf32|cudnn|matmul_precision|deterministic|channels_last|SyncBatchNorm|fused=|foreach"
            r"|capturable|sparse"
        ),
    ),
    ("tools", 40, r"quant|awq|gptq|int8|profil|nvml|nvidia|nsys"),
    (
        "switch",
        35,
        r"accelerator\s*=|attn_implementation|precision\s*=|\boptim\s*=|strategy\s*=|\bgpus\b|n_gpu|use_gpu|no_cuda",
    ),
    ("string", 60, r"""["'][^"']*(cuda|gpu)[^"']*["']|device\s*=\s*["']"""),
    ("device", 60, r"cuda|CUDA"),
    ("version", 15, r"torch\.__version__|parse\(.*version|python_requires|sys\.version"),
)
WORDED = re.compile(
    r"cuda|gpu|nccl|triton|apex|flash|nvidia|deepspeed|xformers|amp\b", re.IGNORECASE
)
TEXT_QUOTA = 60
"""Lines of comments and of strings longer than a line with such a word."""
BACKGROUND_QUOTA = 30
"""Any other line of code in a file that imports torch."""


def comment_lines(text: str) -> set[int]:
    """The lines that are comments or lie in a string of several lines."""
    found: set[int] = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and token.line.strip().startswith("#"):
                found.add(token.start[0])
            elif token.type == tokenize.STRING and token.end[0] > token.start[0]:
                found.update(range(token.start[0], token.end[0] + 1))
    except (tokenize.TokenError, SyntaxError):
        pass  # what was read so far is good enough for a draw
    return found


def stratum(line: str, *, quiet: bool) -> str | None:
    """The stratum of a line; ``quiet`` lines are comments and long strings."""
    if not line.strip() or line.strip() in {'"""', ")", "]", "}"}:
        return None
    if quiet:
        return "text" if WORDED.search(line) else None
    for name, _, words in STRATA:
        if re.search(words, line):
            return name
    return "background"


def pools(sources: Path) -> dict[str, dict[str, dict[str, list[int]]]]:
    """The candidate lines: by stratum, distribution and path."""
    found: dict[str, dict[str, dict[str, list[int]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for each in DISTRIBUTIONS:
        for path in sorted((sources / each.folder).rglob("*.py")):
            text = path.read_text("utf-8", errors="replace")
            torch = "torch" in text
            quiet = comment_lines(text)
            relative = path.relative_to(sources).as_posix()
            for number, line in enumerate(text.split("\n"), 1):
                name = stratum(line, quiet=number in quiet)
                if name and (torch or name in {"library", "version", "string", "device"}):
                    found[name][each.folder][relative].append(number)
    return found


def draw(sources: Path) -> list[tuple[str, int, str]]:
    """The drawn lines: path, line, stratum."""
    candidates = pools(sources)
    rng = random.Random(SEED)  # noqa: S311 - a sample, not a secret
    taken: dict[str, int] = defaultdict(int)
    drawn: list[tuple[str, int, str]] = []
    quotas = [(name, quota) for name, quota, _ in STRATA]
    quotas += [("text", TEXT_QUOTA), ("background", BACKGROUND_QUOTA)]
    for name, quota in quotas:
        tests = int(quota * TEST_SHARE)
        by_distribution = candidates[name]
        got = 0
        while got < quota and by_distribution:
            turn = sorted(by_distribution)
            rng.shuffle(turn)
            for folder in turn:
                files = by_distribution[folder]
                open_files = sorted(
                    path
                    for path, lines in files.items()
                    if lines and taken[path] < PER_FILE and (tests > 0 or not TEST.search(path))
                )
                if not open_files:
                    del by_distribution[folder]
                    continue
                if got == quota:
                    break
                path = rng.choice(open_files)
                line = files[path].pop(rng.randrange(len(files[path])))
                taken[path] += 1
                tests -= bool(TEST.search(path))
                drawn.append((path, line, name))
                got += 1
    return sorted(drawn)


def main() -> None:
    """Write the sample."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("sources", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    rows = draw(arguments.sources)
    with arguments.output.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["path", "line", "drawn_for"])
        writer.writerows(rows)
    digest = hashlib.sha256(arguments.output.read_bytes()).hexdigest()[:12]
    print(f"{len(rows)} lines, {digest}")


if __name__ == "__main__":
    main()
