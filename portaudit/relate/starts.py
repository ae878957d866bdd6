"""Which lines start which files: launches, and commands that installing a project makes.

Where commands are run is known of none, so a path is tried from the folder of the file that it
stands in and from those above, and then as the end of a path. Of files that fit as well a line may
start each: it is then no word on how any of them is run.

A line that chooses a file of settings which is not there, or which a variable names, leaves all
settings open: nobody sees what such a file says.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from posixpath import basename, dirname, join, normpath

from msgspec import Struct
from msgspec.structs import replace

from portaudit.catalogue import entries as names
from portaudit.catalogue.options import given_by
from portaudit.discover import Tree
from portaudit.relate.graph import Graph, visits
from portaudit.relate.modules import Modules
from portaudit.relate.options import Command, command, joined, with_variables
from portaudit.types import CodeFacts, FileKind, FileResult, Launch, Location

PROGRAMS: frozenset[FileKind] = frozenset({"python", "notebook"})
"""Kinds of file that are programs; others only start some."""
_WITHIN = "/*"
_BELOW = "/**"
"""End the name of a folder: the modules in it, and all below it."""
HERE = "$(dirname $0)"
"""How a launch spells the folder of the file that it stands in."""
NESTED = 2
"""Rank of a README that is not the tree's own."""
OF_OTHERS = 5
"""Rank of a page or a script that tells of somebody else's devices."""
_CONFIGS = (".yaml", ".yml", ".json", ".toml", ".gin", ".jsonnet", ".py")
_ONLY_CONFIGS = (".yaml", ".yml", ".gin", ".jsonnet")
"""How the names of files end that hold nothing but settings, whatever option they are given to."""
_CHOOSING = frozenset(
    (
        "config",
        "configs",
        "cfg",
        "cfgs",
        "conf",
        "recipe",
        "preset",
        "experiment",
        "yaml",
        "settings",
    )
)
"""Words of the names of options that choose a file of settings."""
_LABELS = frozenset({"name", "names", "id", "tag", "group", "description", "project"})
"""Words by which `--experiment-name` rather gives a run its name."""
_USAGE = re.compile(r"\[[A-Za-z.<].*\]|\.\.\.")
"""A word of a line that only says how a command is put together: `[config.yml]`, not `[--fast]`."""
_FOLDERS = frozenset({"dir", "dirs", "directory", "folder", "root", "options", "overrides"})
"""Words by which an option is about such files, or gives values itself."""
_PLACES = frozenset({"--config-path", "--config-dir"})
"""Options of Hydra that name the folder of its files, of which `--config-name` names one."""
_SHORT = {"-cn": "--config-name", "-cp": "--config-path", "-cd": "--config-dir"}
"""How they are written with one hyphen."""
_DATA: frozenset[FileKind] = frozenset({"toml", "json"})
"""Kinds of file in which a command may be anybody's: only what lies around is meant."""
_MULTIRUN = frozenset({"-m", "--multirun"})
_NOTHING = frozenset({"null", "none", "~", "", "true", "false"})
"""Values by which nothing is chosen."""
_MANY = 2
"""How many times more lines have to agree than there are like the first."""
_VERB = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
"""A word that may say which of its parts a program is to run."""
_NUMBER = re.compile(r"[-+\d.,eE]+")
_KEY = re.compile(r"[+~]*[\w.@/-]+")
_PART = re.compile(r"[^\W_]+")


class Start(Struct, frozen=True):
    """A line that starts a program, itself or through other files. `rank`: 0 says most.

    `is_sure`: it cannot mean another file as well · `folder`: where it is run, as far as it says ·
    `settings`: the files that its launcher is given · `said`: a sentence speaks of it ·
    `environment`: variables that it sets · `trainer`: the command of a library that it starts,
    which is given the program as code to import, and `brings` more: files, `folder/*` with its
    modules, `folder/**` with all below it · `launcher`: the program in front, as it is written.
    """

    place: Location
    rank: int
    arguments: tuple[str, ...] = ()
    launch: bool = True
    is_sure: bool = True
    folder: str = ""
    settings: tuple[str, ...] = ()
    said: bool = False
    environment: tuple[str, ...] = ()
    trainer: str = ""
    brings: tuple[str, ...] = ()
    launcher: str = ""


class Given(Struct, frozen=True):
    """What files of settings a line chooses.

    `is_open`: one that is not seen is among them · `is_one`: it is one run, and no series.
    """

    files: tuple[str, ...] = ()
    is_open: bool = False
    is_one: bool = True


class Starts:
    """The lines of a tree that start its files: launches, and commands that installing makes."""

    def __init__(
        self, results: Sequence[FileResult], tree: Tree, modules: Modules, graph: Graph
    ) -> None:
        self._tree = tree
        self._modules = modules
        self._graph = graph
        self._parts: dict[str, Mapping[str, list[str]]] = {}
        self._kinds = {result.path: tree.kinds[result.path] for result in results}
        self._by_name: dict[str, list[str]] = {}
        self._folders = frozenset(folder for path in self._kinds for folder in _around(path))
        for path in self._kinds:
            self._by_name.setdefault(basename(path), []).append(path)
        self._code = {result.path: result.facts.code for result in results}
        self.of: dict[str, list[Start]] = {}
        self.commands: dict[str, str] = {}
        self.called: dict[str, list[str]] = {}
        self.launchers: dict[str, set[str]] = {}
        self.functions: set[str] = set()
        self._starting: dict[Location, set[str]] = {}
        self._inside: dict[str, tuple[str, ...]] = {}
        self._sorted = sorted(path for path in self._kinds if path.endswith(".py"))
        self._choices: dict[tuple[str, tuple[str, ...]], Given] = {}
        self._groups = _groups(self._kinds)
        for result in results:
            for script in result.facts.scripts:
                target = self._of_script(result.path, script.target)
                self.functions.update(script.target.partition(":")[2].strip().split("."))
                if target and ":" not in script.name:  # no command, but found by its group
                    self.commands.setdefault(script.name, target)
                    self.called.setdefault(target, []).append(script.name)
                    place = Location(result.path, script.line)
                    start = Start(place, 3, launch=False, folder=dirname(result.path))
                    self.of.setdefault(target, []).append(start)
        for result in results:
            for launch in result.facts.launches:
                folder = self._run_in(dirname(result.path), launch.folder)
                targets = self._targets(result.path, folder, launch)
                plugin = () if targets else self._plugin(result.path, folder, launch)
                targets = targets or next(map(self._meant, plugin), ())[:1]
                place = Location(result.path, launch.line)
                rank = _rank(result.path, self._kinds)
                is_sure = len(targets) == 1
                read = (self._file(folder, text) for text in launch.launcher_settings)
                settings = tuple(files[0] for files in read if len(files) == 1)
                start = Start(
                    *(place, rank, launch.arguments),
                    is_sure=is_sure,
                    folder=folder,
                    settings=settings,
                    said=launch.said,
                    environment=launch.environment,
                    trainer=launch.target if plugin else "",
                    launcher=launch.launcher,
                    brings=plugin,
                )
                for target in targets:
                    self._note(result.path, target, start)
                is_own = is_sure and not plugin
                part = self._part(targets[0], folder, launch) if is_own else ""
                if part:
                    inner = replace(start, arguments=launch.arguments[1:])
                    self._note(result.path, part, inner)

    def _note(self, path: str, target: str, start: Start) -> None:
        """Note that a line of a file starts another one."""
        if target != path:
            self.of.setdefault(target, []).append(start)
            self.launchers.setdefault(path, set()).add(target)
            self._starting.setdefault(start.place, set()).add(target)

    def _part(self, target: str, folder: str, launch: Launch) -> str:
        """The program that the first argument of a line is, empty if it is none.

        That of a launcher of the tree (`deepy.py train.py`), or a subcommand (`tool train`): what
        was started brings it in by that name. A file is given other words as well: a subcommand of
        it has to be a word for what programs do.
        """
        word = launch.arguments[0] if launch.arguments else ""
        if word.endswith(".py"):
            named = self._file(folder, word)
            is_program = len(named) == 1 and named[0] != target and self._code[named[0]].main
            return named[0] if is_program else ""
        is_command = launch.target in self.commands or launch.module
        if not _VERB.fullmatch(word) or not (is_command or names.by_name(word)):
            return ""
        if target not in self._parts:
            parts: dict[str, list[str]] = {}
            for path in visits(self._graph, [target]):
                if path != target and path in self._code and self._code[path].main:
                    parts.setdefault(basename(path).partition(".")[0], []).append(path)
            self._parts[target] = parts
        found = self._parts[target].get(word.replace("-", "_"), ())
        return found[0] if len(found) == 1 else ""

    def all_of(self, path: str) -> tuple[Start, ...]:
        """The lines that start a file, and those that start the files that do, best first."""
        found: dict[Start, None] = {}
        seen = {path}
        waiting = [path]
        while waiting:
            for start in self.of.get(waiting.pop(), ()):
                found[start] = None
                if start.launch and start.place.path not in seen:
                    seen.add(start.place.path)
                    waiting.append(start.place.path)
        return tuple(sorted(found, key=lambda start: (start.rank, start.place)))

    def programs_of(self, path: str) -> frozenset[str]:
        """The programs that a file starts, also through others."""
        found: set[str] = set()
        waiting = [path]
        while waiting:
            for target in self.launchers.get(waiting.pop(), ()):
                if target not in found:
                    found.add(target)
                    waiting.append(target)
        return frozenset(each for each in found if self._kinds[each] in PROGRAMS)

    def configs(
        self, paths: Iterable[str], starts: Sequence[Start]
    ) -> tuple[tuple[str, Location], ...]:
        """The files that programs are given by their best lines: by the one others agree with.

        The lines of other documents count first, then those of one that differ by more than the
        devices that they run on, if they are many more than those of the first. Each with the place
        of that line. What only evaluates is none; nor is a line that names some which the tree has
        not, where another one of its document names none of these. Where the usual line chooses
        none, a program has those that it begins with itself.
        """
        own = tuple(self._begun_with(paths, starts))
        if own:
            return own
        given = [
            (start, files)
            for start in starts
            if not names.runs_otherwise(start.arguments) and (files := self.given(start))
        ]
        rank = min((start.rank for start, _ in given), default=0)
        best = [(start, files) for start, files in given if start.rank == rank]
        whole = {start.place.path for start, _ in best if not self._chosen(start).is_open}
        best = [
            (start, files)
            for start, files in best
            if start.place.path not in whole or not self._chosen(start).is_open
        ]
        if self._needs_none(starts, best):
            return ()
        documents = Counter(
            file for file, _ in {(files[0], start.place.path) for start, files in best}
        )
        lines = Counter(
            file
            for file, *_ in {
                (files[0], start.place.path, names.of_the_run(start.arguments))
                for start, files in best
            }
        )

        def agreed(each: tuple[Start, tuple[str, ...]]) -> tuple[int, int]:
            often = lines[each[1][0]]
            return documents[each[1][0]], often if often > lines[best[0][1][0]] * _MANY else 0

        start, files = max(best, key=agreed, default=(None, ()))
        return tuple((path, start.place) for path in files) if start else ()

    def _begun_with(
        self, paths: Iterable[str], starts: Iterable[Start]
    ) -> Iterator[tuple[str, Location]]:
        """The files that programs begin with by themselves, if the usual line chooses no other."""
        usual = next(iter(self._usual(starts, None)), None)
        if usual is None or self._chosen(usual) == Given():
            for path in paths:
                for edge in self._graph.get(path, ()):
                    if edge.by.usual:
                        place = usual.place if usual else Location(path, edge.by.line)
                        yield edge.path, place

    def _needs_none(
        self, starts: Iterable[Start], given: Sequence[tuple[Start, tuple[str, ...]]]
    ) -> bool:
        """Whether the only page that gives files has a line before theirs that does without any."""
        pages = {start.place.path for start, _ in given}
        if len(pages) != 1:
            return False
        first = min(start.place for start, _ in given)
        return any(
            start.place.path in pages
            and start.launch
            and start.place < first
            and not (start.said or names.runs_otherwise(start.arguments))
            and self._kinds[start.place.path] == "markdown"
            and self._chosen(start) == Given()
            and not any(_is_open(each) or _USAGE.fullmatch(each) for each in start.arguments)
            and start.arguments
            for start in starts
        )

    def command(self, starts: Iterable[Start], place: Location | None = None) -> Command:
        """The command line of the usual run: that of a place, or the best one, in words of its own.

        With what the scripts add that it goes through. Where no text says which of several scripts
        is the usual one, what any of them gives may be.
        """
        given = tuple(starts)
        found = tuple(self._usual(given, place))
        if not found:
            return Command()
        is_sure = self._kinds[found[0].place.path] == "markdown"
        if not is_sure:
            scripts = (
                start
                for start in given
                if start.launch
                and start.rank == found[0].rank
                and not names.runs_otherwise(start.arguments)
            )
            found = tuple(dict.fromkeys((*found, *scripts)))
        is_sure = is_sure or len({start.arguments for start in found}) == 1
        is_one = all(self._chosen(start).is_one for start in found)
        together = joined(map(self._command, found), is_sure=is_sure and is_one)
        return with_variables(together, (each for start in found for each in start.environment))

    def _command(self, start: Start) -> Command:
        """The command line of a line, open if it may mean another program, or settings unseen."""
        is_text = self._kinds[start.place.path] == "markdown"
        read = command(tuple(_each(start.arguments)), is_text=is_text)
        is_open = read.is_open or not start.is_sure or self._chosen(start).is_open
        mentioned = read.mentioned | given_by(start.launcher)
        return replace(read, is_open=is_open, mentioned=mentioned)

    def usual(self, starts: Iterable[Start], place: Location | None = None) -> frozenset[str]:
        """The files that tell of the usual run, that it goes through, that its launcher is given.

        Where no text says which of several scripts is the usual one, each may be.
        """
        given = tuple(starts)
        found = list(self._usual(given, place))
        if found and self._kinds[found[0].place.path] != "markdown":
            found += [start for start in given if start.rank == found[0].rank]
        files = {start.place.path for start in found}
        return frozenset(files.union(*(start.settings for start in found)))

    def _usual(self, starts: Iterable[Start], place: Location | None) -> Iterable[Start]:
        """The lines of the usual run, the one that somebody enters first."""
        usable = [
            start for start in starts if start.launch and not names.runs_otherwise(start.arguments)
        ]
        best = next((start for start in usable if start.place == place), None)
        best = best or next(iter(usable), None)
        if best is None:
            return ()
        if best.place != place and self._chosen(best).is_open:  # one with variables in it
            alike = (each for each in usable if each.place.path == best.place.path)
            best = next((each for each in alike if not self._chosen(each).is_open), best)
        through: dict[Start, None] = {best: None}
        files = {best.place.path}
        waiting = [best]
        while waiting:
            targets = self._starting.get(waiting.pop().place, set()) - files
            files |= targets
            inner = [start for start in usable if start.place.path in targets]
            through.update(dict.fromkeys(inner))
            waiting.extend(inner)
        return through

    def given(self, start: Start) -> tuple[str, ...]:
        """The files of the tree among the arguments of a line: settings, or code that is such."""
        return self._chosen(start).files

    def _chosen(self, start: Start) -> Given:
        """The files of settings that a line chooses, by path or by name."""
        key = start.folder, start.arguments
        if key not in self._choices:
            self._choices[key] = self._given(*key)
        return self._choices[key]

    def _given(self, folder: str, arguments: Sequence[str]) -> Given:
        named = tuple(_options(arguments))
        tops = [each for option, each in named if option in _PLACES and not _is_config(each)]
        # The folder alone has its program read another file than the one that code names.
        is_open = bool(tops) and all(option != "--config-name" for option, _ in named)
        is_one = True
        files: dict[str, None] = {}
        for option, word in named:
            if word in tops:
                continue
            values = word.split(",") if option and word[:1] not in {"[", "(", "{"} else [word]
            is_one = is_one and (len(values) == 1 or not self._chooses(option))
            for value in values:
                found = self._config(folder, option, value, tops)
                is_open = is_open or found is None
                files.update(dict.fromkeys((found,) if found else ()))
        return Given(tuple(files), is_open, is_one)

    def _config(self, folder: str, option: str, text: str, tops: Sequence[str]) -> str | None:
        """The file of settings that a value chooses, if it does; `None` for one that is not seen.

        `option` is the name that it is given by, empty for a word of its own.
        """
        if text.lower() in _NOTHING or _NUMBER.fullmatch(text):
            return ""
        chooses = self._chooses(option)
        if _is_config(text):
            found = self._below(folder, tops, text) or self._file(folder, text)
            if len(found) == 1:
                is_other = self._code[found[0]].main or names.aside(found[0]) == "test"
                return "" if is_other else found[0]
            is_settings = chooses or not option or text.endswith(_ONLY_CONFIGS)
            return None if is_settings else ""
        if _is_open(text):
            return None if chooses or (not option and _CHOOSING & _parts(text)) else ""
        if not chooses and (not option or option.startswith("-")):
            return ""
        tails = [] if option.startswith("-") else [join(option, text)]
        tails += [text] if _CHOOSING & _parts(option) else []
        for tail in (f"{tail}{end}" for tail in tails for end in _CONFIGS):
            found = self._below(folder, tops, tail) or self._nearest(folder, normpath(tail))
            found = tuple(path for path in found if not self._code[path].main)
            if found:
                return found[0] if len(found) == 1 else None
        return None if chooses else ""

    def _below(self, folder: str, tops: Iterable[str], tail: str) -> tuple[str, ...]:
        """The file of that name in a folder that the line names."""
        return next((found for top in tops if (found := self._file(folder, join(top, tail)))), ())

    def _chooses(self, option: str) -> bool:
        """Whether an option chooses files of settings: by its name, or as a group of such files."""
        said = _parts(option if option.startswith("-") else option.rpartition(".")[2])
        is_named = bool(_CHOOSING & said) and _FOLDERS.isdisjoint(said)
        is_label = _CHOOSING & said == {"experiment"} and not _LABELS.isdisjoint(said)
        return option in self._groups or (is_named and not is_label)

    def _of_script(self, manifest: str, target: str) -> str:
        """The file that `pkg.mod:func` means: where the function comes from, if that is told."""
        module, _, function = target.partition(":")
        place = self._modules.module_path(manifest, module.strip())
        if place is None or place[1]:
            return ""
        path = place[0]
        if basename(path) == "__init__.py" and function:
            for item in self._code.get(path, CodeFacts()).imports:
                if item.name.rpartition(".")[2] == function.strip():
                    origin = self._modules.module_path(path, item.name)
                    if origin is not None and origin[0] in self._kinds:
                        return origin[0]
        return path if path in self._kinds else ""

    def _run_in(self, folder: str, went: str) -> str:
        """The folder of the tree that commands of a folder went to, their own if there is none."""
        place = folder
        while went:
            found = normpath(join(place, went))
            if found in self._folders:
                return found
            if not place:
                break
            place = dirname(place)
        return folder

    def _targets(self, path: str, folder: str, launch: Launch) -> tuple[str, ...]:
        """The file of the tree that a launch starts in a folder, those that it may, or none."""
        text = launch.target
        afar = self._kinds[path] not in _DATA
        if launch.module:
            return self._of_module(join(folder, basename(path)), text, afar=afar)
        if not launch.launcher and text in self.commands:
            return (self.commands[text],)
        return self._file(dirname(path) if text.startswith(HERE) else folder, text, afar=afar)

    def brings(self, path: str, starts: Iterable[Start]) -> tuple[str, ...]:
        """The files that a library imports beside a program which lines give it."""
        words = dict.fromkeys(word for start in starts for word in start.brings)
        found = dict.fromkeys(each for word in words for each in self._meant(word))
        return tuple(each for each in found if each != path)

    def _plugin(self, path: str, folder: str, launch: Launch) -> tuple[str, ...]:
        """The files of the tree that a line gives a library as code, which imports them and trains.

        The first is what was named. A folder of which nothing but a variable tells is none.
        """
        trainer = names.trainer(launch.target, module=launch.module)
        found: dict[str, None] = {}
        for text in trainer.given(launch.arguments) if trainer else ():
            if trainer and trainer.gives == "package":
                found.update(dict.fromkeys(self._of_package(join(folder, basename(path)), text)))
            elif trainer and not _is_open(text.rstrip("/").rpartition("/")[2]):
                place = dirname(path) if text.startswith(HERE) else folder
                found.update(dict.fromkeys(self._of_folder(place, text, trainer.inner)))
        return tuple(word for word in found if self._meant(word))

    def _of_package(self, path: str, name: str) -> tuple[str, ...]:
        """A package with all below it, its own module first, or the module that a name means."""
        place = self._modules.module_path(path, name)
        if place is None:
            return (f"{name.replace('.', '/')}{_BELOW}",)
        file, rest = place
        if basename(file) != "__init__.py":
            return () if rest else (file,)
        inner = join(dirname(file), *rest) + _BELOW
        return (inner,) if rest else (file, inner)

    def _of_folder(self, folder: str, text: str, inner: Iterable[str]) -> tuple[str, ...]:
        """The module that a folder is, with those of some folders in it."""
        found = self._file(folder, join(text, "__init__.py"))
        if len(found) != 1:
            return ()
        own = dirname(found[0])
        return (*found, *(join(own, each) + _WITHIN for each in inner))

    def _meant(self, word: str) -> tuple[str, ...]:
        """The modules and packages in a folder, or all that lie below it; or one file."""
        if not word.endswith((_WITHIN, _BELOW)):
            return (word,)
        if word not in self._inside:
            folder = word.removesuffix(_BELOW).removesuffix(_WITHIN)
            first = bisect_left(self._sorted, f"{folder}/")
            behind = bisect_left(self._sorted, f"{folder}0")  # the sign after a slash
            self._inside[word] = tuple(
                path
                for path in self._sorted[first:behind]
                if word.endswith(_BELOW) or _is_imported(path[len(folder) + 1 :])
            )
        return self._inside[word]

    def _of_module(self, path: str, name: str, *, afar: bool = True) -> tuple[str, ...]:
        place = self._modules.module_path(path, name)
        if place is None or place[1]:
            tail = name.replace(".", "/")  # run from a folder that nobody knows
            if not afar:
                return self._file(dirname(path), f"{tail}.py", afar=False)
            return self._nearest(dirname(path), f"{tail}.py")
        found = place[0]
        if basename(found) == "__init__.py":
            inner = join(dirname(found), "__main__.py")
            found = inner if inner in self._kinds else found
        return (found,) if found in self._kinds else ()

    def _file(self, folder: str, text: str, *, afar: bool = True) -> tuple[str, ...]:
        """The file that a path means to the commands of a folder; where they stand is unknown.

        Without `afar` they stand there or above.
        """
        if text.startswith(HERE):
            text = text[len(HERE) :].lstrip("/")
            near = normpath(join(folder, text))
            if near in self._kinds:
                return (near,)
        parts = text.split("/")
        unknown = max((at for at, part in enumerate(parts) if _is_open(part)), default=-1)
        parts = [part for part in parts[unknown + 1 :] if part not in {"", ".", ".."}]
        if not parts:
            return ()
        if unknown < 0 and not text.startswith(("/", "~")):
            near = normpath(join(folder, text))
            if near in self._kinds:
                return (near,)
        tail = "/".join(parts)
        place = folder
        while True:
            for candidate in (join(place, tail), join(place, tail, "__main__.py")):
                if candidate in self._kinds:
                    return (candidate,)
            if not place:
                break
            place = dirname(place)
        if not afar:
            return ()
        found = self._nearest(folder, tail)
        if not found and text.startswith("/"):  # the tree's place in an image
            shorter = (self._nearest(folder, "/".join(parts[at:])) for at in range(1, len(parts)))
            found = next((each for each in shorter if each), ())
        return found

    def _nearest(self, folder: str, tail: str) -> tuple[str, ...]:
        """The files that end so and lie nearest to a folder: one, or several that lie as near.

        What lies among tests and examples is meant only if nothing else is, or from there.
        """
        ends = [
            path
            for path in self._by_name.get(basename(tail), ())
            if path == tail or path.endswith(f"/{tail}")
        ]
        is_aside = names.aside(join(folder, "x")) is not None

        def far(path: str) -> tuple[object, ...]:
            apart = not is_aside and names.aside(path) is not None
            return apart, -_shared(folder, path), path.count("/")

        least = min(map(far, ends), default=())
        return tuple(sorted(path for path in ends if far(path) == least))


def _is_imported(path: str) -> bool:
    """Whether a file is meant by who imports all that lies in a folder: `net.py`, `a/__init__.py`.

    So is the package that the folder is; nothing that begins with an underscore.
    """
    first, _, rest = path.partition("/")
    return path == "__init__.py" or (first[0] not in "_." and rest in {"", "__init__.py"})


def _rank(path: str, kinds: Mapping[str, FileKind]) -> int:
    """How much it says of a program that a file starts it, 0 most."""
    folders = path.lower().split("/")[:-1]
    place = names.aside(path)
    if names.is_for_others(path):
        return OF_OTHERS
    if kinds[path] == "markdown":
        if not folders:
            return 0 if basename(path).lower().startswith("readme") else 1
        return 1 if folders[0] in {"docs", "doc"} else NESTED if place is None else 4
    return 3 if place is None else 4


def _options(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The words of a line, each with the name that it is given by; options keep their hyphens.

    `key=value` is given by its key · Hydra's `+` and the package behind `@` are no part of that.
    """
    last = ""
    is_given = False
    for word in arguments:
        key, sign, value = word.partition("=")
        if word.startswith("-") and _PART.search(key):
            is_given = False
            last = _SHORT.get(key, key).replace("_", "-")
            if sign:
                yield last, value.strip("\"'")
                last = ""
        elif sign and _KEY.fullmatch(key):
            if not key.startswith("~"):
                yield key.lstrip("+").partition("@")[0], value.strip("\"'")
            last = ""
        else:
            text = word.strip("\"'")
            yield "" if is_given and not _is_open(text) else last, text
            is_given = is_given or _is_config(text)  # `--cfg net.yaml SOLVER.LR 0.1`


def _each(arguments: Sequence[str]) -> Iterator[str]:
    """The words of a line; of a series of runs (`-m lr=1,2`) a word for each value."""
    is_series = not _MULTIRUN.isdisjoint(arguments)
    for word in arguments:
        key, sign, value = word.partition("=")
        if is_series and sign and "," in value and value[0] not in "[({" and _KEY.fullmatch(key):
            yield from (f"{key}={each.strip()}" for each in value.split(","))
        else:
            yield word


def _around(path: str) -> Iterator[str]:
    """The folders around a file, without the root."""
    folder = dirname(path)
    while folder:
        yield folder
        folder = dirname(folder)


def _is_config(text: str) -> bool:
    return text.endswith(_CONFIGS)


@cache
def _parts(name: str) -> frozenset[str]:
    """The words of the name of an option or a variable."""
    return frozenset(part.lower() for part in _PART.findall(name))


def _groups(paths: Iterable[str]) -> frozenset[str]:
    """The ends of the folders that files of settings lie in, and of those above: Hydra's groups."""
    folders = {dirname(path) for path in paths if path.endswith((".yaml", ".yml"))}
    parts = [folder.split("/") for folder in folders if folder]
    return frozenset(
        "/".join(each[first:last])
        for each in parts
        for first in range(len(each))
        for last in range(first + 1, len(each) + 1)
    )


def _is_open(part: str) -> bool:
    """Whether a part of a path stands for something that is not known."""
    return any(sign in part for sign in "$<>{}*")


def _shared(folder: str, path: str) -> int:
    """The folders that two places have in common."""
    count = 0
    for one, other in zip(folder.split("/"), path.split("/")[:-1], strict=False):
        if one != other or not one:
            break
        count += 1
    return count
