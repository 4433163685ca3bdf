"""Which clock leads, how a clock that cannot be followed is handled, and what wakes a jam that a clock stopped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from improviser.choices import ClockUse
from improviser.engine import Engine, EngineSettings
from improviser.midi.message import CLOCK, CONTINUE, START, STOP, NoteOn
from improviser.performer.inbox import LinkHeard
from improviser.protocol import (
    Act,
    Action,
    Detached,
    Halted,
    Knob,
    Notice,
    PlayerUse,
    Refused,
    Started,
    Synced,
    Turn,
    Warned,
    value_to_line,
)
from improviser.session.replay import replay
from improviser.session.session_log import parse_session
from improviser.supervisor.state import State
from tests.performing import (
    ENGINE,
    KEYBOARD,
    START_S,
    BarNote,
    Performance,
    hanging,
    ons,
    performer_settings,
    ready,
    tell,
)
from tests.unit.performer.clock.test_clock_sync import play_clock

ON = NoteOn(0, 60, 80)
DAW = "Improviser In"


def texts(performance: Performance) -> list[str]:
    """Return the texts of all notices, refusals and warnings."""
    return [event.text for event in performance.events if isinstance(event, Notice | Refused | Warned)]


def waits_for(performance: Performance) -> str | None:
    """Return what the jam waits for at the end, as its state says."""
    state = State()
    state.begin(performance.settings)
    for event in (ready(), *performance.events):
        state.apply(event)
    answer = state.to_json()["waits_for"]
    assert answer is None or isinstance(answer, str)
    return answer


def stopped(**values: Any) -> tuple[Performance, float]:  # noqa: ANN401 - any field
    """Return a performance that a clock of 120 bpm starts and stops after 4 beats, and the time of the stop."""
    performance = Performance(performer_settings(**values))
    stop_s = play_clock(performance, 120.0, 1.0, 4, START, port=DAW)
    performance.play(stop_s, STOP, port=DAW)
    return performance, stop_s


def test_a_stopped_clock_that_ticks_keeps_the_jam_silent() -> None:
    """While a stopped clock ticks, neither notes nor solo nor a tempo wake the jam; a notice says what does."""
    performance, stop_s = stopped()
    play_clock(performance, 120.0, stop_s, 16, port=DAW)
    performance.play(stop_s + 1.0, ON)
    tell(performance, stop_s + 2.0, Act(Action.SOLO))
    tell(performance, stop_s + 3.0, Turn(Knob.TEMPO, 90.0))
    performance.run(until_s=stop_s + 7.0)
    assert [1.0] == ons(performance)
    assert [DAW] == [event.by for event in performance.told(Halted)]
    advice = "press play there, or tap to go on without it"
    assert f"stopped by the MIDI clock on '{DAW}': {advice}" in texts(performance)
    assert [True] == [text.endswith(advice) for text in texts(performance) if "cannot set the tempo" in text]
    assert f"play in the DAW (the MIDI clock on '{DAW}' is stopped), or a tap" == waits_for(performance)


def test_a_tap_leaves_a_stopped_clock() -> None:
    """A tap is a downbeat at a stopped clock's tempo; the clock's next start is followed again."""
    performance, stop_s = stopped()
    next_s = play_clock(performance, 120.0, stop_s, 12, port=DAW)
    tell(performance, stop_s + 1.7, Act(Action.TAP))
    play_clock(performance, 90.0, next_s, 8, START, port=DAW)
    performance.run(until_s=next_s + 3.0)
    own = [1.0, stop_s + 1.7, stop_s + 3.7, stop_s + 5.7]
    assert [*own, next_s, next_s + 4 * 60 / 90] == pytest.approx(ons(performance), abs=0.003)
    assert waits_for(performance) is None


def test_with_clock_midi_a_tap_leaves_the_transport_but_not_the_tempo() -> None:
    """With --clock midi a stopped clock still sets the tempo after a tap."""
    performance, stop_s = stopped(clock=ClockUse.MIDI)
    next_s = play_clock(performance, 120.0, stop_s, 4, port=DAW)
    tell(performance, stop_s + 1.0, Act(Action.TAP))
    play_clock(performance, 60.0, next_s, 12, port=DAW)
    performance.run(until_s=next_s + 11.0)
    assert [4.0, 4.0] == pytest.approx(np.diff(ons(performance)[-3:]).tolist(), abs=0.05)


@pytest.mark.parametrize("wakes", ["note", "tap", "tempo", "solo"])
def test_when_a_stopped_clock_is_gone_anything_wakes_the_jam(wakes: str) -> None:
    """After a stopped clock disappears, a note, a tap, a tempo or solo begins a new bar."""
    performance, stop_s = stopped()
    wake_s = stop_s + 2.0
    command = {"tap": Act(Action.TAP), "tempo": Turn(Knob.TEMPO, 120.0), "solo": Act(Action.SOLO)}.get(wakes)
    if command is None:
        performance.play(wake_s, ON)
    else:
        tell(performance, wake_s, command)
    if wakes == "tap":
        tell(performance, wake_s - 0.5, command)
    performance.run(until_s=wake_s + 2.5)
    assert [1.0, wake_s, wake_s + 2.0] == pytest.approx(ons(performance), abs=0.005)
    assert [pytest.approx(START_S + stop_s - 2.5 / 120 + 0.5, abs=0.001)] == [
        event.at_s for event in performance.told(Detached)
    ]
    assert 1 == len(
        [
            text
            for text in texts(performance)
            if text.endswith("play a note, tap, set a tempo or press solo to go on without it")
        ]
    )
    assert waits_for(performance) is None
    assert not hanging(performance)


def test_until_then_it_says_what_it_waits_for() -> None:
    """The state says that the jam waits for the first note or, after a stopped clock is gone, for any input."""
    performance, stop_s = stopped()
    performance.run(until_s=stop_s + 2.0)
    assert "your next note, a tap, a tempo or solo" == waits_for(performance)
    assert "your first note" == waits_for(Performance())


def test_a_woken_jam_follows_the_next_start() -> None:
    """After a note woke the jam, the next start of the clock is followed again."""
    performance, stop_s = stopped()
    performance.play(stop_s + 1.5, ON)
    again_s = play_clock(performance, 90.0, stop_s + 4.2, 6, START, port=DAW)
    performance.run(until_s=again_s - 0.2)
    assert [stop_s + 4.2, stop_s + 4.2 + 4 * 60 / 90] == pytest.approx(ons(performance)[-2:], abs=0.003)


def test_buttons_without_a_clock_are_no_transport() -> None:
    """A keyboard's Start and Stop without a clock have no effect, and one notice says so."""
    performance = Performance()
    performance.play(0.5, START)
    performance.play(1.0, ON)
    performance.play(2.5, STOP)
    performance.play(2.7, START)
    performance.play(4.5, STOP)
    performance.run(until_s=6.0)
    assert [1.0, 3.0, 5.0] == ons(performance)
    assert not performance.told(Halted)
    assert not performance.told(Started)
    assert 1 == len([text for text in texts(performance) if "sends a start but no MIDI clock" in text])


def test_a_continue_without_start_or_position_is_a_start() -> None:
    """A Continue without a start or a song position begins at beat 0."""
    performance = Performance()
    play_clock(performance, 90.0, 1.0, 9, CONTINUE)
    performance.run(until_s=6.5)
    assert [1.0 + bar * 4 * 60 / 90 for bar in range(3)] == pytest.approx(ons(performance), abs=0.002)
    assert [0.0] == [event.beat for event in performance.told(Started)]


def test_a_clock_that_nobody_started_gives_its_tempo() -> None:
    """A clock that was not started is reported once and sets the tempo until the player's first note."""
    performance = Performance()
    next_s = play_clock(performance, 77.0, 0.5, 6)
    play_clock(performance, 90.0, next_s, 12)
    performance.play(4.0, ON)
    performance.run(until_s=11.0)
    assert [4.0 + bar * 4 * 60 / 77 for bar in range(3)] == pytest.approx(ons(performance), abs=0.02)
    assert {True} == {event.is_own for event in performance.told(Synced)}
    advice = "its tempo is used; press play there to follow it, or use --clock midi"
    told = f"a MIDI clock of 77 bpm ticks on '{KEYBOARD}' but was not started: {advice}"
    assert [told] == texts(performance)


@pytest.mark.parametrize("chosen", ["settings", "command", "playing"])
def test_a_tempo_that_was_chosen_stays(chosen: str) -> None:
    """A clock that only ticks does not change a tempo set by --tempo or by a command, nor that of playing music."""
    performance = Performance(performer_settings(keeps_tempo=chosen == "settings"))
    if chosen == "command":
        tell(performance, 0.1, Turn(Knob.TEMPO, 120.0))
    performance.play(0.3 if chosen == "playing" else 4.0, ON)
    play_clock(performance, 77.0, 0.5, 12)
    performance.run(until_s=9.0)
    assert 2.0 == pytest.approx(np.diff(ons(performance))[-1])
    assert [True] == [": press play there to follow it" in text for text in texts(performance)]


def test_a_clock_that_never_starts_does_not_shadow_one_that_does() -> None:
    """The clock that is started leads, even if another one ticked first, with --clock auto and midi."""
    for use in (ClockUse.AUTO, ClockUse.MIDI):
        performance = Performance(performer_settings(clock=use))
        play_clock(performance, 77.0, 0.5, 20)
        play_clock(performance, 120.0, 4.0, 16, START, port=DAW)
        performance.run(until_s=11.5)
        assert [4.0, 6.0, 8.0, 10.0] == pytest.approx(ons(performance), abs=0.003)


def test_a_stopped_clock_does_not_shadow_one_that_starts() -> None:
    """A second clock that is started leads while the first one ticks on after its stop."""
    performance, stop_s = stopped()
    play_clock(performance, 120.0, stop_s, 20, port=DAW)
    play_clock(performance, 90.0, stop_s + 2.0, 12, START)
    performance.run(until_s=stop_s + 8.0)
    bars = [stop_s + 2.0 + bar * 4 * 60 / 90 for bar in range(3)]
    assert bars == pytest.approx(ons(performance)[1:], abs=0.003)


def test_a_started_clock_waits_its_turn() -> None:
    """Of two started clocks the second takes over when the first disappears, not when it stops."""
    performance, stop_s = stopped()
    next_s = play_clock(performance, 120.0, stop_s, 8, port=DAW)
    play_clock(performance, 90.0, 1.5, 24, START)
    performance.run(until_s=next_s + 4.0)
    assert [1.0] == [at_s for at_s in ons(performance) if at_s < next_s + 0.45]
    assert 1 == len([at_s for at_s in ons(performance) if at_s > next_s + 0.45])


def test_two_clocks_on_one_port_are_warned_of() -> None:
    """Two clocks on one port keep the first one's tempo, neither is followed, and a warning says what to do."""
    performance = Performance()
    play_clock(performance, 100.0, 1.0, 32, START)
    play_clock(performance, 120.0, 6.003, 28)
    performance.run(until_s=18.0)
    assert {100} == {round(event.tempo_bpm) for event in performance.told(Synced)}
    advice = "neither is followed. Remove one, then press play on the other"
    told = f"two MIDI clocks (100 and 120 bpm) come on '{KEYBOARD}'; {advice}"
    assert [told] == [event.text for event in performance.told(Warned)]
    assert np.diff(ons(performance)) == pytest.approx(2.4, abs=0.08)


def test_two_clocks_that_stopped_are_left_by_a_tap() -> None:
    """A stop of two clocks on one port counts, and a tap is then a downbeat."""
    performance = Performance()
    play_clock(performance, 100.0, 1.0, 32, START)
    play_clock(performance, 120.0, 6.003, 28)
    performance.play(10.0, STOP)
    tell(performance, 12.0, Act(Action.TAP))
    performance.run(until_s=13.0)
    assert 12.0 == pytest.approx(ons(performance)[-1], abs=0.001)
    assert not [at_s for at_s in ons(performance) if 10.0 < at_s < 11.9]


def test_a_clock_by_two_cables_is_warned_of() -> None:
    """A clock that arrives twice is warned of, and is not followed at twice its tempo."""
    performance = Performance()
    tick_s = 60 / 120 / 24
    for at_s in (0.990, 0.992):
        performance.play(at_s, START)
    for place in range(24 * 8):
        performance.play(1.0 + place * tick_s, CLOCK)
        performance.play(1.002 + place * tick_s, CLOCK)
    performance.run(until_s=5.0)
    assert 1 == len([event for event in performance.told(Warned) if "(120 and 120 bpm)" in event.text])
    assert not [event for event in performance.told(Synced) if event.tempo_bpm > 150]


@pytest.mark.parametrize(("bpm", "first"), [(500.0, START), (12.0, START), (480.0, STOP)])
def test_a_tempo_beyond_bounds_is_told_once(bpm: float, first: Any) -> None:  # noqa: ANN401 - any message
    """A clock of less than 20 or more than 400 bpm is not followed, and one notice says so."""
    performance = Performance()
    play_clock(performance, bpm, 0.5, 60 if bpm > 20 else 2, first)
    performance.play(1.0, ON)
    performance.run(until_s=7.0)
    assert not performance.told(Synced)
    advice = "which is out of range. Set it to 20 to 400 bpm there"
    assert [f"the MIDI clock on '{KEYBOARD}' runs at {bpm:.0f} bpm, {advice}"] == texts(performance)


def test_a_bursty_clock_is_followed_steadily() -> None:
    """With a clock whose ticks come in bursts of 40 ms, bars are even within 10 ms from the third one on."""
    performance = Performance()
    performance.play(0.99, START)
    for place in range(24 * 32):
        at_s = 1.0 + place * 2.5 / 97
        performance.play(np.ceil(at_s / 0.040) * 0.040, CLOCK)
    performance.run(until_s=20.0)
    assert np.diff(ons(performance))[2:] == pytest.approx(4 * 60 / 97, abs=0.010)


def test_link_that_was_stopped_does_not_silence_for_good() -> None:
    """When the last Link peer leaves after a stop, the player's next note resumes the music."""
    performance = Performance(performer_settings(clock=ClockUse.LINK))

    def link(at_s: float, *, is_playing: bool, peers: int = 1) -> None:
        """Report Link's beat to the performance."""
        tell(performance, at_s, LinkHeard(START_S + at_s, 2 * at_s, 120.0, is_playing, peers))

    link(0.0, is_playing=True)
    link(1.9, is_playing=False)
    performance.play(3.0, ON)
    for place in range(8):
        link(4.0 + place / 2, is_playing=False, peers=0)
    performance.play(6.5, ON)
    performance.run(until_s=9.0)
    assert [0.0] == [at_s for at_s in ons(performance) if at_s < 6.4]
    assert 1 < len([at_s for at_s in ons(performance) if at_s > 6.4])
    assert ["Link"] == [event.by for event in performance.told(Halted)]
    assert any(text.startswith("stopped by Link: press play there") for text in texts(performance))
    assert 1 == len(performance.told(Detached))


@pytest.mark.parametrize("seed", range(3))
def test_a_session_of_all_that_replays(seed: int) -> None:
    """A session with a stop, a lost clock, a note that wakes and a tap replays identically."""
    settings = performer_settings(engine=ENGINE | {"temperature": 1.0}, seed=seed)

    def make_engine(ahead_s: float = 0.0) -> Engine:
        """Return the engine of these settings."""
        engine = EngineSettings(**settings.engine, ahead_s=ahead_s)
        return Engine(engine, BarNote(), np.random.default_rng(seed))

    performance = Performance(settings, new_engine=make_engine, player=PlayerUse.NEVER)
    stop_s = play_clock(performance, 130.0, 1.0, 9, START)
    performance.play(stop_s, STOP)
    performance.play(stop_s + 1.3, ON)
    stop_s = play_clock(performance, 90.0, stop_s + 4.0, 9, CONTINUE)
    play_clock(performance, 90.0, stop_s, 12, STOP)
    tell(performance, stop_s + 2.2, Act(Action.TAP))
    performance.run(until_s=stop_s + 9.0)
    assert 1 == len(performance.told(Detached))
    lines = "".join(map(value_to_line, (settings, *performance.events)))
    again = replay(parse_session(lines, "test"), make_engine)
    assert len(again.live) > 8
    assert again.difference is None
