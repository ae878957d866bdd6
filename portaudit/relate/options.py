"""Which options of the code are off on the main path: settings that are known, entries not chosen.

What says more comes first: the command line of the main program, the files of settings that it is
given, what code of the path sets, what holds where nobody sets it. Only what is known of every
value that a setting may have switches code off; whatever is unknown leaves it on.

Names are compared without their place. A name of several words (`use_flash`) is taken for one
setting wherever it stands; one of a single word (`type`, `enabled`) may be another setting
elsewhere, so of that all values that anything on the path has for it must agree. What is known to
stand in another section (`TEST.enabled`, for `cfg.MODEL.enabled`) is another one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from msgspec import Struct, field
from msgspec.structs import replace

from portaudit.catalogue.options import words
from portaudit.marks import (
    ANY_PART,
    ANY_SETTING,
    ANY_VARIABLE,
    AS_WRITTEN,
    BY_KEY,
    ELEMENT,
    EMPTY,
    IN_DICT,
    OBJECT_ITSELF,
    OF_COMMAND,
    OF_CONFIG,
    OF_FUNCTION,
    PARSED,
    POURED,
    REQUIRED,
    VARIABLE,
)
from portaudit.types import Option, Setting

Values = frozenset[str]
"""Values that a setting may have; an empty one is not known."""
_UNKNOWN = ""
_UNPLACED = ""
"""The section of a setting of which nobody knows it."""
_NO: Values = frozenset({"false", "null", "0", "0.0", "none", "[]", "{}", EMPTY})
"""What counts as false."""
_NO_ELEMENT: Values = frozenset({"false", "null", "[]", "[false]", "[null]", "[false,null]"})
"""Lists without an element that counts as true, and such elements."""
_MAYBE: Values = frozenset({"no", "off", "n", "f", OBJECT_ITSELF})
"""What may be false: words that some programs take for that, objects with nothing in them."""
_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])")
_NAMES = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*")
_PLACED = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_ALONE = "."
"""Where a name stands that nothing is said of but itself."""
_SAYING = re.compile(r"[=:]")
"""Signs of a word that has names with their values."""
_OPEN = re.compile(r"[$<>{}*]")
"""Signs of a value that stands for another one."""
_PLACE = re.compile(r"(?i)data|dir|out|root|ckpt|checkpoint|path(?!s)|log|save")
"""What scripts call the folders that they give a program."""
_REST = re.compile(r"(?i)args|opts|options|extra|flags|overrides")
"""What scripts call the words that they add to a command line."""
FILES = (".yaml", ".yml", ".json", ".toml")
"""How the paths of files of settings end."""
_FLAG = {"true"}
"""What an option has before any value of its own."""
_PASSED = re.compile(r"\"?\$(?:[@*\d]|\{[@*\d].*\})\"?")
"""What a script hands on of the words that it is started with."""


class Command(Struct, frozen=True):
    """What a command line says: subcommands and the like, and values that it gives by name.

    `letters`: options of one letter, which are settings only as code spells them · `bundles`:
    those of several with one hyphen (`-vx`), which are letters too unless code spells one so ·
    `lettered`: values given by a letter, of those that each of several lines gives ·
    `mentioned`: names in its words and values, which may be those of settings that get a value so
    (`MODEL.FLASH True`, `--set=a.flash=true`, JSON) · `is_open`: it has a word that may stand for
    any of this · `is_sure`: it tells of the usual run, and is not one of several that might ·
    `sections`: of names of which one is spelled the values by what they stand in, empty if that is
    not said · `placed`: so of names that are never mentioned alone, an empty one for those in which
    another stands.
    """

    words: frozenset[str] = frozenset()
    given: Mapping[str, Values] = field(default_factory=dict)
    letters: frozenset[str] = frozenset()
    bundles: frozenset[str] = frozenset()
    mentioned: frozenset[str] = frozenset()
    is_open: bool = False
    is_sure: bool = True
    sections: Mapping[str, Mapping[str, Values]] = field(default_factory=dict)
    placed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    lettered: Mapping[str, Values] = field(default_factory=dict)

    def within(self, name: str) -> Mapping[str, Values]:
        """The values that a name is given, by the section that it stands in."""
        return self.sections.get(name) or {_UNPLACED: self.given.get(name, frozenset())}

    def has(self, name: str) -> bool:
        """Whether it has a name that may be that of a setting itself, and of no section only."""
        bare = name.lower()
        return name in self.given or (bare in self.mentioned and bare not in self.placed)

    def mentions(self, name: str, section: str = "") -> bool:
        """Whether it has a name that may be that of a setting, in a section if that is known."""
        if name.lower() not in self.mentioned:
            return False
        found = self.placed.get(name.lower())
        return found is None or not section or not found.isdisjoint({_key(section), _UNPLACED})


def command(arguments: Sequence[str], *, is_text: bool = False) -> Command:
    """Read a command line. `is_text`: people are shown it, so what is open in it is theirs."""
    words: set[str] = set()
    given: dict[str, dict[str, set[str]]] = {}
    letters: set[str] = set()
    lettered: dict[str, set[str]] = {}
    bundles: set[str] = set()
    mentioned: dict[str, set[str]] = {}
    is_open = False
    last: set[str] | None = None

    def mention(text: str) -> None:
        for name, section in _names(text):
            mentioned.setdefault(name, set()).add(section)

    for word in arguments:
        key, sign, value = word.partition("=")
        if word.startswith("-") and not _is_number(word):
            text = key.lstrip("-")
            if not key.startswith("--") and len(text) == 1:
                letters.add(text.lower())
                mention(value)
                last = lettered.setdefault(text, set())
                last.add(plain(value) if sign else "true")
                continue
            if not key.startswith("--"):
                bundles.add(text.lower())
            name = setting_name(text)
            mention(value)
            last = given.setdefault(name, {}).setdefault(_section(text), set())
            last.add(plain(value) if sign else "true")
            if name.startswith("no_") and not sign:
                bare = given.setdefault(name.removeprefix("no_"), {})
                bare.setdefault(_UNPLACED, set()).add("false")
            if sign:
                last = None
        elif sign and re.fullmatch(r"[+~]*[\w.@/-]+", key):
            text = key.lstrip("+~")
            found = given.setdefault(setting_name(text), {}).setdefault(_section(text), set())
            found.add(_UNKNOWN if key.startswith("~") else plain(value))
            mention(value)
            last = None
        elif last is not None and not (_OPEN.search(word) and (last - _FLAG or _REST.search(word))):
            mention(word)
            last.add(plain(word))
        elif _OPEN.search(word):
            is_harmless = is_text or _PASSED.fullmatch(word) or _PLACE.search(word)
            is_open = is_open or not is_harmless
        else:
            mention(word)
            words.add(word)
    return Command(
        frozenset(words),
        {name: frozenset().union(*values.values()) for name, values in given.items()},
        frozenset(letters),
        frozenset(bundles),
        frozenset(mentioned),
        is_open,
        sections={
            name: {section: frozenset(each) for section, each in values.items()}
            for name, values in given.items()
            if set(values) != {_UNPLACED}
        },
        placed={
            name: frozenset(sections - {_ALONE})
            for name, sections in mentioned.items()
            if _ALONE not in sections
        },
        lettered={letter: frozenset(values) for letter, values in lettered.items()},
    )


def _section(text: str) -> str:
    """What the setting of a word of the command line stands in: `model` of `model.use-flash`."""
    *outer, _ = text.split(".")
    is_plain = bool(outer) and _PLACED.fullmatch(text) and not text.startswith("no")
    return outer[-1] if is_plain else _UNPLACED


def _names(text: str) -> Iterator[tuple[str, str]]:
    """The names in a word that may be those of settings, and what they stand in: of a path none."""
    if "/" in text and not _SAYING.search(text):
        return
    for match in _NAMES.finditer(text):
        *outer, last = (_key(name) for name in match[0].split("."))
        yield from ((name, _UNPLACED) for name in outer)
        yield last, outer[-1] if outer else _ALONE


def _key(name: str) -> str:
    """A name as it is compared where it may be spelled in several ways."""
    return name.replace("-", "_").lower()


def joined(commands: Iterable[Command], *, is_sure: bool = True) -> Command:
    """What several lines say together, as they lead to one another, or as any may be meant."""
    found = tuple(commands)
    given: dict[str, Values] = {}
    for each in found:
        for name, values in each.given.items():
            given[name] = given.get(name, frozenset()) | values
    sections: dict[str, dict[str, Values]] = {}
    for name in {name for each in found for name in each.sections}:
        for each in found:
            for section, values in each.within(name).items():
                there = sections.setdefault(name, {})
                there[section] = there.get(section, frozenset()) | values
    placed = {
        name: frozenset().union(*(each.placed.get(name, ()) for each in found))
        for name in {name for each in found for name in each.placed}
        if all(name in each.placed or name not in each.mentioned for each in found)
    }
    return Command(
        frozenset().union(*(each.words for each in found)),
        given,
        frozenset().union(*(each.letters for each in found)),
        frozenset().union(*(each.bundles for each in found)),
        frozenset().union(*(each.mentioned for each in found)),
        any(each.is_open for each in found),
        is_sure,
        sections,
        placed,
        {
            letter: frozenset().union(*(each.lettered[letter] for each in found))
            for letter in {letter for each in found for letter in each.lettered}
            if all(letter in each.lettered for each in found)
        },
    )


def with_variables(said: Command, environment: Iterable[str]) -> Command:
    """A command line whose values may be those of variables that are set before it.

    `KIND=x ./run.sh` of a script with `KIND=${KIND:-y}` and `--kind $KIND`, of which only the
    default was seen.
    """
    given = dict(said.given)
    sections = dict(said.sections)
    lettered = said.lettered
    for each in environment:
        variable, _, value = each.partition("=")
        name = variable.lower()
        if name in given:
            given[name] |= {plain(value)}
            sections.pop(name, None)
        key = VARIABLE + variable
        given[key] = given.get(key, frozenset()) | {plain(value)}
        # of a letter nobody sees which variable it has: `-m $KIND`
        lettered = {letter: values | {plain(value)} for letter, values in lettered.items()}
    return replace(said, given=given, sections=sections, lettered=lettered)


def setting_name(text: str) -> str:
    """The name of a setting without its place: `use_flash` of `model.use-flash`."""
    return re.split(r"[./@]", text.rstrip("@./"))[-1].replace("-", "_")


def plain(text: str) -> str:
    """A value as settings write it; empty where it stands for another one."""
    bare = text.strip("\"'")
    if not bare or _OPEN.search(bare) or bare[0] in "[(":
        return _UNKNOWN
    return {"True": "true", "False": "false", "None": "null"}.get(bare, bare)


def collected(settings: Iterable[Setting]) -> dict[str, Values]:
    """The values that settings have, by name; none of those that have that of another only."""
    found: dict[str, set[str]] = {}
    for item in settings:
        values = found.setdefault(item.name, set())
        if not item.of:
            values.add(item.value)
    return {name: frozenset(values) for name, values in found.items()}


def others_of(settings: Iterable[Setting]) -> dict[str, frozenset[str]]:
    """The other settings whose values settings have, by name."""
    found: dict[str, set[str]] = {}
    for item in settings:
        if item.of not in {"", item.name} and item.name != ANY_SETTING:
            found.setdefault(item.name, set()).add(item.of)
    return {name: frozenset(names) for name, names in found.items()}


class Feeds(Struct, frozen=True):
    """What gives settings values by names that nobody sees.

    `data`: some data that is read at run time · `files`: of files that are no settings of the tree,
    whatever the program is given · `any`: the code itself.
    """

    data: bool = False
    files: bool = False
    any: bool = False


class Code(Struct, frozen=True):
    """What the code of a path says of settings.

    `values`: all of each, by name · `explicit`: those that are set, and hold whatever the user of
    the path says · `spelled`: other names under which a setting may be given, by its name ·
    `feeds`: what gives them values unseen · `parsed`: settings that are only options of a parser of
    the command line, attributes of its namespace · `reaching`: what gives those values unseen ·
    `others`: settings whose values one has as well · `required`: options without which no command
    line will do; what they are by default is among no values.
    """

    values: Mapping[str, Values] = field(default_factory=dict)
    explicit: Mapping[str, Values] = field(default_factory=dict)
    spelled: Mapping[str, frozenset[str]] = field(default_factory=dict)
    feeds: Feeds = Feeds()
    parsed: frozenset[str] = frozenset()
    reaching: Feeds = Feeds()
    others: Mapping[str, frozenset[str]] = field(default_factory=dict)
    required: frozenset[str] = frozenset()


def told_by(
    settings: Iterable[Setting],
    filled: Mapping[str, Values],
    taken: Collection[str] = frozenset(),
) -> Code:
    """What code says by its settings. `filled`: values that parameters get by their places.

    `taken`: names of parameters and fields that a call may give what is in a dict.
    """
    told = tuple(settings)
    listed = [item for item in told if not item.of]
    spelled: dict[str, frozenset[str]] = {}
    for item in listed:
        if item.spelled:
            names = spelled.get(item.name, frozenset())
            spelled[item.name] = names.union(item.spelled.split())
    others = others_of(told)
    explicit = _merged(collected(item for item in listed if item.given), filled)
    required = frozenset(item.name for item in listed if _is_required(item))
    values = _merged(collected(item for item in listed if not _is_required(item)), filled)
    fed = [item for item in told if item.name == ANY_SETTING]
    is_poured = any(item.of == POURED for item in fed)
    return Code(
        _merged(dict.fromkeys({*others, *required}, frozenset()), values),
        explicit,
        spelled,
        _feeds(fed, spelled),
        _named(told, PARSED) - _named(told, BY_KEY) - frozenset(taken),
        _feeds((item for item in fed if is_poured or item.of != IN_DICT), spelled),
        others,
        required,
    )


def _is_required(item: Setting) -> bool:
    """Whether a setting is an option that each command line gives."""
    return REQUIRED in item.spelled.split()


def _feeds(fed: Iterable[Setting], spelled: Mapping[str, frozenset[str]]) -> Feeds:
    """What gives settings values by names that nobody sees, of all that may be."""
    items = [item for item in fed if item.of != POURED]
    return Feeds(
        any(not item.value and not _is_text(item.of, spelled) for item in items),
        any(_is_elsewhere(item.of) for item in items),
        any(item.value and item.of in {"", IN_DICT} for item in items),
    )


def _named(told: Iterable[Setting], mark: str) -> frozenset[str]:
    """The names that files tell under a mark."""
    return frozenset(name for item in told if item.name == mark for name in item.spelled.split())


def _is_elsewhere(source: str) -> bool:
    """Whether settings are read of a file: by its path, or as the environment says."""
    return source == VARIABLE or source.endswith(FILES)


def _is_text(name: str, spelled: Mapping[str, frozenset[str]]) -> bool:
    """Whether a setting is an option whose words nothing makes anything else of.

    What is read of such a text has the names that a command line or a file of settings has there.
    """
    said = spelled.get(name, frozenset())
    return f"{AS_WRITTEN}{name}" in said and name not in said


def _merged(one: Mapping[str, Values], other: Mapping[str, Values]) -> dict[str, Values]:
    return {
        name: one.get(name, frozenset()) | other.get(name, frozenset()) for name in {*one, *other}
    }


class Sections(Struct, frozen=True):
    """What settings say of which it matters in which section they stand.

    `own`: sections of which all is known that is in them · `code`, `config`: the settings of code,
    and of the files that are given, by name · `filled`: values that parameters get by their places.
    """

    own: frozenset[str] = frozenset()
    code: Mapping[str, Sequence[Setting]] = field(default_factory=dict)
    config: Mapping[str, Sequence[Setting]] = field(default_factory=dict)
    filled: Mapping[str, Values] = field(default_factory=dict)

    def has(self, name: str, section: str, said: Command) -> bool:
        """Whether a section is one of these, and something gives the setting a value there."""
        if section not in self.own:
            return False
        items = (*self.code.get(name, ()), *self.config.get(name, ()))
        sections = {_key(item.section) for item in items if item.value}
        sections.update(_key(each) for each in said.within(name))
        return _key(section) in sections

    def within(self, items: Iterable[Setting], section: str) -> list[Setting]:
        """Those that stand in a section, or of which nobody knows it."""
        return [item for item in items if self.may_be(item.section, section)]

    def may_be(self, section: str, other: str) -> bool:
        """Whether two sections may be the same."""
        return section not in self.own or _key(section) == _key(other)


class Known(Struct, frozen=True, dict=True):
    """What is known of the settings of a path: by its command, its config files, its code.

    `configured`: a file of settings is given to the main program, and all that it is put together
    from is there · `variables`: those of the environment that something of the tree sets ·
    `before`: of settings that code sets where they are on already, what all other code gives them ·
    `taken`: other settings whose values one has by a file that is given (`a: ${b}`).
    """

    command: Command = Command()
    config: Mapping[str, Values] = field(default_factory=dict)
    code: Code = Code()
    configured: bool = False
    variables: Mapping[str, Values] = field(default_factory=dict)
    sections: Sections = Sections()
    before: Mapping[str, Values] = field(default_factory=dict)
    taken: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def values(self, name: str, section: str = "") -> Values:
        """The values that a setting may have; none if nothing knows it.

        In a section only those that stand there, or may do so.
        """
        if not (section and self.sections.has(name, section, self.command)):
            section = _UNPLACED
        found: set[str] = set()
        seen = {(name, section)}
        waiting = [(name, section)]
        while waiting:
            each, within = waiting.pop()
            others = {(other, _UNPLACED) for other in self._others(each, within)}
            values = self._values(each, within)
            if values is None or not (values or others):
                return frozenset()
            found |= values
            waiting += others - seen
            seen |= others
        return frozenset(found)

    def _others(self, name: str, section: str) -> Iterable[str]:
        """Other settings whose values one has, or the same in a section that is not known."""
        if not section:
            return {*self.code.others.get(name, ()), *self.taken.get(name, ())}
        told = self.sections
        found = (*told.code.get(name, ()), *told.config.get(name, ()))
        items = told.within(found, section)
        return {item.of for item in items if item.of}

    def _told(self, name: str, section: str) -> tuple[Values, Values, Values, Values]:
        """What gives a setting values: the command, files of settings, code that sets it, all."""
        lettered = self._lettered(name) or frozenset()
        if not section:
            return (
                self.command.given.get(name, lettered) | lettered,
                self.config.get(name, frozenset()),
                self.code.explicit.get(name, frozenset()),
                self.code.values.get(name, frozenset()),
            )
        told = self.sections
        given: Values = frozenset().union(
            *(
                values
                for each, values in self.command.within(name).items()
                if told.may_be(each, section)
            ),
            lettered,
        )
        read = told.within(told.config.get(name, ()), section)
        config = frozenset(each.value for each in read if not each.of)
        listed = [item for item in told.within(told.code.get(name, ()), section) if not item.of]
        filled = told.filled.get(name, frozenset())
        explicit = filled.union(item.value for item in listed if item.given)
        defaults = (item.value for item in listed if not _is_required(item))
        return given, config, explicit, filled.union(defaults)

    def _values(self, name: str, section: str) -> Values | None:
        """The values that a setting has where it does not have those of others; None if open.

        One with hyphens is a word of the command line that code reads itself: nothing else sets it.
        """
        if name.startswith(VARIABLE):
            return self._of_environment(name)
        function, sign, parameter = name.partition(OF_FUNCTION)
        if sign:
            return self._of_function(function, parameter)
        if name.startswith("--"):
            return self.command.given.get(name.removeprefix("--"))
        if self._is_open(name, section):
            return None
        given, config, explicit, everywhere = self._told(name, section)
        is_one = self.command.is_sure and len(_WORDS.findall(name)) > 1
        if is_one and given:
            return given | explicit
        if self._is_fed(name):
            return None  # nobody sees what is in that data
        if is_one and config:
            return config | explicit
        if name in self.code.required and not (self.command.is_sure and given):
            return None
        return everywhere | given | config

    def _of_function(self, function: str, parameter: str) -> Values | None:
        """The values of a parameter that one function has if it is left out.

        It is None by default; what may give settings a value unseen gives this one none, unless a
        call hands a setting on to what is called so.
        """
        values = self.values(parameter)
        code = self.code
        if f"{function}{OF_FUNCTION}" in code.values:
            return None
        if not values and f"{OF_FUNCTION}{parameter}" not in code.values:
            if parameter not in code.others:
                values = code.explicit.get(parameter, frozenset()) | {"null"}
        if not values:
            return None
        return values | self.code.values.get(f"{function}{OF_FUNCTION}{parameter}", frozenset())

    def _of_environment(self, name: str) -> Values | None:
        """The values of a variable: what code takes where it is not set, and what sets it."""
        own, others = self.code.values.get(name), self._set_to(name)
        return own | others if own and others is not None else None

    def _set_to(self, variable: str) -> Values | None:
        """What something sets a variable to; None if nobody sees what does."""
        if any(
            ANY_VARIABLE in each for each in (self.command.given, self.variables, self.code.values)
        ):
            return None
        found = (each.get(variable, frozenset()) for each in (self.command.given, self.variables))
        name = variable.removeprefix(VARIABLE)
        code = (each.get(name, frozenset()) for each in (self.variables, self.code.explicit))
        return frozenset().union(*found, *code)

    def _is_changed(self, variable: str) -> bool:
        """Whether a variable of the environment may be another one than without anybody.

        One that code asks without a default is told by its capitals.
        """
        own = self.code.values.get(variable, frozenset())
        if not own and not variable.isupper():
            return False
        values = self._set_to(variable)
        same = own if own and not own <= _NO else _NO
        return values is None or any(
            value == _UNKNOWN or not same.intersection((value, value.lower())) for value in values
        )

    def _feeds(self, name: str) -> Feeds:
        """What may give a setting a value by a name that nobody sees."""
        return self.code.reaching if name in self.code.parsed else self.code.feeds

    def _is_fed(self, name: str) -> bool:
        """Whether a setting gets what data has that nobody sees."""
        feeds = self._feeds(name)
        return feeds.files or (feeds.data and not self.configured)

    def _is_open(self, name: str, section: str = "") -> bool:
        """Whether something may give a setting a value that nobody sees."""
        said = self.command
        lower = name.lower()
        if said.is_open or self._feeds(name).any or said.mentions(name, section):
            return True
        others = {each.lower() for each in self.code.spelled.get(name, ())}
        if self._lettered(name) is None:
            return True
        if any(each in said.given or each in self.config for each in others):
            return True
        if f"no{name}" in said.given:
            return True  # absl
        if any(name.startswith(each) and each not in self.code.values for each in said.given):
            return name not in said.given  # argparse takes the beginning of a name for it
        return lower[:1] in self._letters - self._explained

    def _lettered(self, name: str) -> Values | None:
        """What the command gives a setting by letters; None if nobody sees what that is.

        Such a letter stands alone, is that of one option of the path only, however it is written,
        and what it says is what the option becomes.
        """
        spelled = self.code.spelled.get(name, frozenset())
        letters = {each for each in spelled if each.lower() in self._letters}
        if not letters:
            return frozenset()
        together = frozenset().union(*self.command.bundles)
        is_seen = all(
            each in self.command.lettered
            and each.lower() not in together
            and self._meanings[each.lower()] == 1
            for each in letters
        )
        if name in spelled or not is_seen:
            return None
        return frozenset().union(*(self.command.lettered[each] for each in letters))

    @cached_property
    def _meanings(self) -> Counter[str]:
        """How many options code spells in one way, in lower case."""
        return Counter(each.lower() for names in self.code.spelled.values() for each in names)

    @cached_property
    def _explained(self) -> frozenset[str]:
        """What code spells its options with, each without its first hyphen, in lower case."""
        return frozenset(each.lower() for names in self.code.spelled.values() for each in names)

    @cached_property
    def _letters(self) -> frozenset[str]:
        """The letters that the command gives, also those that stand together behind one hyphen."""
        bundles = (each for each in self.command.bundles if f"-{each}" not in self._explained)
        return self.command.letters.union(*bundles)

    def is_off(self, option: Option) -> bool:
        """Whether a condition on a setting is known to be false."""
        if option.name.endswith(ELEMENT):
            return not option.otherwise and self._has_none(option.name.removesuffix(ELEMENT))
        values = self.values(option.name, option.section)
        if option.otherwise and option.name.startswith(VARIABLE):
            return False  # a text is compared as it is written
        if option.imports:  # nothing is no module, nor what an option has before its value
            values -= _NO | _MAYBE | _FLAG
        if not values or _UNKNOWN in values:
            return False
        if option.otherwise:
            return all(any(_surely(value, each) for each in option.values) for value in values)
        return not any(_may(value, each) for value in values for each in option.values)

    def _has_none(self, name: str) -> bool:
        """Whether a setting is a list of which no element is true, and nothing changes one.

        Files of settings tell elements under its own name; what a command line gives, and a mapping
        that somebody may have there, nobody reads so.
        """
        values = self.values(name)
        if name in self.command.given or f"{name}{ELEMENT}" in self.code.values:
            return False
        handed = (each for each, others in self.code.others.items() if name in others)
        if any(f"{each}{ELEMENT}" in self.code.values for each in handed):
            return False  # `widen(stages=cfg.STAGES)`, which changes it
        placed = (each for key, each in self.command.sections.items() if key.isdigit())
        if any(_key(name) == _key(section) for each in placed for section in each):
            return False  # `stages.1=true`
        is_list = any(each[:1] == "[" for each in values | self.code.values.get(name, frozenset()))
        return is_list and bool(values) and values <= _NO_ELEMENT

    def is_on(self, option: Option) -> bool:
        """Whether the user of the path asks for an option: by the command or a file of settings."""
        is_vague = any(ANY_PART in each for each in option.values)
        if option.table or option.otherwise or self.command.is_open or is_vague:
            return False
        values = self.command.given.get(option.name) or self.config.get(option.name)
        if not values or _UNKNOWN in values:
            return False
        return all(any(_surely(value, each) for each in option.values) for value in values)

    def is_set(self, name: str, *, seen: bool = False) -> bool:
        """Whether a setting may have another value than the one that it has by default.

        `seen`: something that is seen gives it one, not only what may give any; nor what does so
        where it is on already, if all else leaves it off.
        """
        if not name:
            return False
        if not seen and (self._is_open(name) or self._is_fed(name)):
            return True
        code = self.code.values
        if seen and self.before.get(name, frozenset()) <= _NO:
            code = {**code, **self.before}
        sources = (self.command.given, self.config, code)
        found: Values = frozenset().union(*(each.get(name, ()) for each in sources))
        found |= self._spelled_otherwise(name)
        if name in self.code.others:
            found |= self.values(name) or frozenset(() if seen else {_UNKNOWN})
        if self._is_changed(VARIABLE + name):
            return True
        if name in self.code.required and not found:
            return True
        if not found:
            return False
        return len(found) > 1 or _UNKNOWN in found or found != code.get(name)

    def _spelled_otherwise(self, name: str) -> Values:
        """What the command gives a setting under other names that code has for it: `-f`, `--fa`.

        Of one letter nobody sees the value, and that a flag is there may mean either.
        """
        others = self.code.spelled.get(name, frozenset()) - {name}
        given = (self.command.given.get(each, frozenset()) for each in others)
        found: Values = frozenset().union(*given)
        if found & _FLAG or any(each.lower() in self._letters for each in others):
            found = found - _FLAG | {_UNKNOWN}
        return found

    def strings(self) -> frozenset[str]:
        """The strings in the files of settings, and the last parts of dotted ones."""
        found = frozenset().union(*self.config.values()) - {_UNKNOWN}
        return found | {text.rpartition(".")[2] for text in found if "." in text}


class Tables:
    """The tables of a path whose entries are chosen somewhere that is known.

    By what they are asked with, each of it: a setting whose values are known; a written key; what
    the files of settings say under the name of the setting, or under the names by which registries
    build, if that is an entry of the table. Then an entry that code names elsewhere is chosen too.
    A config, made where it stands, is chosen by a subcommand if all of them go to who reads the
    command line. `named`: the files, and the options there, in which code names something ·
    `asked`: what the table of a file is asked with, by that file, its name there and what the file
    itself asks; none if nobody knows.
    """

    def __init__(
        self,
        known: Known,
        options: Iterable[tuple[str, Option]],
        named: Mapping[str, Collection[tuple[str, int]]],
        asked: Mapping[tuple[str, str, str], frozenset[str]],
    ) -> None:
        self._asked = asked
        self._known = known
        self._named = named
        self._strings = known.strings() if known.configured else frozenset()
        types = (known.config.get(name, frozenset()) for name in words().tables.types)
        self._types = frozenset().union(*types) if known.configured else frozenset()
        self._keys: dict[tuple[str, frozenset[str]], set[str]] = {}
        for path, option in options:
            self._keys.setdefault(self._table(path, option), set()).update(option.values)

    def _table(self, path: str, option: Option) -> tuple[str, frozenset[str]]:
        """What stands for a table: those of one name that are asked with the same are one."""
        asked = self._asked.get((path, option.name, option.by), frozenset())
        return option.name, asked

    def is_off(self, path: str, place: int, option: Option) -> bool:
        """Whether an entry, an option of a file, is known not to be chosen."""
        asked = self._asked.get((path, option.name, option.by), frozenset())
        return bool(asked) and all(self._lacks(each, path, place, option) for each in asked)

    def _lacks(self, question: str, path: str, place: int, option: Option) -> bool:
        """Whether something that a table is asked with is known to be no key of an entry."""
        keys = frozenset(option.values)
        if question.startswith("="):
            return not any(_may(question[1:], key) for key in keys)
        there = self._keys[self._table(path, option)]
        given = self._known.command.words
        named = [where for key in keys for where in self._named.get(key, ())]
        if question == OF_COMMAND:
            is_chosen = option.made and not given.isdisjoint(there) and keys.isdisjoint(given)
            return is_chosen and all(file == path for file, _ in named)
        if question != OF_CONFIG:
            values = self._known.values(question)
            if values and _UNKNOWN not in values and not there.isdisjoint(values):
                return not any(_may(value, key) for value in values for key in keys)
        if option.made or not keys.isdisjoint(given | self._strings):
            return False
        if self._says(question).isdisjoint(there):
            return False
        return all(where == (path, place) for where in named)

    def _says(self, question: str) -> Values:
        """What the files of settings say that a table is asked with; none if more than they do."""
        if question == OF_CONFIG:
            return self._types
        if not self._known.configured or self._known.command.is_open:
            return frozenset()
        values = self._known.config.get(question, frozenset())
        is_sure = _UNKNOWN not in values and question not in self._known.command.given
        return values if is_sure else frozenset()


def _may(value: str, wanted: str) -> bool:
    """Whether a value may be what a condition asks for."""
    if wanted == "true":
        return value.lower() not in _NO
    if wanted in {"false", "null"}:
        return value.lower() in _NO | _MAYBE
    if ANY_PART in wanted:
        return _is_like(value.lower(), wanted.lower())
    return value.lower() == wanted.lower() or _number(value) == _number(wanted) is not None


def _surely(value: str, wanted: str) -> bool:
    """Whether a value is what a condition asks for, however it is read."""
    if wanted == "true":
        return value.lower() not in _NO | _MAYBE
    if wanted == "false":
        return value == "false"
    if ANY_PART in wanted:
        return _is_like(value, wanted)
    return value == wanted or _number(value) == _number(wanted) is not None


def _is_like(value: str, pattern: str) -> bool:
    """Whether a value begins and ends so, or has that in it: `*` stands for anything."""
    first, *inner, last = pattern.split(ANY_PART)
    text = value.removeprefix(first).removesuffix(last)
    is_long = len(value) >= len(first) + len(last)
    ends = value.startswith(first) and value.endswith(last)
    return is_long and ends and all(each in text for each in inner)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _is_number(text: str) -> bool:
    return _number(text) is not None
