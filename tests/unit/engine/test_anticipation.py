"""Anticipation: what the player will probably do, and values that count with all of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from improviser.agent.policy import FloatArray, Values
from improviser.choices import NoteTiming
from improviser.engine.anticipation import ENOUGH, HARMONY_UNSURE, TRIED, Expected, likely, sounding_with
from improviser.listening.line import HOLD, REST, SILENT, TOKEN_HOLD, TOKEN_NONE, TOKEN_ONSET, TOKEN_REST
from improviser.listening.observation import COLUMNS, PLAYER_BLOCK
from improviser.listening.window import HeardStep
from improviser.music.pitch import pitch_class_bits
from improviser.playing.actions import ACTION_COUNT, FIRST_ONSET, HOLD_ACTION
from improviser.rewards import COMPONENTS
from tests.sessions import STEP_S, TEMPO, make_engine, note, steps, tell

BASE = 48
HELD = HeardStep(event=HOLD, bits=pitch_class_bits([64]), bass=64, onsets=())
SILENCE = HeardStep(event=REST, bits=0, bass=SILENT, onsets=())


def chances(**events: float) -> FloatArray:
    """Return probabilities of events; a name is hold, rest, or n with a note."""
    row = np.zeros(TOKEN_NONE, dtype=np.float32)
    for name, chance in events.items():
        token = {"hold": TOKEN_HOLD, "rest": TOKEN_REST}.get(name)
        row[TOKEN_ONSET + int(name[1:]) - BASE if token is None else token] = chance
    return row


class Foreseer:
    """An actor that expects fixed events, and likes the action on the note that the player has in an observation.

    Attributes:
        anticipated: The observations from which it was asked to predict.
        valued: The observations whose values it was asked for together.
        single: The observations whose values it was asked for alone.
    """

    def __init__(self, expected: FloatArray | None, heads: int = 1) -> None:
        """Expect these events, None cannot tell; give the same values for each of `heads` components."""
        self._expected, self._heads = expected, heads
        self.anticipated: list[npt.NDArray[np.uint8]] = []
        self.valued: list[npt.NDArray[np.uint8]] = []
        self.single: list[npt.NDArray[np.uint8]] = []

    def anticipate(self, observation: npt.NDArray[np.uint8]) -> FloatArray | None:
        """Return the fixed probabilities."""
        self.anticipated.append(observation)
        return self._expected

    def values_of(self, observations: npt.NDArray[np.uint8]) -> Values:
        """Return the values of each observation."""
        self.valued.append(observations)
        rows = [self._valued(row) for row in observations]
        return np.stack([prior for prior, _ in rows]), np.stack([q for _, q in rows])

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Return the values of one observation."""
        self.single.append(observation)
        return self._valued(observation)

    def _valued(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Return 1 for the player's newest token above the first onset, and a prior that is even."""
        q_values = np.zeros((self._heads, ACTION_COUNT), dtype=np.float32)
        q_values[:, min(int(observation[COLUMNS["player_tokens"]][-1]), ACTION_COUNT - 1)] = 1.0
        return np.full(ACTION_COUNT, -np.log(ACTION_COUNT), dtype=np.float32), q_values


@pytest.mark.parametrize(
    ("heard", "share", "expected"),
    [
        (HELD, 1.0, {HOLD: 0.5, 60: 0.5}),
        (SILENCE, 1.0, {60: 5 / 7, REST: 2 / 7}),
        (HELD, 0.5, {HOLD: 2 / 3, 60: 1 / 3}),
    ],
    ids=["held", "silent", "half of the notes have come"],
)
def test_what_is_heard_goes_on_or_a_note_comes(heard: HeardStep, share: float, expected: dict[int, float]) -> None:
    """Hold and rest count for what was heard, except a hold in silence; onsets count as often as they come late."""
    found = likely(chances(hold=0.3, rest=0.2, n60=0.5), heard, share, BASE)
    assert pytest.approx(expected) == {each.event: each.chance for each in found}
    assert sorted((each.chance for each in found), reverse=True) == [each.chance for each in found]


def test_only_likely_events_are_tried() -> None:
    """As many events are tried as make up ENOUGH, at most TRIED, and their probabilities sum to 1."""
    few = likely(chances(hold=ENOUGH + 0.01, n60=0.05, n61=0.04), HELD, 1.0, BASE)
    assert (Expected(HOLD, 1.0),) == few
    many = likely(np.full(TOKEN_NONE, 1 / TOKEN_NONE, dtype=np.float32), HELD, 1.0, BASE)
    assert TRIED == len(many)
    assert pytest.approx(1.0) == sum(each.chance for each in many)


def test_a_note_takes_the_place_of_the_top_voice() -> None:
    """Lower notes go on below an onset; a melody alone is replaced by it; without an onset all stays as heard."""
    chord = HeardStep(event=HOLD, bits=pitch_class_bits([48, 64]), bass=48, onsets=())
    bits, bass = sounding_with(np.array([67, HOLD]), 64, chord)
    assert ([pitch_class_bits([48, 67]), chord.bits], [48, 48]) == (bits.tolist(), bass.tolist())
    bits, bass = sounding_with(np.array([67]), 64, HELD)
    assert ([pitch_class_bits([67])], [67]) == (bits.tolist(), bass.tolist())
    bits, bass = sounding_with(np.array([36]), SILENT, chord)
    assert ([pitch_class_bits([48, 64, 36])], [36]) == (bits.tolist(), bass.tolist())


@pytest.mark.parametrize(
    ("event", "told"), [(60, ("onset", 60)), (HOLD, ("hold", None)), (REST, ("rest", None))], ids=str
)
def test_an_expected_event_in_plain_values(event: int, told: tuple[str, int | None]) -> None:
    """It says what the player does, the note of an onset, and the probability."""
    does, wanted = told
    assert {"does": does, "note": wanted, "chance": 0.333} == Expected(event, 1 / 3).to_json()


def test_on_the_grid_it_plays_for_the_likely_note() -> None:
    """Values are averaged over the expected events, each observed as if it had been heard."""
    actor = Foreseer(chances(hold=0.4, n67=0.6))
    engine = make_engine(actor, key="C", tempo_bpm=TEMPO, timing=NoteTiming.ON_GRID)
    steps(tell(engine, *note(0.0, 60, 8 * STEP_S)), 4)
    assert {2} == {len(rows) for rows in actor.valued}
    newest = actor.valued[-1][:, COLUMNS["player_tokens"]][:, -1].tolist()
    assert [TOKEN_ONSET + 19, TOKEN_HOLD] == newest
    assert PLAYER_BLOCK.stop == len(actor.anticipated[-1])
    assert engine.decision is not None
    expected = {each.event: each.chance for each in engine.decision.expected}
    assert pytest.approx({67: 0.6, HOLD: 0.4}) == expected
    assert ("onset", 67) == tuple(engine.decision.expectations(1)[0].values())[:2]


@pytest.mark.parametrize(
    ("expected", "timing"),
    [
        (None, NoteTiming.ON_GRID),
        (chances(hold=1.0), NoteTiming.ON_GRID),
        (chances(n67=1.0), NoteTiming.AFTER_YOU),
    ],
    ids=["cannot tell", "only one event", "after the player"],
)
def test_without_doubt_one_observation_is_valued(expected: FloatArray | None, timing: NoteTiming) -> None:
    """Where nothing is predicted, one event is certain, or all is heard before a decision, nothing is averaged."""
    actor = Foreseer(expected)
    engine = make_engine(actor, key="C", tempo_bpm=TEMPO, timing=timing)
    steps(tell(engine, *note(0.0, 60, 8 * STEP_S)), 4)
    assert (True, []) == (len(actor.single) == 4, actor.valued)


def test_the_averages() -> None:
    """Q-values are the mean by probability, and the prior is the log of the mean probability."""
    actor = Foreseer(chances(hold=0.25, n67=0.75))
    engine = make_engine(actor, key="C", tempo_bpm=TEMPO, timing=NoteTiming.ON_GRID)
    steps(tell(engine, *note(0.0, 60, 8 * STEP_S)), 3)
    assert engine.decision is not None
    assert engine.decision.choice is not None
    q_values = engine.decision.choice.q_values[0]
    assert pytest.approx([0.25, 0.75]) == [q_values[HOLD_ACTION], q_values[FIRST_ONSET + 19]]
    assert np.allclose(-np.log(ACTION_COUNT), engine.decision.choice.log_prior, atol=1e-5)


def test_harmony_counts_more_while_it_is_not_known() -> None:
    """Of the three averaged components harmony counts HARMONY_UNSURE times as much, and not where a note is known."""
    settled = Foreseer(chances(hold=1.0), heads=len(COMPONENTS))
    unsure = Foreseer(chances(hold=0.5, n67=0.5), heads=len(COMPONENTS))
    found = []
    for actor in (settled, unsure):
        engine = make_engine(actor, key="C", tempo_bpm=TEMPO, timing=NoteTiming.ON_GRID)
        steps(tell(engine, *note(0.0, 60, 8 * STEP_S)), 3)
        assert engine.decision is not None
        assert engine.decision.choice is not None
        found.append(engine.decision.choice.q_values[:, HOLD_ACTION])
    assert [1.0, 1.0, 1.0] == found[0].tolist()
    assert pytest.approx([0.5 * HARMONY_UNSURE, 0.5, 0.5]) == found[1].tolist()


def test_nobody_there_is_not_anticipated() -> None:
    """Without a player nothing is predicted."""
    actor = Foreseer(chances(n67=1.0))
    engine = make_engine(actor, key="C", tempo_bpm=TEMPO, timing=NoteTiming.ON_GRID)
    engine.start(0.0, 0.0)
    steps(engine, 3)
    assert ([], 3) == (actor.anticipated, len(actor.single))
