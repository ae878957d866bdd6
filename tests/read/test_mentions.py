from __future__ import annotations

import pytest

from portaudit.types import Mention
from snippets import scan


def mentions(text: str, path: str = "README.md") -> tuple[Mention, ...]:
    return scan({path: text})[path].facts.mentions


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("[a](classification)", ["classification"]),
        ("[a](./classification/README.md#training)", ["classification/README.md"]),
        ("[a](/classification/)", ["classification"]),
        ("[a](my%20nets/)", ["my nets"]),
        ("[a](https://github.com/some/net/tree/main/detection?x=1)", ["detection"]),
        ("[a](https://gitlab.com/some/net/-/blob/v1/a/b.py#L3)", ["a/b.py"]),
        ("[a](https://github.com/some/net)", []),
        ("[a](mailto:x@example.org) [b](#usage) [c](//example.org/a)", []),
        ("[a](../other) [b](.)", []),
        ("![a](docs/arch.png)", []),
        ('<a href="detection/README.md">a</a>', ["detection/README.md"]),
        ('<div>\n<p><a class="x" href=detection>a</a></p>\n</div>', ["detection"]),
        ("run `tools/train.py`, `model.cuda()` and `train`", ["tools/train.py"]),
        ("see `detection/`", ["detection"]),
        (
            "Run `train_net.py`, then (show.ipynb); not a/b.py or model.pyc.",
            ["train_net.py", "show.ipynb"],
        ),
        ("```sh\ncd detection/\n```", []),
        ("| a | [b](b) |\n|---|---|\n| [c](c) | [b](b/) |", ["b", "c"]),
    ],
)
def test_a_page_leads_to_paths(text: str, paths: list[str]) -> None:
    assert [each.path for each in mentions(f"{text}\n")] == paths


OWN = "https://github.com/some/net/tree/main/"
OTHER = "https://github.com/other/kit/blob/main/"


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        # the one that most links are of
        (f"[a]({OTHER}a) [b]({OWN}b) [c]({OWN}c)", ["b", "c"]),
        (f"[a]({OTHER}a) [b]({OTHER}b) [c]({OWN}c) [d](d)", ["a", "b", "d"]),
        # no more of one than of the other
        (f"[a]({OTHER}a) [b]({OWN}b)", ["a", "b"]),
        # the one that the page has its readers clone, by whatever owner
        (f"[a]({OTHER}a) [b]({OTHER}b) [c]({OWN}c)\n\n    git clone {OWN[:-11]}.git", ["c"]),
        (f"[a]({OTHER}a) [b]({OTHER}b) [c]({OWN}c)\n\ngit clone git@github.com:me/Net.git", ["c"]),
        (f"[b]({OWN}b)\n\ngit clone --depth 1 https://github.com/other/kit", ["b"]),
        # a part of a page that speaks of other runs than training
        (
            "[a](a#-evaluation) [b](b/README.md#inference-demo) [c](c#training-and-evaluation)",
            ["c"],
        ),
        ("[a](a#evaluate) [b](b#results) [c](a)", ["b", "a"]),
        (f"[a]({OWN}a#zero-shot-evaluation)", []),
        ("[a](a.py#L3) [b](b#prepare-training-datasets)", ["a.py", "b"]),
    ],
)
def test_links_to_other_repositories_and_of_other_runs_lead_nowhere(
    text: str, paths: list[str]
) -> None:
    assert [each.path for each in mentions(f"{text}\n")] == paths


def test_lines_are_those_of_the_paragraph() -> None:
    found = mentions("# Net\n\nSee [a](a).\n\n- [b](b)\n- [a](a)\n")
    assert found == (Mention(3, "a"), Mention(5, "b"))


@pytest.mark.parametrize(
    ("path", "count"),
    [("README.md", 1), ("readme_CN.md", 1), ("a/README.md", 0), ("INSTALL.md", 0), ("a.yaml", 0)],
)
def test_only_the_first_page_of_a_tree_is_asked(path: str, count: int) -> None:
    assert len(mentions("[a](a)\n", path)) == count


@pytest.mark.parametrize(
    "text",
    [
        "git clone " * 20_000,
        "git clone " + "git@" * 50_000,
        "git clone https://" + "a" * 100_000 + "/" + "a" * 100_000,
        "<div>\n" + "<a " * 60_000 + "\n</div>",
    ],
)
def test_input_that_was_made_to_hurt(text: str) -> None:
    assert [each.path for each in mentions(f"{text}\n\n[a](train)\n")] == ["train"]
