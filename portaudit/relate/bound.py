"""What Python may know of compiled kernels: their names there, the lines that call them, builds."""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from posixpath import basename, dirname

from msgspec import Struct

from portaudit.discover import Tree
from portaudit.marks import ANY_MEMBER, ANY_PART, GIVEN_TO, OF_FUNCTION, RETURNED, UNWRITTEN
from portaudit.relate import nearby
from portaudit.relate.kernels import bare_name
from portaudit.relate.live import Living
from portaudit.types import (
    COMPILED,
    UNGUARDED,
    Binding,
    Called,
    FileResult,
    Finding,
    Kernel,
    Location,
)

_SHORTEST = 3
"""Letters of a name's beginning, or end, that say which it is."""
_OPERATORS = "torch.ops"
_PART = re.compile(r"([=:?])")
"""Stands in `CodeFacts.gives` between the place of an argument and what that is."""


class Bound:
    """The names that Python has for compiled kernels: `names`, by their fingerprints.

    Only of an extension of which the tree uses some by name: what it does not name of that, nothing
    starts. Others may be called by names that no text has. `besides`: names that say so beside the
    calls of them: those that a file uses and does not call; and where names are put together before
    an extension is asked for them, what one begins or ends with, which stands for the name.
    `are_made`: some have such parts.
    """

    def __init__(self, results: Sequence[FileResult], kernels: Iterable[Kernel]) -> None:
        known = [each for each in kernels if each.bound_as and each.language in COMPILED]
        own = {
            each.fingerprint: frozenset(bare_name(binding.name) for binding in each.bound_as)
            for each in known
        }
        self.are_made = False
        whole = frozenset().union(*own.values())
        values = _values(known, results) if known else frozenset()
        self.besides = {key: names & values for key, names in own.items()}
        lookups = _Lookups(results) if known else None
        if lookups is not None and lookups.named:
            self.besides = {
                key: names | (own[key] & lookups.named) for key, names in self.besides.items()
            }
        made_of = lookups.made(results) if lookups is not None else ()
        if made_of:
            parts = _parts(whole, results)
            self.are_made = any(parts.values())
            made = {
                each.fingerprint: {
                    part
                    for binding in each.bound_as
                    if lookups is not None and lookups.may_mean(binding, made_of)
                    for part in parts[bare_name(binding.name)]
                }
                for each in known
            }
            self.besides = {key: names | made[key] for key, names in self.besides.items()}
            own = {key: names | made[key] for key, names in own.items()}
        self.words = frozenset().union(*own.values())
        used = nearby.users(results, self.words)
        places = {
            binding.path
            for each in known
            for binding in each.bound_as
            if each.callers or not own[each.fingerprint].isdisjoint(used)
        }
        self.names = {
            each.fingerprint: own[each.fingerprint]
            for each in known
            if each.fingerprint and all(binding.path in places for binding in each.bound_as)
        }


class _Lookups:
    """Where members of compiled modules are looked up by names that are no literals.

    `named`: the whole names among them.
    """

    def __init__(self, results: Iterable[FileResult]) -> None:
        self._results = known = tuple(results)
        self._built = {
            word
            for result in known
            if basename(result.path) == "setup.py"
            for word in result.facts.code.words.split()
        }
        self._compiled = _Compiled(known, self._built)
        self._kept = frozenset(
            space for result in known for space in result.facts.code.spaces.split()
        )
        self._given = _Given(known)
        named: set[str] = set()
        self._whole = {
            (result.path, module)
            for result in known
            for module in dict(result.facts.code.whole)
            if self._are_whole(result, module, named)
        }
        self.named = frozenset(named)

    def _are_whole(self, result: FileResult, module: str, named: set[str]) -> bool:
        """Whether a file asks a module of nothing but names that stand whole in the tree."""
        questions = [asked for each, asked in result.facts.code.whole if each == module]
        names = self._given.names(result.path, " ".join(questions).split())
        named |= names or set()
        return names is not None

    def made(self, path: Iterable[FileResult]) -> frozenset[str]:
        """The modules that files of some look up members of by names that they make.

        `getattr(_C, name + "_cuda")`: of a module that is private, that a `setup.py` names, or
        where operators are registered; or of what torch's `load()` or a function returns that
        brings in one. One of Python's may hand on what such a module has, if it brings in some.
        """
        asked = frozenset(
            module
            for result in path
            for module in _looked_up(result)
            if (result.path, module) not in self._whole
        )
        modules = {module.removesuffix(ANY_MEMBER).lstrip(".") for module in asked} - {""}
        returning = {name for name in modules if name.endswith(RETURNED)}
        found = {module for module in modules - returning if self._compiled.may_be(module)}
        givers = frozenset(_giving(self._results, self._built)) if returning else frozenset()
        for each in returning:
            name = each.removesuffix(RETURNED)
            if name.startswith("torch.") or bare_name(name) in givers:
                found.add(each)
        return frozenset(found)

    def may_mean(self, binding: Binding, modules: Iterable[str]) -> bool:
        """Whether a member of some modules may be what Python calls native code by.

        A space of operators has its own; a module none, but those of a space that is kept.
        """
        space, _, _ = binding.name.rpartition("::")
        if binding.form != "torch-library" or not space:
            return True
        is_kept = bool(self._kept & {f"{_OPERATORS}.{space}", _OPERATORS})
        spaces = (_space(module) for module in modules)
        return any(is_kept if each is None else each in {"", space} for each in spaces)


def _space(module: str) -> str | None:
    """The space of operators or classes that a name is of; empty for any, None for no such name."""
    parts = module.split(".")
    if parts[0] != "torch" or parts[1:2] not in (["ops"], ["classes"]):
        return "" if module == "torch" else None
    return parts[2] if len(parts) > _OPERATORS.count(".") + 1 else ""


class _Given:
    """Answers what names functions are given, by all that call them."""

    def __init__(self, results: Sequence[FileResult]) -> None:
        self._results = results
        self._gives: dict[str, list[tuple[str, str]]] = {}
        for result in results:
            for function, parts in result.facts.code.gives:
                self._gives.setdefault(function, []).append((result.path, parts))
        self._busy: set[str] = set()

    def names(self, path: str, questions: Iterable[str]) -> set[str] | None:
        """The names that questions of a file are about; None if one is not known."""
        found: set[str] = set()
        for question in questions:
            names = self._of(path, question)
            if names is None:
                return None
            found |= names
        return found

    def _of(self, path: str, question: str) -> set[str] | None:
        if question.startswith("="):
            return {question[1:]}
        if question.startswith("~"):
            table = question[1:]
            return (
                set() if nearby.users(self._results, {table}).get(table, {path}) <= {path} else None
            )
        function, sign, slot = question.partition(OF_FUNCTION)
        if not sign:
            return None
        if question in self._busy:
            return set()
        self._busy.add(question)
        try:
            return self._of_calls(function, slot.split(":"))
        finally:
            self._busy.discard(question)

    def _of_calls(self, function: str, slots: Sequence[str]) -> set[str] | None:
        """What all calls give a parameter, by its place or its name."""
        calls = self._gives.get(function, ())
        used = nearby.users(self._results, {function}).get(function, set())
        if not used <= {path for path, _ in calls}:
            return None
        found: set[str] = set()
        for path, parts in calls:
            for part in parts.split():
                slot, sign, asked = _PART.split(part, maxsplit=1)
                if slot in slots:
                    names = (
                        None
                        if sign == UNWRITTEN
                        else self._of(path, asked if sign == ":" else f"={asked}")
                    )
                    if names is None:
                        return None
                    found |= names
        return found


class _Compiled:
    """Tells compiled modules, and what hands on members of theirs, from Python's own."""

    def __init__(self, results: Iterable[FileResult], built: Collection[str]) -> None:
        self._built = built
        self._files: dict[str, list[tuple[list[str], FileResult]]] = {}
        self._inside: dict[str, list[tuple[list[str], FileResult]]] = {}
        for result in results:
            parts = _parts_of(result.path)
            module = parts[:-1] if parts[-1:] == ["__init__"] else parts
            if module and module[-1] != "setup":
                self._files.setdefault(module[-1], []).append((module, result))
            if len(parts) > 1:
                self._inside.setdefault(parts[-2], []).append((parts[:-1], result))

    def may_be(self, module: str) -> bool:
        """Whether a module, or a member of one, may be compiled, or have what is."""
        parts = [part for part in module.split(".") if part and part != ANY_PART]
        if parts[:1] == ["torch"]:
            return True
        if module.endswith(ANY_PART):  # any module of the package
            own = _ending(self._inside, parts)
        else:
            own = [*_ending(self._files, parts), *_ending(self._files, parts[:-1])]
        return self._is_native(parts) or any(self._brings(name) for name in _imported(own))

    def _brings(self, name: str) -> bool:
        """Whether an import may be of a compiled module, or of a member that one of Python's has.

        A member of a file that brings in none is Python's own, whatever it is called.
        """
        module = name.split(".")[:-1]
        files = [it for it in _ending(self._files, module) if basename(it.path) != "__init__.py"]
        if files and not any(map(self._is_built, _imported(files))):
            return False
        return self._is_built(name)

    def _is_built(self, name: str) -> bool:
        """Whether a name may be of a compiled module: of its own package, or of one built."""
        first = name.partition(".")[0]
        is_own = not first or first in self._files or first in self._built or first.startswith("_")
        return is_own and self._is_native(name.split("."))

    def _is_native(self, parts: Iterable[str]) -> bool:
        """Whether a part of a name is that of a compiled module, and of no file of Python."""
        return any(
            part not in self._files
            and (part in self._built or (part.startswith("_") and not part.startswith("__")))
            for part in parts
        )


def _imported(results: Iterable[FileResult]) -> Iterator[str]:
    """The names of what some files bring in, or may."""
    for result in results:
        for each in (*result.facts.code.imports, *result.facts.code.guesses):
            yield each.name.partition(GIVEN_TO)[0]


def _ending(
    known: Mapping[str, Iterable[tuple[list[str], FileResult]]], parts: Sequence[str]
) -> list[FileResult]:
    """The files that a dotted name may mean: those whose own ends so."""
    wanted = [part for part in parts if part]
    found = known.get(wanted[-1], ()) if wanted else ()
    return [result for module, result in found if module[-len(wanted) :] == wanted]


def _giving(results: Iterable[FileResult], built: Container[str]) -> Iterator[str]:
    """The functions that bring in what a build makes, or compile something."""
    listed = tuple(results)
    made = {_member(name) for result in listed for name in result.facts.native.builds}
    for result in listed:
        code = result.facts.code
        for item in (*code.imports, *code.guesses):
            last = bare_name(item.name)
            if item.scope and (last.startswith("_") or last in made or last in built):
                yield bare_name(item.scope)
        for each in result.facts.native.compiles:
            for option in code.options if each.loads else ():
                if option.defines and option.lines[0] <= each.line <= option.lines[1]:
                    yield option.name


def _values(kernels: Iterable[Kernel], results: Sequence[FileResult]) -> frozenset[str]:
    """Names that Python has, which some file uses and does not call: in a table, or handed on.

    Not names of one word, as `forward`: what else is called so is something else.
    """
    calling: dict[str, set[str]] = {}
    for kernel in kernels:
        for binding in kernel.bound_as:
            paths = calling.setdefault(bare_name(binding.name), set())
            paths.update(caller.path for caller in kernel.callers)
    for result in results:
        for called in result.facts.calls:
            name = called.name.rpartition(".")[2]
            if name in calling:
                calling[name].add(result.path)
    used = nearby.users(results, {name for name in calling if any(_ends(name))})
    return frozenset(name for name, paths in used.items() if paths - calling[name])


def _looked_up(result: FileResult) -> Iterator[str]:
    """The modules that a file asks for members by names that are no literals, as it offers them."""
    for name in result.facts.code.offered.split():
        if name.endswith(ANY_MEMBER):
            yield name


def _parts(names: Collection[str], results: Iterable[FileResult]) -> Mapping[str, set[str]]:
    """What files say that names begin with, or end with: `nms` and `_cuda`, `Pool` and `GPU`.

    An end that is a word by itself (`forward`) tells nothing.
    """
    ends = {name: {part for part in _ends(name) if len(part) >= _SHORTEST} for name in names}
    said = nearby.users(results, set().union(*ends.values()))
    return {name: parts.intersection(said) for name, parts in ends.items()}


def _ends(name: str) -> Iterator[str]:
    for at in range(1, len(name)):
        if name[at] == "_" or (name[at].isupper() and not name[at - 1].isupper()):
            yield from (name[:at], name[at:])
        if name[at] == "_":
            yield name[: at + 1]


class Built:
    """Where native code is built, and what Python may call of it. `words`: all such names."""

    def __init__(
        self,
        results: Sequence[FileResult],
        findings: Iterable[Finding],
        kernels: Iterable[Kernel],
        tree: Tree,
    ) -> None:
        self._bound = [
            *(
                (each.binding.path, bare_name(each.binding.name))
                for result in results
                for each in result.facts.native.bound
            ),
            *(
                (result.path, function.name)  # by `ctypes`
                for result in results
                for function in result.facts.native.functions
                if tree.kinds[result.path] == "native"
            ),
        ]
        self.words = frozenset(name for _, name in self._bound)
        builds = [path for path in tree.files if is_build(path, tree)]
        self._folders = frozenset(dirname(path) for path in builds)
        compiling = {
            item.path
            for item in findings
            if item.category == "custom-cuda-ext" and is_build(item.path, tree)
        }
        self._compiling = {dirname(path) for path in compiling}
        self._named = {
            result.path: frozenset(result.facts.code.words.split())
            for result in results
            if basename(result.path) == "setup.py"
        }
        told = {name for result in results for name in result.facts.native.builds}
        others = {_member(name) for name in told if name.startswith("!")}
        others.update(*(_parts_of(result.path) for result in results))
        self.modules = frozenset(
            name for name in told if not name.startswith("!") and _member(name) not in others
        )
        """What is built for CUDA, if nothing else is called so: no other extension, no Python."""
        built = {_member(name) for name in told}
        telling = {result.path for result in results if result.facts.native.builds}
        self._are_named = telling >= compiling
        self._beside = self.words.difference(
            bare_name(binding.name) for each in kernels for binding in each.bound_as
        )
        self._alone = self._beside.intersection(
            bare_name(each.binding.name) for result in results for each in result.facts.native.bound
        )
        calls = [called.name for result in results for called in result.facts.calls]
        self.called = self.words.intersection(part for name in calls for part in name.split("."))
        """Those names that something calls."""
        owners = (name.rpartition(".") for name in calls)
        self._modules = built.union(
            bare_name(module) for module, _, name in owners if name in self.words and module != "?"
        )
        self._held = [
            (result.path, held)
            for result in results
            for held in result.facts.held
            if bare_name(held.name) in self.words | self._modules
        ]
        self._made = {
            result.path: frozenset(map(_member, result.facts.native.builds)) for result in results
        }
        self._imports = [
            (result.path, item)
            for result in results
            for item in (*result.facts.code.imports, *result.facts.code.guesses)
            if not built.isdisjoint(item.name.split("."))
        ]

    def may_be_missing(self, path: str, main: Living) -> bool:
        """Whether all imports of the modules that a build makes, on a path, may fail."""
        names = self._made.get(path, frozenset())
        guards = [
            item.guard
            for place, item in self._imports
            if not names.isdisjoint(item.name.split(".")) and main.comes_to(place, item.line)
        ]
        return bool(guards) and not any(guard in UNGUARDED for guard in guards)

    def held(self, names: Collection[str]) -> Iterator[tuple[str, Called]]:
        """Where files hand on some names, or a module that may have them."""
        for path, held in self._held:
            if (last := bare_name(held.name)) in names or last in self._modules:
                yield path, held

    def waits(self, main: Living, living: Living) -> bool:
        """Whether a path can do without all modules that are built, but for kernels.

        Where one is brought in nothing may be sure to happen; no name of a function that starts no
        kernel may be used. `main`: the path · `living`: the same, with what waits for CUDA.
        """
        sure = (
            main.comes_to(path, item.line)
            and item.guard in UNGUARDED
            and living.waits_at(path, item.line) is None
            for path, item in self._imports
        )
        used = (name in main.names and not living.names.get(name) for name in self._beside)
        return self._are_named and not any(sure) and not any(used)

    def only_kernels(self, main: Living) -> bool:
        """Whether a path uses nothing that Python has of native code but what starts kernels."""
        return self._alone.isdisjoint(main.names)

    def alone(self, folder: str, path: str, used: Container[str], asked: Asked) -> bool:
        """Whether nothing outside a folder builds or calls what a file in it is a part of.

        `used`: the names that are used there · `asked`: the modules.
        """
        inner = f"{folder}/"
        own = {each for each in self._folders if f"{each}/".startswith(inner)}
        outer = (not each or inner.startswith(f"{each}/") for each in self._compiling - own)
        called = (name in used for place, name in self._bound if place.startswith(inner))
        brought = (
            not asked.modules.isdisjoint(words)
            for place, words in self._named.items()
            if place.startswith(inner)
        )
        is_built = any(path.startswith(f"{each}/") for each in own)
        return is_built and not asked.any and not any((*outer, *called, *brought))


class Asked(Struct, frozen=True):
    """What a path asks of native code elsewhere.

    `modules`: parts of the names of modules that the tree has no file of · `loads`: it loads some
    library by its path · `looks_up`: it asks such a module for members by names that it makes.
    """

    modules: frozenset[str]
    loads: bool
    looks_up: bool

    @property
    def any(self) -> bool:
        """Whether native code may be called that no word of the path is about."""
        return self.loads or self.looks_up

    @classmethod
    def by(cls, results: Sequence[FileResult], paths: Collection[str]) -> Asked:
        """What files of a path ask."""
        path = [result for result in results if result.path in paths]
        unseen = {
            each.name.partition(GIVEN_TO)[0]
            for result in path
            for each in result.facts.code.guesses
        }
        return cls(
            frozenset(part for name in unseen for part in name.split(".")),
            bool(nearby.users(path, nearby.LOADING)),
            bool(_Lookups(results).made(path)),
        )


def _member(name: str) -> str:
    """The last part of the name of a module that is built."""
    return name.lstrip("!").rpartition(".")[2]


def _parts_of(path: str) -> list[str]:
    """The names of a Python file's module and of the packages around it."""
    return path.removesuffix(".py").split("/") if path.endswith(".py") else []


def is_build(path: str, tree: Tree) -> bool:
    """Whether a file says how native code is built."""
    return tree.kinds[path] == "cmake" or basename(path) == "setup.py"


class Callers(Struct, frozen=True):
    """The lines of Python that call into native files, by file and by each folder above.

    `kernels`: the files that have any.
    """

    files: Mapping[str, tuple[Location, ...]]
    folders: Mapping[str, tuple[Location, ...]]
    kernels: frozenset[str]


def callers(kernels: Iterable[Kernel]) -> Callers:
    """Gather the callers that the inventory has of each compiled kernel."""
    files: dict[str, set[Location]] = {}
    known = [kernel for kernel in kernels if kernel.language in COMPILED]
    for kernel in known:
        if kernel.callers:
            places = {kernel.path, *(each.path for each in kernel.launched_by)}
            places.update(each.path for each in kernel.bound_as)
            for path in places:
                files.setdefault(path, set()).update(kernel.callers)
    folders: dict[str, set[Location]] = {}
    for path, callers in files.items():
        folder = path
        while folder:
            folder = dirname(folder)
            folders.setdefault(folder, set()).update(callers)
    paths = frozenset(kernel.path for kernel in known)
    return Callers(_sorted(files), _sorted(folders), paths)


def _sorted(found: Mapping[str, Iterable[Location]]) -> dict[str, tuple[Location, ...]]:
    return {path: tuple(sorted(places)) for path, places in found.items()}
