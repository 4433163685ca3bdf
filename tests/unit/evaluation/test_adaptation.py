"""Adaptation: the perturbations in each case, and the figures of how they are followed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pytest

from improviser.agent.policy import Values
from improviser.engine import EngineSettings
from improviser.evaluation import perturbation as disturbance
from improviser.evaluation.adaptation import (
    BEFORE_BEATS,
    VELOCITY,
    Adaptation,
    adapt_to,
    case_figures,
    joined,
    step_bits,
    velocity_correlation,
)
from improviser.evaluation.perturbation import (
    AFTER_BEATS,
    CHANGE_BEAT,
    NEW_CHORD,
    RESTED,
    TRANSPOSED,
    UNCHANGED,
    Case,
    make_cases,
    with_new_chord,
)
from improviser.listening.line import HOLD, REST
from improviser.midi.message import CLOCK, NoteOff, NoteOn, TimedMessage
from improviser.music.scale import Mode
from improviser.playing.actions import ACTION_COUNT, FIRST_ONSET
from improviser.training.grid import DUETS, TRIOS, UNKNOWN, Part, chorale_parts, sounding
from improviser.training.part_edit import (
    part_messages,
    raised,
    repeated,
    transposed,
    with_rest,
    with_wrong_notes,
)
from tests.tiny_corpus import chorale, to_events

AT = CHANGE_BEAT * 4


def duet(bars: int = 6) -> Part:
    """Return a soprano in quarters, 72 74 76 74 72 71 69 71, as the player."""
    return next(iter(chorale_parts([chorale(bars=bars)], "chorale", 4, casts=DUETS[:1])))


def written(text: str, mode: int = 0) -> Part:
    """Return a player whose part is given by `text`."""
    events = to_events(text)
    chords = np.full(len(events), UNKNOWN)
    return replace(duet(), player=events, **sounding([events]), chords=chords, partner=events.copy(), mode=mode)


def case(name: str, part: Part | None = None) -> Case:
    """Return the first case of a name."""
    cases = make_cases(part or duet(), np.random.default_rng(0))
    return next(case for case in cases if case.name == name)


def onsets(case: Case) -> list[tuple[float, int]]:
    """Return the beat and the note of each onset."""
    return [(timed.due_s, timed.message.note) for timed in case.heard if isinstance(timed.message, NoteOn)]


@dataclass(frozen=True)
class Always:
    """An actor that always chooses the same action."""

    action: int

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Return a value for the one action."""
        del observation
        q_values = (np.arange(ACTION_COUNT) == self.action).astype(np.float32)
        return np.zeros_like(q_values), q_values[None]


def test_cases() -> None:
    """Every case occurs once, the transposition eleven times, and all are long enough."""
    cases = make_cases(duet(), np.random.default_rng(0))
    names = [case.name for case in cases]
    assert 17 == len(names)
    assert 11 == names.count(TRANSPOSED)
    assert 7 == len(set(names))
    for made in cases:
        assert len(made.chord_bits) >= 4 * (made.change_beat + AFTER_BEATS)
        # All are equal up to the change.
        assert onsets(cases[0])[:CHANGE_BEAT] == onsets(made)[:CHANGE_BEAT]


def test_a_part_is_repeated_by_whole_bars() -> None:
    """An incomplete bar is left out, and the part repeats as often as needed."""
    part = written("60 . . . " * 5)
    assert 3 * 16 == len(repeated(part, 11).player)


def test_transposed() -> None:
    """From the step on everything is higher, and a note held there is struck again."""
    part = written("60 . 62 . . .")
    higher = transposed(part, 3, 5)
    assert [60, HOLD, 62, 67, HOLD, HOLD] == higher.player.tolist()
    assert [1, 1, 1 << 2, 1 << 7, 1 << 7, 1 << 7] == higher.bits.tolist()
    assert [127, HOLD] == transposed(written("125 ."), 0, 11).player.tolist()


def test_raised() -> None:
    """Pitch classes that leave the octave continue from below."""
    assert [1 << 1 | 1 << 3] == raised(np.array([1 << 11 | 1 << 1]), 2).tolist()


def test_the_harmony_moves_with_the_transposition() -> None:
    """The intended chords are those of the part, transposed from beat 17 on."""
    cases = make_cases(duet(), np.random.default_rng(0))
    plain, *higher = (made.chord_bits for made in cases if made.name in {UNCHANGED, TRANSPOSED})
    assert plain.any()
    for semitones, bits in enumerate(higher, 1):
        assert np.array_equal(plain[:AT], bits[:AT])
        assert np.array_equal(raised(plain[AT:], semitones), bits[AT:])


def test_rest() -> None:
    """The player is silent for four bars from beat 17 on, and measurement begins afterwards."""
    rested = with_rest(repeated(duet(), 40), AT, 4)
    assert {REST} == set(rested.player[AT : AT + 64].tolist())
    assert not rested.bits[AT : AT + 64].any()
    assert np.array_equal(repeated(duet(), 40).player[AT + 64 :], rested.player[AT + 64 :])
    found = case(RESTED)
    assert CHANGE_BEAT + 16 == found.change_beat
    assert not [at for at, _ in onsets(found) if CHANGE_BEAT <= at < CHANGE_BEAT + 16]


def test_wrong_notes() -> None:
    """About a tenth of the notes after the change are a semitone off; the harmony stays."""
    whole = repeated(duet(), 4000)
    wrong = with_wrong_notes(whole, AT, 0.1, np.random.default_rng(0))
    gaps = (wrong.player - whole.player)[whole.player >= 0]
    assert {-1, 0, 1} == set(gaps.tolist())
    assert not gaps[:CHANGE_BEAT].any()
    assert pytest.approx(0.1, abs=0.015) == np.mean(gaps[CHANGE_BEAT:] != 0)
    assert np.array_equal(sounding([wrong.player])["bits"], wrong.bits)


@pytest.mark.parametrize(
    ("mode", "text", "expected"),
    [
        (Mode.MAJOR, "60 64 67 71", [65, 69, 72, 76]),  # C E G B: F A C E
        (Mode.MAJOR, "65 66 . .", [71, 72, HOLD, HOLD]),  # F, and what lies between degrees: B, C
        (Mode.MINOR, "60 63 67 70", [65, 68, 72, 75]),  # C Eb G Bb: F Ab C Eb
    ],
)
def test_new_chord(mode: Mode, text: str, expected: list[int]) -> None:
    """Everything is three scale degrees higher."""
    moved = with_new_chord(written(text, int(mode)), 0)
    assert expected == moved.player.tolist()
    assert np.array_equal(sounding([moved.player])["bits"], moved.bits)


def test_a_new_chord_comes_inside_a_bar() -> None:
    """In 4/4 the new chord comes with the third beat of the fifth bar, the nineteenth beat."""
    found = case(NEW_CHORD)
    assert CHANGE_BEAT + 2 == found.change_beat
    plain = dict(onsets(case(UNCHANGED)))
    for at, note in onsets(found):
        assert (note != plain[at]) == (at >= CHANGE_BEAT + 2)


@pytest.mark.parametrize(("name", "ratio"), [(disturbance.FASTER, 1.2), (disturbance.SLOWER, 0.8)])
def test_tempo(name: str, ratio: float) -> None:
    """From beat 17 on beats and clocks have another tempo, and the chords are those of the player at that time."""
    found, plain = case(name), case(UNCHANGED)
    starts = [at for at, _ in onsets(found)]
    assert list(range(CHANGE_BEAT + 1)) == starts[: CHANGE_BEAT + 1]
    assert pytest.approx(CHANGE_BEAT + 4 / ratio) == starts[CHANGE_BEAT + 4]
    clocks = [timed.due_s for timed in found.heard if timed.message == CLOCK]
    assert pytest.approx(1 / 24) == clocks[1] - clocks[0]
    assert pytest.approx(1 / 24 / ratio) == clocks[-1] - clocks[-2]
    assert sorted(timed.due_s for timed in found.heard) == [timed.due_s for timed in found.heard]
    frame = AT + 20  # its middle is 5.125 beats after the change: the player is `ratio` times as far
    assert plain.chord_bits[AT + int(20.5 * ratio)] == found.chord_bits[frame]


def test_messages() -> None:
    """Notes are struck and ended as written, also repeated ones, and the velocity rises and falls over eight bars."""
    plain = [(at, message) for at, message in part_messages(written("60 . 60 - 62 ."))]
    ups = [(at, message.note) for at, message in plain if isinstance(message, NoteOff)]
    downs = [(at, message.note) for at, message in plain if isinstance(message, NoteOn)]
    assert [(0, 60), (2, 60), (4, 62)] == downs
    assert [(2, 60), (3, 60)] == ups
    touches = {message.velocity for _, message in part_messages(repeated(duet(), 32)) if isinstance(message, NoteOn)}
    assert (40, 110) == (min(touches), max(touches))


def test_inner_voices_are_heard() -> None:
    """The pitch classes below the top voice sound below it, for their whole duration."""
    part = next(iter(chorale_parts([chorale(bars=1)], "chorale", 4, casts=TRIOS[-1:])))
    sounding: dict[int, set[int]] = {step: set() for step in range(16)}
    held: set[int] = set()
    messages = part_messages(part)
    for step in range(16):
        for at, message in messages:
            if at == step:
                assert isinstance(message, NoteOn | NoteOff)
                (held.add if isinstance(message, NoteOn) else held.remove)(message.note)
        sounding[step] = set(held)
    for step, notes in sounding.items():
        assert part.bits[step] == sum(1 << degree for degree in {note % 12 for note in notes})
    assert 72 == max(sounding[0])


def test_step_bits() -> None:
    """A step has the notes that sound in its middle; the note-off of another note ends nothing."""
    played = [
        TimedMessage(0.0, NoteOn(0, 60, 80)),
        TimedMessage(0.5, NoteOff(0, 60)),
        TimedMessage(0.5, NoteOn(0, 62, 80)),
        TimedMessage(0.6, NoteOff(0, 60)),
        TimedMessage(1.2, NoteOff(0, 62)),
        TimedMessage(1.2, CLOCK),
    ]
    assert [1, 1, 4, 4, 4, 0] == step_bits(played, 6, 4).tolist()


def curve(before: float, *after: float, beat_counts: int = 4) -> tuple[npt.NDArray[np.float64], ...]:
    """Return hits and counts of a share before, then of each beat after; the last one repeats."""
    late = [*after, *[after[-1]] * (AFTER_BEATS - len(after))]
    counts = np.full(BEFORE_BEATS + AFTER_BEATS, float(beat_counts))
    return np.array([before] * BEFORE_BEATS + late) * counts, counts


@pytest.mark.parametrize(
    ("shares", "after", "recovery", "loss"),
    [
        ((0.5, 0.5), 0.5, 0, 0),
        ((0.5, 0.45), 0.45, 0, 0.8),  # nine tenths are enough
        ((0.5, 0.4), 0.4, 32, 1.6),
        ((0.5, 0.0, 0.0, 0.0, 0.5), 13 / 32, 3, 1.5),  # 0 .5 .5 .5 is not yet enough
        ((0.5, 0.0, 1.0), 15 / 16, 0, 0.5),  # 0 1 1 1 is: four beats count together
        ((0.0, 0.5), 0.5, 0, 0),
    ],
)
def test_case_figures(shares: tuple[float, ...], after: float, recovery: float, loss: float) -> None:
    """Before, after, recovery and loss, counted by hand."""
    found = case_figures(*curve(*shares))
    assert pytest.approx([shares[0], after, recovery, loss]) == found.tolist()


def test_silence_has_no_figures() -> None:
    """Where nothing sounded before or after, the figures are nan; silent beats add no loss."""
    hits, counts = curve(0.5, 0.5)
    assert all(map(math.isnan, case_figures(hits * 0, counts * 0)))
    silent = counts.copy()
    silent[BEFORE_BEATS : BEFORE_BEATS + 4] = 0
    before, after, recovery, loss = case_figures(np.minimum(hits, silent), silent)
    assert [0.5, 0.5, 1, 0] == [before, after, recovery, loss]


def test_intervals_are_taken_one_by_one() -> None:
    """Recovery and loss are computed for each interval, and then averaged."""
    at_once, never = curve(0.5, 0.5), curve(0.5, 0.0)
    hits = np.array([[at_once[0], never[0]]] * 3)
    counts = np.array([[at_once[1], never[1]]] * 3)
    column = Adaptation((TRANSPOSED, TRANSPOSED), hits, counts, np.array([0.5, 1.0, math.nan])).column(0)
    expected = {"NIC before %": 50, "NIC after %": 25, "recovery beats": 16, "loss beats": 4}
    assert expected == {name: column[f"{TRANSPOSED}: {name}"].mean for name in expected}
    assert 0.75 == column[VELOCITY].mean


def test_curves_take_four_beats_together() -> None:
    """A point of a curve is the share over its beat and the next three, for all pieces and intervals."""
    hits, counts = curve(0.5, 0.0, 1.0)
    found = Adaptation((UNCHANGED,), hits[None, None], counts[None, None], np.zeros(1)).curve(UNCHANGED)
    assert BEFORE_BEATS + AFTER_BEATS - 3 == len(found)
    assert [0.5, 0.375, 0.5, 0.625, 0.75, 1] == found[4:10].tolist()


def test_velocity_correlation() -> None:
    """Bars in which both play louder correlate; a bar in which one is silent does not count."""

    def voice(*velocities: int) -> list[TimedMessage]:
        """Return a note a bar, none where the velocity is 0."""
        return [TimedMessage(4.0 * bar, NoteOn(0, 60, velocity)) for bar, velocity in enumerate(velocities) if velocity]

    assert pytest.approx(1) == velocity_correlation(voice(50, 60, 0, 80), voice(1, 2, 90, 4), 4)
    assert pytest.approx(-1) == velocity_correlation(voice(50, 40, 30), voice(1, 2, 3), 4)
    assert math.isnan(velocity_correlation([], [], 4))


def test_adapt() -> None:
    """An actor that plays the fifth of the tracked key is in the chord as long as that is the player's key."""
    tonic = written("60 . . . 64 . . . 67 . . . 64 . . . " * 8)
    actor, settings = Always(FIRST_ONSET + 7), EngineSettings(temperature=0.0, prior_weight=0.0)
    found = joined([adapt_to(actor, settings, tonic, [0, number]) for number in (1, 2)])
    assert (2, 17, BEFORE_BEATS + AFTER_BEATS) == found.hits.shape == found.counts.shape
    column = found.column(0)
    assert 100 == column["unchanged: NIC before %"].mean == column["unchanged: NIC after %"].mean
    assert column["transposed: NIC after %"].mean < 90
    assert 0 < column["transposed: recovery beats"].mean < 32
    assert column["transposed: loss beats"].mean > 0.5
    assert column[VELOCITY].mean > 0.2  # it follows sixteen notes, so it comes late
    again = adapt_to(actor, settings, tonic, [0, 2])
    assert np.array_equal(found.hits[1], again.hits)
