"""Requirements and version tests that leave out every version that a target has.

Per package and target: requirements that code insists on when it runs, and code that stops on the
versions of the target. A test that only chooses between two ways is left alone. What `setup()` asks
for is matched as a manifest's requirements are.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import libcst as cst

from portaudit.catalogue import stack
from portaudit.detectors import detector
from portaudit.judge.guards import fails, is_caught
from portaudit.match.context import Contexts
from portaudit.match.hits import Spot
from portaudit.read.python.lists import strings
from portaudit.read.python.nodes import string_value
from portaudit.read.python.values import Reader, argument
from portaudit.types import TARGETS, Target

_REQUIRE = {
    "pkg_resources.require",
    "transformers.utils.versions.require_version",
    "transformers.utils.versions.require_version_core",
}
_LONGEST = 70


# --- requirements ---------------------------------------------------------------------------------


def _required(target: Target, reader: Reader, _: Contexts) -> Iterator[Spot]:
    """Yield requirements that code insists on at run time and no version of the target meets."""
    for call in reader.calls_of(_REQUIRE):
        # Few files get here, and packaging takes longer to load than they to judge.
        from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415
        from packaging.utils import canonicalize_name  # noqa: PLC0415

        for node in strings(reader, argument(call, (0,)).value):
            text = string_value(node)
            if text is None or not text[1]:
                continue
            try:
                requirement = Requirement(text[0])
            except InvalidRequirement:
                continue
            if stack.excluded_by(target, requirement):
                place = reader.model.places.get(node, reader.model.places[call])
                named = canonicalize_name(requirement.name)
                yield Spot(node, place, f"{named}{requirement.specifier}")


# --- tests at run time ----------------------------------------------------------------------------


def _refused(package: str, target: Target, reader: Reader, _: Contexts) -> Iterator[Spot]:
    """Yield tests of a version after which nothing but a failure is left on the target."""
    if b"version" not in reader.source.content:
        return
    from portaudit.judge.trials import trials  # noqa: PLC0415 - it loads packaging

    first = next(trials(reader, target, package))
    for owner, test, orelse, body, _scope in reader.model.tests:
        if not isinstance(owner, (cst.If, cst.Assert)):
            continue
        wrong = first.truth(test)
        if wrong is None or not fails(body if wrong else orelse):
            continue  # most tests ask no version, which is quicker to see than how they end
        place = reader.model.places[test]
        if fails(orelse if wrong else body) or is_caught(place):
            continue
        each = trials(reader, target, package)
        if all(trial.truth(test) is wrong and trial.reaches(place) for trial in each):
            yield Spot(test, place, _shown(reader, test))


def _shown(reader: Reader, node: cst.BaseExpression) -> str:
    text = " ".join(reader.code(node).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


for _target in TARGETS:
    detector(f"torch-requirement-without-{_target}")(partial(_required, _target))
    detector(f"torch-refused-on-{_target}")(partial(_refused, "torch", _target))
    detector(f"python-refused-on-{_target}")(partial(_refused, stack.PYTHON, _target))
