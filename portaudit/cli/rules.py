"""The commands `rules …`: what the catalogue says, its tests and its documents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from portaudit.cli.common import (
    GATE_FAILED,
    catalogue_of,
    complain,
    guarded,
    save,
    save_all,
    today,
    wants_color,
    width,
    write,
)
from portaudit.cli.examples import epilog
from portaudit.cli.options import Color, Rules, RuleWords, TargetName
from portaudit.errors import UsageError

app = typer.Typer(help="List, test, add and document rules.", no_args_is_help=True)


@app.command("list", epilog=epilog("rules list"))
@guarded
def list_rules(
    words: RuleWords = None,
    *,
    target: TargetName = None,
    rules: Rules = None,
    color: Color = "auto",
) -> None:
    """List the rules with their severity and what the target makes of them."""
    from portaudit.catalogue.select import select_rules
    from portaudit.config import read_target
    from portaudit.report import terminal

    chosen = read_target(target or "torchneuron")
    catalogue = catalogue_of(rules)
    listed = [catalogue.rules[key] for key in select_rules(catalogue.rules, select=words or ())]
    rows = [
        (rule.id, rule.severity, rule.target[chosen].status, rule.category, rule.name)
        for rule in listed
    ]
    write(terminal.render_rules(rows, width=width(), color=wants_color(color)))


@app.command("test", epilog=epilog("rules test"))
@guarded
def run_tests(words: RuleWords = None, *, rules: Rules = None) -> None:
    """Run the tests that rules carry with them."""
    from portaudit.catalogue import testing
    from portaudit.catalogue.select import select_rules
    from portaudit.report.outcome import count

    catalogue = catalogue_of(rules)
    chosen = select_rules(catalogue.rules, select=words or ())
    failures = testing.run(catalogue, chosen)
    for failure in failures:
        write(f"{failure}\n")
    tests = sum(len(catalogue.rules[rule_id].test) for rule_id in chosen)
    counts = count(len(chosen), "rule"), count(tests, "test")
    write(f"{', '.join(counts)}, {len(failures)} failed\n")
    if failures:
        raise typer.Exit(GATE_FAILED)


@app.command("new", epilog=epilog("rules new"))
@guarded
def new_rule(
    rule_id: Annotated[str, typer.Argument(metavar="ID", help="A free id, such as FUS014.")],
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The pattern in a few words, such as cuda-graph.")
    ],
    *,
    category: Annotated[str, typer.Option(help="One of the categories of `rules list`.")],
    rules: Annotated[
        Path, typer.Option("--rules", metavar="DIR", help="Where to write the rule file.")
    ] = Path("rules"),
) -> None:
    """Write a rule file to start from."""
    from portaudit.catalogue.new import draft
    from portaudit.catalogue.place import builtin_rules

    if not rules.is_dir():
        raise UsageError(f"{rules}: no such directory; create it, or name another with --rules")
    own = rules.resolve() == builtin_rules().resolve()
    known = catalogue_of(None if own else [rules]).rules
    drafted = draft(known, rule_id, name, category, today=today())
    place = rules / drafted.path
    if place.exists():
        raise UsageError(f"{place} exists already")
    save(place, drafted.text)
    again = "" if own else f" --rules {rules}"
    write(f"wrote {place}\nfill it in, then run: portaudit rules test {rule_id}{again}\n")


@app.command("docs", epilog=epilog("rules docs"))
@guarded
def document_rules(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if a page is out of date.")
    ] = False,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="The docs directory.")
    ] = Path("docs"),
) -> None:
    """Write the pages of rules, settings, command line and JSON, and the JSON Schemas."""
    from portaudit import manual
    from portaudit.catalogue import docs
    from portaudit.cli import man, reference
    from portaudit.cli.given import OPTIONS
    from portaudit.report.schema import DOCUMENTS, json_schema

    options = {name for option in OPTIONS.values() for name in option.names}
    documents = docs.pages(catalogue_of(None)) | {
        **{f"{name}.schema.json": json_schema(name) for name in DOCUMENTS},
        "cli.md": reference.page(),
        "man/portaudit.rst": man.source(),
        "settings.md": manual.settings_page(options),
        **manual.json_pages(),
    }
    if check:
        problems = docs.stale(documents, output)
        for problem in problems:
            complain(problem)
        if problems:
            complain("run `portaudit rules docs` and commit what it writes", label="")
            raise typer.Exit(GATE_FAILED)
        return
    save_all(documents, output)
    for path in docs.leftovers(documents, output):
        path.unlink()
    write(f"wrote {len(documents)} files to {output}\n")
