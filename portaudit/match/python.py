"""Matches the catalogue against one Python file: resolved names, methods, arguments, imports.

String values that flow are in `strings`. Nothing is judged here: guards and severities come later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import libcst as cst

from portaudit import detectors
from portaudit.catalogue.globs import any_of, glob
from portaudit.catalogue.index import Names, Selector
from portaudit.catalogue.load import Catalogue
from portaudit.catalogue.schema import Condition, Match
from portaudit.match.context import Contexts
from portaudit.match.hits import LOWER, Hit, Note, lowest, unnoted
from portaudit.match.host import HOST_LIBRARIES, on_host, operand
from portaudit.match.strings import string_hits
from portaudit.read.python.model import (
    Model,
    Place,
    Scope,
    import_name,
    import_statement,
    imports_or_skips,
    join,
)
from portaudit.read.python.nodes import SPEAKING, dict_entries, dotted, last_name, string_value
from portaudit.read.python.values import (
    AnyValue,
    LocalObject,
    Reader,
    argument,
    has_unpacking,
)
from portaudit.types import SEVERITIES, Category, Confidence, Constant, ForeignUse, Instance, Ref

TORCH_WORLD = frozenset(
    [
        "torch",
        "torchvision",
        "torchaudio",
        "torchtext",
        "torchdata",
        "lightning",
        "pytorch_lightning",
        "transformers",
        "diffusers",
        "accelerate",
        "peft",
        "trl",
        "timm",
        "mmengine",
        "mmcv",
        "mmdet",
        "ignite",
        "fastai",
        "monai",
        "deepspeed",
        "fairscale",
        "megatron",
        "apex",
        "kornia",
        "einops",
        "torchmetrics",
        "torch_geometric",
        "dgl",
        "allennlp",
        "fairseq",
    ]
)
_EVERYTHING = "*"
_ALWAYS_CUDA: frozenset[Category] = frozenset({"custom-cuda-ext", "profiling"})
"""Categories whose names mean CUDA wherever they are spelled, in an import too.

Not so quantisation: a settings class of transformers asks for its library where it is built."""
_NAMED_CUDA: frozenset[Category] = _ALWAYS_CUDA | {
    *("amp", "device-api", "framework-patch", "memory-api", "quantization", "rng"),
    "streams-graphs",
}
"""Those whose names do so if they say `cuda`."""


def works_with_torch(reader: Reader) -> bool:
    """Whether the file imports torch or a library built on it."""
    imported = (target for _, target, _ in reader.model.imports)
    by_name = (target for _, target in reader.model.importing)
    return any(
        target.split(".")[0] in TORCH_WORLD and not reader.is_open(target)
        for target in (*imported, *by_name)
    )


class Matcher:
    """Collects hits of one file."""

    def __init__(self, reader: Reader, catalogue: Catalogue, note: Note = unnoted) -> None:
        self.reader = reader
        self._note = note
        self.model = reader.model
        self.catalogue = catalogue
        self.index = catalogue.index
        self.torch = works_with_torch(reader)
        self.contexts = Contexts(reader)
        self.hits: list[Hit] = []
        self.foreign: list[ForeignUse] = []
        self._covered: set[cst.CSTNode] = set()

    def run(self) -> list[Hit]:
        """All hits, competing ones settled."""
        self._imports()
        self._named_in_strings()
        self._calls()
        self._mentions()
        self._decorators()
        self._bases()
        self._subscripts()
        self._members()
        self._keywords()
        self._environment()
        self._detectors()
        named = self._settle(self.hits)
        strings, self.foreign = string_hits(self.reader, self.catalogue, self.torch, self._note)
        return self._once(self._settle([*named, *self._unexplained(strings, named)]))

    # --- helpers ---

    def _confidence(self, selector: Selector, *, unsure: int = 0) -> Confidence:
        match = self.catalogue.match_of(selector)
        rule = self.catalogue.rules[selector.rule]
        row = selector.row.confidence if selector.row else None
        level: Confidence = row or match.confidence or rule.confidence
        for _ in range(unsure):
            level = LOWER[level]
        return level

    def _add(
        self,
        selector: Selector,
        node: cst.CSTNode,
        key: cst.CSTNode,
        anchor: str,
        *,
        rank: int = 0,
        unsure: int = 0,
        value: str = "",
        is_import: bool = False,
        follows: bool = False,
        confidence: Confidence | None = None,
        place: Place | None = None,
        owner: str = "",
    ) -> None:
        match = self.catalogue.match_of(selector)
        place = place or self.model.places.get(node) or self.model.places.get(key)
        certainty = self.contexts.holds(match.context, place) if place else ""
        if place is None or not certainty:
            self._note("context", selector, node, anchor, None)
            return
        if "step" in match.context and self._works_on_host(node):
            self._note("host", selector, node, anchor, None)
            return
        level = confidence or self._confidence(selector, unsure=unsure)
        if certainty == "likely":
            level = lowest([level, "low"])
        exact = selector.row is not None or not any(name.endswith("*") for name in match.name)
        conditions = len(match.where) + len(match.unless)
        self.hits.append(
            Hit(
                selector,
                node,
                key,
                place,
                match.anchor or anchor,
                level,
                rank + exact + 2 * bool(conditions),
                value=value,
                is_import=is_import,
                follows=follows,
                owner=owner,
            )
        )

    def _works_on_host(self, node: cst.CSTNode) -> bool:
        """Whether an operation works on what is on the host: its receiver, or what it is given."""
        if not isinstance(node, cst.Call):
            node = self.model.parents.get(node, node)
        if not isinstance(node, cst.Call):
            return False
        function = node.func
        receiver = function.value if isinstance(function, cst.Attribute) else None
        return on_host(self.reader, receiver) or on_host(self.reader, operand(node))

    def _settle(self, hits: Sequence[Hit]) -> list[Hit]:
        """One finding per place and category: the most specific pattern wins."""
        best: dict[tuple[cst.CSTNode, str], Hit] = {}
        for hit in hits:
            category = self.catalogue.rules[hit.selector.rule].category
            current = best.get((hit.key, category))
            if current is None:
                best[hit.key, category] = hit
                continue
            better, other = current, hit
            if self._weight(hit) > self._weight(current):
                better, other = hit, current
                best[hit.key, category] = hit
            if better.selector.rule != other.selector.rule:
                self._note("specific", other.selector, other.node, better.selector.rule, None)
        return [hit for hit in best.values() if not self._is_argument_of(hit, best)]

    def _once(self, hits: Sequence[Hit]) -> list[Hit]:
        """Of patterns that are told of once, the first hit in each class or function of a file."""
        once = [hit for hit in hits if self.catalogue.match_of(hit.selector).once]
        if not once:
            return list(hits)
        first: dict[tuple[str, Scope], Hit] = {}
        for hit in sorted(once, key=self._line):
            known = first.setdefault((hit.selector.rule, hit.place.scope.outermost), hit)
            if known is not hit:
                by = self.reader.proof(known.node)
                self._note("once", hit.selector, hit.node, hit.anchor, by)
        kept = (hit for hit in hits if not self.catalogue.match_of(hit.selector).once)
        return [*kept, *first.values()]

    def _line(self, hit: Hit) -> tuple[int, int]:
        span = self.reader.spot(hit.node)
        return span.line, span.column

    def _weight(self, hit: Hit) -> tuple[int, int]:
        """What decides between hits of one place: how specific, and then how grave."""
        rule = self.catalogue.rules[hit.selector.rule]
        return hit.rank, SEVERITIES.index(rule.severity) if hit.is_import else 0

    def _is_argument_of(self, hit: Hit, best: Mapping[tuple[cst.CSTNode, str], Hit]) -> bool:
        """Whether a keyword belongs to a call that is itself a finding of the same category."""
        if not isinstance(hit.key, cst.Arg):
            return False
        call = self.model.parents.get(hit.key)
        category = self.catalogue.rules[hit.selector.rule].category
        is_part = isinstance(call, cst.Call) and (call.func, category) in best
        if is_part:
            self._note("part", hit.selector, hit.node, hit.anchor, None)
        return is_part

    def _unexplained(self, strings: Iterable[Hit], named: Sequence[Hit]) -> Iterator[Hit]:
        """Literals that no more specific finding covers: API > argument > string."""
        keys = {hit.key for hit in named}
        for hit in strings:
            parent = self.model.parents.get(hit.node)
            while isinstance(parent, (cst.IfExp, cst.BooleanOperation, cst.BinaryOperation)):
                _node, parent = parent, self.model.parents.get(parent)
            if isinstance(parent, cst.Arg):
                call = self.model.parents.get(parent)
                in_call = isinstance(call, cst.Call) and (call.func in keys or call in keys)
                if parent in keys or (
                    in_call and isinstance(call, cst.Call) and self.reader.name(call.func)
                ):
                    self._note("explained", hit.selector, hit.node, hit.anchor, None)
                    continue
            yield hit

    # --- names ---

    def _is_store(self, node: cst.CSTNode) -> bool:
        parent = self.model.parents.get(node)
        return type(parent) in _STORING and getattr(parent, "target", None) is node

    def mentioned(self, node: cst.CSTNode) -> Iterable[Ref]:
        """Names of installed packages that an expression spells here.

        A variable that was given such a name elsewhere is no mention: that place is.
        """
        if type(node) is cst.Name:
            bindings = self.reader.bindings(node)
            for binding in bindings:
                if binding.kind == "import":
                    break
            else:
                if bindings:
                    return ()
            return self.reader.refs(node)
        if type(node) is cst.Attribute:
            values = self.reader.values(node.value)
            return self._members_of(values, node.attr.value) if values else ()
        return self.reader.refs(node) if type(node) is cst.Call else ()

    def _members_of(self, values: Iterable[AnyValue], attr: str) -> Iterator[Ref]:
        for value in values:
            if type(value) is Ref:
                for item in self.reader.member(value, attr):
                    if type(item) is Ref and not item.open:
                        yield item

    def _mentions(self) -> None:
        names = self.index.names["attribute"]
        calls = self.index.names["call"]
        parents = self.model.parents
        attributes = [node for node in self.model.attributes if not self._in_import(node)]
        for node in (*attributes, *self.model.names):
            if node in self._covered:
                continue
            kind = type(parents.get(node))
            if kind in _STORING and type(node) is cst.Name and self._is_store(node):
                continue
            if kind in _IN_TYPES and self._in_type(node):
                continue
            for ref in self.mentioned(node):
                found = names.find(ref.name)
                if "." in ref.name and self._handed_on(node):
                    found += self._unconditional(calls.find(ref.name))
                for selector in found:
                    parent = self.model.parents.get(node)
                    called = isinstance(parent, cst.Call) and parent.func is node
                    where = parent if called and parent else node
                    self._add(selector, where, node, ref.name, unsure=self._star_doubt(node))
                if found:
                    self._cover(node)
                    break
            if self._note is not unnoted:
                self._tell_of_variable(node)
        for call in self.model.called.get("getattr", ()):
            if isinstance(call.func, cst.Name):
                for ref in self.mentioned(call):
                    found = list(names.find(ref.name))
                    if self._handed_on(call):
                        found += self._unconditional(calls.find(ref.name))
                    for selector in found:
                        self._add(selector, call, call, ref.name)

    def _tell_of_variable(self, node: cst.CSTNode) -> None:
        """Note a variable that was given a name elsewhere."""
        bindings = self.reader.bindings(node) if isinstance(node, cst.Name) else []
        if bindings and not any(binding.kind == "import" for binding in bindings):
            for ref in self.reader.refs(node):
                for selector in self.index.names["attribute"].find(ref.name):
                    self._note("elsewhere", selector, node, ref.name, None)

    def _unconditional(self, selectors: Iterable[Selector]) -> list[Selector]:
        return [
            selector
            for selector in selectors
            if not _conditional(self.catalogue.match_of(selector))
        ]

    def _in_import(self, node: cst.CSTNode) -> bool:
        return type(self.model.parents.get(node)) in _IMPORTS

    def _in_type(self, node: cst.CSTNode) -> bool:
        """Whether a name stands in a type expression such as `Union[...]`."""
        parent = self.model.parents.get(node)
        while parent is not None and type(parent) in _IN_TYPES:
            if type(parent) is cst.Subscript and node is not parent.value:
                names = [ref.name for ref in self.reader.refs(parent.value)]
                if any(name.startswith(_TYPING) for name in names):
                    return True
            node, parent = parent, self.model.parents.get(parent)
        return False

    def _star_doubt(self, node: cst.CSTNode) -> int:
        """One step of doubt for a name that a star import of a library may have brought."""
        while isinstance(node, cst.Attribute):
            node = node.value
        if not self.model.stars or not self.reader.starred(node) or not isinstance(node, cst.Name):
            return 0
        told = (join(module, node.value) for module, _ in self.model.stars)
        return int(all(self.reader.externals.get(name) is None for name in told))

    def _cover(self, node: cst.CSTNode) -> None:
        while isinstance(node, cst.Attribute):
            node = node.value
            self._covered.add(node)

    # --- calls ---

    def _calls(self) -> None:
        names = self.index.names["call"]
        for call in self.model.calls:
            for function in _callees(call.func):
                self._call(names, call, function)
            self._method(call)

    def _call(self, names: Names, call: cst.Call, function: cst.BaseExpression) -> None:
        """The hits of a call of what it may be that is called."""
        for ref in self.reader.refs(function):
            for selector in names.find(ref.name):
                match = self.catalogue.match_of(selector)
                if not _conditional(match) and not self._spelled(function):
                    # Reported where the variable got it, with the guard of that place.
                    self._note("elsewhere", selector, call, ref.name, None)
                elif not self._conditions(match, call):
                    self._note("arguments", selector, call, ref.name, None)
                else:
                    self._add(
                        selector,
                        call,
                        function,
                        ref.name,
                        rank=1,
                        unsure=self._star_doubt(function),
                        value=self._wanted(match, call),
                        place=self.model.places.get(function),  # the arm's, if there are several
                    )
            if ref.name == "functools.partial":
                self._partial(call)

    def _spelled(self, function: cst.BaseExpression) -> bool:
        """Whether a callee names an API here, rather than through a variable that holds it."""
        return any(True for _ in self.mentioned(function))

    def _handed_on(self, node: cst.CSTNode) -> bool:
        """Whether a name is given away to be called elsewhere: stored, or passed to other code."""
        parent = self.model.parents.get(node)
        while isinstance(parent, (cst.IfExp, cst.BooleanOperation, cst.NamedExpr)):
            if isinstance(parent, cst.IfExp) and parent.test is node:
                return False
            node, parent = parent, self.model.parents.get(parent)
        if isinstance(parent, cst.DictElement):
            return parent.value is node
        if isinstance(parent, cst.Arg):
            call = self.model.parents.get(parent)
            if not isinstance(call, cst.Call) or dotted(call.func) in _ASKING:
                return False
            kinds = (self.index.names["call"], self.index.names["attribute"])
            names = [item.name for item in self.reader.refs(call.func)]
            return not any(kind.find(name) for kind in kinds for name in names)
        return isinstance(parent, (cst.Assign, cst.AnnAssign, cst.Param))

    def _partial(self, call: cst.Call) -> None:
        target = argument(call, (0,)).value
        if target is None:
            return
        shifted = call.with_changes(args=call.args[1:])
        for ref in self.reader.refs(target):
            for selector in self.index.names["call"].find(ref.name):
                if self._conditions(self.catalogue.match_of(selector), shifted):
                    self._add(selector, call, target, ref.name, rank=1)

    def _method(self, call: cst.Call) -> None:
        if not isinstance(call.func, cst.Attribute):
            return
        selectors = self.index.methods.get(call.func.attr.value)
        if not selectors:
            return
        receiver = self.reader.values(call.func.value)
        anchor = f".{call.func.attr.value}"
        if any(isinstance(value, Ref) and not value.open for value in receiver):
            # A function of a module, judged by its name.
            self._note("function", selectors[0], call, anchor, None)
            return
        if receiver and all(self._defines(value, call.func.attr.value) for value in receiver):
            # A method of this file, judged by what it does.
            self._note("own", selectors[0], call, anchor, None)
            return
        for selector in selectors:
            match = self.catalogue.match_of(selector)
            if not self._conditions(match, call):
                self._note("arguments", selector, call, anchor, None)
                continue
            origins = [value.of.name for value in receiver if isinstance(value, Instance)]
            if match.receiver and not any(
                _under(origin, pattern) for origin in origins for pattern in match.receiver
            ):
                self._note("receiver", selector, call, anchor, None)
                continue
            certain = any(origin.startswith("torch.") for origin in origins) or any(
                isinstance(value, LocalObject) for value in receiver
            )
            foreign = [name for name in origins if name.split(".")[0] in HOST_LIBRARIES]
            if foreign and not certain and len(foreign) == len(origins) == len(receiver):
                # An object of a library that has nothing to do with torch.
                self._note("foreign", selector, call, anchor, None)
                continue
            if not self.torch and not self._near_torch():
                self._note("no-torch", selector, call, anchor, None)
                continue
            unsure = 0 if certain and self.torch else 1 if self.torch else 2
            self._add(selector, call, call.func, anchor, unsure=unsure)

    def _defines(self, value: object, method: str) -> bool:
        return isinstance(value, LocalObject) and any(
            binding.kind == "function"
            for binding in self.reader.class_attribute(value.scope, method)
        )

    def _near_torch(self) -> bool:
        """Whether the file works with the tree's own modules: its objects may be tensors."""
        return any(self.reader.is_open(target) for _, target, _ in self.model.imports)

    def _conditions(self, match: Match, call: cst.Call) -> bool:
        return all(self._holds(item, call) for item in match.where) and not any(
            self._holds(item, call) and self._is_certain(item, call) for item in match.unless
        )

    def _is_certain(self, condition: Condition, call: cst.Call) -> bool:
        """Whether an argument is written out: a default, or one of several values, is none."""
        if not condition.equals:
            return True
        places = condition.argument
        given = argument(call, places if isinstance(places, list) else [places])
        value = given.value
        if isinstance(value, cst.Name) and _type(value) == "name":
            bindings = self.reader.bindings(value)
            only = bindings[0] if len(bindings) == 1 else None
            value = only.value if only is not None and only.kind == "value" else None
        return value is not None and _is_written(value)

    def _wanted(self, match: Match, call: cst.Call) -> str:
        """The argument value that a condition asked for, as shown in the message."""
        for condition in match.where:
            places = condition.argument
            given = argument(call, places if isinstance(places, list) else [places])
            for value in self.reader.values(given.value):
                if condition.equals and _equals(value, condition.equals):
                    return _shown(value)
        return ""

    def _holds(self, condition: Condition, call: cst.Call) -> bool:
        places = condition.argument
        given = argument(call, places if isinstance(places, list) else [places])
        if condition.absent is not None:
            if given.value is None and has_unpacking(call):
                return False
            return (given.value is None) == condition.absent
        if given.value is None:
            return False
        if condition.equals and not self._is_one_of(given.value, condition.equals):
            return False
        if condition.prefix and not any(
            text.value.startswith(tuple(condition.prefix))
            for text in self.reader.texts(given.value)
        ):
            return False
        if condition.has and not self._has(given.value, condition.has):
            return False
        return not condition.type or _type(given.value) in condition.type

    def _is_one_of(
        self, node: cst.BaseExpression, wanted: Sequence[str | bool | int | float]
    ) -> bool:
        """Whether a value may be one of the wanted; a tuple, if each of its elements may."""
        if isinstance(node, cst.Tuple):
            return bool(node.elements) and all(
                isinstance(item, cst.Element) and self._is_one_of(item.value, wanted)
                for item in node.elements
            )
        return any(_equals(value, wanted) for value in self.reader.values(node))

    def _has(self, node: cst.BaseExpression, patterns: Sequence[str]) -> bool:
        """Whether a text matches, in a list or in the sum of lists that an argument is."""
        if isinstance(node, cst.BinaryOperation):
            return self._has(node.left, patterns) or self._has(node.right, patterns)
        if isinstance(node, cst.Call):  # `glob("*.cu")`, `[...].copy()`
            return any(self._has(item.value, patterns) for item in node.args)
        texts = [
            text
            for part in self.reader.elements(node) or [node]
            for text in self.reader.texts(part)
        ]
        return any(glob(pattern).match(text.value) for text in texts for pattern in patterns)

    # --- imports, decorators, bases, subscripts, members ---

    def _imports(self) -> None:
        names = self.index.names["import"]
        for node, target, place in self.model.imports:
            if self.reader.is_open(target):
                continue
            found = names.find(target)
            if not found and isinstance(node, cst.ImportAlias):
                self._import_of_name(node, target, place)
            for selector in found:
                anchor = target
                small = import_statement(node, place)
                if isinstance(small, cst.ImportFrom):
                    module = import_name(small)
                    if any(other.rule == selector.rule for other in names.find(module)):
                        anchor = module
                shown = (
                    small if small is not None and anchor != target else _shown_import(small, node)
                )
                anywhere = target.startswith("torch.") and not target.startswith("torch._C")
                self._add(
                    selector,
                    shown,
                    small or node,
                    anchor,
                    is_import=True,
                    follows=anywhere,
                    place=place,
                )
        for call, target in self.model.importing:
            if imports_or_skips(call) and isinstance(self.model.parents.get(call), cst.Expr):
                continue  # a question, whose answer is true on the target
            if not self.reader.is_open(target):
                for selector in names.find(target):
                    shown = call.args[0].value
                    place = self.model.places[call]
                    self._add(selector, shown, call, target, is_import=True, place=place)

    def _import_of_name(self, node: cst.ImportAlias, target: str, place: Place) -> None:
        """`from torch.cuda.amp import autocast`: the line has to change as the calls have to."""
        small = import_statement(node, place)
        cuda = "cuda" in target.lower()
        if not isinstance(small, cst.ImportFrom):
            return
        for kind in ("call", "attribute", "class-base"):
            for selector in self.index.names[kind].find(target):
                rule = self.catalogue.rules[selector.rule]
                match = self.catalogue.match_of(selector)
                portable = rule.check or match.context or match.where
                if rule.category in (_NAMED_CUDA if cuda else _ALWAYS_CUDA) and not portable:
                    shown = _shown_import(small, node)
                    self._add(
                        selector, shown, node, target, is_import=True, follows=True, place=place
                    )

    def _named_in_strings(self) -> None:
        """A class of a library by its path: `"bitsandbytes.optim.Adam8bit"`, for an importer."""
        for node in self.model.strings:
            text = string_value(node)
            if not (text and text[1] and _PATH.fullmatch(text[0])):
                continue
            if not _may_import(node, self.model):
                continue
            for selector in self.index.names["call"].find(text[0]):
                match = self.catalogue.match_of(selector)
                rule = self.catalogue.rules[selector.rule]
                if rule.category in _LIBRARIES and not _conditional(match):
                    self._add(selector, node, node, text[0], unsure=1)

    def _decorators(self) -> None:
        for decorator in self.model.decorators:
            expression = decorator.decorator
            call = expression if isinstance(expression, cst.Call) else None
            function = call.func if call else expression
            bare = call or cst.Call(cst.Name("_"))
            for ref in self.reader.refs(function):
                found = list(self.index.names["decorator"].find(ref.name))
                if call is None:
                    found.extend(self.index.names["call"].find(ref.name))
                for selector in found:
                    if self._conditions(self.catalogue.match_of(selector), bare):
                        self._add(
                            selector,
                            expression,
                            function,
                            ref.name,
                            rank=2,
                            place=self.model.places[decorator],
                            owner=self._decorated(decorator),
                        )

    def _decorated(self, decorator: cst.Decorator) -> str:
        """The qualified name of the function that a decorator stands on."""
        place = self.model.places[decorator]
        node = place.statement
        if not isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            return ""
        outer = place.scope.qualname
        return f"{outer}.{node.name.value}" if outer else node.name.value

    def _bases(self) -> None:
        for base in self.model.bases:
            for ref in self.reader.refs(base.value):
                for selector in self.index.names["class-base"].find(ref.name):
                    self._add(selector, base.value, base.value, ref.name, rank=2)

    def _subscripts(self) -> None:
        names = self.index.names["subscript"]
        for node in self.model.subscripts:
            for ref in self.reader.refs(node.value):
                for selector in names.find(ref.name):
                    self._add(selector, node, node.value, ref.name, rank=1)

    def _members(self) -> None:
        for node in self.model.attributes:
            selectors = self.index.members.get(node.attr.value)
            if not selectors or self._is_store(node):
                continue
            values = self.reader.values(node.value)
            if any(isinstance(value, Ref) for value in values):
                continue
            if any(
                isinstance(value, LocalObject)
                and self.reader.class_attribute(value.scope, node.attr.value)
                for value in values
            ):
                continue
            if not self.torch and not self._near_torch():
                self._note("no-torch", selectors[0], node, f".{node.attr.value}", None)
                continue
            for selector in selectors:
                self._add(
                    selector, node, node, f".{node.attr.value}", unsure=0 if self.torch else 2
                )

    # --- keyword arguments ---

    def _keywords(self) -> None:
        for call in self.model.calls:
            for item in call.args:
                if item.keyword is None:
                    continue
                for selector in self.index.keywords.get(item.keyword.value, ()):
                    match = self.catalogue.match_of(selector)
                    if match.callee and not self._callee(call, match.callee):
                        continue
                    if self._conditions(match, call):
                        self._keyword(selector, item, item.keyword.value, item.value)
        for name, value in self._defaults():
            for selector in self.index.keywords.get(name, ()):
                match = self.catalogue.match_of(selector)
                if match.value and not match.callee and not match.where:
                    self._keyword(selector, value, name, value, unsure=1)
        for node in self.model.dicts:
            for key, element in dict_entries(node):
                for selector in self.index.keywords.get(key, ()):
                    match = self.catalogue.match_of(selector)
                    if not match.callee and not match.where:
                        self._keyword(selector, element, key, element.value, unsure=1)

    def _defaults(self) -> Iterator[tuple[str, cst.BaseExpression]]:
        """What parameters and the fields of classes are given where they are declared."""
        for scope in self.model.scopes.values():
            found = scope.attributes if scope.kind == "class" else scope.bindings
            for name, bindings in found.items():
                for binding in bindings:
                    declared = binding.kind == "param" or binding.place.scope is scope
                    if declared and binding.value is not None:
                        if binding.kind == "param" or scope.kind == "class":
                            yield name, _field_default(binding.value)

    def _callee(self, call: cst.Call, wanted: Sequence[str]) -> bool:
        names = [ref.name for ref in self.reader.refs(call.func)]
        return any(_under(name, pattern) for name in names for pattern in wanted)

    def _keyword(
        self,
        selector: Selector,
        node: cst.CSTNode,
        name: str,
        value: cst.BaseExpression,
        unsure: int = 0,
    ) -> None:
        match = self.catalogue.match_of(selector)
        for item in self.reader.values(value):
            if _equals(item, match.value):
                shown = _shown(item)
                self._add(
                    selector,
                    node,
                    node,
                    f"{name}={shown}",
                    rank=2,
                    unsure=unsure,
                    value=shown,
                    place=self.model.places.get(value),
                )
                return
        if not match.value and not (
            isinstance(value, cst.Name) and value.value in {"False", "None"}
        ):
            place = self.model.places.get(value)
            self._add(selector, node, node, name, rank=1, unsure=unsure, place=place)

    # --- environment variables ---

    def _environment(self) -> None:
        if not self.index.variables:
            return
        known = any_of(pattern for pattern, _ in self.index.variables)
        for node, name in self._variables():
            if not known.match(name):
                continue
            for pattern, selector in self.index.variables:
                if glob(pattern).match(name):
                    self._add(selector, node, node, name, value=name)
                    break

    def _variables(self) -> Iterator[tuple[cst.CSTNode, str]]:
        """Environment variables named in code: read, set, tested or put into an `env` dict."""
        for call in self.reader.calls_of(_ENVIRONMENT_CALLS):
            if self.reader.name(call.func) in _ENVIRONMENT_CALLS and call.args:
                for text in self.reader.texts(call.args[0].value):
                    if text.exact:
                        yield call, text.value
        for node in self.model.subscripts:
            key = self._environment_key(node)
            if key:
                yield node, key
        for test in self.model.comparisons:
            if len(test.comparisons) == 1 and isinstance(
                test.comparisons[0].operator, (cst.In, cst.NotIn)
            ):
                if self.reader.name(test.comparisons[0].comparator) == "os.environ":
                    key_text = string_value(test.left)
                    if key_text and key_text[1]:
                        yield test, key_text[0]
        for table in self.model.dicts:
            if not self._is_environment_dict(table):
                continue
            for key, element in dict_entries(table):
                yield element.key, key

    def _environment_key(self, node: cst.Subscript) -> str:
        if len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
            return ""
        name = self.reader.name(node.value)
        spelled = last_name(node.value).lower()
        if name != "os.environ" and spelled not in {"env", "environ", "environment", "env_vars"}:
            return ""
        texts = self.reader.texts(node.slice[0].slice.value)
        return next((text.value for text in texts if text.exact), "")

    def _is_environment_dict(self, node: cst.Dict) -> bool:
        parent = self.model.parents.get(node)
        if isinstance(parent, cst.Arg):
            if parent.keyword and parent.keyword.value.lower() in _ENVIRONMENT_NAMES:
                return True
            call = self.model.parents.get(parent)
            return isinstance(call, cst.Call) and self.reader.name(call.func) == "os.environ.update"
        if isinstance(parent, (cst.Assign, cst.AnnAssign)):
            target = parent.targets[0].target if isinstance(parent, cst.Assign) else parent.target
            name = last_name(target).lower()
            return name in _ENVIRONMENT_NAMES or name.endswith(("_env", "_environ"))
        return False

    # --- detectors ---

    def _detectors(self) -> None:
        for name, selectors in self.index.detectors.items():
            for spot in detectors.get(name)(self.reader, self.contexts):
                for selector in selectors:
                    self._add(
                        selector,
                        spot.node,
                        spot.key or spot.node,
                        spot.anchor,
                        rank=2 if spot.key else 0,
                        confidence=spot.confidence,
                        place=spot.place,
                        is_import=spot.is_import,
                    )


_IMPORTS = frozenset({cst.Import, cst.ImportFrom})
_STORING = frozenset({cst.AssignTarget, cst.For, cst.CompFor})
_IN_TYPES = frozenset({cst.Index, cst.SubscriptElement, cst.List, cst.Element, cst.Subscript})
_ASKING = {
    *("isinstance", "issubclass", "hasattr", "getattr", "type", "print", "partial"),
    *("inspect.signature", "inspect.getsource", "functools.partial"),
}
_TYPING = ("typing.", "typing_extensions.", "collections.abc.")
_ENVIRONMENT_CALLS = {
    "os.getenv",
    "os.putenv",
    "os.unsetenv",
    "os.environ.get",
    "os.environ.pop",
    "os.environ.setdefault",
}
_ENVIRONMENT_NAMES = {
    "env",
    "environ",
    "environment",
    "env_vars",
    "extra_env",
    "environment_variables",
}


def _shown_import(statement: cst.CSTNode | None, name: cst.CSTNode) -> cst.CSTNode:
    """Where an import is reported: at the name, or where a list over several lines begins."""
    if isinstance(statement, cst.ImportFrom) and statement.lpar is not None:
        return statement
    return name


def _field_default(node: cst.BaseExpression) -> cst.BaseExpression:
    """The default that `field(default=…)` gives, or the value itself."""
    if isinstance(node, cst.Call) and last_name(node.func) in _FIELDS:
        return argument(node, ["default"]).value or node
    return node


def _may_import(node: cst.CSTNode, model: Model) -> bool:
    """Whether what holds a path in a string may import it: an argument, or an entry."""
    parent = model.parents.get(node)
    if isinstance(parent, cst.Arg):
        call = model.parents.get(parent)
        if parent.keyword is not None and parent.keyword.value in _SAYING:
            return False
        name = dotted(call.func) if isinstance(call, cst.Call) else None
        return (name or "").rpartition(".")[2] not in _NAMING
    return isinstance(parent, cst.DictElement) and parent.value is node


_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\.[A-Z]\w*")
"""The dotted path of a class."""
_LIBRARIES: frozenset[Category] = frozenset(
    {"fused-kernel-lib", "inference-engine", "quantization"}
)
_NAMING = SPEAKING | {
    *("find_spec", "getLogger", "get_logger", "import_module", "importorskip", "is_installed"),
    *("metadata", "patch", "version", "getattr", "hasattr", "startswith", "endswith"),
    *("delattr", "rsplit", "replace", "set_title", "setattr", "setitem", "split", "title"),
}
"""Calls that are given the name of a module or class and do not make one."""
_SAYING = {"description", "doc", "help", "label", "message", "msg", "reason", "text", "title"}
_FIELDS = {"field", "Field"}


def _callees(node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """What a call may be of: each arm of `(A if fast else B)(x)`."""
    if isinstance(node, cst.IfExp):
        yield from _callees(node.body)
        yield from _callees(node.orelse)
    elif isinstance(node, cst.BooleanOperation):
        yield from _callees(node.left)
        yield from _callees(node.right)
    else:
        yield node


def _conditional(match: Match) -> bool:
    """Whether a match depends on how, or where, the name is called."""
    return bool(match.where or match.unless or match.context)


def _under(name: str, pattern: str) -> bool:
    """Whether a dotted name is the pattern, or lies below it (`torch.*`)."""
    if pattern.endswith(".*"):
        return name.startswith(pattern[:-1])
    return pattern in {name, _EVERYTHING}


def _equals(value: object, wanted: Sequence[str | bool | int | float]) -> bool:
    if isinstance(value, Constant):
        return any(type(item) is type(value.value) and item == value.value for item in wanted)
    text = getattr(value, "value", None)
    if isinstance(text, str):
        shown = text if getattr(value, "exact", True) else f"{text}*"
        return any(isinstance(item, str) and glob(item).match(shown) for item in wanted)
    if isinstance(value, Ref):
        return any(isinstance(item, str) and item == value.name for item in wanted)
    return False


def _shown(value: object) -> str:
    if isinstance(value, Ref):
        return value.name
    text = getattr(value, "value", None)
    return text if isinstance(text, str) else str(text)


def _is_written(node: cst.BaseExpression) -> bool:
    """Whether a value is written out, each of a tuple too."""
    if isinstance(node, cst.Tuple):
        return all(_is_written(item.value) for item in node.elements)
    return _type(node) not in {"name", "call"}


def _type(node: cst.BaseExpression) -> str:
    if string_value(node) is not None:
        return "str"
    if isinstance(node, cst.Name):
        return {"True": "bool", "False": "bool", "None": "none"}.get(node.value, "name")
    if isinstance(node, cst.Integer):
        return "int"
    if isinstance(node, cst.Float):
        return "float"
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
        return "not"
    return "call" if isinstance(node, cst.Call) else "name"
