"""What a file brings in by names and paths that it puts together, or does not know at all.

Modules by a name of which only a part is known, all modules of a folder that it lists, files that
it runs, folders that it has Python search.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from posixpath import basename, dirname, relpath

import libcst as cst

from portaudit.catalogue import entries as makers
from portaudit.marks import ANY_PART, CONFIGURED, GIVEN_TO, LOCATED, LOOSE, UNWRITTEN
from portaudit.read.python.conditions import setting
from portaudit.read.python.keeping import HELPING
from portaudit.read.python.model import imports_by_name
from portaudit.read.python.nodes import descendants, last_name, last_part, root_of, string_value
from portaudit.read.python.spelled import spelled
from portaudit.read.python.values import Reader, argument
from portaudit.types import Ref

Entry = tuple[cst.CSTNode, str]
"""A node and the name that it brings in."""
_WALKING = frozenset({"iter_modules", "walk_packages"})
_LISTING = frozenset({"glob", "iglob", "rglob", "listdir", "scandir", "iterdir", "walk"})
_ENTRY_POINTS = frozenset({"entry_points", "iter_entry_points"})
_RUNNING: dict[str, tuple[int | str, ...]] = {
    "run_path": (0, "path_name"),
    "spec_from_file_location": (1, "location"),
    "SourceFileLoader": (1, "path"),
    "load_source": (1, "pathname"),
    "execfile": (0,),
}
"""Calls that run a file, and where they are given its path."""
_IMPORTING = (b"import_module", b"__import__", b"importorskip")
_LOADING = (b"run_", b"exec", b"SourceFileLoader", b"load_source", b"spec_from_file_location")
_ADDING = frozenset({"insert", "append", "extend", "addsitedir"})
_MAKING = frozenset({"module_from_spec", "load_module", "load_source", "run_path", "run_module"})
_SEARCHED = frozenset({"sys.path.insert", "sys.path.append", "sys.path.extend", "site.addsitedir"})
_ELSEWHERE = sys.stdlib_module_names | {"numpy", "torch", "torchvision", "triton"}
"""What no tree has a module for, unless it is one of these projects itself."""
_DEEPEST = 5
"""Expressions in one another that are followed to a setting."""
_GLOBBED = re.compile(r"/?\**/?\*[\w.*]*$")
_PATTERN = re.compile(r"\.*(?=((?:[A-Za-z_]\w*\.)*))\1[\w*]*(?:\.[\w*]+)*")
"""The first group gives nothing back: else a long name that ends otherwise is tried at each dot."""
_BEGUN = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\.\w*")
_WORD = re.compile(r"[A-Za-z_]\w*")


def unseen(reader: Reader) -> Iterator[Entry]:
    """Modules, with `*` for what is not known of their names; files by their paths.

    Also folders in which Python is to look, that end in a slash, words that may be modules, and
    that something is imported by a name that settings have.
    """
    content = reader.source.content
    if any(word in content for word in _IMPORTING):
        yield from _by_name(reader)
    if b"_modules" in content or b"walk_packages" in content or b"__all__" in content:
        yield from _walked(reader)
    if basename(reader.source.path) == "__init__.py":
        yield from _given_away(reader)
    if b"entry_points" in content:
        yield from _entry_points(reader)
    if any(word in content for word in _LOADING):
        yield from _run(reader)
    if b"sys" in content or b"addsitedir" in content:
        yield from _searched(reader)
    if any(word.rpartition(".")[2].encode() in content for word in makers.locating()):
        yield from _located(reader)
    yield from _loose(reader)
    yield from _put_together(reader)


def is_foreign(reader: Reader, name: str) -> bool:
    """Whether an import may mean a module of the tree that only a run from its folder finds."""
    return not reader.is_open(name) and name.partition(".")[0] not in _ELSEWHERE


def _searched(reader: Reader) -> Iterator[Entry]:
    for call in reader.model.calls:
        if last_name(call.func) in _ADDING and reader.name(call.func) in _SEARCHED and call.args:
            given = call.args[-1].value
            for each in reader.elements(given) or [given]:
                for text in spelled(reader, each):
                    if ANY_PART not in text:
                        yield call, _from_here(reader, text).rstrip("/") + "/"


def _loose(reader: Reader) -> Iterator[Entry]:
    """Words in strings that are names of modules, for whoever imports a name it is given."""
    parents = reader.model.parents
    for node in reader.model.strings:
        text = string_value(node) if isinstance(node, cst.SimpleString) else None
        if text and _WORD.fullmatch(text[0]) and reader.is_open(text[0]):
            if isinstance(parents.get(node), _VALUES):
                yield node, LOOSE + text[0]


def _put_together(reader: Reader) -> Iterator[Entry]:
    """A name that a string begins, whatever it is for: `load(f"pkg.models.{name}.Model")`."""
    for node in reader.model.strings:
        text = string_value(node)
        if text is None or (text[1] and not text[0].endswith(".")):
            continue
        if _BEGUN.fullmatch(text[0]) and reader.is_open(text[0]):
            yield node, text[0] + ANY_PART


_VALUES = (cst.Arg, cst.DictElement, cst.Element, cst.Assign, cst.AnnAssign, cst.Param)


# --- by name --------------------------------------------------------------------------------------


def _by_name(reader: Reader) -> Iterator[Entry]:
    for call in reader.model.calls:
        if imports_by_name(call):
            yield from ((call, name) for name in imported(reader, call))
            if CONFIGURED in spelled(reader, argument(call, (0, "name", "modname")).value):
                yield call, CONFIGURED


def _located(reader: Reader) -> Iterator[Entry]:
    """`pydoc.locate(config["model"])`: whatever has the name that somebody gives."""
    known = makers.locating()
    last = {name.rpartition(".")[2] for name in known}
    for call in reader.model.calls:
        if last_name(call.func) not in last:
            continue
        for ref in reader.refs(call.func):
            where = () if ref.open else known.get(ref.name, ())
            places = tuple(int(each) if each.isdigit() else each for each in where)
            given = argument(call, places).value
            if given is not None and {ANY_PART, CONFIGURED}.issuperset(spelled(reader, given)):
                yield call, LOCATED


def imported(
    reader: Reader, call: cst.Call, places: tuple[int | str, ...] = (0, "name", "modname")
) -> Iterator[str]:
    """The modules that an import by name may mean, as far as their names are known."""
    packages = spelled(reader, argument(call, (1, "package")).value)
    for text in spelled(reader, argument(call, places).value):
        if text.startswith(".") and text.strip("."):
            yield from (_absolute(text, package) for package in packages)
        elif text.startswith(ANY_PART):
            yield from dict.fromkeys(_folders(reader)) or (text,)
        elif _PATTERN.fullmatch(text) and text:
            # what no usual directory has may lie in a folder that Python is told to search
            if is_foreign(reader, text) or reader.is_open(text) or ANY_PART in text:
                yield text


def asks_of(reader: Reader, call: cst.Call) -> str:
    """The setting that is what is not known of the module that a call imports by its name.

    Empty if no setting is; what is made of one in a way that changes it, or of several, is `?`.
    """
    places = (0, "name", "modname") if imports_by_name(call) else _RUNNING.get(last_name(call.func))
    if last_name(call.func) == "run_module":
        places = (0, "mod_name")
    found = set(_settings(reader, argument(call, places).value)) if places else set()
    return next(iter(found), "") if len(found) < 2 else UNWRITTEN  # noqa: PLR2004


def _settings(reader: Reader, node: cst.BaseExpression | None, depth: int = 0) -> Iterator[str]:
    """The settings of which a name is put together, `?` for what is made of some otherwise."""
    if node is None or depth > _DEEPEST:
        return
    parts: list[cst.BaseExpression | None] = []
    if name := setting(reader, node, is_compared=True):
        yield name
    elif isinstance(node, cst.Name) and node in reader.model.places:
        parts = [each.value for each in reader.bindings(node) if each.kind == "value"]
    elif isinstance(node, cst.FormattedString):
        parts = [
            each.expression
            for each in node.parts
            if isinstance(each, cst.FormattedStringExpression)
        ]
    elif isinstance(node, (cst.BinaryOperation, cst.ConcatenatedString, cst.BooleanOperation)):
        parts = [node.left, node.right]
    elif isinstance(node, cst.IfExp):
        parts = [node.body, node.orelse]
    elif isinstance(node, cst.Tuple):
        parts = [each.value for each in node.elements]
    elif isinstance(node, cst.Call) and last_part(node.func) in {"str", "format", "join"}:
        owner = node.func.value if isinstance(node.func, cst.Attribute) else None
        parts = [owner, *(each.value for each in node.args)]
    elif isinstance(node, (cst.Call, cst.Subscript)):
        inner = (each for each in descendants(node) if isinstance(each, cst.BaseExpression))
        if any(setting(reader, each, is_compared=True) for each in inner):
            yield UNWRITTEN
    for each in parts:
        yield from _settings(reader, each, depth + 1)


def made_modules(reader: Reader, node: cst.BaseExpression) -> Iterator[str]:
    """The modules that an expression may be which are imported or loaded by names or by paths."""
    values = [node]
    if isinstance(node, cst.Name) and node in reader.model.places:
        values = [each.value for each in reader.bindings(node) if each.value is not None]
    for value in values:
        if isinstance(value, cst.Call) and imports_by_name(value):
            yield from imported(reader, value)
        elif isinstance(value, cst.Call) and last_name(value.func) in _MAKING:
            yield from (name for _, name in _run(reader))


def _absolute(name: str, package: str) -> str:
    """A relative name as the file sees it, from the package that the call takes it to be in."""
    if not package or ANY_PART in package:
        return name
    bare = name.lstrip(".")
    outer = package.split(".")
    kept = len(outer) - (len(name) - len(bare)) + 1
    return ".".join((*outer[:kept], bare)) if kept > 0 else name


# --- folders --------------------------------------------------------------------------------------


def _walked(reader: Reader) -> Iterator[Entry]:
    """`pkgutil.iter_modules(__path__)`, and `__all__` made of the files of a folder."""
    for call in reader.model.calls:
        if last_name(call.func) in _WALKING:
            found = list(_of_walk(reader, argument(call, (0, "path")).value))
            yield from ((call, each) for each in found or (".*",))
    bindings = reader.model.root.bindings.get("__all__", ())
    for binding in bindings:
        if binding.value is not None and not isinstance(binding.value, (cst.List, cst.Tuple)):
            yield from ((binding.value, each) for each in _folders(reader))
            return


def _of_walk(reader: Reader, node: cst.BaseExpression | None) -> Iterator[str]:
    for each in reader.elements(node) or ([] if node is None else [node]):
        if isinstance(each, cst.Name) and each.value == "__path__":
            yield ".*"
        elif isinstance(each, cst.Attribute) and each.attr.value == "__path__":
            for value in reader.values(each.value):
                if isinstance(value, Ref) and value.open:
                    yield f"{value.name}.*"
        else:
            yield from (
                _modules_of(reader, text) for text in spelled(reader, each) if _is_place(text)
            )


def _folders(reader: Reader) -> Iterator[str]:
    """The modules of the folders whose files the code goes through."""
    for call in reader.model.calls:
        name = last_part(call.func)
        if name in _WALKING:
            found = list(_of_walk(reader, argument(call, (0, "path")).value))
            yield from found or (".*",)
        if name not in _LISTING:
            continue
        owner = call.func.value if isinstance(call.func, cst.Attribute) else None
        is_method = owner is not None and not reader.name(owner)
        places = spelled(
            reader, owner if is_method else argument(call, (0, "pathname", "path")).value
        )
        for text in places:
            place = _GLOBBED.sub("", text)
            if _is_place(place):
                yield _modules_of(reader, place)


def _is_place(text: str) -> bool:
    return ANY_PART not in text


def _modules_of(reader: Reader, place: str) -> str:
    """All modules of a folder, as a name with a star."""
    if not place.startswith("/"):
        inner = place.strip("./").replace("/", ".")
        return f"{inner}.*" if inner and reader.is_open(inner) else f".{inner}.*".replace("..", ".")
    parts = _from_here(reader, place).split("/")
    ups = parts.count("..")
    inner = ".".join(part for part in parts if part not in {"..", ".", ""})
    return "." * (ups + 1) + (f"{inner}.*" if inner else ANY_PART)


def _from_here(reader: Reader, text: str) -> str:
    """A path from the folder of the file, where it is known from the root."""
    if not text.startswith("/"):
        return text or "."
    return relpath(text, "/" + dirname(reader.source.path))


def _given_away(reader: Reader) -> Iterator[Entry]:
    """`import_submodules(__name__)` in a package: a helper brings in all that lies in it."""
    if basename(reader.source.path) != "__init__.py":
        return
    here = "/" + dirname(reader.source.path)
    for call in reader.model.calls:
        name = last_name(call.func)
        if not HELPING.search(name) or imports_by_name(call) or name in _RUNNING:
            continue
        for each in call.args:
            node = each.value
            is_own = isinstance(node, cst.Name) and node.value in {"__path__", "__name__"}
            if is_own or (_mentions_file(node) and here in spelled(reader, node)):
                yield call, f".*{_helper(reader, call.func)}"


def _helper(reader: Reader, function: cst.BaseExpression) -> str:
    """The sign of a function of the tree that gets a package; empty for one of a library."""
    root = root_of(function)
    bindings = reader.lookup(root.value, reader.scope_of(root)) if type(root) is cst.Name else ()
    is_own = all(each.kind == "import" and reader.is_open(each.target) for each in bindings)
    return f"{GIVEN_TO}{last_name(function)}" if bindings and is_own else ""


def _mentions_file(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) or any(
        isinstance(each, cst.Name) and each.value in {"__file__", "__path__"}
        for each in descendants(node)
    )


# --- what manifests declare -----------------------------------------------------------------------


def _entry_points(reader: Reader) -> Iterator[Entry]:
    """`entry_points(group="pkg.models")`: what the tree declares for a group, by `group:`."""
    for call in reader.model.calls:
        if last_name(call.func) in _ENTRY_POINTS:
            for text in spelled(reader, argument(call, ("group", 0)).value):
                yield call, f"{text}:"


# --- files ----------------------------------------------------------------------------------------


def _run(reader: Reader) -> Iterator[Entry]:
    """Files that a call runs by their paths, and modules that `run_module` does by their names."""
    for call in reader.model.calls:
        name = last_name(call.func)
        if name in _RUNNING:
            given = argument(call, _RUNNING[name]).value
            yield from _files(reader, call, given, is_module=name != "run_path")
        elif name in {"exec", "eval"} and isinstance(call.func, cst.Name) and call.args:
            for each in descendants(call.args[0].value):
                if isinstance(each, cst.Call) and last_name(each.func) in {"open", "open_code"}:
                    yield from _files(reader, call, argument(each, (0, "file")).value)
            yield from _read(reader, call)
        elif name == "run_module":
            yield from ((call, text) for text in imported(reader, call, (0, "mod_name")))


def _read(reader: Reader, call: cst.Call) -> Iterator[Entry]:
    """`with open("x.py") as f: exec(f.read())`, and `exec(Path("x.py").read_text())`."""
    for each in descendants(call.args[0].value):
        if isinstance(each, cst.Call) and isinstance(each.func, cst.Attribute):
            if each.func.attr.value in {"read_text", "read_bytes"}:
                yield from _files(reader, call, each.func.value)
        elif isinstance(each, cst.Name) and each in reader.model.places:
            for binding in reader.bindings(each):
                for inner in descendants(binding.value) if binding.value is not None else ():
                    if isinstance(inner, cst.Call) and last_name(inner.func) == "open":
                        yield from _files(reader, call, argument(inner, (0, "file")).value)
    scope = reader.scope_of(call)
    for other in reader.model.called.get("open", ()):
        if reader.scope_of(other) is scope:
            yield from _files(reader, call, argument(other, (0, "file")).value)


def _files(
    reader: Reader, call: cst.Call, node: cst.BaseExpression | None, *, is_module: bool = False
) -> Iterator[Entry]:
    for full in spelled(reader, node):
        is_begun = full.startswith(f"{ANY_PART}/") and ANY_PART not in full[1:]
        text = full[2:] if is_begun else full  # `os.path.join(root, "ops/x.py")`
        if ANY_PART in text:
            if is_module and (folders := tuple(_folders(reader))):
                yield from ((call, each) for each in folders)
            elif is_module and text.rpartition("/")[0] and _is_place(text.rpartition("/")[0]):
                yield call, _modules_of(reader, text.rpartition("/")[0])
            elif is_module:
                yield call, ANY_PART
        elif text.endswith(".py"):
            yield call, _from_here(reader, text)
