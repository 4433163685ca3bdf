"""Two improvisers that hear each other neither run away nor stall: real models, engines and followers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from improviser.app.jam_settings import JamOptions, performer_settings
from improviser.performer.assembly import engine_maker
from improviser.protocol import BeatFound
from tests.coupled import Hearing, run_coupled, tempos
from tests.human import shared_maker

# They meet within this time.
MET_S = 35.0
# A tempo that holds stays within 2 %, over windows of ten seconds.
HOLDS = 0.02
WINDOW_S = 10.0


def partner(preset: str, tempo_bpm: float, seed: int) -> Hearing:
    """Return a performer that follows, with a preset's model and another tempo to begin with."""
    options = JamOptions(preset=preset, key="C", seed=seed, tempo_bpm=tempo_bpm)
    settings = replace(performer_settings(options), keeps_tempo=False)
    make_engine = engine_maker(settings)
    return Hearing(settings, new_engine=lambda: make_engine(0.0), new_tracker=shared_maker())


def check_hold(one: Hearing, other: Hearing, until_s: float) -> None:
    """Let two performers play, and check that both hold one tempo from MET_S on."""
    run_coupled(one, other, until_s)
    found = [tempos(each, MET_S, until_s, WINDOW_S) for each in (one, other)]
    usual = sorted(found[0])[len(found[0]) // 2]
    print([[round(tempo_bpm, 1) for tempo_bpm in each] for each in found])  # noqa: T201 - shown by pytest -s
    assert usual == pytest.approx(found[0][0], rel=HOLDS)
    for tempo_bpm in (*found[0], *found[1]):
        assert usual == pytest.approx(tempo_bpm, rel=HOLDS)
    assert all(each.told(BeatFound) for each in (one, other))


def test_two_hold_their_tempo_for_a_while() -> None:
    """Two with the same tempo in mind hold it after they have met."""
    check_hold(partner("chorale", 100.0, 1), partner("fiddle", 100.0, 2), 55.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("fiddle", 112.0), ("fiddle", 112.0)),
        (("fiddle", 112.0), ("chorale", 90.0)),
        (("minimal", 100.0), ("fiddle", 120.0)),
        (("chorale", 100.0), ("comping", 92.0)),
    ],
)
def test_two_hold_their_tempo_for_two_minutes(one: tuple[str, float], other: tuple[str, float]) -> None:
    """Two that follow each other hold one tempo within 2 % for two minutes, even if each had another one in mind."""
    check_hold(partner(*one, 1), partner(*other, 2), 155.0)
