"""Reports whose texts may be anything: what hypothesis finds, and what readers trip over."""

from __future__ import annotations

from hypothesis import strategies as st
from msgspec.structs import replace

import samples
from portaudit.types import (
    GUARD_STATES,
    REACHES,
    SEVERITIES,
    Chain,
    Entry,
    EntryPoint,
    Finding,
    Gain,
    Gate,
    Link,
    Location,
    Notice,
    Proof,
    Reach,
    Report,
    RootCause,
    RuleSummary,
    ScanError,
    Span,
    State,
    Suppression,
    Use,
)

NASTY = (
    "",
    "]]>",
    "::error file=x::y",
    "%0A%25",
    "a`b``c```",
    "`x` | <b>bold</b> <script>alert(1)</script>",
    "[a](http://evil.example) ![i](x) <http://evil.example> https://evil.example www.evil.example",
    "@somebody #12 $x$ $`y`$",
    "</sub><!-- -->&lt;&amp;",
    "line\nnext\r\nlast\r\u2028\u0085",
    "\x00\x07\x1b[31m\ufffe\uffff",
    "\ud800 \udce9",
    "\u202eabc\u200b",
    "𝒳名é",
    "# title\n\n```python\ncode\n```\n- item\n***bold***",
    "\\`\\[\\",
    "[x](1) ] [ \\[",
)
texts = st.sampled_from(NASTY) | st.text(
    st.characters(categories=["L", "N", "P", "S", "Z", "Cc", "Cf", "Cs"]), max_size=20
)
numbers = st.integers(0, 400)
states: st.SearchStrategy[State | None] = st.sampled_from(
    [None, "new", "unchanged", "updated", "newly-covered"]
)
reaches: st.SearchStrategy[Reach | None] = st.none() | st.sampled_from(REACHES)
locations = st.builds(Location, texts, numbers)
programs = st.builds(
    EntryPoint,
    texts,
    st.sampled_from(["training", "evaluation", "test"]),
    st.none() | st.floats(0, 100),
    st.booleans(),
    st.tuples(locations),
    texts,
    st.none() | st.just("redesign"),
)
chains = st.builds(
    Chain,
    texts,
    st.lists(locations, max_size=3).map(tuple),
    st.sampled_from(GUARD_STATES),
    st.none() | st.builds(Proof, texts, numbers, texts, texts),
)
entries = st.builds(
    Entry,
    path=texts,
    rule=texts,
    scope=texts,
    anchor=texts,
    context=texts,
    severity=st.sampled_from(SEVERITIES),
    count=st.integers(1, 9),
    reason=texts,
    owner=texts,
    expires=texts,
)
RULES = ("FUS001", "DST001")


@st.composite
def spans(draw: st.DrawFn) -> Span:
    line, column = draw(st.integers(1, 300)), draw(st.integers(1, 300))
    if draw(st.booleans()):
        return Span(line, column, line, column + draw(numbers))
    return Span(line, column, line + draw(st.integers(1, 9)), draw(st.integers(1, 300)))


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    facts = replace(samples.STRING_FACTS, replacement=draw(texts), note=draw(texts))
    return replace(
        samples.STRING,
        rule=draw(st.sampled_from(RULES)),
        effective_severity=draw(st.sampled_from(SEVERITIES)),
        path=draw(texts),
        span=draw(spans()),
        message=draw(texts),
        anchor=draw(texts),
        scope=draw(texts),
        snippet=draw(texts),
        root=draw(texts),
        fix=draw(texts),
        cell=draw(st.none() | texts),
        facts=facts,
        reach=draw(reaches),
        guard_by=draw(st.none() | st.builds(Proof, texts, numbers, texts, texts)),
        uses=tuple(draw(st.lists(st.builds(Use, texts, numbers, texts), max_size=12))),
        fingerprint=draw(texts),
        state=draw(states),
        accepted=draw(st.none() | entries),
        suppressed=draw(st.none() | st.builds(Suppression, texts, texts, numbers)),
    )


@st.composite
def reports(draw: st.DrawFn) -> Report:
    found = tuple(draw(st.lists(findings(), max_size=4)))
    rule = RuleSummary(
        name=draw(texts),
        title=draw(texts),
        category="device-string",
        fix=draw(texts),
        targets={"torchneuron": replace(samples.STRING_FACTS, source=draw(texts))},
        references=(Link(draw(texts), "https://example.org/" + draw(texts)),),
    )
    fails = tuple(
        finding.fingerprint
        for finding in found
        if finding.suppressed is None and draw(st.booleans())
    )
    gate = Gate(
        passed=not fails,
        against=draw(texts),
        fail_on=draw(st.none() | st.sampled_from(SEVERITIES)),
        min_confidence="medium",
        failing=fails,
        gone=tuple(draw(st.lists(entries, max_size=2))),
        expired=tuple(each.accepted for each in found if each.accepted and draw(st.booleans())),
        outdated=draw(st.booleans()),
        score_before=draw(st.none() | st.floats(0, 100)),
    )
    roots = tuple(
        RootCause(
            id=finding.root,
            rule=finding.rule,
            title=draw(texts),
            category=finding.category,
            severity=finding.effective_severity,
            effort_days=(0.5, 2.0),
            findings=(finding.fingerprint,),
            sites=(),
            reach=draw(reaches),
            setting=draw(texts),
            portable=draw(st.tuples() | st.tuples(locations)),
        )
        for finding in found
    )
    score = replace(
        samples.REPORT.score,
        provisional=draw(st.booleans()),
        entry_points=tuple(draw(st.lists(programs, max_size=3))),
        gains=tuple(Gain(root.id, 1.0, 99.0) for root in roots),
    )
    return replace(
        samples.REPORT,
        score=score,
        chains=tuple(draw(st.lists(chains, max_size=2))),
        tool=replace(samples.REPORT.tool, version=draw(texts)),
        rules=dict.fromkeys(RULES, rule),
        findings=found,
        roots=roots,
        errors=tuple(
            draw(st.lists(st.builds(ScanError, texts, texts, st.none() | numbers), max_size=2))
        ),
        notices=tuple(
            draw(
                st.lists(
                    st.builds(Notice, st.just("unknown-rule"), texts, numbers, texts), max_size=2
                )
            )
        ),
        gate=gate if draw(st.booleans()) else None,
    )
