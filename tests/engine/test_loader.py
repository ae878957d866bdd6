"""What the loader refuses, and how it says so: the file, the key and the remedy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from portaudit.catalogue import load as loader
from portaudit.catalogue.load import Catalogue, load, read_guards, read_rule, read_table
from portaudit.catalogue.testing import run
from portaudit.errors import CatalogueError

FACT = """status = "supported"
evidence = "official"
source = "https://example.com/page"
sdk = "2.33"
checked = 2026-11-21
"""
RULE = f"""schema = 1
id = "DEV900"
name = "some-pattern"
category = "device-api"
severity = "minor"
confidence = "high"
effort = "small"
message = "`{{anchor}}` is bad"
why = "It is."
fix = "Mend it."

[[match]]
kind = "call"
name = ["lib.call"]

[target.torchneuron]
{FACT}
[target.xla]
{FACT}
[[test]]
bad = '''
import lib
lib.call()  # expect: DEV900
'''

[[test]]
good = '''
call()
'''
"""
TABLE = (
    "name,family,severity,torchneuron_status,torchneuron_evidence,torchneuron_source,"
    "torchneuron_sdk,torchneuron_checked\n"
    "lib.one,a,,supported,official,https://example.com/one,2.33,2026-11-21\n"
    "lib.two,b,blocker,,,,,\n"
)
GUARDS = "cuda = []\nvendor = []\npackage_checks = []\n[lib]\n[own]\n[words]\ncuda = ['cuda']\n"


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue of one rule, in the place of the shipped one."""
    folder = tmp_path / "rules"
    (folder / "device-api").mkdir(parents=True)
    (folder / "_data").mkdir()
    (folder / "_data" / "guards.toml").write_text(GUARDS)
    (folder / "device-api" / "DEV900-some-pattern.toml").write_text(RULE)
    monkeypatch.setattr(loader, "builtin_rules", lambda: folder)
    return folder


def rule_file(folder: Path, text: str, name: str = "DEV900-some-pattern.toml") -> Path:
    path = folder / "device-api" / name
    path.write_text(text)
    return path


def refusal(folder: Path, old: str, new: str) -> str:
    """What the loader says of the rule after one change, without the path."""
    assert RULE.count(old) >= 1
    path = rule_file(folder, RULE.replace(old, new, 1))
    with pytest.raises(CatalogueError) as caught:
        read_rule(path)
    said = str(caught.value)
    assert said.startswith(f"{path}: ")
    return said.removeprefix(f"{path}: ")


def test_load_of_a_valid_rule(rules: Path) -> None:
    catalogue = load()
    assert list(catalogue.rules) == ["DEV900"]
    assert catalogue.sources["DEV900"].parent.parent == rules
    assert catalogue.rules["DEV900"].when_guarded == "lower"
    assert run(catalogue) == []


def test_load_of_a_condition_on_the_elements_of_a_list(rules: Path) -> None:
    with_list = RULE.replace(
        'name = ["lib.call"]\n',
        'name = ["lib.call"]\nwhere = [{ argument = [1, "sources"], has = ["*.cu", "x*"] }]\n',
    )
    tests = """
import lib
LIST = ["a.cu"]
lib.call("a", ["a.cu"])  # expect: DEV900
lib.call("a", sources=["a.cpp", "b.cu"])  # expect: DEV900
lib.call("a", ("xyz",))  # expect: DEV900
lib.call("a", LIST)  # expect: DEV900
lib.call("a", ["a.cpp"] + LIST)  # expect: DEV900
lib.call("a", "b.cu")  # expect: DEV900
lib.call("a", glob("*.cu"))  # expect: DEV900
lib.call("a", ["a.cpp"] + ["b.cpp"])
lib.call("a", ["a.cuh", "ax"])
lib.call(["a.cu"], ["a.cpp"])
lib.call("a", other=["a.cu"])
lib.call("a", sources)
lib.call("a", [])
lib.call("a")
"""
    rule_file(rules, with_list.replace("\nimport lib\nlib.call()  # expect: DEV900\n", tests, 1))
    assert run(load()) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('effort = "small"', 'efort = "small"', 'unknown key `efort`; did you mean "effort"?'),
        ('effort = "small"', 'zzz = "small"', "unknown key `zzz`; known keys: schema, id, name"),
        (
            'kind = "call"',
            'kind = "call"\nnme = 1',
            '[match 1]: unknown key `nme`; did you mean "name"?',
        ),
        ('sdk = "2.33"', 'sdk = "2.33"\nsorce = 1', 'unknown key `sorce`; did you mean "source"?'),
        ("bad = '''", "bat = '''", '[test 1]: unknown key `bat`; did you mean "bad"?'),
        (
            'severity = "minor"',
            'severity = "minr"',
            '`severity` cannot be "minr"; did you mean "minor"?',
        ),
        ('severity = "minor"', 'severity = "zzz"', "one of: info, minor, major, blocker"),
        ('category = "device-api"', 'category = "device"', 'did you mean "device-api"?'),
        ('kind = "call"', 'kind = "cal"', '`match 1.kind` cannot be "cal"; did you mean "call"?'),
        ('status = "supported"', 'status = "suported"', 'did you mean "supported"?'),
        ('evidence = "official"', 'evidence = "oficial"', 'did you mean "official"?'),
        ('effort = "small"', 'effort = "tiny"', "one of: trivial, small, medium, large, research"),
        pytest.param(
            "[target.xla]",
            "[target.xlaa]",
            'did you mean "xla"?',
            marks=pytest.mark.xfail(reason="the names of targets are not given"),
        ),
        ('fix = "Mend it."\n', "", "`fix` is missing"),
        ('source = "https://example.com/page"\n', "", "`source` is missing"),
        ('sdk = "2.33"\n', "", "`sdk` is missing"),
        ("checked = 2026-11-21\n", "", "`checked` is missing"),
        ('name = ["lib.call"]', 'name = "lib.call"', "`match 1.name`: Expected `array`"),
        ("checked = 2026-11-21", 'checked = "soon"', "checked"),
        ("schema = 1", 'schema = "1"', "`schema`: Expected `int`"),
    ],
)
def test_read_rule_refuses_keys_and_values(rules: Path, old: str, new: str, said: str) -> None:
    assert said in refusal(rules, old, new)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("schema = 1", "schema = 2", "`schema` is 2; this version reads 1"),
        ('"DEV900"\nname', '"DEV9"\nname', "is not a category prefix and three digits"),
        ('"DEV900"\nname', '"DEW900"\nname', 'did you mean "DEV"?'),
        ('"DEV900"\nname', '"AMP900"\nname', "has the prefix of amp, but `category` is device-api"),
        ('"DEV900"\nname', '"DEV901"\nname', "the file must be named DEV901-some-pattern.toml"),
        ('"some-pattern"', '"other"', "the file must be named DEV900-other.toml"),
        (
            'effort = "small"',
            'effort = "small"\nwhen_guarded = "drop"',
            "needs `when_guarded_reason`",
        ),
        ("[target.xla]\n" + FACT, "", "[target.xla] is missing: say `undocumented`"),
        ("https://example.com/page", "http://example.com/page", "must be the https address"),
        ("https://example.com/page", "https://example.com/", "must be the https address"),
        ("https://example.com/page", "", "must be the https address"),
        ('sdk = "2.33"', 'sdk = " "', "`sdk` is empty"),
        ('name = ["lib.call"]', "", "needs either `name` or `table`"),
        (
            'name = ["lib.call"]',
            'name = ["lib.call"]\ntable = "t"',
            "needs either `name` or `table`",
        ),
        ('name = ["lib.call"]', 'name = ["lib.*.call"]', "is no dotted name"),
        ('name = ["lib.call"]', 'name = ["*"]', "is no dotted name"),
        ('name = ["lib.call"]', 'name = ["lib call"]', "is no dotted name"),
        ('kind = "call"', 'kind = "string"', '`name` means nothing for kind "string"'),
        ('kind = "call"', 'kind = "attribute"\nreceiver = ["x"]', "`receiver` means nothing"),
        ('kind = "call"\nname = ["lib.call"]', 'kind = "string"\nnames = ["x"]', "needs `value`"),
        (
            'kind = "call"\nname = ["lib.call"]',
            'kind = "detector"\nname = ["host-sink"]',
            'did you mean "host-sync"?',
        ),
        (
            'name = ["lib.call"]',
            'name = ["lib.call"]\nwhere = [{ argument = 0 }]',
            "a condition needs",
        ),
        ("{anchor}", "{anchr}", 'unknown placeholder {anchr}; did you mean "anchor"?'),
        ("{anchor}", "{}", "unknown placeholder {}"),
        ('kind = "call"', 'kind = "call"\nmessage = "{vaule}"', 'did you mean "value"?'),
        ('"`{anchor}` is bad"', '"  "', "`message` is empty"),
        ('why = "It is."', 'why = " "', "`why` is empty"),
        ('fix = "Mend it."', 'fix = ""', "`fix` is empty"),
        ("  # expect: DEV900", "", "`bad` has no `# expect: DEV900` line"),
        ("\ncall()\n", "\ncall()  # expect: DEV900\n", "`good` must expect nothing"),
        ("good = '''\ncall()\n'''", "", "give exactly one of `bad`, `good` and `files`"),
        (
            "good = '''\ncall()\n'''",
            "good = 'x'\nbad = 'x  # expect: DEV900'",
            "give exactly one of",
        ),
        ("[[test]]\ngood = '''\ncall()\n'''", "", "no [[test]] that must stay quiet"),
        (
            "bad = '''\nimport lib\nlib.call()  # expect: DEV900\n'''",
            "good = 'x'",
            "no [[test]] that must report",
        ),
        ('[[match]]\nkind = "call"\nname = ["lib.call"]\n', "match = []\n", "no [[match]]"),
    ],
)
def test_read_rule_refuses_what_shapes_cannot_say(
    rules: Path, old: str, new: str, said: str
) -> None:
    assert said in refusal(rules, old, new)


def test_read_rule_refuses_what_is_no_toml(rules: Path) -> None:
    assert "not valid TOML" in refusal(rules, "schema = 1", "schema = ")
    path = rules / "device-api" / "DEV900-some-pattern.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(CatalogueError, match="cannot be read"):
        read_rule(path)
    with pytest.raises(CatalogueError, match="cannot be read"):
        read_rule(rules / "nothing.toml")


def test_load_refuses_twins(rules: Path) -> None:
    other = rules.parent / "mine" / "device-api"
    other.mkdir(parents=True)
    same_id = RULE.replace('"some-pattern"', '"other-pattern"')
    (other / "DEV900-other-pattern.toml").write_text(same_id)
    with pytest.raises(CatalogueError, match=r"`id` DEV900 is taken by .*; use a free one"):
        load([other.parent])
    (other / "DEV900-other-pattern.toml").unlink()
    same_name = RULE.replace("DEV900", "DEV901")
    (other / "DEV901-some-pattern.toml").write_text(same_name)
    with pytest.raises(CatalogueError, match="`name` some-pattern is taken by"):
        load([other.parent])


def test_load_refuses_a_directory_that_is_not_there(rules: Path) -> None:
    with pytest.raises(CatalogueError, match="no such directory of rules"):
        load([rules / "nothing"])


def test_load_adds_the_rules_of_other_directories(rules: Path) -> None:
    other = rules.parent / "mine" / "device-api"
    other.mkdir(parents=True)
    text = RULE.replace("DEV900", "DEV901").replace("some-pattern", "other-pattern")
    (other / "DEV901-other-pattern.toml").write_text(text)
    before, after = load(), load([other.parent])
    assert list(after.rules) == ["DEV900", "DEV901"]
    assert before.digest != after.digest


def test_load_has_a_digest_of_every_byte(rules: Path) -> None:
    first = load().digest
    assert load().digest == first
    rule_file(rules, RULE + "# comment\n")
    second = load().digest
    (rules / "_data" / "guards.toml").write_text(GUARDS + "# comment\n")
    assert len({first, second, load().digest}) == 3


# --- tables --------------------------------------------------------------------------------------

BY_TABLE = RULE.replace('name = ["lib.call"]', 'table = "calls"').replace("lib.call()", "lib.one()")


def with_table(folder: Path, table: str, rule: str = BY_TABLE) -> Catalogue:
    (folder / "_data" / "calls.csv").write_text(table)
    rule_file(folder, rule)
    return load()


def test_load_takes_names_from_a_table(rules: Path) -> None:
    catalogue = with_table(rules, TABLE)
    rows = catalogue.rows["DEV900", 0]
    assert [row.name for row in rows] == ["lib.one", "lib.two"]
    assert [row.severity for row in rows] == [None, "blocker"]
    assert catalogue.facts("DEV900", rows[0], "torchneuron").source == "https://example.com/one"
    assert catalogue.facts("DEV900", rows[0], "xla").source == "https://example.com/page"
    assert catalogue.facts("DEV900", rows[1], "torchneuron").source == "https://example.com/page"
    assert run(catalogue) == []


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        ('{ family = "a" }', ["lib.one"]),
        ('{ family = ["a", "b"] }', ["lib.one", "lib.two"]),
        ('{ family = "a", name = "lib.one" }', ["lib.one"]),
    ],
)
def test_load_selects_rows(rules: Path, rows: str, names: list[str]) -> None:
    rule = BY_TABLE.replace('table = "calls"', f'table = "calls"\nrows = {rows}')
    found = with_table(rules, TABLE, rule).rows["DEV900", 0]
    assert [row.name for row in found] == names


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('table = "calls"', 'table = "cals"', 'no table _data/cals.csv; did you mean "calls"?'),
        ('table = "calls"', 'table = "calls"\nrows = { famly = "a" }', "no column `famly`"),
        ('table = "calls"', 'table = "calls"\nrows = { family = "c" }', "selects no row"),
    ],
)
def test_load_refuses_a_selection(rules: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(CatalogueError, match=r"\[\[match\]\] 1") as caught:
        with_table(rules, TABLE, BY_TABLE.replace(old, new))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("lib.one,a,,", "lib.one,a,,,", "has not as many cells as the header"),
        ("lib.one,a,,", "lib.one,a", "has not as many cells as the header"),
        ("lib.one,", ",", "`name` is empty"),
        ("https://example.com/one", "", "`torchneuron_source` is empty; a fact needs it"),
        ("https://example.com/one", "example.com", "must be the https address"),
        ("2.33,2026-11-21", ",2026-11-21", "`torchneuron_sdk` is empty"),
        ("2.33,2026-11-21", "2.33,today", "must be a date such as 2026-11-21"),
        (",supported,official", ",suported,official", "row 1 (lib.one)"),
        ("blocker", "bloker", '`severity` cannot be "bloker"; did you mean "blocker"?'),
    ],
)
def test_read_table_refuses_a_row(rules: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        with_table(rules, TABLE.replace(old, new))
    assert "calls.csv: row " in str(caught.value)
    assert said in str(caught.value)


def test_read_table_leaves_out_comments(rules: Path) -> None:
    path = rules / "_data" / "calls.csv"
    path.write_text("# why\n" + TABLE + "# end\n")
    assert [row.name for row in read_table(path)] == ["lib.one", "lib.two"]


def test_read_table_says_what_it_cannot_read(rules: Path) -> None:
    with pytest.raises(CatalogueError, match="cannot be read"):
        read_table(rules / "_data" / "nothing.csv")


@pytest.mark.parametrize("text", ["cuda = [", "vendor = []\n", "cuda = []\nvendor = []\n[lib]\n"])
def test_read_guards_says_what_it_cannot_read(rules: Path, text: str) -> None:
    path = rules / "_data" / "guards.toml"
    path.write_text(text)
    with pytest.raises(CatalogueError, match="cannot be read"):
        read_guards(path)


def test_load_fills_placeholders_of_rows(rules: Path) -> None:
    rule = BY_TABLE.replace("{anchor}` is bad", "{anchor}` of {row.family} is bad")
    assert (
        with_table(rules, TABLE, rule).rules["DEV900"].message
        == "`{anchor}` of {row.family} is bad"
    )


@pytest.mark.parametrize("place", ["message", "[target.xla] message", "[target.xla] fix"])
def test_load_refuses_a_placeholder_of_a_column_that_is_not_there(rules: Path, place: str) -> None:
    section, _, key = place.rpartition(" ")
    line = f'{key} = "this is {{row.famly}}"\n'
    if section:
        rule = BY_TABLE.replace(f"{section}\n", f"{section}\n{line}")
    else:
        rule = re.sub(rf"(?m)^{key} = .*\n", line, BY_TABLE, count=1)
    with pytest.raises(CatalogueError) as caught:
        with_table(rules, TABLE, rule)
    said = '[[match]] 1: calls.csv has no column for {row.famly}; did you mean "family"?'
    assert said in str(caught.value)


def test_load_refuses_a_placeholder_in_what_is_the_same_for_all_rows(rules: Path) -> None:
    rule = re.sub(r"(?m)^fix = .*\n", 'fix = "use {row.family}, or {family}"\n', BY_TABLE, count=1)
    with pytest.raises(CatalogueError, match=r"`fix` is the same for all rows: .*\{row\.family\}"):
        with_table(rules, TABLE, rule)


def test_load_refuses_a_placeholder_of_a_row_where_there_is_none(rules: Path) -> None:
    rule = BY_TABLE.replace("{anchor}` is bad", "{anchor}` of {row.family} is bad")
    named = '[[match]]\nkind = "import"\nname = ["lib"]\n'
    first = "[target.torchneuron]"
    with pytest.raises(CatalogueError, match=r"\[\[match\]\] 2: nothing fills \{row\.family\}"):
        with_table(rules, TABLE, rule.replace(first, f"{named}\n{first}", 1))
    named += 'message = "`{anchor}` is imported"\n'
    with_table(rules, TABLE, rule.replace(first, f"{named}\n{first}", 1))


# --- the tests of a rule -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("\ncall()\n", "\nimport lib\nlib.call()\n", "Noisy"),
        ("lib.call()  # expect: DEV900", "call()  # expect: DEV900", "Missing"),
        ("lib.call()  # expect: DEV900", "lib.call()\nx()  # expect: DEV900", "Missing"),
        ("# expect: DEV900", "# expect: DEV900 severity=major", "Wrong"),
        ("# expect: DEV900", "# expect: DEV900 guard=guarded", "Wrong"),
        ("# expect: DEV900", "# expect: DEV900 sevrity=minor", "Broken"),
        ("# expect: DEV900", "# expect: DEV900,", "Broken"),
        ("import lib\nlib", "import = lib\nlib", "Broken"),
    ],
)
def test_run_names_what_does_not_hold(rules: Path, old: str, new: str, kind: str) -> None:
    rule_file(rules, RULE.replace(old, new, 1))
    failures = run(load())
    assert kind in {failure.kind for failure in failures}
    assert str(failures[0]).startswith(f"{failures[0].kind} DEV900 test ")


def test_a_glob_that_could_take_for_ever_is_refused(rules: Path) -> None:
    new = 'kind = "config-key"\nvalue = ["x"]\nname = ["**.a.**.b.**.c.**.d"]'
    said = refusal(rules, 'kind = "call"\nname = ["lib.call"]', new)
    assert "has `**` too often to be tried together" in said
