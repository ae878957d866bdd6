"""The training path as a tree: from the programs it begins with, by imports, to what blocks.

Each file has a shortest chain of imports, so that the chains of all of them are a tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from posixpath import dirname
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from portaudit.report.html.weights import counts
from portaudit.report.outcome import grade, mains
from portaudit.types import SEVERITIES, Chain, Report, Severity

NodeKind = Literal["start", "entry", "folder", "module"]
_DEEPEST = 40
"""Steps of a chain that are shown: of a longer one its beginning and its end."""


class Node(Struct, frozen=True):
    """A file on the path, or a folder of such.

    `line` of the file above imports it, 0 where none does · `severity`: the gravest of what it
    holds itself, `below` of all that it leads to too · `places`: how many findings it holds.
    """

    kind: NodeKind
    path: str
    label: str
    line: int = 0
    severity: Severity | None = None
    below: Severity | None = None
    places: int = 0
    nodes: tuple[Node, ...] = ()


class _Step:
    """A node under construction."""

    def __init__(self, path: str, line: int) -> None:
        self.path = path
        self.line = line
        self.steps: dict[str, _Step] = {}


class _Held(Struct, frozen=True):
    places: int
    severity: Severity


def of(report: Report) -> Node | None:
    """The tree of the main path; nothing where no program was found."""
    entries = [each.path for each in mains(report)]
    if not entries or not any(chain.main for chain in report.chains):
        return None
    start = _Step("", 0)
    for path in entries:
        start.steps[path] = _Step(path, 0)
    for chain in sorted(report.chains, key=lambda chain: (chain.path, chain.imports)):
        if not chain.main:
            continue
        step = start
        for path, line in _steps(chain):
            step = step.steps.setdefault(path, _Step(path, line))
    held = _held(report)
    own = [_node(start.steps[path], held, "entry") for path in entries]
    offered = [step for path, step in start.steps.items() if path not in entries]
    if len(own) == 1 and offered:
        first = own[0]
        package = dirname(first.path)
        inside = all(step.path.startswith(f"{package}/") for step in offered)
        folders = _folders(offered, held, package if inside else "")
        own = [_summed(replace(first, nodes=(*first.nodes, *folders)))]
    elif offered:
        own += _folders(offered, held)
    if len(own) == 1:
        return own[0]
    return _summed(Node("start", "", "the main path", nodes=tuple(own)))


def _steps(chain: Chain) -> list[tuple[str, int]]:
    """The files of a chain, each with the line of the one before that imports it."""
    paths = [*(place.path for place in chain.imports), chain.path]
    lines = [0, *(place.line for place in chain.imports)]
    steps = list(zip(paths, lines, strict=True))
    if len(steps) <= _DEEPEST and not chain.left_out:
        return steps
    (after, _), *rest = steps[-_DEEPEST // 2 :]
    return [*steps[: 1 if chain.left_out else _DEEPEST // 2], (after, 0), *rest]


def _held(report: Report) -> Mapping[str, _Held]:
    """What the path has to do with in each file."""
    waiting = {root.id for root in report.roots if root.setting}
    found: dict[str, _Held] = {}
    for finding in report.findings:
        if not counts(finding) or finding.root in waiting:
            continue
        before = found.get(finding.path, _Held(0, "info"))
        gravest = max(SEVERITIES.index(before.severity), grade(finding))
        found[finding.path] = _Held(before.places + 1, SEVERITIES[gravest])
    return found


def _node(step: _Step, held: Mapping[str, _Held], kind: NodeKind = "module") -> Node:
    own = held.get(step.path)
    return _summed(
        Node(
            kind,
            step.path,
            _label(step.path),
            line=step.line,
            severity=own.severity if own else None,
            places=own.places if own else 0,
            nodes=tuple(_node(each, held) for each in step.steps.values()),
        )
    )


def _summed(node: Node) -> Node:
    """The node with the gravest first among what it leads to, and that gravest as `below`."""
    nodes = sorted(node.nodes, key=lambda each: (-_rank(each.below), each.path, each.line))
    ranks = [_rank(node.severity), *(_rank(each.below) for each in nodes)]
    gravest = max(ranks)
    below = SEVERITIES[gravest] if gravest >= 0 else None
    return replace(node, nodes=tuple(nodes), below=below)


def _rank(severity: Severity | None) -> int:
    return -1 if severity is None else SEVERITIES.index(severity)


def _label(path: str) -> str:
    """What a module is called: its file, and of a package its folder."""
    folder, _, file = path.rpartition("/")
    if file == "__init__.py" and folder:
        return f"{folder.rpartition('/')[2]}/"
    return file


def _folders(
    steps: Sequence[_Step], held: Mapping[str, _Held], above: str = "", depth: int = 0
) -> list[Node]:
    """Files that nothing on the path imports, which a package offers, by folder."""
    deepest = depth == _DEEPEST
    here = [step for step in steps if deepest or dirname(step.path) == above]
    groups: dict[str, list[_Step]] = {}
    for step in steps:
        if step not in here:
            rest = step.path[len(above) + 1 if above else 0 :]
            groups.setdefault(rest.split("/", 1)[0], []).append(step)
    nodes = [_node(step, held) for step in here]
    for name, group in groups.items():
        folder = f"{above}/{name}" if above else name
        made = _folders(group, held, folder, depth + 1)
        if len(made) == 1:
            only = made[0]
            nodes.append(replace(only, label=f"{name}/{only.label}"))
        else:
            nodes.append(_summed(Node("folder", folder, f"{name}/", nodes=tuple(made))))
    return nodes


def walk(node: Node) -> Iterable[Node]:
    """A node and all below it, in order."""
    yield node
    for each in node.nodes:
        yield from walk(each)
