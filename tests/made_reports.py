"""Reports made by number, and of a text that is everywhere: what pages have to bear."""

from __future__ import annotations

from msgspec.structs import replace

import samples
from portaudit.types import (
    Chain,
    EntryPoint,
    Finding,
    Kernel,
    Location,
    Lost,
    Proof,
    Report,
    RootCause,
    Span,
)

MARKUP = (
    "</script></style></title>--><img src=x onerror=alert(1)><script>alert(1)</script>&lt;\"'`{{7}}"
)


def many(number: int) -> Report:
    """A report of so many findings, in fewer files, of a tenth of the root causes."""
    findings = tuple(
        replace(
            samples.STRING,
            path=f"package_{at % 40}/module_{at % 700}.py",
            span=Span(at + 1, 11, at + 1, 17),
            message=f"the device is fixed to `cuda:{at % 1000}` here",
            root=f"string:{at // 10}",
            reach="main",
            uses=(),
            fingerprint=f"pa1:{at:032}",
        )
        for at in range(number)
    )
    roots = tuple(
        replace(
            samples.ROOTS[0],
            id=f"string:{at}",
            title=f"a device is spelled in the {at}th way",
            reach="main",
            findings=tuple(each.fingerprint for each in findings[at * 10 : at * 10 + 10]),
            sites=tuple(
                Location(each.path, each.span.line) for each in findings[at * 10 : at * 10 + 10]
            ),
        )
        for at in range(number // 10)
    )
    score = replace(
        samples.REACHED.score, lost=tuple(Lost(root.id, 20 / len(roots)) for root in roots)
    )
    return replace(samples.REACHED, findings=findings, roots=roots, score=score)


def hostile(text: str) -> Report:
    """A report with a text wherever the audited code, a rule or a setting has one."""
    place = Location(text, 3)
    finding: Finding = replace(
        samples.FLASH,
        path=text,
        message=text,
        scope=text,
        snippet=text,
        anchor=text,
        fix=text,
        span=Span(1, 1, 1, len(text) + 1),
        reach="main",
        guard="guarded",
        guard_by=Proof(text, 3, text, text),
        facts=replace(samples.FLASH_FACTS, source=text, note=text, replacement=text, sdk=text),
    )
    root: RootCause = replace(
        samples.ROOTS[1],
        title=text,
        fix=text,
        sites=(place,),
        portable=(place,),
        findings=(finding.fingerprint,),
        reach="main",
        setting=text,
    )
    kernel = Kernel(text, "cuda", text, 1, 2, 1, "hard", (text,), fallback=place)
    rule = replace(
        samples.REPORT.rules["FUS001"],
        name=text,
        title=text,
        fix=text,
        references=(replace(samples.REPORT.rules["FUS001"].references[0], title=text, url=text),),
    )
    main = EntryPoint(text, "training", 1.0, main=True, why=text)
    return replace(
        samples.REACHED,
        tool=replace(samples.REACHED.tool, version=text, catalogue=text),
        score=replace(samples.REACHED.score, entry_points=(main, replace(main, main=False))),
        rules={"FUS001": rule},
        findings=(finding, replace(finding, root="elsewhere", fingerprint="pa1:2")),
        roots=(root, replace(root, id="elsewhere", setting="")),
        inventory=(kernel,),
        chains=(Chain(text, (place,)),),
        errors=(replace(samples.REPORT.errors[0], path=text, reason=text),),
        skipped=(replace(samples.REPORT.skipped[0], path=text, reason=text),),
        notices=(replace(samples.FAILED.notices[0], path=text, message=text),),
        gate=replace(samples.FAILED.gate, against=text) if samples.FAILED.gate else None,
    )
