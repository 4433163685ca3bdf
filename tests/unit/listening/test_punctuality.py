"""The player's punctuality: how many onsets come after a decision."""

from __future__ import annotations

import pytest

from improviser.listening.punctuality import ASSUMED, ONSETS, Punctuality


@pytest.mark.parametrize(("decided_s", "share"), [(-0.003, 1.0), (0.0, 0.0), (0.015, 0.0)])
def test_before_the_first_onset_the_player_is_taken_to_be_exact(decided_s: float, share: float) -> None:
    """Before a step everything is still to come; from its moment on nothing is."""
    assert share == Punctuality().share_after(decided_s)


def test_onsets_after_the_decision_are_counted() -> None:
    """Beside onsets, the assumption counts as much as ASSUMED of them."""
    punctuality = Punctuality()
    for offset_s in (0.0, 0.01, 0.02, 0.03):
        punctuality.add_onset(offset_s)
    assert 2 / (4 + ASSUMED) == punctuality.share_after(0.01)
    assert (4 + ASSUMED) / (4 + ASSUMED) == punctuality.share_after(-0.001)


def test_old_onsets_are_forgotten() -> None:
    """Only the last ONSETS onsets count."""
    punctuality = Punctuality()
    for offset_s in (*[0.02] * ONSETS, *[0.0] * ONSETS):
        punctuality.add_onset(offset_s)
    assert 0.0 == punctuality.share_after(0.01)
