"""What effort and score assume, and what a user may assume instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from portaudit import engine
from portaudit.catalogue import assumptions
from portaudit.catalogue.assumptions import LEAST_RATIO, changed, reasons, standard
from portaudit.catalogue.place import builtin_rules
from portaudit.config import Config, Options, load, show
from portaudit.errors import CatalogueError, ConfigError
from portaudit.report import json
from portaudit.types import EFFORTS, GUARD_STATES, SEVERITIES, Assumption

MakeTree = Callable[[Mapping[str, str]], Path]
WHERE = "settings: assumptions"


def test_the_standard_ones_can_be_assumed() -> None:
    groups: dict[str, dict[str, object]] = {}
    for name, value in standard().values.items():
        group, key = name.split(".")
        groups.setdefault(group, {})[key] = list(value) if isinstance(value, tuple) else value
    groups["sites"]["most"] = standard().most_sites
    assert changed(groups, WHERE) == standard()


def test_every_standard_one_has_a_reason() -> None:
    assert all(len(because.split()) > 3 for _, because in reasons().values())


def test_the_table_knows_every_effort_guard_and_severity() -> None:
    taken = standard()
    for effort in EFFORTS:
        low, high = taken.days(effort)
        assert high >= LEAST_RATIO * low > 0
    assert {taken.guard(guard) for guard in GUARD_STATES} == {0.0, 0.5, 1.0}
    assert sum(taken.points(severity) for severity in SEVERITIES[1:]) == 100
    assert taken.floor("blocker") > taken.points("minor"), "no edits outweigh a blocker"
    assert taken.off == 0


def test_a_broken_table_is_refused(tmp_path: Path) -> None:
    text = (builtin_rules() / "_data" / "assumptions.toml").read_text("utf-8")
    path = tmp_path / "assumptions.toml"
    path.write_text(text.replace("value = 60", "value = -1"), encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"assumptions\.toml: cannot be read"):
        assumptions.read(path)


def test_a_user_may_assume_otherwise() -> None:
    mine = changed(
        {
            "effort": {"large": {"value": [10, 15], "source": "two ports of ours"}},
            "sites": {"further": 0.1},
            "guard": {"guarded": 0.5},
        },
        WHERE,
    )
    assert (mine.days("large"), mine.further_site) == ((10.0, 15.0), 0.1)
    assert mine.days("small") == standard().days("small")
    assert mine.changed == (
        Assumption("effort.large", "[10, 15]", "[5, 20]", "two ports of ours"),
        Assumption("sites.further", "0.1", "0.05"),
    )


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({"efort": {}}, "unknown key 'efort'; did you mean \"effort\"?"),
        ({"effort": {"larg": [1, 5]}}, "unknown key 'effort.larg'; did you mean \"large\"?"),
        ({"effort": [1, 5]}, "effort must be a table, such as effort.trivial = [0.05, 0.25]"),
        ({"effort": {"large": 5}}, "effort.large must be two numbers of days, such as [1, 5]"),
        ({"effort": {"large": [5, True]}}, "effort.large must be two numbers of days"),
        ({"effort": {"large": [20, 5]}}, "must be above 0 and not above the second"),
        ({"effort": {"large": [0, 20]}}, "must be above 0 and not above the second"),
        ({"effort": {"large": [15, 20]}}, "narrower than a factor of 2; say where it comes from"),
        ({"effort": {"large": {"value": [15, 20], "source": " "}}}, "narrower than a factor of 2"),
        ({"effort": {"large": {"valu": [1, 2]}}}, "unknown key 'valu'; did you mean \"value\"?"),
        ({"effort": {"large": {"source": "x"}}}, "must be a value, or { value ="),
        ({"effort": {"large": [0.5, 20]}}, "effort.large ([0.5, 20]) must not be below"),
        ({"sites": {"further": 1.5}}, "sites.further must be a share from 0 to 1"),
        ({"sites": {"most": 0}}, "sites.most must be a number of places, at least 1"),
        ({"guard": {"fallback": -0.1}}, "guard.fallback must be a share from 0 to 1"),
        ({"setting": {"off": "none"}}, "setting.off must be a share from 0 to 1"),
        ({"points": {"minor": 10}}, "points must sum to 100, not 90 (points.minor = 10"),
        ({"points": {"info": 10}}, "unknown key 'points.info'"),
        ({"points": {"minor": -1}}, "points.minor must be a number of points, 0 or more"),
        ({"floor": {"blocker": 60}}, "floor.blocker (60) must not be above points.blocker (50)"),
        ({"scale": {"minor": 0}}, "scale.minor must be a number of days above 0"),
        ({"scale": {"minor": float("inf")}}, "scale.minor must be a number of days above 0"),
        ({"scale": {"minor": 1e-320}}, "scale.minor must be a number of days above 0"),
        ({"effort": {"trivial": [1e-320, 1]}}, "effort.trivial: days must be between 1e-06"),
        ({"effort": {"research": [1e300, 1e308]}}, "effort.research: days must be between 1e-06"),
        ({"effort": {"large": "large"}}, "effort.large must be two numbers of days"),
        ({"sites": {"most": 10**20}}, "at most 1000000"),
        ({"setting": {"off": 1e-320}}, "setting.off must be a share from 0 to 1"),
        ({"setting": {"off": True}}, "setting.off must be a share from 0 to 1"),
        ({"guard": {"guarded": float("nan")}}, "guard.guarded must be a share from 0 to 1"),
        ({"floor": {"blocker": 1e-320}}, "floor.blocker must be a number of points"),
        (
            {"wiring": {"effort": "smal"}},
            'one of trivial, small, medium, large, research; did you mean "small"?',
        ),
    ],
)
def test_what_makes_no_sense_is_refused(table: Mapping[str, object], complaint: str) -> None:
    with pytest.raises(ConfigError) as error:
        changed(table, WHERE)
    assert str(error.value).startswith(WHERE)
    assert complaint in str(error.value)


# --- the settings file ----------------------------------------------------------------------------

SETTINGS = """
[assumptions]
effort.medium = { value = [2, 3], source = "four of our ports, 2026" }
points = { minor = 10, major = 40 }
"""


def loaded(root: Path) -> Config:
    return load([root], Options(cache=False, jobs=1), cwd=root)


def test_a_settings_file_may_hold_some(make_tree: MakeTree) -> None:
    config = loaded(make_tree({".portaudit.toml": SETTINGS}))
    assert config.assumptions is not None
    assert [each.name for each in config.assumptions.changed] == [
        "effort.medium",
        "points.major",
        "points.minor",
    ]


def test_what_is_shown_of_them_can_be_set_again(make_tree: MakeTree) -> None:
    root = make_tree({".portaudit.toml": SETTINGS})
    config = loaded(root)
    (shown,) = (line for line in show(config).splitlines() if line.startswith("assumptions ="))
    (root / ".portaudit.toml").write_text(shown, encoding="utf-8")
    assert loaded(root).assumptions == config.assumptions


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("assumptions = 3", ".portaudit.toml: assumptions must be a table: [assumptions]"),
        ("[assumptions]\nscales.minor = 1", "assumptions: unknown key 'scales'; did you mean"),
    ],
)
def test_a_settings_file_that_makes_no_sense_is_refused(
    make_tree: MakeTree, text: str, complaint: str
) -> None:
    with pytest.raises(ConfigError) as error:
        loaded(make_tree({".portaudit.toml": text}))
    assert complaint in str(error.value)


def test_a_report_says_which_were_changed(make_tree: MakeTree) -> None:
    code = "import torch\nimport flash_attn\n\nflash_attn.flash_attn_func(q, k, v)\n"
    root = make_tree({"model.py": code})
    usual = engine.scan(loaded(root)).score
    (root / ".portaudit.toml").write_text(SETTINGS, encoding="utf-8")
    report = engine.scan(loaded(root))
    assert report.score.effort_days != usual.effort_days
    assert '"source": "four of our ports, 2026"' in json.render(report)
    assert '"default": "[1, 5]"' in json.render(report)
