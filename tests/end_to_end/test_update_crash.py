"""Builds, updates, compactions and rollbacks, killed at random moments; `benchmarks/indexing/kills.py` does 300."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.indexing.kills import COMMANDS, begun


@pytest.mark.timeout(300)  # each kill starts a process of its own
def test_killed_at_random_moments_nothing_is_lost_doubled_or_back_from_the_dead(
    tmp_path: Path, tiny_bundle_dir: Path
) -> None:
    kills = begun(tmp_path, str(tiny_bundle_dir), photos=40, seed=3)
    for command in COMMANDS:
        kills.kill_once(command)
    kills.finish()
    assert sum(kills.outcomes.values()) == len(COMMANDS)
