"""What of a Python file says what it starts, and which names it uses: no judgment, only facts."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from itertools import chain

import libcst as cst

from portaudit.read.python import lazy
from portaudit.read.python.asking import Asking
from portaudit.read.python.bases import bases
from portaudit.read.python.conditions import is_self, terms
from portaudit.read.python.deeds import deeds
from portaudit.read.python.handing import handing, taking
from portaudit.read.python.imports import text_of
from portaudit.read.python.keeping import keeps
from portaudit.read.python.loaded import asked_of_objects
from portaudit.read.python.looked_up import kept_spaces, whole_names
from portaudit.read.python.model import Branch, Nearest, Place, Scope
from portaudit.read.python.nodes import descendants, dotted, last_name, string_value
from portaudit.read.python.offered import is_class_of, looked_up, offered
from portaudit.read.python.options import Demands, Options, Waiting, undemanding
from portaudit.read.python.sections import sections
from portaudit.read.python.stores import stores
from portaudit.read.python.tables import asks
from portaudit.read.python.values import Reader, argument
from portaudit.types import CodeFacts, Import

_CONSTANTS = frozenset({"None", "True", "False"})
_ASKING = frozenset({"isinstance", "issubclass"})
_JOINING = frozenset({cst.Tuple, cst.Element, cst.StarredElement, cst.BinaryOperation})
_LISTING = frozenset({cst.Tuple, cst.List, cst.Element, cst.StarredElement})
_BINDING = frozenset({cst.AssignTarget, cst.Del})
_WORD = re.compile(r"[^\W\d]\w*")
_DEFINED = frozenset({"function", "class"})
_OF_CLASS = 2
"""Arguments of a call that asks whether something is of a class."""
_LOADING = frozenset({"torch.utils.cpp_extension.load", "torch.utils.cpp_extension.load_inline"})
_FILLING = frozenset({"exec", "globals", "setattr"})
"""What may give a value to a name that it makes."""


def code(
    reader: Reader,
    imports: tuple[Import, ...],
    guesses: tuple[Import, ...] = (),
    demands: Demands = undemanding,
    packages: Container[str] = frozenset(),
) -> CodeFacts:
    """The facts of one file, which brings in `imports`, and maybe what `guesses` say.

    `demands`: the guard of what a branch leads to · `packages`: libraries, by their first names.
    """
    main = _main(reader)
    options = Options(reader, main, demands)
    said, noted = list(_said(reader, packages)), list(_noted(reader))
    words = _sorted_out(reader, options, said, noted)
    told = options.told()
    everywhere = words.union(*(option.words.split() for option in told))
    does, trains = deeds(reader, main)
    named = whole_names(reader)
    others = set(offered(reader, options.decorators, options.methods, packages, named))
    by_name = {call: set(looked_up(reader, call)) for call in named}
    return CodeFacts(
        (*imports, *bases(reader)),
        reader.span(main).line if main else 0,
        does,
        " ".join(sorted(words)),
        " ".join(sorted(others.union(*by_name.values()))),
        told,
        asks(reader),
        handing(reader),
        taking(reader),
        guesses,
        gives=Asking(reader).gives(),
        own=" ".join(sorted(_own(reader, said, noted))),
        trains=trains,
        sets=" ".join(sorted(stores(reader))),
        mixed=" ".join(sorted(_mixed(reader))),
        keeps=" ".join(sorted(keeps(reader))),
        sections=" ".join(sorted(sections(reader, said, everywhere))),
        members=" ".join(sorted(_members(reader, said, noted))),
        objects=asked_of_objects(reader),
        whole=tuple(
            sorted(
                {
                    (module, " ".join(sorted(named[call])))
                    for call, modules in by_name.items()
                    for module in modules - others
                }
            )
        ),
        spaces=" ".join(sorted(set(kept_spaces(reader)))),
    )


# --- the main guard -------------------------------------------------------------------------------


def _main(reader: Reader) -> cst.If | None:
    """`if __name__ == "__main__"`."""
    for node in reader.model.comparisons:
        if len(node.comparisons) != 1 or reader.scope_of(node) is not reader.model.root:
            continue
        target = node.comparisons[0]
        sides = (node.left, target.comparator)
        if not isinstance(target.operator, (cst.Equal, cst.In)):
            continue
        if any(_is_name(side) for side in sides) and any(_says_main(side) for side in sides):
            statement: cst.CSTNode | None = node
            while isinstance(statement, cst.BaseExpression):
                statement = reader.model.parents.get(statement)
            if isinstance(statement, cst.If):
                return statement
    return None


def _is_name(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value == "__name__"


def _says_main(node: cst.BaseExpression) -> bool:
    if isinstance(node, (cst.Tuple, cst.List, cst.Set)):
        return any(_says_main(element.value) for element in node.elements)
    return string_value(node) == ("__main__", True)


# --- words ----------------------------------------------------------------------------------------


Said = tuple[str, "cst.CSTNode | Place"]
"""A word, and where it is used."""
Noted = tuple[str, Place]
"""One of an annotation, and where what has that is bound."""


def _sorted_out(
    reader: Reader, options: Options, said: Iterable[Said], noted: Iterable[Noted]
) -> set[str]:
    """The words of the code that is in no option; what only options use is given to those."""
    outside: set[str] = set()
    inside: dict[str, dict[Waiting, None]] = {}
    compared: list[tuple[str, Waiting]] = []
    made = _Made(reader)
    for word, node in chain(_names(reader), said, noted):
        if word in outside:
            continue
        if node in options.compared:
            compared.append((word, options.compared[node]))
            continue
        option = options.at(node)
        if option is not None and (option in inside.get(word, ()) or word in _CONSTANTS):
            continue
        if type(node) is cst.Name:
            if not _is_read(reader, node) or is_asked_for(reader, node) or _is_there(reader, node):
                continue
            if word in made.names and made.has(node):
                continue
        elif type(node) is cst.Attribute and (_is_own(reader, node) or is_asked_for(reader, node)):
            continue
        if option is None:
            outside.add(word)
        else:
            inside.setdefault(word, {})[option] = None
    for word, found in inside.items():
        if word not in outside:
            for option in found:
                option.take(word)
    for word, option in compared:
        waits = option.counting()
        if word in outside or waits is None:
            outside.add(word)
        else:
            waits.take(word)
    return outside


def _names(reader: Reader) -> Iterator[Said]:
    """The names that a file uses, and where: wherever they come from, bound ones as well."""
    return ((name.value, name) for name in reader.model.names)


def _said(reader: Reader, packages: Container[str]) -> Iterator[Said]:
    """Words that name something without being looked up where they stand."""
    model = reader.model
    for attribute in model.attributes:
        yield attribute.attr.value, attribute
    for call in model.calls:
        for given in call.args:
            if given.keyword is not None:
                yield given.keyword.value, given.value
    listed = lazy.listings(reader)
    for string in model.strings:
        text = text_of(string)
        if text and model.places[string].statement not in listed:
            if type(model.parents.get(string)) is not cst.Expr and not _is_built(reader, string):
                for word in _named(text):
                    yield word, string
    for scope in (model.root, *model.scopes.values()):
        for bindings in scope.bindings.values():
            for binding in bindings:
                origin = binding.target.rpartition(".")[2]
                if binding.kind == "import" and origin != binding.name:  # used by another name
                    if not is_class_of(reader, binding.target, packages):
                        yield origin, binding.place


def _is_built(reader: Reader, string: cst.CSTNode) -> bool:
    """Whether a string says what native code is called that is compiled there: `load("scale")`.

    Where the file has something else of that name, which this is no use of.
    """
    given = reader.model.parents.get(string)
    call = reader.model.parents.get(given) if isinstance(given, cst.Arg) else None
    if not isinstance(call, cst.Call) or argument(call, (0, "name")).value is not string:
        return False
    text = string_value(string) if isinstance(string, cst.BaseExpression) else None
    bindings = reader.model.root.bindings.get(text[0], ()) if text else ()
    is_other = all(each.value is not call for each in bindings)
    return bool(bindings) and is_other and reader.name(call.func) in _LOADING


def _noted(reader: Reader) -> Iterator[Noted]:
    """The names in annotations."""
    for scope in (reader.model.root, *reader.model.scopes.values()):
        for bindings in scope.bindings.values():
            for binding in bindings:
                if binding.annotation is not None:
                    named = _annotated(binding.annotation)
                    yield from ((word, binding.place) for word in named)


def _own(reader: Reader, said: Iterable[Said], noted: Iterable[Noted]) -> set[str]:
    """The words by which the file means nothing but what it defines itself.

    None where a star may bring in another meaning of a name.
    """
    model = reader.model
    if model.stars:
        return set()
    found = {scope.name for scope in model.scopes.values() if scope.kind in _DEFINED}
    found.difference_update([word for word, _ in said])
    for name in model.names:
        if name.value in found and not _is_defined(reader, name.value, reader.scope_of(name)):
            found.discard(name.value)
    for word, place in noted:
        if word in found and not _is_defined(reader, word, place.scope):
            found.discard(word)
    return found


def _members(reader: Reader, said: Iterable[Said], noted: Iterable[Noted]) -> set[str]:
    """The words by which the file only asks objects for what their own classes set.

    `self.conv` of a class with `self.conv = …`: nobody else's `conv` is meant.
    """
    model = reader.model
    classes = [scope for scope in model.scopes.values() if scope.kind == "class"]
    found = {
        name
        for scope in classes
        for name, bindings in scope.attributes.items()
        if all(each.kind == "value" and each.place.scope is not scope for each in bindings)
    }
    found.difference_update([name.value for name in model.names])
    found.difference_update([word for word, _ in noted])
    for word, node in said:
        if word in found and not (isinstance(node, cst.Attribute) and _sets(reader, node)):
            found.discard(word)
    return found


def _sets(reader: Reader, node: cst.Attribute) -> bool:
    """Whether a member is one of the object itself, which its class sets."""
    owner = reader.scope_of(node).owner
    return owner is not None and is_self(reader, node.value) and node.attr.value in owner.attributes


def _is_defined(reader: Reader, name: str, scope: Scope) -> bool:
    """Whether a name means classes or functions of the file wherever it gets its value."""
    bindings = reader.lookup(name, scope)
    return bool(bindings) and all(binding.kind in _DEFINED for binding in bindings)


def _mixed(reader: Reader) -> set[str]:
    """Names of the module that need not mean what it defines, or brings in, by them.

    They get their value in several ways, or what is brought in has another name here. Of a name
    that is only given a value otherwise nothing is told.
    """
    model = reader.model
    if model.stars or any(name.value in _FILLING for name in model.names):
        return {"*"}
    found: set[str] = set()
    for name, bindings in model.root.bindings.items():
        targets = {binding.target for binding in bindings if binding.kind == "import"}
        origins = {target.rpartition(".")[2] for target in targets}
        found |= origins - {name}
        is_defined = any(binding.kind in _DEFINED for binding in bindings)
        others = any(binding.kind not in {"import", *_DEFINED} for binding in bindings)
        if is_defined + len(targets) + others > 1 and (is_defined or targets):
            found.add(name)
    return found


def _is_own(reader: Reader, node: cst.Attribute) -> bool:
    """Whether a member is used in a function of that name: who calls this one says the word."""
    scope: Scope | None = reader.scope_of(node)
    while scope is not None:
        if scope.kind == "function" and scope.name == node.attr.value:
            return True
        scope = scope.parent
    return False


def _is_read(reader: Reader, node: cst.Name) -> bool:
    """Whether a name is used where it stands: not bound, nor spoken of by what it names itself."""
    parents = reader.model.parents
    child: cst.CSTNode = node
    parent = parents.get(child)
    while parent is not None and type(parent) in _LISTING:
        child, parent = parent, parents.get(parent)
    if type(parent) in _BINDING:
        return False
    if type(parent) is cst.For and parent.target is child:
        return False
    scope: Scope | None = reader.scope_of(node)
    while scope is not None:
        if scope.name == node.value and scope.parent is not None:
            bindings = reader.lookup(node.value, reader.scope_of(node))
            return all(binding.inner is not scope for binding in bindings)
        scope = scope.parent
    return True


def _is_there(reader: Reader, node: cst.Name) -> bool:
    """Whether a name is only compared with None; an attribute may be a property, which runs."""
    parent = reader.model.parents.get(node)
    if type(parent) is not cst.Comparison or len(parent.comparisons) != 1:
        return False
    target = parent.comparisons[0]
    return (
        parent.left is node
        and isinstance(target.operator, (cst.Is, cst.IsNot))
        and isinstance(target.comparator, cst.Name)
        and target.comparator.value == "None"
    )


def is_asked_for(reader: Reader, node: cst.CSTNode) -> bool:
    """Whether it is only asked if something is of a class: that makes none, and calls nothing.

    So it is of what has the class: nothing is an `A.Config` unless something else says `A`.
    """
    parents = reader.model.parents
    parent = parents.get(node)
    if type(node) is cst.Name and _is_of_class(node.value):
        while type(parent) is cst.Attribute and parent.value is node:
            node, parent = parent, parents.get(parent)
    while parent is not None and type(parent) in _JOINING:
        node, parent = parent, parents.get(parent)
    call = parents.get(parent) if type(parent) is cst.Arg else None
    return (
        type(call) is cst.Call
        and type(call.func) is cst.Name
        and call.func.value in _ASKING
        and call.args[-1] is parent
    )


def _is_of_class(name: str) -> bool:
    """Whether a name is written as those of classes are, which modules are not."""
    return name.lstrip("_")[:1].isupper()


class _Made:
    """Knows where something is of a class already, so that naming the class there makes no first.

    `names`: those that the file asks about so.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._nearest = Nearest()
        self._known: dict[Branch, frozenset[str]] = {}
        asking = reader.model.called.get("isinstance", ())
        self.names = frozenset(filter(None, map(_class_of, asking)))

    def has(self, node: cst.Name) -> bool:
        """Whether a place is only come to by something of the class that it names."""
        place = self._reader.model.places[node]
        found = self._nearest.around(place.branch, self._matters)
        return any(node.value in self._of(it) for it in found if it.scope is place.scope)

    def _matters(self, branch: Branch) -> bool:
        return bool(self._of(branch))

    def _of(self, branch: Branch) -> frozenset[str]:
        if branch not in self._known:
            test = branch.test
            self._known[branch] = frozenset(_held(test, branch.truth) if test else ())
        return self._known[branch]


def _held(test: cst.BaseExpression, truth: bool) -> Iterator[str]:
    """The classes that something is of if a test has that outcome."""
    for node in terms(test, truth=truth):
        if isinstance(node, cst.Call) and last_name(node.func) == "isinstance":
            if name := _class_of(node):
                yield name


def _class_of(call: cst.Call) -> str:
    """The one class that a call asks about, by the first part of its name; empty if it is none."""
    asked = call.args[1].value if len(call.args) == _OF_CLASS else None
    name = (dotted(asked) or "").partition(".")[0]
    return name if _is_of_class(name) else ""


def _named(text: str) -> Iterator[str]:
    """The names in a string: the last part of a dotted one, its classes, and what a module has."""
    module, colon, member = text.partition(":")
    parts = [part for part in module.split(".") if part]
    yield from (part for part in parts if part[:1].isupper())
    yield from (part for part in member.split(".") if part.isidentifier())
    if not colon:
        yield from parts[-1:]


def _annotated(note: cst.BaseExpression) -> Iterator[str]:
    """The names in an annotation, which may say what is made of a setting."""
    for node in descendants(note):
        if isinstance(node, cst.Name):
            yield node.value
        elif isinstance(node, cst.SimpleString):
            yield from _WORD.findall(node.value)
