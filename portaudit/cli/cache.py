"""`portaudit cache`: where the cache is, what it holds, and how to be rid of it."""

from __future__ import annotations

import typer

from portaudit.cli.common import guarded, write
from portaudit.cli.examples import epilog
from portaudit.errors import UsageError

app = typer.Typer(help="Show or empty the cache.", no_args_is_help=True)


@app.command(epilog=epilog("cache info"))
@guarded
def info() -> None:
    """Show where the cache is, how much it holds, and whether it is used."""
    from portaudit.cache import VARIABLE, of_user

    cache = of_user()
    if cache is None:
        write(f"there is no home directory for a cache; name a place with {VARIABLE}\n")
        return
    write(f"{cache.directory}\n{_amount(*cache.size())}\n")
    refusal = cache.refusal()
    if refusal:
        write(f"not used: {refusal}\n")


@app.command(epilog=epilog("cache clear"))
@guarded
def clear() -> None:
    """Empty the cache; the next run takes a little longer."""
    from portaudit.cache import of_user

    cache = of_user()
    if cache is None:
        return
    amount = _amount(*cache.size())
    try:
        cache.clear()
    except OSError as error:
        raise UsageError(f"{cache.directory}: {error.strerror or error}") from error
    write(f"removed {amount}\n")


def _amount(files: int, size: int) -> str:
    from portaudit.report.outcome import count

    return f"{count(files, 'file')}, {size / 1e6:.1f} MB"
