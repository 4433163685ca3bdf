"""The ear's advice: what a likely chord tone gains, and that the pace stays."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.engine.chord_advice import CHANCES, ChordAdvice, advised
from improviser.listening.line import RANGE
from improviser.listening.observation import COLUMNS, FEATURES, TONE_SHARES
from improviser.playing.actions import ACTION_COUNT, FIRST_ONSET, HOLD_ACTION, REST_ACTION
from tests.actors import random_policy

COUNT = sum(feature.columns for feature in FEATURES)
TRIAD, SURE = (0, 4, 7), len(TONE_SHARES)
WEIGHT = 0.5
EVEN = np.full((1, ACTION_COUNT), -np.log(ACTION_COUNT), dtype=np.float32)


def seen(own_note: int = RANGE, tones: tuple[int, ...] = TRIAD) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Return an observation, (1, columns), in which the ear is sure of some tones, while we play a note or none."""
    row = np.zeros((1, COUNT), dtype=np.uint8)
    row[0, COLUMNS["own_note"]] = own_note
    for tone in tones:
        row[0, COLUMNS["chord_tones"].start + tone] = SURE
    return row


def test_tones_gain_on_others_and_the_pace_stays() -> None:
    """A tone gains the weight's share of the chances' difference; onsets gain nothing in the mean, a rest nothing."""
    added = ChordAdvice(WEIGHT)(seen(), EVEN)[0]
    onsets = added[FIRST_ONSET:]
    for semitones in range(RANGE):
        beside = onsets[semitones] - onsets[1]
        assert (WEIGHT * (CHANCES[SURE] - CHANCES[0]) if semitones % 12 in TRIAD else 0.0) == pytest.approx(beside)
    assert 0.0 == pytest.approx(onsets.mean(), abs=1e-6)
    assert [0.0, 0.0] == added[[HOLD_ACTION, REST_ACTION]].tolist()


def test_a_held_note_counts_as_one_that_is_struck() -> None:
    """To hold a tone gains what striking it does; to hold another note loses."""
    for note in (0, 1, 19, 36):
        added = ChordAdvice(WEIGHT)(seen(note), EVEN)[0]
        assert added[HOLD_ACTION] == added[FIRST_ONSET + note]


def test_an_ear_that_knows_nothing_advises_nothing() -> None:
    """Where all tones are as likely, nothing is added."""
    assert 0.0 == pytest.approx(np.abs(ChordAdvice(WEIGHT)(seen(5, ()), EVEN)).max(), abs=1e-6)


def test_a_policy_takes_advice_alike_alone_and_in_rows() -> None:
    """The advice is on top of the first head, for one observation or several, and stays when weights are learned."""
    policy = random_policy()
    rows = np.concatenate([seen(), seen(4), seen(6, (2, 5))])
    taught = advised(policy, WEIGHT).with_upper_layers(policy.upper_layers)
    log_priors, q_values = taught.values_of(rows)
    plain = policy.values_of(rows)[1]
    for row, log_prior, found, before in zip(rows, log_priors, q_values, plain, strict=True):
        assert found == pytest.approx(taught.values(row)[1], abs=1e-5)
        assert found[0] - before[0] == pytest.approx(ChordAdvice(WEIGHT)(row[None], log_prior[None])[0], abs=1e-5)
    assert policy is advised(policy, 0.0)
