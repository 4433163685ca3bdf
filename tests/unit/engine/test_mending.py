"""Mending: what clashes with a note that is heard after the decision is replaced at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from improviser.agent.policy import Actor, Values
from improviser.choices import NoteTiming, RoleName
from improviser.engine import Engine
from improviser.engine.mending import SHORTEST_S
from improviser.engine.role import COMPING
from improviser.listening.observation import COLUMNS
from improviser.midi.message import NoteOff, NoteOn, TimedMessage
from improviser.music.chord import QUALITY_COUNT
from improviser.playing.actions import ACTION_COUNT, FIRST_ONSET, HOLD_ACTION, REST_ACTION
from tests.actors import Figure
from tests.sessions import STEP_S, TEMPO, make_engine, note, steps, tell

# It plays the register's lowest C on each beat and holds it.
HELD_C = Figure((FIRST_ONSET, HOLD_ACTION, HOLD_ACTION, HOLD_ACTION))
LATE_S = 0.02


def playing(decided: int = 5, actor: Actor = HELD_C, *, mends: bool = True, role: str = RoleName.MELODY) -> Engine:
    """Return an engine on the grid, beside a player on E5, that has decided this many steps."""
    engine = make_engine(actor, key="C", tempo_bpm=TEMPO, timing=NoteTiming.ON_GRID, mends=mends, role=role)
    tell(engine, *note(0.0, 76, 60.0))
    steps(engine, decided)
    return engine


def messages(found: list[TimedMessage]) -> list[tuple[float, type, int]]:
    """Return the time, kind and note of messages."""
    return [
        (timed.due_s, type(timed.message), timed.message.note)
        for timed in found
        if isinstance(timed.message, NoteOn | NoteOff)
    ]


@pytest.mark.parametrize("decided", [5, 7], ids=["struck in this step", "held from the beat"])
def test_a_clash_is_mended_at_its_moment(decided: int) -> None:
    """Our C ends when the player's late B is heard, whether it was struck in that step or earlier."""
    engine = playing(decided)
    at_s = (decided - 1) * STEP_S + LATE_S
    assert [(at_s, NoteOff, 60)] == messages(engine.hear(NoteOn(0, 71, 80), at_s))
    assert engine.decision is not None
    assert (REST_ACTION, (60,), ()) == (
        engine.decision.action,
        engine.decision.mended,
        engine.decision.gesture.notes,
    )


@pytest.mark.parametrize("prepares", [False, True])
def test_what_comes_next_knows_of_the_mending(prepares: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """After a rest in place of a note nothing can be held, whether the next step was prepared before or not."""
    engine = playing(5)
    if prepares:
        engine.prepare()
    engine.hear(NoteOn(0, 71, 80), 4 * STEP_S + LATE_S)
    steps(engine, 1)
    assert engine.decision is not None
    assert engine.decision.legal is not None
    assert not engine.decision.legal[HOLD_ACTION]
    assert REST_ACTION == HELD_C.asked[-1][COLUMNS["own_tokens"]][-1]


class Ranked:
    """Prefers some actions, the first most, and all others equally little."""

    def __init__(self, *actions: int, count: int = ACTION_COUNT) -> None:
        """Prefer these of `count` actions."""
        self._q_values = np.zeros((1, count), dtype=np.float32)
        self._q_values[0, list(actions)] = np.arange(len(actions), 0, -1)

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Return the fixed values."""
        del observation
        return np.zeros_like(self._q_values[0]), self._q_values


def test_the_best_note_that_fits_is_played_instead() -> None:
    """Of the notes that do not clash the one with the highest value is struck; the velocity is that of the decision."""
    c, f, g = FIRST_ONSET, FIRST_ONSET + 5, FIRST_ONSET + 7
    engine = playing(5, Ranked(c, f, g))
    found = engine.hear(NoteOn(0, 71, 20), 4 * STEP_S + LATE_S)
    at_s = 4 * STEP_S + LATE_S
    assert [(at_s, NoteOff, 60), (at_s, NoteOn, 67)] == messages(found)
    struck = playing(4, Ranked(c, f, g)).step(0.0)[-1].message
    assert isinstance(struck, NoteOn)
    assert struck.velocity == getattr(found[-1].message, "velocity", 0)


@pytest.mark.parametrize(
    ("heard", "at"),
    [(67, 4.0), (71, 3.2), (71, 4.9), (71, 5.0)],
    ids=["consonant", "of the step before", "of the next step", "of a position that is weakest"],
)
def test_other_notes_change_nothing(heard: int, at: float) -> None:
    """What is consonant, belongs to another step or comes on the weakest position, is not mended."""
    decided = 6 if at == 5.0 else 5
    engine = playing(decided)
    before = engine.decision
    assert [] == engine.hear(NoteOn(0, heard, 80), at * STEP_S + 0.001)
    assert before is engine.decision


def test_what_is_liked_is_the_note_that_was_heard() -> None:
    """A like right after the mending is for the note that was struck in the end, and the reasons are its own."""
    c, g = FIRST_ONSET, FIRST_ONSET + 7
    engine = playing(5, Ranked(c, g))
    before = engine.preferences.last
    engine = playing(5, Ranked(c, g))
    engine.hear(NoteOn(0, 71, 80), 4 * STEP_S + LATE_S)
    leap = engine.preferences.traits.names.index("leap")
    assert 0.0 == before[leap] < engine.preferences.last[leap]
    assert engine.decision is not None
    assert engine.decision.observation is not None
    assert 71 % 12 == (engine.decision.observation[COLUMNS["player_tokens"]][-1] - 2) % 12


def test_what_was_liked_before_the_mending_stays() -> None:
    """A like that comes before the mending is for the note that sounded then."""
    engine = playing(5, Ranked(FIRST_ONSET, FIRST_ONSET + 7))
    engine.preferences.judge(4 * STEP_S, liked=True)
    before = engine.preferences.last
    assert engine.hear(NoteOn(0, 71, 80), 4 * STEP_S + LATE_S)
    np.testing.assert_array_equal(before, engine.preferences.last)


def test_a_step_is_mended_once() -> None:
    """A second note that clashes in the same step changes nothing any more."""
    engine = playing(5)
    assert engine.hear(NoteOn(0, 71, 80), 4 * STEP_S + LATE_S)
    assert [] == engine.hear(NoteOn(0, 61, 80), 4 * STEP_S + LATE_S)


def test_it_can_be_turned_off() -> None:
    """Without `mends` a clash stays."""
    assert [] == playing(5, mends=False).hear(NoteOn(0, 71, 80), 4 * STEP_S + LATE_S)


def test_a_note_is_not_ended_before_it_has_begun() -> None:
    """A note that is heard before ours are due, but after the decision, is mended just after they begin."""
    engine = playing(5)
    found = engine.hear(NoteOn(0, 71, 80), 4 * STEP_S - 0.001)
    assert [(4 * STEP_S + SHORTEST_S, NoteOff, 60)] == messages(found)


def test_a_decision_that_is_late_mends_what_was_heard_meanwhile() -> None:
    """The result is the same whether a step is decided in time, or only after the late note was passed on."""
    engine = playing(4)
    at_s = 4 * STEP_S + LATE_S
    assert [] == engine.hear(NoteOn(0, 71, 80), at_s)
    found = messages(engine.step(at_s))
    assert [(4 * STEP_S, NoteOff, 60), (4 * STEP_S, NoteOn, 60), (at_s, NoteOff, 60)] == found


def test_a_rest_and_a_forced_step_are_not_mended() -> None:
    """Where nothing of ours sounds, or nothing was chosen, nothing is mended."""
    engine = playing(5, Figure((REST_ACTION,)))
    assert [] == engine.hear(NoteOn(0, 71, 80), 4 * STEP_S + LATE_S)
    engine = playing(4)
    engine.force(FIRST_ONSET)
    assert [] == engine.hear(NoteOn(0, 71, 80), 4 * STEP_S + LATE_S)


def test_a_chord_is_mended_too() -> None:
    """A chord of C gives way to one with the player's late B."""
    c_major, g_major = FIRST_ONSET, FIRST_ONSET + 7 * QUALITY_COUNT
    engine = playing(5, Ranked(c_major, g_major, count=COMPING.action_count), role=RoleName.COMPING)
    engine.hear(NoteOn(0, 71, 80), 4 * STEP_S + LATE_S)
    assert engine.decision is not None
    assert "G" == engine.decision.reasons()[0].chord


def test_a_lower_note_leaves_the_melody() -> None:
    """With a melody heard in time, a late note below it that clashes is mended, and the melody stays the top voice."""
    actor = Ranked(FIRST_ONSET)
    engine = tell(make_engine(actor, key="C", tempo_bpm=TEMPO, timing=NoteTiming.ON_GRID), *note(0.0, 76, 60.0))
    steps(engine, 4)
    tell(engine, *note(4 * STEP_S - 0.02, 79, 60.0))
    steps(engine, 1)
    assert engine.hear(NoteOn(0, 71, 80), 4 * STEP_S + LATE_S)


def test_after_a_new_start_the_last_step_is_over() -> None:
    """When the beat jumps, a step that was decided before is not mended any more."""
    engine = playing(5)
    engine.start(10.0, 1.0)
    assert [] == engine.hear(NoteOn(0, 71, 80), 10.0 + LATE_S)
