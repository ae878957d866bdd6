from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import tomli
from msgspec.structs import replace

from portaudit.config import KEYS, Config, Options, load, show
from portaudit.errors import ConfigError, UsageError

MakeTree = Callable[[Mapping[str, str]], Path]


def loaded(cwd: Path, *paths: str, options: Options = Options()) -> Config:  # noqa: B008 - frozen
    return load([Path(path) for path in paths], options, cwd=cwd)


def test_load_without_settings_gives_the_defaults(make_tree: MakeTree) -> None:
    root = make_tree({"a.py": ""})
    assert loaded(root) == Config(root=root, paths=(root,))


def test_load_reads_every_key(make_tree: MakeTree) -> None:
    root = make_tree(
        {
            ".portaudit.toml": """
                target = "xla"
                select = ["AMP", "FUS"]
                ignore = ["AMP003"]
                extend-select = ["cuda-seed"]
                exclude = ["vendor/"]
                entry = ["tools/train.py"]
                min-confidence = "medium"
                rules = ["our-rules"]
                fail-on = "major"
                jobs = 3
            """,
            "our-rules/": "",
            "tools/train.py": "",
        }
    )
    assert replace(loaded(root), origins=()) == Config(
        root=root,
        paths=(root,),
        target="xla",
        select=("AMP", "FUS"),
        ignore=("AMP003",),
        extend_select=("cuda-seed",),
        exclude=("vendor/",),
        entry=("tools/train.py",),
        min_confidence="medium",
        rules=(root / "our-rules",),
        fail_on="major",
        jobs=3,
    )


def test_load_lets_the_command_line_win(make_tree: MakeTree) -> None:
    root = make_tree(
        {
            "pyproject.toml": """
                [tool.portaudit]
                target = "xla"
                select = ["AMP"]
                extend-select = ["RNG"]
                rules = ["one"]
                fail-on = "major"
                jobs = 3
            """,
            "one/": "",
            "two/": "",
        }
    )
    options = Options(
        target="torchneuron",
        select=("FUS",),
        extend_select=("STR",),
        rules=(Path("two"),),
        fail_on="none",
        min_confidence="high",
    )
    config = loaded(root, options=options)
    assert config.target == "torchneuron"
    assert config.select == ("FUS",)
    assert config.extend_select == ("RNG", "STR")
    assert config.rules == (root / "one", root / "two")
    assert config.fail_on is None
    assert config.min_confidence == "high"
    assert config.jobs == 3
    assert dict(config.origins)["jobs"] == "pyproject.toml"
    assert dict(config.origins)["target"] == "command line"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('targte = "xla"', ".portaudit.toml: unknown key 'targte'; did you mean \"target\"?"),
        ("zzz = 1", ".portaudit.toml: unknown key 'zzz'"),
        ("min_confidence = 'low'", 'did you mean "min-confidence"?'),
        ('target = "xl"', "target must be one of torchneuron, xla, not"),
        ("target = 3", "target must be one of torchneuron, xla, not 3"),
        ('select = "AMP"', 'select must be a list of strings, not "AMP"'),
        ("select = [1]", "select must be a list of strings, not [1]"),
        ('exclude = [""]', "exclude must be a list of strings"),
        ('entry = "train.py"', "entry must be a list of strings"),
        ('entry = ["gone.py"]', "gone.py is no file"),
        ('jobs = "2"', "jobs must be a number of processes"),
        ("jobs = true", "jobs must be a number of processes (0: one per core), not true"),
        ("jobs = -1", "jobs must be a number of processes"),
        ('fail-on = "majr"', 'did you mean "major"?'),
        ('rules = ["gone"]', "gone is no directory"),
        ("target =", ".portaudit.toml: cannot be read as TOML"),
    ],
)
def test_load_refuses_settings_with_place_and_remedy(
    make_tree: MakeTree, text: str, message: str
) -> None:
    root = make_tree({".portaudit.toml": text})
    with pytest.raises(ConfigError) as caught:
        loaded(root)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (Options(target="tpu"), "--target must be one of"),
        (Options(fail_on="blokcer"), 'did you mean "blocker"?'),
        (Options(min_confidence="hi"), "--min-confidence must be one of"),
        (Options(jobs=-2), "--jobs must be a number of processes"),
        (Options(rules=(Path("gone"),)), "--rules:"),
    ],
)
def test_load_refuses_options(make_tree: MakeTree, options: Options, message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("?", "[?]")):
        loaded(make_tree({}), options=options)


def test_load_refuses_two_settings_files(make_tree: MakeTree) -> None:
    root = make_tree({".portaudit.toml": "", "pyproject.toml": "[tool.portaudit]\n"})
    with pytest.raises(ConfigError, match="both hold settings"):
        loaded(root)


@pytest.mark.parametrize("text", ["[tool.portaudit]\njobs = 1\n[", "tool.portaudit = 3\n"])
def test_load_refuses_a_pyproject_that_hides_settings(make_tree: MakeTree, text: str) -> None:
    with pytest.raises(ConfigError, match=r"pyproject.toml"):
        loaded(make_tree({"pyproject.toml": text}))


@pytest.mark.parametrize("text", ["{{ cookiecutter.name }}", "[tool.ruff]\n", "[project]\nx ="])
def test_load_does_not_mind_a_pyproject_that_is_not_its_business(
    make_tree: MakeTree, text: str
) -> None:
    root = make_tree({"pyproject.toml": text})
    assert loaded(root) == Config(root=root, paths=(root,))


def test_load_refuses_a_path_that_is_not_there(make_tree: MakeTree) -> None:
    with pytest.raises(UsageError, match="gone: no such file or directory"):
        loaded(make_tree({}), "gone")


def test_load_refuses_links_in_a_circle(make_tree: MakeTree) -> None:
    root = make_tree({})
    (root / "a").symlink_to(root / "b")
    (root / "b").symlink_to(root / "a")
    with pytest.raises(UsageError, match=r"a: .*[Ll]"):
        loaded(root, "a")


def test_load_refuses_a_root_that_does_not_hold_the_paths(make_tree: MakeTree) -> None:
    root = make_tree({"a/x.py": "", "b/": ""})
    with pytest.raises(UsageError, match="outside the root"):
        loaded(root, "a", options=Options(root=Path("b")))
    with pytest.raises(UsageError, match="is a file"):
        loaded(root, "a", options=Options(root=Path("a/x.py")))


@pytest.mark.parametrize(
    ("files", "paths", "root"),
    [
        ({"a/b/x.py": ""}, ["a/b"], "a/b"),
        ({"a/b/x.py": "", "a/.portaudit.toml": ""}, ["a/b"], "a"),
        ({"a/b/x.py": "", "a/.portaudit-baseline.json": ""}, ["a/b"], "a"),
        ({"a/b/x.py": "", "a/pyproject.toml": "[tool.portaudit]"}, ["a/b"], "a"),
        ({"a/b/x.py": "", "a/pyproject.toml": "[tool.ruff]"}, ["a/b"], "a/b"),
        ({"a/b/x.py": "", "a/.git/": ""}, ["a/b"], "a/b"),
        ({"a/b/x.py": "", "a/.git/": ""}, ["a/b/x.py"], "a"),
        ({"a/b/x.py": "", "a/c/": "", "a/.git/": ""}, ["a/b", "a/c"], "a"),
        ({"a/b/x.py": "", "a/c/": "", "a/b/.git/": ""}, ["a/b", "a/c"], ""),
        ({"a/b/x.py": ""}, ["a/b/x.py"], ""),
        ({"x.py": ""}, [], ""),
    ],
)
def test_find_root(make_tree: MakeTree, files: dict[str, str], paths: list[str], root: str) -> None:
    cwd = make_tree(files)
    assert loaded(cwd, *paths).root == cwd / root


def test_find_root_is_no_home_directory(
    make_tree: MakeTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    cwd = make_tree({"a/b/x.py": "", "a/c/y.py": ""})
    monkeypatch.setenv("HOME", str(cwd))
    assert loaded(cwd, "a/b/x.py", "a/c/y.py").root == cwd / "a"


def test_find_root_lies_above_the_paths(make_tree: MakeTree) -> None:
    cwd = make_tree({"here/": "", "there/a/x.py": "", "there/b/y.py": ""})
    assert loaded(cwd / "here", "../there/a", "../there/b").root == cwd / "there"


def test_an_entry_is_found_from_the_working_directory_or_the_root(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": "", "tools/train.py": "", "tools/eval.py": ""})

    def entries(*paths: str, cwd: Path) -> tuple[str, ...]:
        return load([root], Options(entry=tuple(map(Path, paths))), cwd=cwd).entry

    assert entries("train.py", cwd=root) == ("train.py",)
    assert entries("train.py", "eval.py", cwd=root / "tools") == ("tools/train.py", "tools/eval.py")
    assert entries("tools/eval.py", cwd=root / "tools") == ("tools/eval.py",)
    with pytest.raises(UsageError, match=r"--entry: gone\.py is no file"):
        entries("gone.py", cwd=root)


def test_show_is_toml_that_says_where_settings_come_from(make_tree: MakeTree) -> None:
    root = make_tree({".portaudit.toml": 'exclude = ["a\\"b\\\\"]\nfail-on = "minor"\n'})
    text = show(loaded(root, options=Options(jobs=2)))
    assert tomli.loads(text)["exclude"] == ['a"b\\']
    assert 'fail-on = "minor"  # .portaudit.toml' in text
    assert "jobs = 2  # command line" in text
    assert 'target = "torchneuron"  # default' in text


def test_show_has_every_key_that_settings_may_have(make_tree: MakeTree) -> None:
    root = make_tree({".portaudit.toml": '[[gate]]\npaths = ["tests/"]\nfail-on = "none"\n'})
    shown = tomli.loads(show(loaded(root)))
    assert list(shown) == list(KEYS)
    assert shown["gate"] == [{"paths": ["tests/"], "fail-on": "none"}]


def test_show_has_what_the_command_does_where_nobody_says_anything(make_tree: MakeTree) -> None:
    usual = {"fail-on": "minor", "min-confidence": "medium"}
    text = show(loaded(make_tree({".portaudit.toml": 'fail-on = "major"\n'})), usual)
    assert 'fail-on = "major"  # .portaudit.toml' in text
    assert 'min-confidence = "medium"  # default' in text


# --- settings of strangers ------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["rules", "ops", "baseline", "entry"])
@pytest.mark.parametrize("way", ["..", "absolute", "link"])
def test_load_refuses_settings_that_lead_out_of_the_root(
    make_tree: MakeTree, tmp_path: Path, key: str, way: str
) -> None:
    root = make_tree({})
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "file.py").write_text("")
    (root / "link").symlink_to(tmp_path / "out")
    start = {"..": "../out", "absolute": tmp_path.as_posix() + "/out", "link": "link"}[way]
    place = start if key == "rules" else f"{start}/file.py"
    value = f'"{place}"' if key in {"ops", "baseline"} else f'["{place}"]'
    (root / ".portaudit.toml").write_text(f"{key} = {value}\n")
    with pytest.raises(ConfigError, match="outside the root"):
        loaded(root)


def test_load_takes_what_the_command_line_says_from_anywhere(
    make_tree: MakeTree, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    baseline = tmp_path / "out" / "b.json"
    options = Options(rules=(tmp_path / "out",), baseline=baseline)
    config = loaded(make_tree({}), options=options)
    assert (config.rules, config.baseline) == ((tmp_path / "out",), baseline)


def test_load_follows_a_link_of_settings_in_the_root_only(
    make_tree: MakeTree, tmp_path: Path
) -> None:
    root = make_tree({"ci/settings.toml": "jobs = 3\n"})
    (root / ".portaudit.toml").symlink_to("ci/settings.toml")
    assert loaded(root).jobs == 3
    (tmp_path / "elsewhere.toml").write_text("secret")
    (root / ".portaudit.toml").unlink()
    (root / ".portaudit.toml").symlink_to(tmp_path / "elsewhere.toml")
    with pytest.raises(ConfigError, match="outside the root"):
        loaded(root)
    (root / ".portaudit.toml").unlink()
    (tmp_path / "pyproject.toml").write_text("[tool.portaudit]\njobs = 5\n")
    (root / "pyproject.toml").symlink_to(tmp_path / "pyproject.toml")
    assert loaded(root, options=Options(root=root)).jobs == 0


@pytest.mark.parametrize("name", [".portaudit.toml", "pyproject.toml"])
def test_load_waits_for_no_pipe(make_tree: MakeTree, name: str) -> None:
    root = make_tree({})
    os.mkfifo(root / name)
    if name == "pyproject.toml":
        assert loaded(root).root == root
    else:
        with pytest.raises(ConfigError, match="not a regular file"):
            loaded(root)
