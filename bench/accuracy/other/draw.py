"""Draw the lines that are to be labelled: by words, from files that are no Python.

As in ``../sample.py``, nothing of the rules is known here. Every kind of file has strata, which are
sets of words; a line belongs to the first one that its text matches. A quota is filled by turns
over the repositories of a half and over their files, so that neither a huge repository nor a huge
file fills it. About half of the places are for what only looks alike: comments, texts that are
shown, code within kernels, portable launches, the CPU, what is switched off.

    python bench/accuracy/other/draw.py fetch FOLDER
    python bench/accuracy/other/draw.py draw FOLDER SAMPLE.csv

The draw is fixed by ``SEED`` and the pinned commits; it was made once, before the labels.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import random
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from projects import SKIPPED, SOURCES, export_all, kind_of

SEED = 20261122
PER_FILE = 3
"""Lines drawn of one file at most."""
PER_REPOSITORY = 25
"""Lines drawn of one repository at most."""
SHORTEST = 3
LONGEST = 400
"""Characters; a longer line is minified, or data. A shorter one says nothing."""
TEST_SHARE = 0.15
"""Share of a stratum that may come from tests, as their CUDA is of little interest."""
TEST = re.compile(r"(^|/)tests?/|(^|/)test_[^/]*$|_test\.\w+$")

KERNEL_PACKAGES = (
    r"flash[-_.]?att|xformers|\bapex\b|bitsandbytes|\bbnb\b|deepspeed|cupy|triton\b|liger|spconv"
    r"|transformer[-_]engine|torch[-_](scatter|sparse|cluster)|\bvllm\b|tensorrt|mamba|causal[-_]conv"
    r"|numba|\bdali\b|gptq|awq|megablocks|torchao|unsloth|nvidia-ml|pynvml|faiss|kernels\b|gsplat"
    r"|fbgemm|horovod|sglang|deep[-_]?(gemm|ep)\b|hqq|aqlm|eetq|cutlass"
)
CUDA_BUILD = (
    r"cu1[0-3][0-9]\b|-cu1[0-3]\b|cudatoolkit|pytorch-cuda|nvidia-\w+|cudf|cuml|[-_]gpu\b|cuda"
)

STRATA: dict[str, tuple[tuple[str, str, int, str], ...]] = {
    "terraform": (
        ("shown", "alike", 1, r"description.*(gpu|nvidia|accelerator|instance|nccl)"),
        ("ask", "thing", 3, r"nvidia|accelerator|\b[pg][3-6]\w*\.\w*xlarge|\ba[23]-|\bg2-|h100|l4"),
        (
            "other",
            "alike",
            1,
            r"\btpu|\btrn|neuron|machine_type|instance_type|\befa|gpu|cuda|nccl|placement",
        ),
    ),
    "notebook": (
        ("shown", "alike", 1, r"print\(.*(cuda|gpu|nvidia)"),
        ("install", "thing", 2, rf"(install|uv add).*({KERNEL_PACKAGES}|{CUDA_BUILD})"),
        ("quantize", "thing", 2, r"load_in_|_bit|BitsAndBytes|paged_|adamw_8|fp8|\bint8|gptq|awq"),
        (
            "tool",
            "thing",
            1,
            r"nvidia-smi|nvcc|CUDA_|NCCL|torchrun|accelerate launch|--\w*fp16|deepspeed",
        ),
        ("library", "thing", 1, KERNEL_PACKAGES),
        ("cuda", "thing", 2, r"cuda|fp16|\.half\(\)"),
        ("plain", "alike", 2, r"bf16|bfloat16|dtype|device|gpu|compile|\.cpu\(\)|num_proc|torch"),
    ),
    "build": (
        ("shown", "alike", 1, r"(message\(|echo|info|error).*(cuda|gpu|nvcc|torch)"),
        (
            "switch",
            "thing",
            4,
            (
                r"find_package\(\s*CUDA|enable_language|LANGUAGES\b.*CUDA|project\(.*CUDA|cuda_add|nvcc"
                r"|CUDAExtension|CUDAToolkit|check_language"
            ),
        ),
        (
            "architecture",
            "thing",
            3,
            (
                r"CUDA_ARCH|gencode|\bsm_|-arch=|expt-|fast_math|/usr/local/cuda|CUDA_(HOME|PATH)|-lcu"
                r"|cuda(rt|_nvcc|_flags)|FORCE_CUDA|CMAKE_CUDA|cublas|cudnn|nccl"
            ),
        ),
        ("word", "alike", 3, r"cuda|gpu|nvidia|\.cu\b"),
        (
            "plain",
            "alike",
            2,
            r"find_package|add_library|target_link|torch|CXX|docker|-shared|openmp|pip|LDFLAGS|-O3|mpi",
        ),
    ),
    "docker": (
        ("shown", "alike", 1, r"\becho\b.*(cuda|gpu|torch)|LABEL"),
        (
            "image",
            "thing",
            4,
            (
                r"^\s*(FROM|image:|ARG)\b.*(nvidia|cuda|nvcr|pytorch|gpu|deepspeed|megatron|\$)"
                r"|^\s*ARG.*(IMAGE|TAG|BASE)"
            ),
        ),
        ("ask", "thing", 2, r"runtime:|--gpus|driver:|capabilities|nvidia\.com|devices:|count:"),
        (
            "environment",
            "thing",
            2,
            r"(?-i:(CUDA|NVIDIA|NCCL|NVTE|CUDNN|FI|OMPI|UCX|NVSHMEM)_[A-Z]+)",
        ),
        ("package", "thing", 2, rf"{KERNEL_PACKAGES}|whl/|cu1[0-3][0-9]\b|cu12\b"),
        ("toolkit", "thing", 2, r"cuda|cudnn|nccl|nvidia|nsight|gdrcopy|tensorrt"),
        ("other image", "alike", 2, r"^\s*FROM|image:|--from|^\s*ARG"),
        (
            "plain",
            "alike",
            2,
            r"pip.* install|mpi|\befa|ssh|python|torch|conda|gpu|npu|rocm|shm|ipc",
        ),
    ),
    "manifest": (
        (
            "lock",
            "alike",
            3,
            r"nvidia|cuda|gpu|torch|triton|flash|onnx|numba|transformers|tokenizers",
        ),
        ("library", "thing", 6, KERNEL_PACKAGES),
        ("build", "thing", 3, CUDA_BUILD),
        (
            "pin",
            "thing",
            3,
            r"^\W*torch\W*[=<>~!]|python_requires|requires-python|^\W*python\W*[=<>]",
        ),
        (
            "torchy",
            "alike",
            2,
            r"torch|transformers|accelerate|lightning|\bpeft|timm|datasets|einops|diffusers|nemo|megatron",
        ),
        (
            "plain",
            "alike",
            1,
            r"numpy|opencv|onnx|wandb|ray|scipy|sentencepiece|tokenizers|setuptools",
        ),
    ),
    "cluster": (
        ("shown", "alike", 1, r"\b(echo|description:)\b.*(gpu|cuda|nccl|nvidia)"),
        (
            "ask",
            "thing",
            6,
            (
                r"(?<!download\.)nvidia\.com|accelerators?\b|runtimeClass|gpus?\s*:\s*\S|\b[pg][3-6]\w*\.\w*xlarge|a100|h100"
                r"|\bt4\b|\bl4\b|runs-on:.*(gpu|cuda|\[)|--gpus"
            ),
        ),
        ("environment", "thing", 2, r"(?-i:(CUDA|NVIDIA|NCCL|NVTE|FI)_[A-Z]+)"),
        ("image", "thing", 1, r"image:.*(nvidia|cuda|nvcr|pytorch|gpu|triton|vllm)"),
        (
            "tool",
            "thing",
            2,
            rf"nvidia-smi|dcgm|download\.nvidia|{KERNEL_PACKAGES}|cu1[0-3][0-9]\b|fp16|--device|quantiz",
        ),
        ("vendor", "alike", 2, r"\btpu|rocm|\bamd\b|neuron|habana|\bnpu|xpu"),
        (
            "launch",
            "alike",
            2,
            r"torchrun|mpirun|MASTER_|nproc|WORLD_SIZE|rdma|vpc\.amazonaws|\befa|numNodes|slots",
        ),
        ("word", "alike", 1, r"gpu|cuda|nvidia|nccl"),
        ("plain", "alike", 1, r"\bcpu\b|memory:|runs-on|torch|image:|device|instance"),
    ),
    "native": (
        ("shown", "alike", 1, r"(printf|cout|cerr|TORCH_CHECK|throw|log).*(cuda|gpu|kernel)"),
        ("launch", "alike", 3, r"<<<|>>>"),
        ("kernel", "thing", 5, r"__global__"),
        (
            "library",
            "thing",
            5,
            (
                r"#\s*include.*(cublas|cudnn|cufft|cusparse|cusolver|curand|nccl|nvshmem|cub/|thrust|cutlass"
                r"|cute/|nvtx|nvToolsExt|NvInfer|<mma\.h|cooperative_groups)"
            ),
        ),
        ("torch", "thing", 3, r"(ATen|c10)/cuda|at::cuda|c10::cuda|getCurrentCUDA|(?-i:THC)"),
        ("register", "thing", 1, r"TORCH_LIBRARY|DispatchKey|m\.impl\("),
        ("runtime", "thing", 2, r"#\s*include.*cuda|\bcuda[A-Z]\w+\("),
        (
            "device code",
            "alike",
            2,
            (
                r"__device__|threadIdx|blockIdx|__shared__|__syncthreads|__shfl|atomicAdd"
                r"|asm volatile|cute::|cub::|thrust::|cublas|cudnn|__half|bfloat16"
            ),
        ),
        ("macro", "alike", 2, r"^\s*#.*(cuda|gpu|hip|rocm)|CHECK_\w*CUDA|is_cuda|CUDA_CHECK"),
        ("binding", "alike", 1, r"PYBIND11_MODULE|m\.def\(|torch/|omp |\bcpu\b|_cpu\b"),
        ("word", "alike", 2, r"gpu|cuda"),
    ),
    "shell": (
        ("shown", "alike", 2, r"\b(echo|printf)\b.*(cuda|gpu|nccl|nvidia|bf16|fp16|deepspeed)"),
        (
            "schedule",
            "thing",
            3,
            r"#SBATCH.*(gpu|gres|constraint|partition)|--gres|--gpus|module load|salloc",
        ),
        ("visible", "thing", 2, r"(CUDA|NVIDIA)_VISIBLE"),
        (
            "environment",
            "thing",
            2,
            r"(?-i:(CUDA|NVIDIA|NCCL|NVTE|CUBLAS|CUDNN|FI|UCX|NVSHMEM)_[A-Z]+)|ALLOC_CONF",
        ),
        ("tool", "thing", 1, r"nvidia-smi|\bnsys\b|\bncu\b|dcgm|nvprof|nvcc|gdrcopy|nvidia-|cuda-"),
        ("engine", "thing", 2, r"\bdeepspeed\b|--\w*zero"),
        (
            "install",
            "thing",
            1,
            rf"(install|download).*({KERNEL_PACKAGES}|{CUDA_BUILD})|docker run",
        ),
        (
            "switch",
            "thing",
            2,
            (
                r"--\S*(fp16|\bamp\b|flash|fused|fp8|load.?in|backend|fusion|xformers|[48].?bit|quant|compile)"
                r"|--devices?\b|precision=|optim=|accelerator="
            ),
        ),
        (
            "launch",
            "alike",
            3,
            (
                r"torchrun|distributed\.(launch|run)|accelerate launch|\bsrun\b|mpirun|MASTER_"
                r"|NNODES|nproc"
            ),
        ),
        (
            "portable",
            "alike",
            1,
            r"bf16|bfloat16|\bcpu\b|GPUS?_PER|N_?GPU|\btpu\b|\bnpu|rocm|neuron",
        ),
        ("word", "alike", 1, r"gpu|cuda|nvidia|nccl"),
    ),
    "config": (
        (
            "off",
            "alike",
            3,
            (
                r"(flash|liger|xformers|apex|fused|fusion|fp16|\bamp|fp8|load_in|\wbit|compile|pin_memory|tf32"
                r"|cudnn|deepspeed|quant|gpus?)\w*[\"']?\s*[:=]\s*[\"']?(false|null|none|no|~|0)[\"']?,?$"
            ),
        ),
        (
            "device",
            "thing",
            3,
            r"(?<!per_)device\w*[\"']?\s*[:=].*(cuda|gpu|\d)|accelerator[\"']?\s*[:=]|nccl|cuda:",
        ),
        (
            "kernels",
            "thing",
            3,
            r"flash|liger|transformer_engine|xformers|apex|fused|_fusion|attn_impl|triton|cuda_graph|vllm",
        ),
        ("half", "thing", 2, r"fp16|precision.*16|\bamp\b|amp_|loss_scal|half\b|float16"),
        (
            "quantize",
            "thing",
            2,
            r"fp8|load_in_|quantiz|quant_|gptq|awq|\b[48]_?bit|_[48]bit|paged",
        ),
        ("engine", "thing", 2, r"deepspeed|zero_|distributed_type|MULTI_GPU|_bucket_size|offload"),
        (
            "speed",
            "thing",
            1,
            r"compile|pin_memory|tf32|cudnn|benchmark|optim(izer)?[\"']?\s*[:=]\s*\S",
        ),
        ("portable", "alike", 2, r"bf16|bfloat16|\bcpu\b|:\s*auto\b|fsdp"),
        (
            "scale",
            "alike",
            1,
            r"n?_?gpus|devices|world_size|num_proc|workers|strategy|backend|micro_batch",
        ),
        ("word", "alike", 1, r"gpu|cuda|nvidia|kernel|device"),
    ),
}
"""Strata by kind of file: name, what is hoped for, lines in each half, words. Kinds that only few
repositories have are drawn first."""

QUIET_QUOTA = {
    "terraform": 1,
    "notebook": 4,
    "build": 2,
    "docker": 3,
    "manifest": 2,
    "cluster": 2,
    "native": 3,
    "shell": 2,
    "config": 2,
}
"""Lines in each half of comments with such a word; of a notebook, Markdown and outputs too."""
WORDED = re.compile(
    r"^(?!.*(copyright|corporation|licens)).*"
    r"(cuda|gpu|nccl|triton|apex|flash|nvidia|deepspeed|xformers|fp16|a100|h100|nvcc|\bp[45]\b|fused"
    r"|bitsandbytes|torch)",
    re.IGNORECASE,
)
SLASHED = {"native"}
"""Kinds whose comments are written as in C; the others begin with ``#``."""

TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,]')


@dataclass
class _Cell:
    kind: str = ""
    source: list[int] = field(default_factory=list)
    output: list[int] = field(default_factory=list)


def notebook_lines(text: str) -> tuple[set[int], set[int]]:
    """The lines of the file with source of code cells, and those with Markdown or output."""
    breaks = [match.start() for match in re.finditer("\n", text)]
    cells: list[_Cell] = []
    path: list[str] = []  # one key for each open object or list
    key = ""
    tokens = [*TOKEN.finditer(text)]
    for token, after in pairwise([*tokens, *tokens[-1:]]):
        word = token.group()
        if word in "{[":
            path.append(key)
            if word == "{" and path[1:] == ["cells", "-"]:
                cells.append(_Cell())
            key = "-"
        elif word in "}]":
            key = "-"
            if path:
                path.pop()
        elif word.startswith('"') and after.group() == ":":
            key = word[1:-1]
        elif word.startswith('"') and cells and path[1:3] == ["cells", "-"]:
            line = bisect_left(breaks, token.start()) + 1
            if path[3:] == [] and key == "cell_type":
                cells[-1].kind = word[1:-1]
            elif path[3:] == ["source"]:
                cells[-1].source.append(line)
            elif "outputs" in path[3:] and path[-1] in {"text", "text/plain"}:
                cells[-1].output.append(line)
    code = {line for cell in cells if cell.kind == "code" for line in cell.source}
    shown = {line for cell in cells if cell.kind != "code" for line in cell.source}
    return code, shown | {line for cell in cells for line in cell.output}


def quiet_lines(kind: str, text: str) -> set[int]:
    """The lines that are comments."""
    found: set[int] = set()
    block = False
    for number, line in enumerate(text.split("\n"), 1):
        start = line.strip()
        if kind in SLASHED:
            if block or start.startswith(("//", "/*")):
                found.add(number)
            if "/*" in line and line.rfind("/*") > line.rfind("*/"):
                block = not start.startswith("//")
            elif "*/" in line:
                block = False
        elif start.startswith(("#", "//")) and not start.startswith(("#!", "#SBATCH", "#PBS")):
            found.add(number)
    return found


def stratum(kind: str, line: str, *, lock: bool) -> str | None:
    """The stratum of a line that is no comment."""
    for name, _, _, words in STRATA[kind]:
        if (lock or name != "lock") and re.search(words, line, re.IGNORECASE):
            return name
    return None


def candidates(kind: str, path: str, text: str) -> dict[str, list[int]]:
    """The lines of a file that may be drawn, by stratum."""
    found: dict[str, list[int]] = defaultdict(list)
    lines = text.split("\n")
    code, quiet = set(range(1, len(lines) + 1)), quiet_lines(kind, text)
    if kind == "notebook":
        code, quiet = notebook_lines(text)
    for number in sorted(code | quiet):
        line = lines[number - 1].strip()
        if kind == "notebook":
            line = line.strip('",').removesuffix("\\n").strip()
        if not SHORTEST <= len(line) <= len(lines[number - 1]) <= LONGEST:
            continue
        if number in quiet or (kind == "notebook" and line.startswith("#")):
            name = "quiet" if WORDED.search(line) else None
        else:
            name = stratum(kind, line, lock=path.endswith(".lock"))
        if name:
            found[name].append(number)
    return found


Pool = dict[tuple[str, str], dict[str, dict[str, list[int]]]]
"""By kind and stratum: by repository: by path: lines."""


class Draw:
    """The lines drawn so far, and what that leaves of the rest."""

    def __init__(self, sources: Path) -> None:
        self.rng = random.Random(SEED)  # noqa: S311 - a sample, not a secret
        self.pools: dict[str, Pool] = {half: {} for half in ("tune", "held-out")}
        self.texts: dict[str, list[str]] = {}
        self.by_file: Counter[str] = Counter()
        self.by_repository: Counter[str] = Counter()
        self.seen: set[tuple[str, str]] = set()
        self.drawn: list[tuple[str, int, str]] = []
        for each in SOURCES:
            for path in sorted((sources / each.folder).rglob("*")):
                relative = path.relative_to(sources).as_posix()
                if path.is_file() and not SKIPPED.search(relative.partition("/")[2]):
                    self._read(each.half, each.folder, path, relative)

    def _read(self, half: str, folder: str, path: Path, relative: str) -> None:
        if path.suffix == ".py":
            return
        text = path.read_text("utf-8", errors="replace")
        kind = kind_of(relative, text)
        if kind is None:
            return
        found = candidates(kind, relative, text)
        if found:
            self.texts[relative] = text.split("\n")
        for name, numbers in found.items():
            pool = self.pools[half].setdefault((kind, name), {})
            pool.setdefault(folder, {})[relative] = numbers

    def fill(self, half: str, kind: str, name: str, quota: int) -> int:
        """Draw up to a number of lines of a stratum; returns how many there were."""
        pool = self.pools[half].get((kind, name), {})
        tests = int(quota * TEST_SHARE + self.rng.random())
        got = 0
        turn: Counter[str] = Counter()
        while got < quota:
            free = {
                folder: paths
                for folder, files in pool.items()
                if self.by_repository[folder] < PER_REPOSITORY
                and (paths := self._free(files, tests=tests > 0))
            }
            if not free:
                break
            order = sorted(free)
            self.rng.shuffle(order)
            folder = min(order, key=lambda each: (turn[each], self.by_repository[each]))
            path = self.rng.choice(free[folder])
            numbers = pool[folder][path]
            number = numbers.pop(self.rng.randrange(len(numbers)))
            text = (folder, self.texts[path][number - 1].strip())
            if text in self.seen:
                continue
            self.seen.add(text)
            self.by_file[path] += 1
            self.by_repository[folder] += 1
            turn[folder] += 1
            tests -= bool(TEST.search(path))
            self.drawn.append((path, number, f"{kind} {name}"))
            got += 1
        return got

    def _free(self, files: dict[str, list[int]], *, tests: bool) -> list[str]:
        return sorted(
            path
            for path, numbers in files.items()
            if numbers and self.by_file[path] < PER_FILE and (tests or not TEST.search(path))
        )


def draw(sources: Path) -> list[tuple[str, int, str]]:
    """The drawn lines, shuffled: path, line, stratum."""
    work = Draw(sources)
    for kind, strata in STRATA.items():
        quotas = [(name, quota) for name, _, quota, _ in strata]
        quotas.append(("quiet", QUIET_QUOTA[kind]))
        for half in work.pools:
            short = 0
            for name, quota in quotas:
                short += quota - work.fill(half, kind, name, quota)
            for name, _ in quotas * 2:  # what one stratum lacks, the others make up
                short -= work.fill(half, kind, name, min(short, 2))
    work.rng.shuffle(work.drawn)
    return work.drawn


def report(rows: list[tuple[str, int, str]]) -> None:
    """Print what was drawn of each kind and repository."""
    half = {each.folder: each.half for each in SOURCES}
    hoped = {f"{kind} {row[0]}": row[1] for kind, strata in STRATA.items() for row in strata}
    counts: Counter[tuple[str, str, str]] = Counter()
    folders: Counter[str] = Counter()
    for path, _, stratum_name in rows:
        folder = path.partition("/")[0]
        folders[folder] += 1
        counts[stratum_name.split()[0], half[folder], hoped.get(stratum_name, "alike")] += 1
    print("kind: tune thing, alike; held-out thing, alike")
    for kind in STRATA:
        numbers = [
            counts[kind, each, kind_]
            for each in ("tune", "held-out")
            for kind_ in ("thing", "alike")
        ]
        print(f"{kind:10}", *(f"{number:4}" for number in numbers))
    for folder, number in sorted(folders.items()):
        print(f"{half[folder]:9}{number:3} {folder}")


def main() -> None:
    """Fetch the sources, or write the sample."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("action", choices=["fetch", "draw"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path, nargs="?")
    arguments = parser.parse_args()
    sources = export_all(arguments.folder)
    if arguments.action == "fetch":
        return
    if arguments.output is None:
        parser.error("draw needs the file to write")
    rows = draw(sources)
    with arguments.output.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["path", "line", "drawn_for"])
        writer.writerows(rows)
    digest = hashlib.sha256(arguments.output.read_bytes()).hexdigest()[:12]
    report(rows)
    print(f"{len(rows)} lines, {digest}")


if __name__ == "__main__":
    main()
