"""Reports made by hand: root causes, guards, odd source lines, an error, skipped files."""

from __future__ import annotations

from msgspec.structs import replace

from portaudit.types import (
    Chain,
    Check,
    Coverage,
    Entry,
    EntryPoint,
    Finding,
    Gain,
    Gate,
    Link,
    Location,
    Lost,
    Notice,
    Proof,
    Report,
    RootCause,
    RuleSummary,
    ScanError,
    Score,
    Section,
    Skipped,
    Span,
    Suppression,
    TargetFacts,
    Tool,
    Use,
)

FLASH_FACTS = TargetFacts(
    status="unsupported",
    evidence="inferred",
    source="https://awsdocs-neuron.readthedocs-hosted.com/en/latest/release-notes/components/torchneuron.html",
    sdk="2.33",
    checked="2026-11-21",
    replacement="torch.nn.functional.scaled_dot_product_attention",
    note="no statement about the package was found",
)
SDPA = "Call `scaled_dot_product_attention`; it runs on CUDA as well.\n\nKeep the layout in mind."
STRING_FACTS = TargetFacts(
    status="supported",
    evidence="official",
    source="https://awsdocs-neuron.readthedocs-hosted.com/en/latest/torch/guides/device.html",
    sdk="2.33",
    checked="2026-11-21",
    replacement="torch.accelerator.current_accelerator()",
)
SCALER_FACTS = TargetFacts(
    status="undocumented",
    evidence="inferred",
    source="https://awsdocs-neuron.readthedocs-hosted.com/en/latest/torch/guides/amp.html",
    sdk="2.33",
    checked="2026-11-21",
    note="bf16 needs no loss scaling",
)

FLASH = Finding(
    rule="FUS001",
    category="fused-kernel-lib",
    severity="blocker",
    effective_severity="blocker",
    confidence="high",
    path="model/attention.py",
    span=Span(3, 1, 3, 39),
    message="`flash_attn` runs on CUDA only",
    anchor="flash_attn.flash_attn_func",
    scope="",
    snippet="from flash_attn import flash_attn_func",
    guard="none",
    guard_by=None,
    facts=FLASH_FACTS,
    effort="medium",
    root="lib:flash_attn",
    context="0f1e2d3c4b5a6978",
    fix=SDPA,
    fingerprint="pa1:00000000000000000000000000000001",
)
FLASH_CALL = replace(
    FLASH,
    span=Span(41, 15, 43, 6),
    message="`flash_attn.flash_attn_func` is a CUDA kernel",
    scope="Attention.forward",
    snippet="        out = flash_attn_func(",
    topics=("data-pipeline", "security"),
    fingerprint="pa1:00000000000000000000000000000002",
)
FLASH_OTHER = replace(
    FLASH,
    path="model/blocks/cross.py",
    span=Span(7, 5, 7, 28),
    snippet="    import flash_attn as fa",
    effective_severity="major",
    guard="import-guarded",
    guard_by=Proof("model/blocks/cross.py", 6, "try:"),
    fingerprint="pa1:00000000000000000000000000000003",
)
STRING = Finding(
    rule="DST001",
    category="device-string",
    severity="minor",
    effective_severity="minor",
    confidence="high",
    path="train.py",
    span=Span(12, 11, 12, 17),
    message='the device is fixed to `"cuda"`',
    anchor="cuda",
    scope="main",
    snippet='\tdevice = "cuda"  # 日本語 \x1b[31m',
    guard="none",
    guard_by=None,
    facts=STRING_FACTS,
    effort="trivial",
    root="string:train.py:12",
    context="1111222233334444",
    uses=(Use("model/net.py", 9, "to"), Use("train.py", 30, "to")),
    fix='Ask torch: `torch.accelerator.current_accelerator() or torch.device("cpu")`.',
    fingerprint="pa1:00000000000000000000000000000004",
)
SCALER = Finding(
    rule="AMP003",
    category="amp",
    severity="minor",
    effective_severity="info",
    confidence="medium",
    path="train.py",
    span=Span(20, 14, 20, 42),
    message="`torch.cuda.amp.GradScaler` scales losses for fp16 on CUDA",
    anchor="torch.cuda.amp.GradScaler",
    scope="main",
    snippet="    scaler = torch.cuda.amp.GradScaler() if args.fp16 else None",
    guard="guarded",
    guard_by=Proof("train.py", 20, "args.fp16"),
    facts=SCALER_FACTS,
    effort="trivial",
    root="AMP003",
    context="5555666677778888",
    fix="Train in bf16 without a scaler.",
    topics=("data-pipeline",),
    fingerprint="pa1:00000000000000000000000000000005",
)
ACCEPTED = replace(
    SCALER,
    path="legacy/run.py",
    guard="none",
    guard_by=None,
    effective_severity="minor",
    suppressed=Suppression("CUDA only on purpose", "legacy/run.py", 19),
    fingerprint="pa1:00000000000000000000000000000006",
)

ROOTS = (
    RootCause(
        id="string:train.py:12",
        rule="DST001",
        title="a device is spelled `cuda`",
        category="device-string",
        severity="minor",
        effort_days=(0.1, 0.2),
        findings=(STRING.fingerprint,),
        sites=(Location("train.py", 12), Location("model/net.py", 9), Location("train.py", 30)),
    ),
    RootCause(
        id="lib:flash_attn",
        rule="FUS001",
        title="flash-attn: attention kernels for CUDA",
        category="fused-kernel-lib",
        severity="blocker",
        effort_days=(2.0, 5.0),
        findings=(FLASH_OTHER.fingerprint, FLASH.fingerprint, FLASH_CALL.fingerprint),
        sites=(
            Location("model/attention.py", 3),
            Location("model/attention.py", 41),
            Location("model/blocks/cross.py", 7),
        ),
    ),
    RootCause(
        id="AMP003",
        rule="AMP003",
        title="loss scaling for fp16",
        category="amp",
        severity="info",
        effort_days=(0.1, 0.1),
        findings=(SCALER.fingerprint,),
        sites=(Location("train.py", 20),),
    ),
)

SECTIONS = (
    Section(
        id="data-pipeline",
        title="Data pipeline",
        meaning="how samples get from storage to the device",
        findings=(FLASH_CALL.fingerprint, SCALER.fingerprint),
        roots=("lib:flash_attn", "AMP003"),
        checks=tuple(
            Check(
                text=f"Page {number} says that the host decodes: measure the `DataLoader` alone.",
                source=f"https://awsdocs-neuron.readthedocs-hosted.com/en/latest/page-{number}.html",
                evidence="official",
                sdk="2.33",
                checked="2026-11-22",
            )
            for number in range(1, 6)
        ),
    ),
    Section(
        id="security",
        title="Security of the move",
        meaning="what was safe by its old surroundings",
        findings=(FLASH_CALL.fingerprint,),
        roots=("lib:flash_attn",),
        checks=(),
    ),
)

REPORT = Report(
    tool=Tool("portaudit", "0.1.0", "3f2a91c05d7e8b64"),
    target="torchneuron",
    partial=True,
    score=Score(
        value=61.5,
        verdict="replace libraries",
        provisional=True,
        effort_days=(2.2, 5.3),
        lost=(
            Lost("lib:flash_attn", 36.0),
            Lost("string:train.py:12", 2.0),
            Lost("AMP003", 0.5),
        ),
    ),
    rules={
        "FUS001": RuleSummary(
            name="flash-attn",
            title="flash-attn: attention kernels for CUDA",
            category="fused-kernel-lib",
            fix=SDPA,
            targets={"torchneuron": FLASH_FACTS, "xla": replace(FLASH_FACTS, sdk="2.31")},
            references=(Link("flash-attention", "https://github.com/Dao-AILab/flash-attention"),),
        ),
        "DST001": RuleSummary(
            name="cuda-device-string",
            title="a device is spelled `cuda`",
            category="device-string",
            fix=STRING.fix,
            targets={"torchneuron": STRING_FACTS},
            references=(),
        ),
        "AMP003": RuleSummary(
            name="cuda-grad-scaler",
            title="loss scaling for fp16",
            category="amp",
            fix=SCALER.fix,
            targets={"torchneuron": SCALER_FACTS},
            references=(),
        ),
    },
    findings=(STRING, SCALER, FLASH_CALL, FLASH, FLASH_OTHER, ACCEPTED),
    roots=ROOTS,
    errors=(
        ScanError("scripts/py2.py", "does not parse: Missing parentheses in call to print", 4),
    ),
    skipped=(
        Skipped("build", "ignored by .gitignore"),
        Skipped("data/table.py", "larger than 5 MB"),
        Skipped("out", "ignored by .gitignore"),
    ),
    coverage=Coverage(
        files_scanned=14,
        files_total=15,
        files_torch=6,
        unknown_facts=2,
        rules_run=40,
        rules_total=40,
    ),
    sections=SECTIONS,
)

_CROSS = Proof("model/net.py", 21, "if config.cross_attention:", setting="cross_attention")
_TEST = replace(
    FLASH,
    path="tests/test_flash.py",
    reach="test",
    root="FUS001:tests",
    fingerprint="pa1:00000000000000000000000000000007",
)
REACHED = replace(
    REPORT,
    partial=False,
    errors=(),
    score=Score(
        value=62.5,
        verdict="replace libraries",
        provisional=False,
        effort_days=(2.2, 5.3),
        lost=(Lost("lib:flash_attn", 36.0), Lost("string:train.py:12", 1.5)),
        entry_points=(
            EntryPoint(
                "train.py",
                "training",
                62.5,
                main=True,
                evidence=(Location("README.md", 14), Location("train.py", 80)),
                why="it does `fit`; one of 2 programs that train; README.md:14 starts it",
                verdict="replace libraries",
                effort_days=(2.2, 5.3),
                roots=("lib:flash_attn", "string:train.py:12"),
            ),
            EntryPoint(
                "evaluate.py",
                "evaluation",
                97.5,
                evidence=(Location("evaluate.py", 30),),
                why="its name says evaluation: `evaluate`",
                verdict="edits only",
                effort_days=(0.1, 0.2),
                roots=("string:train.py:12",),
            ),
            EntryPoint("tools/convert.py", "export", 100.0, verdict="ready", effort_days=(0, 0)),
            EntryPoint("tests/test_flash.py", "test", why="it lies among tests"),
        ),
        gains=(
            Gain("lib:flash_attn", 35.8, 98.3),
            Gain("string:train.py:12", 1.7, 100.0),
        ),
    ),
    findings=(
        replace(STRING, reach="main"),
        replace(SCALER, reach="main"),
        replace(FLASH_CALL, reach="main"),
        replace(FLASH, reach="main"),
        replace(FLASH_OTHER, reach="main", guard="guarded", guard_by=_CROSS, root="FUS001:cross"),
        _TEST,
    ),
    roots=(
        replace(
            ROOTS[1],
            findings=(FLASH.fingerprint, FLASH_CALL.fingerprint),
            sites=ROOTS[1].sites[:2],
            reach="main",
            step=2,
            after=("string:train.py:12",),
            portable=(Location("model/attention.py", 60),),
        ),
        replace(ROOTS[0], reach="main", step=1),
        replace(ROOTS[2], reach="main", step=3),
        replace(
            ROOTS[1],
            id="FUS001:cross",
            title="flash-attn in cross attention",
            severity="info",
            effort_days=(0.0, 0.0),
            findings=(FLASH_OTHER.fingerprint,),
            sites=ROOTS[1].sites[2:],
            reach="main",
            setting="cross_attention",
        ),
        replace(
            ROOTS[1],
            id="FUS001:tests",
            title="flash-attn in a test",
            findings=(_TEST.fingerprint,),
            sites=(Location("tests/test_flash.py", 3),),
            reach="test",
        ),
    ),
    sections=(),
    chains=(
        Chain(
            "model/attention.py",
            (Location("train.py", 9), Location("model/net.py", 4)),
        ),
        Chain(
            "model/blocks/cross.py",
            (Location("train.py", 9), Location("model/net.py", 22)),
            "guarded",
            _CROSS,
        ),
        Chain("tests/test_flash.py", main=False),
        Chain("train.py"),
    ),
)

CLEAN = Report(
    tool=REPORT.tool,
    target="torchneuron",
    partial=False,
    score=Score(value=100.0, verdict="ready", provisional=True, effort_days=(0.0, 0.0)),
    rules={},
    findings=(),
    roots=(),
    errors=(),
    skipped=(),
    coverage=Coverage(
        files_scanned=3, files_total=3, files_torch=2, unknown_facts=0, rules_run=40, rules_total=40
    ),
)
NO_TORCH = replace(
    CLEAN,
    score=Score(value=None, verdict="unknown", provisional=True, effort_days=(0.0, 0.0)),
    coverage=replace(CLEAN.coverage, files_torch=0),
)
EMPTY = replace(NO_TORCH, coverage=Coverage(0, 0, 0, 0, 40))

# --- a check --------------------------------------------------------------------------------------


def entry_of(finding: Finding, **changes: object) -> Entry:
    entry = Entry(
        path=finding.path,
        rule=finding.rule,
        scope=finding.scope,
        anchor=finding.anchor,
        context=finding.context,
        severity=finding.effective_severity,
    )
    return replace(entry, **changes)


NEW = replace(STRING, lines=(12, 12), state="new")
GRAVER = replace(
    FLASH_CALL, lines=(41, 43), state="updated", accepted=entry_of(FLASH_CALL, severity="major")
)
OLD = replace(
    FLASH,
    lines=(3, 3),
    state="unchanged",
    accepted=entry_of(FLASH, reason="attention is next quarter's work", owner="@kernels"),
)
COVERED = replace(FLASH_OTHER, lines=(7, 7), state="newly-covered")
HARMLESS = replace(SCALER, lines=(20, 20), state="new")
LAPSED = replace(
    SCALER,
    path="tools/profile.py",
    span=Span(5, 1, 5, 29),
    snippet="torch.cuda.amp.GradScaler()",
    effective_severity="minor",
    guard="none",
    guard_by=None,
    lines=(5, 5),
    state="new",
    accepted=entry_of(SCALER, path="tools/profile.py", owner="kim", expires="2026-06-30"),
    fingerprint="pa1:00000000000000000000000000000007",
)
IGNORED = replace(
    STRING,
    path="tests/test_net.py",
    uses=(),
    lines=(12, 12),
    suppressed=Suppression("per-file-ignores in pyproject.toml", "pyproject.toml", 1),
    fingerprint="pa1:00000000000000000000000000000008",
)
GONE = (
    Entry("old/run.py", "DEV001", "main", ".cuda", "9999000011112222", "minor", count=2),
    Entry("train.py", "DST001", "", "cuda:0", "3333000011112222", "minor"),
)

FAILED = replace(
    REPORT,
    findings=(NEW, HARMLESS, GRAVER, OLD, COVERED, LAPSED, ACCEPTED, IGNORED),
    notices=(
        Notice("unused-suppression", "train.py", 44, "nothing here is DEV001"),
        Notice("suppression-without-reason", "legacy/run.py", 3, "say why after the brackets"),
    ),
    gate=Gate(
        passed=False,
        against="the baseline `.portaudit-baseline.json`",
        fail_on="minor",
        min_confidence="medium",
        failing=(NEW.fingerprint, GRAVER.fingerprint, LAPSED.fingerprint),
        gone=GONE,
        expired=(entry_of(SCALER, path="tools/profile.py", owner="kim", expires="2026-06-30"),),
        outdated=True,
        score_before=63.0,
    ),
)
PASSED = replace(
    CLEAN,
    rules=REPORT.rules,
    findings=(OLD, ACCEPTED),
    gate=Gate(
        passed=True,
        against="`origin/main` (1a2b3c4)",
        fail_on="minor",
        min_confidence="medium",
        score_before=100.0,
    ),
)
