"""Examples of every command, for its help and for the reference: what people do most, first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

EXAMPLES: Mapping[str, Sequence[tuple[str, str]]] = {
    "": (
        ("portaudit scan", "what ties this directory to CUDA"),
        ("portaudit explain train.py:12", "why a line has a finding, or has none"),
        ("portaudit plan -o PORTING.md", "the work in its order"),
        ("portaudit init", "prepare a repository"),
        ("portaudit check --diff origin/main", "fail on what a branch adds"),
    ),
    "scan": (
        ("portaudit scan", "this directory"),
        ("portaudit scan src --top 10", "ten root causes in full"),
        ("portaudit scan --group-by file -v", "every finding, by file"),
        ("portaudit scan --entry tools/train.py", "from there"),
        ("portaudit scan --select FUS,triton-kernel", "rules by id or category"),
        ("portaudit scan --format json -o report.json", "for tools"),
        ("portaudit scan --format html=report.html", "a page to pass on"),
        ("portaudit scan --format terminal,sarif=out.sarif", "several at once"),
        ("portaudit scan --fail-on blocker", "exit 1 if any"),
    ),
    "check": (
        ("portaudit check", "against the baseline, if there is one"),
        ("portaudit check --diff origin/main", "only what the branch adds"),
        ("portaudit check --staged", "what is to be committed"),
        ("portaudit check train.py -q", "a line for each that fails"),
        ("portaudit check --fail-on major", "let small edits pass"),
        ("portaudit check --group-by rule", "a line for each, by rule"),
    ),
    "diff": (
        ("portaudit diff v1.2 v1.3", "what a merge brings"),
        ("portaudit diff HEAD~10 HEAD src", "below a folder"),
        ("portaudit diff old.json new.json", "of two reports"),
        ("portaudit diff main HEAD --format markdown", "for a job's summary"),
    ),
    "plan": (
        ("portaudit plan", "of this directory"),
        ("portaudit plan -o PORTING.md", "into a file"),
        ("portaudit plan report.json", "of a report of `scan --format json`"),
    ),
    "render": (
        ("portaudit render report.json --format html=report.html", "a page of it"),
        ("portaudit render report.json --format badge=badge.svg", "a badge"),
    ),
    "suppress": (
        ('portaudit suppress train.py:12 --reason "GPU only"', "a line"),
        ('portaudit suppress train.py:12 DEV007 --reason "GPU only"', "one rule"),
        ('portaudit suppress src -n --rule DST --reason "later"', "show only"),
    ),
    "explain": (
        ("portaudit explain train.py:12", "why is that a finding?"),
        ("portaudit explain train.py:12:5", "what stands at a column"),
        ("portaudit explain FUS001", "all that is known about a rule"),
        ("portaudit explain cuda-synchronize", "the same, by its name"),
        ("portaudit explain train.py:12 --format json", "for tools"),
    ),
    "init": (
        ("portaudit init", "show what would be written"),
        ("portaudit init --write", "write it"),
        ("portaudit init --write --pre-commit", "with a commit hook"),
        ("portaudit init --ci github", "print a job to copy"),
    ),
    "baseline": (
        ("portaudit baseline create", "accept what there is now"),
        ("portaudit baseline update", "accept what is new, drop what is gone"),
        ("portaudit baseline prune --check", "fail if entries are not needed"),
        ("portaudit baseline show", "what is accepted, and until when"),
    ),
    "baseline create": (
        ("portaudit baseline create", "all of this directory"),
        ('portaudit baseline create --owner ml --reason "port"', "with terms"),
    ),
    "baseline update": (
        ("portaudit baseline update", "all of this directory"),
        ("portaudit baseline update --newly-covered", "what new rules see"),
        ("portaudit baseline update src --expires 2027-03-31", "for a while"),
    ),
    "baseline prune": (
        ("portaudit baseline prune", "drop what is no longer there"),
        ("portaudit baseline prune --check", "exit with 1 if there is any"),
    ),
    "baseline show": (("portaudit baseline show", "by file and rule"),),
    "rules": (
        ("portaudit rules list", "all of them"),
        ("portaudit rules test --rules mine", "run your own tests"),
    ),
    "rules list": (
        ("portaudit rules list", "all of them"),
        ("portaudit rules list FUS amp", "by ids and categories"),
        ("portaudit rules list --target xla", "as another target has them"),
    ),
    "rules test": (("portaudit rules test FUS900 --rules mine", "one rule"),),
    "rules new": (
        ("portaudit rules new FUS900 ours --category fused-kernel-lib --rules mine", ""),
    ),
    "rules docs": (("portaudit rules docs --check", "are the pages current?"),),
    "cache": (("portaudit cache info", "where it is, and how much it holds"),),
    "cache info": (("portaudit cache info", "where it is, and how much it holds"),),
    "cache clear": (("portaudit cache clear", "the next run takes longer"),),
}
"""By command: what to type, and what that does."""


def epilog(command: str) -> str:
    """The examples as the end of a help text, in lines that are not to be filled."""
    rows = EXAMPLES[command]
    widest = max(len(words) for words, _ in rows)
    lines = (f"  {words:<{widest}}  {what}".rstrip() for words, what in rows)
    return "\n".join(("\b", "Examples:", *lines))
