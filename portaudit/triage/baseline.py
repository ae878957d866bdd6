"""Accepted findings on file: read, written, brought up to date. Never touches a disk.

The file is made for review and for merging: one entry a line, sorted, nothing that changes by
itself. The list of entries ends in `null`, so that no entry is ever the last line, which would
lose or gain a comma with its neighbour.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct, field
from msgspec.structs import asdict, replace

from portaudit.errors import PortauditError, nearest
from portaudit.triage.matching import Matched, entry_of, is_graver, match
from portaudit.types import TARGETS, Entry, Finding, Severity, State, Target

SCHEMA = "portaudit.baseline/1"
_MOST = 100_000
"""Equal findings of one statement; more is a slip of the hand."""
_ALL = 1_000_000
"""Findings that a file may accept: each is looked at by itself."""
LARGEST = 100_000_000
"""Bytes of the file of a baseline."""


class BaselineError(PortauditError):
    """A baseline that cannot be read, or is for something else."""


class Baseline(Struct, frozen=True):
    """Accepted findings, and which rules of which program saw the code then.

    `rules`: by category, id to a digest of what the rule selects and how grave it is.
    """

    target: Target
    tool: str
    rules: Mapping[str, Mapping[str, str]]
    entries: tuple[Entry, ...] = ()

    def changed(self, tool: str, rules: Mapping[str, Mapping[str, str]]) -> frozenset[str]:
        """The ids that may see more in the same code than they did when this was written."""
        old = {key: digest for ids in self.rules.values() for key, digest in ids.items()}
        return frozenset(
            key
            for ids in rules.values()
            for key, digest in ids.items()
            if tool != self.tool or old.get(key) != digest
        )


class Reading(Struct, frozen=True):
    """What a run looked at: a finding can only be gone where somebody looked for it.

    `scanned`: files that were read to the end · `there`: whether a path still exists · `ran`: ids
    of the rules that were run · `renamed`: old path to new, as far as git knows · `moves`: the same
    where git is asked only if it matters · `touched`: whether a change wrote any of a statement, if
    there is one to speak of · `whole`: no file was left out on purpose, so that what is in none of
    them is nowhere.
    """

    scanned: Collection[str]
    there: Callable[[str], bool]
    ran: Collection[str]
    renamed: Mapping[str, str] = field(default_factory=dict)
    moves: Callable[[], Mapping[str, str]] = dict
    touched: Callable[[Finding], bool] | None = None
    whole: bool = True

    def misses(self, entry: Entry) -> bool:
        """Whether the finding of an entry would have been found, were it still there.

        A file that is gone may have become one that was not looked at.
        """
        path = self.renamed.get(entry.path, entry.path)
        looked = path in self.scanned or (self.whole and not self.there(path))
        return looked and entry.rule in self.ran


class Comparison(Struct, frozen=True):
    """Findings with their state, and what became of the entries that none of them has.

    `gone`: nothing is left to accept · `expired`: entries past their date, whose finding is there ·
    `unseen`: entries of what this run did not look at.
    """

    findings: tuple[Finding, ...]
    gone: tuple[Entry, ...] = ()
    expired: tuple[Entry, ...] = ()
    unseen: tuple[Entry, ...] = ()


def compare(
    findings: Iterable[Finding],
    entries: Iterable[Entry],
    reading: Reading,
    *,
    today: datetime.date,
    changed: Collection[str] = (),
    was_there: Callable[[Finding], bool] = lambda _: True,
) -> Comparison:
    """Say of every finding whether it is new, and of every entry whether it is still needed.

    `changed`: rules that may see more than they did. What they find is no new code, and no graver
    one, if it `was_there`.
    """
    ordered, accepted = sorted(findings, key=_order), tuple(entries)
    matched = _match(ordered, accepted, reading)
    if _is_guessed(matched, accepted, reading) and (moves := reading.moves()):
        reading = replace(reading, renamed={**moves, **reading.renamed})
        matched = _match(ordered, accepted, reading)
    told = []
    expired = set()
    for finding, entry in matched.pairs:
        state: State = "unchanged"
        if entry is None:
            old = finding.rule in changed and was_there(finding)
            state = "newly-covered" if old else "new"
        elif entry.expires and datetime.date.fromisoformat(entry.expires) < today:
            expired.add(entry)
            state = "new"
        elif is_graver(finding, entry):
            old = finding.rule in changed and was_there(finding)
            state = "unchanged" if old else "updated"
        told.append(replace(finding, state=state, accepted=entry))
    return Comparison(
        tuple(told),
        gone=tuple(entry for entry in matched.left if reading.misses(entry)),
        expired=tuple(sorted(expired)),
        unseen=tuple(entry for entry in matched.left if not reading.misses(entry)),
    )


def _match(findings: Sequence[Finding], entries: Iterable[Entry], reading: Reading) -> Matched:
    return match(
        findings,
        entries,
        there=reading.there,
        renamed=reading.renamed,
        touched=reading.touched,
    )


def _is_guessed(matched: Matched, entries: Iterable[Entry], reading: Reading) -> bool:
    """Whether a file is gone, and what is new may be in the one that it became."""
    known = {reading.renamed.get(entry.path, entry.path) for entry in entries}
    fresh = any(
        entry is None and finding.suppressed is None and finding.path not in known
        for finding, entry in matched.pairs
    )
    return fresh and not all(map(reading.there, known))


def _order(finding: Finding) -> tuple[object, ...]:
    return finding.path, finding.span, finding.rule, finding.fingerprint


class Terms(Struct, frozen=True):
    """Why, by whom and until which date (`2027-03-31`) something is accepted."""

    reason: str = ""
    owner: str = ""
    expires: str = ""


NO_TERMS = Terms()


class Renewal(Struct, frozen=True):
    """The entries of a baseline brought up to date, and the findings that are newly accepted."""

    entries: tuple[Entry, ...]
    newly: tuple[Finding, ...]


def renew(comparison: Comparison, states: Collection[State], terms: Terms = NO_TERMS) -> Renewal:
    """Bring entries up to date, accept findings in some states, and drop what is gone.

    What is accepted keeps its terms, and is written as the code is now: where it became harmless,
    being grave again would be new. What is accepted anew keeps its reason and owner unless there
    are new ones, and ends when these terms say. A finding that a comment suppresses needs no entry.
    """
    entries: Counter[Entry] = Counter()
    newly = []
    for unseen in comparison.unseen:
        entries[replace(unseen, count=1)] += unseen.count
    for finding in comparison.findings:
        entry = finding.accepted
        if finding.suppressed is not None:
            if entry is not None:
                entries[entry] += 1
        elif finding.state == "unchanged" and entry is not None:
            kept = Terms(entry.reason, entry.owner, entry.expires)
            entries[replace(entry_of(finding), **asdict(kept))] += 1
        elif finding.state in states:
            newly.append(finding)
            before = Terms(entry.reason, entry.owner) if entry else NO_TERMS
            said = Terms(terms.reason or before.reason, terms.owner or before.owner, terms.expires)
            entries[replace(entry_of(finding), **asdict(said))] += 1
        elif entry is not None:
            entries[entry] += 1
    return Renewal(
        tuple(sorted(replace(entry, count=count) for entry, count in entries.items())),
        tuple(newly),
    )


# --- the file -------------------------------------------------------------------------------------


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    path: str
    rule: str
    severity: Severity
    anchor: str
    scope: str = ""
    context: str = ""
    count: int = 1
    reason: str = ""
    owner: str = ""
    expires: str = ""


class _Head(msgspec.Struct, frozen=True):
    schema: str
    tool: str = ""
    target: str = ""
    rules: dict[str, dict[str, str]] = {}
    entries: list[msgspec.Raw] = []


_KEYS = frozenset(_Head.__struct_fields__)


def dump(baseline: Baseline) -> str:
    """A baseline as the text of its file."""
    head = {"schema": SCHEMA, "tool": baseline.tool, "target": baseline.target}
    rules = [
        f"  {_json(name)}: {_json(dict(sorted(ids.items())))}"
        for name, ids in sorted(baseline.rules.items())
    ]
    entries = [f"  {_json(_Line(**asdict(entry)))}," for entry in sorted(baseline.entries)]
    lines = [
        "{",
        *(f' "{key}": {_json(value)},' for key, value in head.items()),
        ' "rules": {',
        ",\n".join(rules),
        " },",
        ' "entries": [',
        *entries,
        "  null",
        " ]",
        "}",
    ]
    return "\n".join(lines) + "\n"


def parse(content: bytes, name: str) -> Baseline:
    """Read the text of a baseline; `name` is what a message calls it. Raises `BaselineError`."""
    if len(content) > LARGEST:
        raise BaselineError(f"{name}: is larger than {LARGEST // 1_000_000} MB")
    if any(content.startswith(mark) or b"\n" + mark in content for mark in _CONFLICT):
        raise BaselineError(
            f"{name}: holds the conflict markers of a merge; keep the entries of both sides"
        )
    try:
        head = msgspec.json.decode(content, type=_Head)
        keys = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BaselineError(f"{name}: is no baseline: {error}") from None
    if head.schema != SCHEMA:
        raise BaselineError(
            f'{name}: is no "{SCHEMA}" but "{head.schema}"; a newer portaudit may have written it'
        )
    unknown = sorted(keys.keys() - _KEYS)
    if unknown:
        raise BaselineError(f"{name}: unknown key {unknown[0]!r}{nearest(unknown[0], _KEYS)}")
    if head.target not in TARGETS:
        raise BaselineError(f'{name}: target "{head.target}" is none of {", ".join(TARGETS)}')
    entries = [_entry(raw, name, number) for number, raw in enumerate(head.entries, start=1)]
    target = next(word for word in TARGETS if word == head.target)
    known = _merged(entry for entry in entries if entry)
    number = sum(entry.count for entry in known)
    if number > _ALL:
        raise BaselineError(f"{name}: accepts {number:,} findings; more than {_ALL:,} are not read")
    return Baseline(target, head.tool, head.rules, known)


def is_date(text: str) -> bool:
    """Whether a text is a date as entries have it."""
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


_CONFLICT = (b"<<<<<<< ", b">>>>>>> ")


def _entry(raw: msgspec.Raw, name: str, number: int) -> Entry | None:
    try:
        line = msgspec.json.decode(raw, type=_Line | None)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        shown = bytes(raw)[:120].decode("utf-8", "replace")
        raise BaselineError(f"{name}: entry {number}: {error}: {shown}") from None
    if line is None:
        return None
    if not 1 <= line.count <= _MOST:
        raise BaselineError(
            f"{name}: entry {number}: count must be from 1 to {_MOST:,}, not {line.count}"
        )
    if line.expires and not is_date(line.expires):
        raise BaselineError(
            f'{name}: entry {number}: expires must be a date such as "2027-03-31", '
            f'not "{line.expires}"'
        )
    return Entry(**msgspec.structs.asdict(line))


def _merged(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Without doubles: two branches that accepted the same have it twice after a merge."""
    best: dict[Entry, int] = {}
    for entry in entries:
        bare = replace(entry, count=1)
        best[bare] = max(best.get(bare, 0), entry.count)
    return tuple(sorted(replace(entry, count=count) for entry, count in best.items()))


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=0).decode()
