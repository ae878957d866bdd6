"""Programs that Python code starts: `subprocess.run([sys.executable, "train.py"])`, `os.system`.

Also what it writes for a shell or a scheduler to run, and the program that it gives to a service.
What stands for a value that is made at run time is written as the shell would: `$config`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import libcst as cst
from msgspec.structs import replace

from portaudit.read.items import Item, Part
from portaudit.read.launches import is_file, of_setting, started
from portaudit.read.programs import begins_command
from portaudit.read.python.nodes import dotted, last_name, string_value
from portaudit.read.python.sources import PLACEHOLDER, written
from portaudit.read.python.values import Reader, argument
from portaudit.read.text import Text
from portaudit.types import Span

_RUNNERS = frozenset(
    {
        *(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen")),
        *("subprocess.getoutput", "subprocess.getstatusoutput", "os.system", "os.popen"),
        *("asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"),
        "submitit.helpers.CommandFunction",
    }
)
_NAMES = frozenset(name.rpartition(".")[2] for name in _RUNNERS)
_COMMANDS = frozenset({"command", "entrypoint", "entry_point", "entry_script", "script"})
"""Keywords by which a service is given the program of a job."""
_SETTINGS = frozenset({"hyperparameters", "static_hyperparameters"})
_ARGUMENTS = frozenset({"arguments", "script_args"})
"""Keywords by which it is given what the program is started with."""
_SET_LATER = re.compile(rb"\bset_hyperparameters\b|\bhyperparameter_ranges\b")
_CONSTANTS = frozenset({"True", "False", "None"})
_SCRIPT = re.compile(r"(?m)\A\s*#!.*sh\b|^#SBATCH\b|^\s*srun\s|^\s*torchrun\s")
"""What tells a text that is a script, or a piece of one."""
_MOST = 4
"""Values of a name that are followed."""
_DEEPEST = 8
"""Expressions in one another that are followed."""


def programs(reader: Reader) -> Iterator[Item]:
    """The `launch` items of a file, where the call that starts a program begins."""
    for call in reader.model.calls:
        if last_name(call.func) in _NAMES and reader.name(call.func) in _RUNNERS:
            given = argument(call, (0, "args", "command", "cmd")).value
            if last_name(call.func) == "create_subprocess_exec":
                words = [_word(reader, each.value, 0) for each in call.args if not each.keyword]
                yield from _of_words(reader, words, reader.span(call))
            else:
                yield from _of_command(reader, given, reader.span(call))
        for each in call.args:
            if each.keyword is not None and each.keyword.value in _COMMANDS:
                found = _of_keyword(reader, each.keyword.value, each.value)
                yield from (_with_settings(reader, call, item) for item in found)
    if b"#SBATCH" in reader.source.content or reader.source.content.find(b"#!", 2) > 0:
        for literal in reader.model.strings:
            if not isinstance(reader.model.parents.get(literal), cst.Expr):
                text = written(reader, literal)
                if _SCRIPT.search(text.text):
                    found = _of_script(text)
                    yield from (item for item in found if item.value != PLACEHOLDER)


def _of_keyword(reader: Reader, key: str, node: cst.BaseExpression) -> Iterator[Item]:
    text = _text(reader, node, 0)
    span = reader.span(node)
    named = of_setting(key, text, span)
    if named is not None:
        yield named
    elif begins_command(text):
        yield from (item for item in _of_text(reader, text, span) if is_file(item))


def _with_settings(reader: Reader, call: cst.Call, item: Item) -> Item:
    """A program of a job with what the service gives it: SageMaker's settings, Azure's words."""
    if item.parts:
        return item
    words: list[str] = []
    for each in call.args:
        if each.star:
            words.insert(0, _unknown(each.value))
        elif each.keyword is not None and each.keyword.value in _SETTINGS:
            words += _settings(reader, each.value)
        elif each.keyword is not None and each.keyword.value in _ARGUMENTS:
            words += _words(reader, each.value, 0)
    if _SET_LATER.search(reader.source.content):
        words.insert(0, "${hyperparameters}")
    return replace(item, parts=tuple(Part(word, item.span) for word in words))


def _settings(reader: Reader, node: cst.BaseExpression) -> list[str]:
    """The options that a service makes of a dictionary, all of which is open where a part is."""
    found: list[str] = []
    bound = _bound(reader, node)
    for each in bound:
        if not isinstance(each, cst.Dict):
            return [_unknown(node)]
        for element in each.elements:
            key = string_value(element.key) if isinstance(element, cst.DictElement) else None
            if key is None or not key[1]:
                return [_unknown(node)]
            value = cst.ensure_type(element, cst.DictElement).value
            plain = isinstance(value, (cst.Integer, cst.Float, cst.Name))
            literal = plain and not (isinstance(value, cst.Name) and value.value not in _CONSTANTS)
            text = str(getattr(value, "value", "")) if literal else _text(reader, value, 0)
            found.append(f"--{key[0]}={text}")
    if isinstance(node, cst.Name):
        grown = rf"\b{re.escape(node.value)}\s*(?:\[[^\]\n]*\]\s*=(?!=)|\.update\b|\|=)"
        if not bound or re.search(grown.encode(), reader.source.content):
            return [_unknown(node), *found]
    return found


def _of_command(reader: Reader, node: cst.BaseExpression | None, span: Span) -> Iterator[Item]:
    """What a command starts that is given as a text or as its words."""
    more = _more(reader, node)
    for each in _bound(reader, node):
        if isinstance(each, cst.Call) and reader.name(each.func) == "shlex.split":
            yield from _of_text(reader, _text(reader, argument(each, (0, "s")).value, 0), span)
        elif (
            isinstance(each, cst.Call)
            and isinstance(each.func, cst.Attribute)
            and each.func.attr.value == "split"
        ):
            yield from _of_text(reader, _text(reader, each.func.value, 0), span)
        elif isinstance(each, (cst.List, cst.Tuple)) or _is_sum_of_lists(reader, each):
            yield from _of_words(reader, [*_words(reader, each, 0), *more], span)
        else:
            yield from _of_text(reader, " ".join((_text(reader, each, 0), *more)), span)


def _more(reader: Reader, node: cst.BaseExpression | None) -> tuple[str, ...]:
    """The words that a command may get behind those that it begins with, as one that is open."""
    if not isinstance(node, cst.Name):
        return ()
    grown = rf"\b{re.escape(node.value)}\s*(?:\+=|\.(?:append|extend|insert)\b)"
    return ("${more}",) if re.search(grown.encode(), reader.source.content) else ()


def _of_text(reader: Reader, text: str, span: Span) -> Iterator[Item]:
    starts = ((span.line, span.column),) * (text.count("\n") + 1)
    return _of_script(Text(reader.source.path, text, starts)) if text else iter(())


def _of_script(text: Text) -> Iterator[Item]:
    # Most files start no program, and can do without the parser of shell code.
    from portaudit.read.shell import script  # noqa: PLC0415

    return (item for item in script(text) if item.kind == "launch")


def _of_words(reader: Reader, words: Sequence[str], span: Span) -> Iterator[Item]:
    if words and " " in words[0]:  # `" ".join(["python train.py", options])`
        yield from _of_text(reader, " ".join(words), span)
        return
    yield from started([Part(word, span) for word in words if word], {})
    for word in words[1:]:
        if " " in word and begins_command(word):  # `["bash", "-c", "python train.py"]`
            yield from _of_text(reader, word, span)


def _bound(reader: Reader, node: cst.BaseExpression | None) -> list[cst.BaseExpression]:
    """What a name was bound to; any other expression is itself."""
    if not isinstance(node, cst.Name) or node not in reader.model.places:
        return [] if node is None else [node]
    values = [binding.value for binding in reader.bindings(node)]
    return [value for value in values if value is not None][:_MOST]


def _is_sum_of_lists(reader: Reader, node: cst.BaseExpression) -> bool:
    while isinstance(node, cst.BinaryOperation):
        node = node.left
    return bool(reader.elements(node))


def _words(reader: Reader, node: cst.BaseExpression, depth: int) -> Iterator[str]:
    """The words of a list, through sums and names."""
    if depth > _DEEPEST:
        return
    if isinstance(node, (cst.List, cst.Tuple)):
        for element in node.elements:
            if isinstance(element, cst.StarredElement):
                yield from _words(reader, element.value, depth + 1)
            else:
                yield _word(reader, element.value, depth + 1)
    elif isinstance(node, cst.BinaryOperation):
        yield from _words(reader, node.left, depth + 1)
        yield from _words(reader, node.right, depth + 1)
    elif elements := reader.elements(node):
        yield from (_word(reader, each, depth + 1) for each in elements)
    else:
        yield _unknown(node)


def _word(reader: Reader, node: cst.BaseExpression, depth: int) -> str:
    if reader.name(node) == "sys.executable":
        return "python"
    return _text(reader, node, depth)


def _text(reader: Reader, node: cst.BaseExpression | None, depth: int) -> str:
    """What a string says, as far as it is known."""
    if node is None or depth > _DEEPEST:
        return ""
    text = string_value(node)
    if text is not None and text[1]:
        return text[0]
    if isinstance(node, cst.ConcatenatedString):
        return _text(reader, node.left, depth + 1) + _text(reader, node.right, depth + 1)
    if isinstance(node, cst.FormattedString):
        return "".join(
            part.value
            if isinstance(part, cst.FormattedStringText)
            else _value(reader, part.expression, depth + 1)
            for part in node.parts
            if isinstance(part, (cst.FormattedStringText, cst.FormattedStringExpression))
        )
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
        return _text(reader, node.left, depth + 1) + _text(reader, node.right, depth + 1)
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        if node.func.attr.value == "format":
            return _text(reader, node.func.value, depth + 1)
        if (
            node.func.attr.value == "join"
            and reader.name(node.func) != "os.path.join"
            and node.args
        ):
            return " ".join(_words(reader, node.args[0].value, depth + 1))
    return _value(reader, node, depth)


def _value(reader: Reader, node: cst.BaseExpression, depth: int) -> str:
    """The one text that an expression may be, or a variable of the shell in its place."""
    if reader.name(node) == "sys.executable":
        return "python"
    found = {text.value for text in reader.texts(node) if text.exact}
    if len(found) == 1:
        return found.pop()
    if isinstance(node, cst.Call) and node.args and last_name(node.func) in _PASSING:
        parts = [_text(reader, each.value, depth + 1) for each in node.args]
        return "/".join(parts) if last_name(node.func) == "join" else parts[-1]
    bound = _bound(reader, node)
    if len(bound) == 1 and bound[0] is not node and depth < _DEEPEST:
        return _text(reader, bound[0], depth + 1)
    return _unknown(node)


_PASSING = frozenset({"str", "join", "Path", "fspath", "abspath", "realpath", "quote"})
"""Calls that hand on the path or the text that they are given."""


def _unknown(node: cst.BaseExpression) -> str:
    name = dotted(node) or ""
    return "${" + (name.rpartition(".")[2] or "VALUE") + "}"
