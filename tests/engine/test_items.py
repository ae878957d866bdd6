from __future__ import annotations

import pytest
from packaging.version import Version

from portaudit.catalogue.items import ItemIndex, _literals, glob, normal
from portaudit.match.items import _newest
from snippets import catalogue, findings, the


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("**.device", "device", True),
        ("**.device", "model.encoder.device", True),
        ("**.device", "model.devices", False),
        ("*.device", "a.device", True),
        ("*.device", "a.b.device", False),
        ("train.**", "train", True),
        ("train.**", "train.a.b", True),
        ("**.attn_implementation", "Model.attn-implementation", True),
        ("**.limits.nvidia.com/gpu", "spec.limits.nvidia.com/gpu", True),
        ("a.b*", "a.bcd", True),
        ("a+b", "aab", False),
    ],
)
def test_paths_of_keys(pattern: str, name: str, *, fits: bool) -> None:
    matched = glob("config-key", pattern).fullmatch(normal("config-key", name))
    assert bool(matched) is fits


@pytest.mark.parametrize(
    ("text", "newest"),
    [
        ("", "99999"),
        (">=1.0", "99999"),
        ("==2.1.0+cu121", "2.1.0+cu121"),
        ("==2.1.*", "2.1.99999"),
        ("<=2.9", "2.9"),
        ("<2.10", "2.10.dev0"),
        ("~=2.3.1", "2.3.99999"),
        (">=1,<3,!=2", "3.dev0"),
        ("@ git+https://example.com/x", "99999"),
        ("==2.0; python_version < '3.9'", "2.0"),
        ("===foobar", "99999"),
        ("<1.0.dev1", "99999"),
    ],
)
def test_the_newest_version_that_a_requirement_allows(text: str, newest: str) -> None:
    assert _newest(text) == Version(newest)


def test_a_line_is_shown_as_it_is_indented() -> None:
    text = "train:\n    device: cuda   \n"
    assert the({"conf.yaml": text}, "DST001").snippet == "    device: cuda"


def test_a_match_says_it_in_its_own_words() -> None:
    (found,) = findings({"conf.yaml": "attn_implementation: flash_attention_2\n"}, "FUS034")
    rule = catalogue().rules["FUS034"]
    assert found.message == f"`{found.anchor}` chooses the flash-attn CUDA kernels"
    assert rule.message == '"{value}" chooses the flash-attn CUDA kernels'


def test_a_package_may_take_more_or_less_than_others_of_its_rule() -> None:
    listed = findings({"requirements.txt": "spconv\ntorch-scatter\n"}, "DEP050")
    assert [item.effort for item in listed] == ["research", catalogue().rules["DEP050"].effort]


def test_what_a_lock_file_names_follows_from_the_manifest() -> None:
    lock = '[[package]]\nname = "flash-attn"\nversion = "2.6.0"\n'
    listed = findings({"requirements.txt": "flash-attn==2.6.0\n"})
    locked = findings({"poetry.lock": lock})
    efforts = [{item.effort for item in each} for each in (listed, locked)]
    assert efforts[1] == {"trivial"} != efforts[0]


def test_a_variable_is_one_finding_per_file_with_its_uses() -> None:
    text = "export NCCL_ALGO=Ring\nb --algo $NCCL_ALGO\nNCCL_ALGO=Tree a\nNCCL_PROTO=LL c\n"
    found = findings({"run.sh": text}, "DIS010")
    assert [(item.anchor, item.span.line) for item in found] == [
        ("NCCL_ALGO", 1),
        ("NCCL_PROTO", 4),
    ]
    assert {use.line for use in found[0].uses} == {2, 3}


def test_the_least_guarded_place_of_a_variable_is_the_finding() -> None:
    text = """
        if command -v nvidia-smi; then
            export CUDA_VISIBLE_DEVICES=0
        fi
        export CUDA_VISIBLE_DEVICES=1
    """
    found = the({"run.sh": text}, "ENV001")
    assert (found.span.line, found.guard) == (4, "none")


def test_identity_is_the_thing_and_not_its_number_or_line() -> None:
    before = the({"run.sbatch": "#SBATCH --gres=gpu:8\n"}, "ENV004").fingerprint
    after = the({"run.sbatch": "#!/bin/bash\n\n#SBATCH --gres=gpu:4\n"}, "ENV004").fingerprint
    assert before == after


@pytest.mark.parametrize("kind", ["yaml", "native"])
def test_every_pattern_has_a_word_that_triggers_it(kind: str) -> None:
    index: ItemIndex = catalogue().items
    trigger = index.trigger("native" if kind == "native" else "yaml")
    assert not trigger.search(b"")
    for words in index.words.values():
        assert all(len(word) > 1 for word in words), words


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32", "utf-32-be"])
def test_a_file_with_a_mark_is_read_like_any_other(encoding: str) -> None:
    mark = "\ufeff" if encoding.endswith("be") else ""
    text = f"{mark}FROM nvidia/cuda:12.1.0-devel\n"
    assert the({"Dockerfile": text.encode(encoding)}, "CTR001").span.line == 1


def test_a_character_class_is_no_word_that_a_file_must_hold() -> None:
    assert _literals("1[013-9]*") == ["1"]
    assert _literals("[!{o]*") == []
    assert _literals("cublas[A-Z]*ex") == ["cublas", "ex"]
