"""What became of the findings of one revision in another: pure, from two reports."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from portaudit.triage.matching import entry_of, is_graver, match
from portaudit.types import Difference, Entry, Finding, Report


def differ(
    old: Report,
    new: Report,
    names: tuple[str, str],
    renamed: Mapping[str, str] | None = None,
    touched: Callable[[Finding], bool] | None = None,
) -> Difference:
    """Compare two reports of the same target, `names` being what they are called.

    `renamed` (old path to new) is what is known of files under another name; others are found by
    their findings. `touched` says what the change wrote, where one is known. What a comment
    suppresses in both is no difference.
    """
    before = [finding for finding in old.findings if finding.suppressed is None]
    after = [finding for finding in new.findings if finding.suppressed is None]
    here = {finding.path for finding in new.findings}
    originals: dict[Entry, list[Finding]] = defaultdict(list)
    for finding in reversed(before):
        originals[entry_of(finding)].append(finding)
    matched = match(
        after,
        map(entry_of, before),
        there=here.__contains__,
        renamed=renamed,
        touched=touched,
    )
    appeared, graver, milder = [], [], []
    moved: Counter[tuple[str, str]] = Counter()
    for finding, entry in matched.pairs:
        if entry is None:
            appeared.append(replace(finding, state="new"))
            continue
        originals[entry].pop()
        if entry.path != finding.path:
            moved[entry.path, finding.path] += 1
        known = replace(finding, state="updated", accepted=entry)
        if is_graver(finding, entry):
            graver.append(known)
        elif entry.severity != finding.effective_severity:
            milder.append(known)
    gone = [finding for findings in originals.values() for finding in findings]
    roots_before = {root.id for root in old.roots}
    roots_after = {root.id for root in new.roots}
    return Difference(
        tool=new.tool,
        target=new.target,
        partial=old.partial or new.partial,
        old=names[0],
        new=names[1],
        score_old=old.score,
        score_new=new.score,
        appeared=tuple(appeared),
        gone=tuple(sorted(gone, key=lambda item: (item.path, item.span, item.rule))),
        graver=tuple(graver),
        milder=tuple(milder),
        moved=tuple(sorted((*paths, number) for paths, number in moved.items())),
        unchanged=len(after) - len(appeared) - len(graver) - len(milder),
        roots_appeared=tuple(root for root in new.roots if root.id not in roots_before),
        roots_gone=tuple(root for root in old.roots if root.id not in roots_after),
        rules={**old.rules, **new.rules},
    )
