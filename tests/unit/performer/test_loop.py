"""The performer loop with a manual clock: when it decides, what it sends and reports, how it ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from improviser.engine import Engine, EngineSettings
from improviser.ipc.shared_state import NOTE_CELLS
from improviser.midi.message import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    SUSTAIN_PEDAL,
    ControlChange,
    Message,
    NoteOff,
    NoteOn,
    ProgramChange,
)
from improviser.performer.loop import LATE_S
from improviser.playing.actions import GestureKind
from improviser.protocol import (
    Act,
    Action,
    Controlled,
    Heard,
    Lifted,
    Played,
    PlayerUse,
    Released,
    Silenced,
    Stop,
    Summary,
    Warned,
)
from tests.performing import (
    BAR_S,
    ENGINE,
    KEYBOARD,
    START_S,
    STEP_S,
    BarNote,
    Performance,
    bound,
    hanging,
    ons,
    performer_settings,
)

ON, OFF = NoteOn(0, 60, 80), NoteOff(0, 60)
RELEASE = [ControlChange(0, control, 0) for control in (SUSTAIN_PEDAL, ALL_NOTES_OFF, ALL_SOUND_OFF)]


def messages(performance: Performance) -> list[Message]:
    """Return the messages that were sent."""
    return [message for _, message in performance.sent]


def test_nothing_sounds_before_the_player() -> None:
    """Before the player's first note nothing is sent, and the summary has no start."""
    performance = Performance()
    assert Summary(duration_s=60.0) == performance.run()
    assert [] == performance.sent


def test_the_first_note_is_the_downbeat() -> None:
    """The player's first note is a downbeat: a note is played there and at each bar line after it."""
    performance = Performance()
    performance.play(1.3, ON)
    performance.run(until_s=6.0)
    assert [1.3, 1.3 + BAR_S, 1.3 + 2 * BAR_S] == ons(performance)


def test_notes_leave_at_the_end_of_the_collecting_time() -> None:
    """With a collecting time, notes are due that much after the grid."""
    performance = Performance(performer_settings(engine=ENGINE | {"collect_s": 0.02}))
    performance.play(1.0, ON)
    performance.run(until_s=4.0)
    assert [1.02, 1.02 + BAR_S] == ons(performance)


def test_what_is_heard_and_played_is_told() -> None:
    """Each note heard or played is reported with its times, key, chord and rewards."""
    performance = Performance()
    performance.play(1.0, ON)
    performance.play(1.5, OFF, ControlChange(0, SUSTAIN_PEDAL, 127))
    performance.run(until_s=4.0)
    assert [Heard(START_S + 1.0, 0, 60, 80, KEYBOARD)] == performance.told(Heard)
    assert [Lifted(START_S + 1.5, 0, 60, KEYBOARD)] == performance.told(Lifted)
    assert [Controlled(START_S + 1.5, (0xB0, 64, 127), KEYBOARD)] == performance.told(Controlled)
    first, second = performance.told(Played)
    assert (START_S + 1.0, START_S + 1.0, 0.0, "C") == (first.due_s, first.actual_s, first.beat, first.key)
    assert {"harmony", "coherence", "creativity"} <= set(second.rewards)
    assert [START_S + 1.0 + BAR_S, START_S + 4.0] == [event.due_s for event in performance.told(Released)]


def test_the_summary_counts_what_happened() -> None:
    """The summary counts notes, decisions and timing errors, and no note is stuck."""
    performance = Performance()
    performance.play(1.0, ON)
    summary = performance.run(until_s=4.0)
    assert (1, 2, 24, 0, 0) == (
        summary.notes_heard,
        summary.notes_played,
        summary.decisions,
        summary.late_decisions,
        summary.stuck_notes,
    )
    assert {"p50": 0.0, "p99": 0.0, "p99.9": 0.0, "max": 0.0} == summary.onset_error_ms
    assert (START_S + 1.0, 4.0) == (summary.start_s, summary.duration_s)


def test_bars_end_the_performance() -> None:
    """After the requested bars the performance ends at the bar line, with all notes released."""
    performance = Performance(performer_settings(bars=2))
    performance.play(1.0, ON)
    assert 5.0 == pytest.approx(performance.run().duration_s)
    assert [1.0, 3.0] == ons(performance)
    assert set() == hanging(performance)


def test_stop_releases_what_sounds() -> None:
    """A stop during a note ends the note, then silences its channel."""
    performance = Performance()
    performance.play(1.0, ON)
    performance.at(1.6, lambda: performance.inbox.put(Stop()))
    performance.run()
    assert [NoteOff(0, 60), *RELEASE] == messages(performance)[1:]
    assert [1.6] * 4 == [at_s for at_s, _ in performance.sent[1:]]


def test_all_notes_off_at_each_last_key_up_silences_nothing() -> None:
    """All notes off from a keyboard does not end the improviser's notes, and its pedal still holds."""
    performance = Performance()
    performance.play(1.0, ControlChange(0, 64, 127), NoteOn(0, 64, 80))
    performance.play(1.2, NoteOff(0, 64), ControlChange(0, 123, 0))
    performance.run(until_s=3.5)
    assert [1.0, 3.0] == ons(performance)
    assert not [event for event in performance.told(Silenced) if event.at_s < START_S + 3.5]
    assert set() == hanging(performance)


def test_a_control_can_be_bound_to_a_panic() -> None:
    """A control bound to a panic ends all notes."""
    performance = Performance(performer_settings(bindings=bound(panic=123)))
    performance.play(1.0, ON)
    performance.play(1.6, ControlChange(0, 123, 127))
    performance.run(until_s=3.5)
    assert (1.6, NoteOff(0, 60)) == performance.sent[1]


def test_a_panic_forgets_what_the_player_holds() -> None:
    """After a panic the player's keys and pedal count as released."""
    performance = Performance()
    performance.play(1.0, NoteOn(0, 64, 80), ControlChange(1, 64, 127))
    performance.at(1.7, lambda: performance.inbox.put(Act(Action.PANIC)))
    performance.run(until_s=2.5)
    assert [64] == [lifted.note for lifted in performance.told(Lifted)]
    assert (177, 64, 0) == performance.told(Controlled)[-1].data


def test_panics_come_a_tenth_of_a_second_apart() -> None:
    """At most ten panics a second are answered, for a repeating key or a loop sends thousands."""
    performance = Performance()
    performance.play(1.0, ON)
    for place in range(1000):
        performance.at(1.5 + place * 0.001, lambda: performance.inbox.put(Act(Action.PANIC)))
    performance.run(until_s=2.6)
    assert 10 == sum(1.5 <= event.at_s - START_S < 2.5 for event in performance.told(Silenced))


def test_a_panic_command_silences_at_once() -> None:
    """The panic command does what the bound control does."""
    performance = Performance()
    performance.play(1.0, ON)
    performance.at(1.7, lambda: performance.inbox.put(Act(Action.PANIC)))
    performance.run(until_s=3.5)
    assert (1.7, NoteOff(0, 60)) == performance.sent[1]
    assert [1.0, 3.0] == ons(performance)


def test_a_panic_is_known_to_the_engine() -> None:
    """After a panic the engine holds no note: the next step rests or plays a note."""
    performance = Performance()
    engine = Engine(EngineSettings(**ENGINE | {"temperature": 0.0}), BarNote(), np.random.default_rng(0))
    performance.new_engine = lambda: engine
    performance.play(1.0, ON)
    kinds: list[GestureKind] = []
    for at_s in (0.5, 1.6):
        performance.at(at_s, lambda: performance.inbox.put(Act(Action.PANIC)))
    for at_s in (1.55, 1.8):
        performance.at(at_s, lambda: kinds.extend([engine.decision.gesture.kind] if engine.decision else []))
    performance.run(until_s=2.0)
    assert [GestureKind.HOLD, GestureKind.REST] == kinds


def test_other_controls_are_no_panic() -> None:
    """Another control, such as a wheel, releases nothing."""
    performance = Performance()
    performance.play(1.0, ON)
    performance.play(1.6, ControlChange(0, 1, 64))
    performance.run(until_s=2.5)
    assert [1.0, 2.5, 2.5, 2.5, 2.5] == [at_s for at_s, _ in performance.sent]


def test_a_late_decision_passes_as_a_hold() -> None:
    """A step that is later than the tolerance is skipped and counted, not played late."""
    performance = Performance()
    performance.play(1.0, ON)
    # The process stands still around the second bar line.
    performance.at(3.0 - STEP_S / 2, lambda: performance.clock.advance(START_S + 3.0 + 2 * LATE_S))
    summary = performance.run(until_s=5.5)
    assert 1 == summary.late_decisions
    assert [1.0, 5.0] == ons(performance)


def test_the_same_message_on_two_ports_counts_once() -> None:
    """A keyboard that arrives on two ports is heard once, and a notice says so."""
    performance = Performance()
    performance.play(1.0, ON)
    performance.play(1.004, ON, port="Improviser In")
    performance.play(1.5, OFF, port="Improviser In")
    performance.play(1.501, OFF)
    assert 1 == performance.run(until_s=2.0).notes_heard
    assert 1 == len(performance.told(Lifted))
    assert 1 == len(performance.told(Warned))


def test_a_loop_is_not_listened_to() -> None:
    """After two notes have proven a loop, what comes back is dropped and a warning is reported."""
    performance = Performance()
    performance.play(1.0, NoteOn(3, 60, 80))
    echo = performance.inbox.hears("Loop")
    performance.backend.open_input("Improviser Out", lambda data, _: echo(data, performance.clock.now_ns() + 1_000_000))
    summary = performance.run(until_s=12.0)
    assert (3, 11) == (summary.notes_heard, summary.feedback)
    assert 1 == len(performance.told(Warned))


def test_the_sound_is_chosen_at_the_first_note() -> None:
    """A preset's program change is sent before the first note."""
    performance = Performance(performer_settings(program=40))
    performance.play(1.0, ON)
    performance.run(until_s=2.0)
    assert (1.0, ProgramChange(0, 40)) == performance.sent[0]


def test_the_ledger_says_what_sounds() -> None:
    """The shared state holds a note while it sounds, and none at the end."""
    performance = Performance()
    performance.play(1.0, ON)
    seen: list[int] = []
    performance.at(1.5, lambda: seen.append(performance.cells[60]))
    performance.run(until_s=2.0)
    assert ([1], 0) == (seen, sum(performance.cells[:NOTE_CELLS]))


def test_one_seed_plays_one_way() -> None:
    """Two runs with the same input, times and seed send the same bytes at the same times."""
    takes = []
    for _ in range(2):
        performance = Performance(performer_settings(engine=ENGINE | {"temperature": 1.0}, seed=7))
        for beat in range(16):
            performance.play(1.0 + beat / 2, replace(ON, note=60 + beat % 5), replace(OFF, note=60 + beat % 5))
        performance.run(until_s=10.0)
        takes.append(performance.sent)
    assert takes[0] == takes[1]
    assert 20 < len(takes[0])


def test_its_heart_beats_however_long_there_is_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop wakes for its heartbeat even when nothing is due for seconds, so that it does not seem to hang."""
    performance = Performance(player=PlayerUse.WHEN_ALONE)
    waits_s: list[float] = []
    wait = performance.clock.wait

    def timed(inbox: Any, until_s: float) -> Any:  # noqa: ANN401 - any queue
        """Record the longest time that the loop waits."""
        waits_s.append(until_s - performance.clock.now_s())
        return wait(inbox, until_s)

    monkeypatch.setattr(performance.clock, "wait", timed)
    performance.run(until_s=5.0)
    assert max(waits_s) <= 0.5
