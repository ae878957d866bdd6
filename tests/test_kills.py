"""Some of the trials of `bench/faults/kills.py`: runs that are ended at random moments."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent.parent / "bench" / "faults"))
import kills

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="nobody says who is")


def test_runs_that_are_ended_leave_nothing_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counted = kills.run(6, 3, tmp_path)
    assert capsys.readouterr().out == ""
    assert counted["trials"] == 6
