"""The rules of a run, loaded when they are first asked for: whoever knows its report needs none.

Which rules those are depends on the settings and on what the files of rules hold.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from portaudit import making
from portaudit.cache import of_user
from portaudit.store import Store, digest

if TYPE_CHECKING:
    from portaudit.catalogue.load import Catalogue
    from portaudit.config import Config
    from portaudit.results import Results


class Rules:
    """All rules that there are, those that a config chooses, and what they made of files.

    Both sides of a comparison ask mostly for the same results.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._cache = of_user() if config.cache else None
        self.store = None if self._cache is None else Store(self._cache)

    @cached_property
    def everything(self) -> Catalogue:
        """All rules. Raises `PortauditError` for what the user must mend, as `chosen` does."""
        from portaudit.catalogue import compiled  # noqa: PLC0415

        config = self._config
        found = compiled.load(config.rules, self._cache, self._builtin, config.root)
        if config.ops:
            from portaudit.catalogue import operators  # noqa: PLC0415

            found = operators.apply(found, operators.read(config.ops))
        return found

    @cached_property
    def chosen(self) -> Catalogue:
        """Those that the run uses."""
        from portaudit.catalogue.select import select_rules  # noqa: PLC0415

        ids = select_rules(
            self.everything.rules,
            select=self._config.select,
            extend_select=self._config.extend_select,
            ignore=self._config.ignore,
        )
        return self.everything.restricted(ids)

    @cached_property
    def results(self) -> Results:
        """What the chosen rules made of files."""
        from portaudit.results import Results  # noqa: PLC0415

        return Results(self.chosen, self._config.target, self.store, self._program)

    @cached_property
    def digest(self) -> bytes:
        """A digest of the program and of all rules: with the settings, of what makes reports."""
        own = self._config.rules or self._config.ops
        return digest(self._program, self._builtin, self.everything.digest.encode() if own else b"")

    @cached_property
    def _program(self) -> bytes:
        return making.program(self.store)

    @cached_property
    def _builtin(self) -> bytes:
        from portaudit.catalogue.place import builtin_rules  # noqa: PLC0415

        return making.below(builtin_rules(), self.store)
