"""The preference that is learned from presses."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.agent.preference import LARGEST, WINDOW_S, FloatArray, Floats, Preference

WORTH: FloatArray = np.array([0.5, 2.0, 1.0], dtype=np.float32)
# Eight decisions a second.
AGES = [0.125 * place for place in range(int(WINDOW_S / 0.125))]


class Ear:
    """Observes random windows of music that are usual, and judges one."""

    def __init__(self, seed: int = 0) -> None:
        """Observe what is usual."""
        self.rng = np.random.default_rng(seed)
        self.preference = Preference(WORTH)
        for _ in range(300):
            usual = np.full((len(AGES), len(WORTH)), 0.5), np.ones((len(AGES), len(WORTH)))
            self.preference.pass_by(AGES, *self.window(), *usual)

    def window(self, *shift: float) -> tuple[Floats, Floats]:
        """Return features, (decisions, traits), shifted from the usual values, and which of them apply."""
        traits = self.rng.uniform(0, 1, (len(AGES), len(WORTH)))
        return np.clip(traits + np.array(shift or (0.0,)), 0, 1), np.ones(traits.shape)

    def press(self, *shift: float, liked: bool) -> bool:
        """Judge such a window."""
        traits, applies = self.window(*shift)
        return self.preference.judge(liked=liked, age_s=AGES, traits=traits, applies=applies)


@pytest.mark.parametrize(("liked", "sign"), [(True, 1), (False, -1)])
@pytest.mark.parametrize("trait", [0, 1, 2])
def test_presses_move_what_stood_out(trait: int, liked: bool, sign: int) -> None:  # noqa: FBT001
    """Three presses after much of one feature give it a clear weight, much larger than the others."""
    ear = Ear()
    shift = [0.5 if place == trait else 0.0 for place in range(3)]
    assert all(ear.press(*shift, liked=liked) for _ in range(3))
    taste = sign * ear.preference.weights / WORTH
    assert taste[trait] > 0.8
    assert trait == np.abs(taste).argmax()


def test_what_is_usual_is_hardly_judged() -> None:
    """On average a press after a usual window changes the weights much less than one after a striking window."""

    def learned(shift: float) -> float:
        """Return how far a dislike moves the weight of a feature."""
        ears = [Ear(seed) for seed in range(20)]
        assert all(ear.press(shift, 0.0, 0.0, liked=False) for ear in ears)
        return float(np.mean([ear.preference.weights[0] for ear in ears]))

    assert abs(learned(0.0)) < 0.2 * abs(learned(0.5))


@pytest.mark.parametrize("delay_s", [0.2, 0.6, 1.1])
def test_a_late_press_means_what_it_came_after(delay_s: float) -> None:
    """A press that comes a second late still finds the feature that stood out for two seconds."""
    ear = Ear()
    ages = np.array(AGES)
    is_meant = (ages >= delay_s) & (ages < delay_s + 2.0)
    for _ in range(4):
        traits, applies = ear.window()
        traits[is_meant, 0] = np.clip(traits[is_meant, 0] + 0.5, 0, 1)
        ear.preference.judge(liked=False, age_s=AGES, traits=traits, applies=applies)
    assert ear.preference.weights[0] < -0.3 * WORTH[0]


def test_some_wrong_presses_do_little_harm() -> None:
    """The preference is still found when four of twenty presses say the opposite."""
    ear = Ear()
    for place in range(20):
        more = place % 2 == 0
        ear.press(0.0, 0.4 if more else -0.4, 0.0, liked=more ^ (place % 5 == 0))
    taste = ear.preference.weights / WORTH
    assert taste[1] > 0.5
    assert np.abs(taste[[0, 2]]).max() < taste[1] / 2


def test_there_are_bounds() -> None:
    """No weight leaves its bounds, however many presses come."""
    ear = Ear()
    for _ in range(60):
        ear.press(1.0, liked=True)
    bound = LARGEST * WORTH
    assert (np.abs(ear.preference.weights) <= bound).all()
    assert ear.preference.weights[0] > 0.8 * bound[0]
    ear.preference.restore(np.array([-99.0, np.inf, 0.0], dtype=np.float32))
    assert [-bound[0], bound[1], 0.0] == ear.preference.weights.tolist()


def test_what_was_known_is_where_presses_go_on() -> None:
    """Presses move a restored preference from its values, instead of starting again."""
    ear, other = Ear(), Ear()
    ear.preference.restore(np.array([0.4, 0.0, -0.6], dtype=np.float32))
    for each in (ear, other):
        each.press(0.0, 0.5, 0.0, liked=True)
    assert ear.preference.weights[1] == other.preference.weights[1]
    assert ear.preference.weights[0] > other.preference.weights[0]
    assert ear.preference.weights[2] < other.preference.weights[2]


def test_nothing_to_judge_is_told() -> None:
    """A press long after the last note, or during the first, changes nothing and has no history."""
    preference = Preference(WORTH)
    nothing = np.zeros((0, 3))
    assert not preference.judge(liked=True, age_s=[], traits=nothing, applies=nothing)
    two = np.ones((2, 3))
    assert not preference.judge(liked=True, age_s=[9.0, 0.1], traits=two, applies=two)
    assert not preference.undo()


def test_undo_is_exact() -> None:
    """Undoing one press, or all, restores the weights exactly."""
    ear = Ear()
    preference = ear.preference
    preference.restore(ear.rng.normal(size=3).astype(np.float32))
    states = [preference.weights.tobytes()]
    for _ in range(5):
        ear.press(*ear.rng.normal(size=3), liked=bool(ear.rng.integers(2)))
        states.append(preference.weights.tobytes())
    for state in reversed(states[2:-1]):
        assert preference.undo()
        assert state == preference.weights.tobytes()
    assert preference.undo(everything=True)
    assert states[0] == preference.weights.tobytes()
    assert not preference.undo(everything=True)


def test_an_undone_press_is_forgotten() -> None:
    """After an undo later presses have the same effect as if the undone press had never been made."""
    with_, without = Ear(), Ear()
    with_.preference.judge(liked=False, age_s=AGES, traits=np.ones((len(AGES), 3)), applies=np.ones((len(AGES), 3)))
    with_.preference.undo()
    for ear in (with_, without):
        ear.press(0.5, liked=True)
    assert with_.preference.weights.tobytes() == without.preference.weights.tobytes()
