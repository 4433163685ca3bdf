"""The explanation of a decision."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from improviser.agent.policy import Choice, select_action
from improviser.engine.decision_values import DecisionValues
from improviser.engine.role import COMPING
from improviser.engine.why import reasons
from improviser.music.pitch import NO_SPAN
from improviser.playing.actions import ACTION_COUNT, FIRST_ONSET, HOLD_ACTION, REST_ACTION, action_to_gesture

KNOBS = DecisionValues(harmony=2.0, coherence=1.0, creativity=0.5, temperature=1.0, prior_weight=0.5)
MEANING = partial(action_to_gesture, base=60)
C4, E4 = FIRST_ONSET, FIRST_ONSET + 4


def choice(legal: list[int], knobs: DecisionValues = KNOBS, heads: int = 3) -> Choice:
    """Return a decision in which C4 has harmony 2, E4 has creativity 4, and the prior prefers a rest."""
    q_values = np.zeros((heads, ACTION_COUNT), dtype=np.float32)
    q_values[0, C4] = 2.0
    q_values[-1, E4] += 4.0
    log_prior = np.full(ACTION_COUNT, -4.0, dtype=np.float32)
    log_prior[REST_ACTION] = -1.0
    mask = np.isin(np.arange(ACTION_COUNT), legal)
    return select_action((log_prior, q_values), mask, np.random.default_rng(0), knobs.to_mix())


def test_each_part_is_told_beside_the_mean_of_what_is_allowed() -> None:
    """Of C4, E4 and a rest: harmony 2 x 2, creativity .5 x 4, prior .5 x -1, each minus the mean of the three."""
    found = {reason.note or reason.does: reason for reason in reasons(choice([C4, E4, REST_ACTION]), MEANING)}
    assert {60, 64, "rest"} == set(found)
    assert (
        pytest.approx({"harmony": 4 - 4 / 3, "coherence": 0, "creativity": -2 / 3, "prior": -2 + 1.5})
        == found[60].parts
    )
    assert pytest.approx({"harmony": -4 / 3, "coherence": 0, "creativity": 2 - 2 / 3, "prior": -0.5}) == (
        found[64].parts
    )
    assert pytest.approx(1.0) == found["rest"].parts["prior"]
    assert pytest.approx(1.0) == sum(reason.chance for reason in found.values())


def test_the_parts_add_up_to_what_decided() -> None:
    """The difference of two actions' sums is that of their log-probabilities, times the temperature."""
    knobs = DecisionValues(temperature=0.5, density=1.5)
    one, other = reasons(choice([C4, HOLD_ACTION], knobs), MEANING, count=2)
    gap = sum(one.parts.values()) - sum(other.parts.values())
    assert pytest.approx(0.5 * np.log(one.chance / other.chance), rel=1e-4) == gap
    assert "preference" in one.parts


def test_the_one_that_was_taken_comes_first() -> None:
    """The action that was played is listed first, however unlikely, within the requested number."""
    decision = choice([C4, E4, REST_ACTION])
    forced = replace(decision, action=REST_ACTION)
    told = reasons(forced, MEANING, count=2)
    assert ["rest", "onset"] == [reason.does for reason in told]
    assert told[0].chance < told[1].chance


def test_a_model_of_one_head_has_one_reward() -> None:
    """A model with one head has one reward in its explanation."""
    reason = reasons(choice([C4, E4], heads=1), MEANING)[0]
    assert {"reward", "prior"} == reason.parts.keys()
    assert {"does", "note", "chance", "reward", "prior"} == reason.to_json().keys()


def test_a_chord_is_told_by_name_and_notes() -> None:
    """The explanation of a chord has its name, all its notes, and its top note."""
    actions = COMPING.action_count
    values = np.zeros(actions, dtype=np.float32), np.zeros((1, actions), dtype=np.float32)
    log_policy = np.zeros(actions, dtype=np.float32)
    chosen = Choice(FIRST_ONSET, values[1], values[0], log_policy, KNOBS.to_mix(actions))
    reason = reasons(chosen, lambda action: COMPING.gesture(action, 2, 50, (), NO_SPAN), 1)[0].to_json()
    notes = reason["notes"]
    assert isinstance(notes, list)
    assert ("onset", "D", notes[-1]) == (reason["does"], reason["chord"], reason["note"])
    assert [2, 2, 6, 9] == sorted(note % 12 for note in notes)
