"""Extensions known by name are left to the rule that knows them."""

from __future__ import annotations

from portaudit.detectors.compiled_module import _CUDA_MODULE, _TOLD_BY_NAME
from snippets import catalogue


def test_what_a_rule_names_is_not_guessed_from_its_name_again() -> None:
    known = {name.split(".")[0] for name in catalogue().index.names["import"].exact}
    known |= {name.split(".")[0] for name in catalogue().index.names["import"].below}
    guessed = {name for name in known if _CUDA_MODULE.fullmatch(name)}
    assert guessed - _TOLD_BY_NAME == set()
