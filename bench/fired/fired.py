"""Which rules have been seen to fire on real code, and which are unproven.

    python bench/fired/fired.py REPORTS... > docs/unproven.md

reads JSON reports of portaudit and writes the page that lists the rules without a finding in any of
them. What is scanned is up to the caller; the page names it by the reports' file names.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from portaudit.catalogue.load import load

HEAD = """# Rules that nobody saw fire

A rule is unproven until it has reported something in code that its author did not write. These
rules passed their own tests only. They may be right, and rare; treat what they say with more care,
and tell us of a place where one fires.

Written by `bench/fired/fired.py` from scans of {count} trees: {trees}.
"""


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("reports", type=Path, nargs="+")
    reports: list[Path] = sorted(parser.parse_args().reports, key=lambda path: path.stem.lower())
    fired: Counter[str] = Counter()
    for report in reports:
        found = json.loads(report.read_text(encoding="utf-8"))["findings"]
        fired.update({item["rule"] for item in found})
    rules = load().rules
    trees = ", ".join(path.stem for path in reports)
    print(HEAD.format(count=len(reports), trees=trees))
    unproven = [rule for key, rule in rules.items() if not fired[key]]
    print(f"{len(unproven)} of {len(rules)} rules:\n")
    print("| rule | name | category |\n|---|---|---|")
    for rule in unproven:
        print(f"| [{rule.id}](rules/{rule.id}.md) | {rule.name} | {rule.category} |")


if __name__ == "__main__":
    main()
