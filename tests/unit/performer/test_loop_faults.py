"""The performer loop among faults: garbage, floods, lost ports, a broken engine; no note hangs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from improviser.agent.policy import Values
from improviser.engine import Engine, EngineSettings
from improviser.errors import PortError
from improviser.ipc.shared_state import NOTE_CELLS
from improviser.midi.message import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    SUSTAIN_PEDAL,
    ControlChange,
    Message,
    NoteOff,
    NoteOn,
    TimedMessage,
    message_to_bytes,
)
from improviser.performer.inbox import BackendLost, LoopClosed, PortFound, PortLost
from improviser.performer.input.echo import LoopHeard
from improviser.ports.base import Disconnected
from improviser.protocol import (
    Lifted,
    Notice,
    PortChanged,
    Warned,
)
from tests.performing import (
    ENGINE,
    KEYBOARD,
    START_S,
    BarNote,
    Performance,
    hanging,
    ons,
)

ON, OFF = NoteOn(0, 60, 80), NoteOff(0, 60)
RELEASE = [ControlChange(0, control, 0) for control in (SUSTAIN_PEDAL, ALL_NOTES_OFF, ALL_SOUND_OFF)]


class HearingEngine(Engine):
    """An engine that records what it hears."""

    def __init__(self, settings: EngineSettings, actor: BarNote, rng: np.random.Generator) -> None:
        """Start with no messages."""
        super().__init__(settings, actor, rng)
        self.heard: list[Message] = []

    def hear(self, message: Message, at_s: float) -> list[TimedMessage]:
        """Record a message, and pass it on to the engine."""
        self.heard.append(message)
        return super().hear(message, at_s)


def test_garbage_is_ignored_and_told_once() -> None:
    """Bytes that are no message are counted and reported once, and the music continues."""
    performance = Performance()
    performance.play(1.0, ON)
    for place in range(50):
        performance.play_bytes(1.1 + place / 100, [0x90, 200 + place % 50])
    summary = performance.run(until_s=3.5)
    assert (50, 0) == (summary.bad_messages, summary.late_decisions)
    assert [Warned(f"'{KEYBOARD}' sends invalid MIDI; it is ignored")] == (performance.told(Warned))
    assert [1.0, 3.0] == ons(performance)


def test_a_lost_input_lifts_its_keys() -> None:
    """When an input is lost, the engine hears its keys and pedals released, and no others."""
    performance = Performance()
    engine = HearingEngine(EngineSettings(**ENGINE), BarNote(), np.random.default_rng(0))
    performance.new_engine = lambda: engine
    performance.play(1.0, ON)
    performance.play(1.1, NoteOn(0, 64, 80), port="Improviser In")
    performance.play(1.2, ControlChange(2, SUSTAIN_PEDAL, 127))
    performance.play(1.2, ControlChange(3, SUSTAIN_PEDAL, 127), port="Improviser In")
    performance.play(1.2, ControlChange(4, SUSTAIN_PEDAL, 127), ControlChange(4, SUSTAIN_PEDAL, 0))
    performance.at(1.5, lambda: performance.inbox.put(PortLost(KEYBOARD, is_output=False)))
    performance.run(until_s=2.0)
    assert [ON, NoteOn(0, 64, 80)] == engine.heard[:2]
    assert [OFF, ControlChange(2, SUSTAIN_PEDAL, 0)] == engine.heard[6:]
    assert [Lifted(START_S + 1.5, 0, 60, KEYBOARD)] == performance.told(Lifted)
    assert [Warned(f"the input '{KEYBOARD}' is gone; it is used again when it returns")] == (performance.told(Warned))


def test_a_lost_output_ends_the_performance() -> None:
    """The loss of its own output ends the performance; the supervisor then waits for the MIDI system."""
    performance = Performance()
    performance.play(1.0, ON)
    performance.at(1.5, lambda: performance.inbox.put(PortLost("Improviser Out", is_output=True)))
    with pytest.raises(PortError, match="the MIDI system is gone, and the port 'Improviser Out' with it"):
        performance.run()
    assert set() == hanging(performance)


def test_a_port_that_refuses_ends_the_performance() -> None:
    """A failed send ends the performance with the port's error, and the sounding notes stay in the shared state."""
    performance = Performance()
    performance.play(1.0, ON)
    performance.at(1.5, performance.virtual.close)
    with pytest.raises(PortError, match="the port 'Improviser Out' is closed"):
        performance.run()
    assert 1 == sum(performance.cells[:NOTE_CELLS])


def test_a_note_off_that_failed_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A note-off that failed is sent at the end if the port accepts messages again."""
    performance = Performance()
    performance.play(1.0, ON)
    send, fails = performance.output.send, [True]

    def fail_once(data: Sequence[int], due_s: float | None = None) -> None:
        """Raise at the first note-off."""
        if data[0] >> 4 == 8 and fails:
            fails.pop()
            raise PortError("busy")
        send(data, due_s)

    monkeypatch.setattr(performance.output, "send", fail_once)
    with pytest.raises(PortError, match="busy"):
        performance.run()
    assert not any(performance.cells[:NOTE_CELLS])
    assert set() == hanging(performance)


def test_an_unexpected_exception_releases_everything() -> None:
    """After an exception in the engine no note hangs, and the exception ends the process."""

    class Broken(BarNote):
        """Raises in the second bar."""

        def values(self, observation: npt.NDArray[np.uint8]) -> Values:
            """Raise when a new bar begins."""
            if performance.clock.now_s() > START_S + 2.9:
                raise ZeroDivisionError
            return super().values(observation)

    performance = Performance(actor=Broken())
    performance.play(1.0, ON)
    with pytest.raises(ZeroDivisionError):
        performance.run()
    assert set() == hanging(performance)


def test_a_flood_is_bounded() -> None:
    """Messages beyond the inbox's limit are dropped and counted, and the beat continues."""
    performance = Performance()
    performance.play(1.0, ON)

    def flood() -> None:
        """Send three thousand messages at once."""
        for value in range(3000):
            performance.hears[KEYBOARD]((0xB0, 1, value % 128), performance.clock.now_ns())

    performance.at(1.5, flood)
    summary = performance.run(until_s=3.5)
    assert (952, 0) == (summary.dropped, summary.late_decisions)
    assert [1.0, 3.0] == ons(performance)


def test_no_key_is_held_after_its_note_off_was_dropped() -> None:
    """Where messages were dropped, all keys and pedals of that channel are released, and those of others are not."""
    performance = Performance()
    engine = HearingEngine(EngineSettings(**ENGINE), BarNote(), np.random.default_rng(0))
    performance.new_engine = lambda: engine
    performance.play(1.0, ON, ControlChange(0, SUSTAIN_PEDAL, 127), NoteOn(1, 67, 80))

    def flood() -> None:
        """Send more messages than fit, the note-off last."""
        for value in range(2048):
            performance.hears[KEYBOARD]((0xB1, 1, value % 128), performance.clock.now_ns())
        performance.hears[KEYBOARD](message_to_bytes(OFF), performance.clock.now_ns())

    performance.at(1.5, flood)
    assert 1 == performance.run(until_s=3.5).dropped
    expected = [OFF, ControlChange(0, SUSTAIN_PEDAL, 0), ControlChange(0, ALL_NOTES_OFF, 0)]
    assert expected == engine.heard[-3:]
    assert [Lifted(START_S + 1.5, 0, 60, KEYBOARD)] == performance.told(Lifted)


def test_an_output_that_may_return_does_not_end_the_music() -> None:
    """When an output that may return is lost, its notes are dropped, the beat continues, and the return is reported."""
    performance = Performance()
    performance.play(1.0, ON)
    performance.at(1.5, lambda: performance.inbox.put(PortLost("Synth", is_output=True, may_return=True)))
    performance.at(2.0, lambda: performance.inbox.put(PortFound("Synth", is_output=True)))
    performance.run(until_s=6.0)
    assert [1.0, 3.0, 5.0] == ons(performance)
    assert set() == hanging(performance)
    told = Warned("the output 'Synth' is gone; it is used again when it returns")
    assert [told] == performance.told(Warned)
    assert "'Synth' is used again" in [notice.text for notice in performance.told(Notice)]


@pytest.mark.parametrize("news", [Disconnected(KEYBOARD), LoopClosed(KEYBOARD)])
def test_a_key_whose_cable_goes_is_up(news: Disconnected | LoopClosed) -> None:
    """When an input loses its connection its keys are released, and the music continues."""
    performance = Performance()
    performance.play(1.0, ON)
    performance.at(1.5, lambda: performance.inbox.put(news))
    performance.run(until_s=3.5)
    assert [(START_S + 1.5, 60)] == [(lifted.at_s, lifted.note) for lifted in performance.told(Lifted)]
    assert [1.0, 3.0] == ons(performance)


def test_a_loop_is_told_and_closed_where_it_is_certain() -> None:
    """A loop is first ignored; once it is certain, its port is closed."""
    performance = Performance()
    closed: list[str] = []
    performance.close_loop = closed.append
    for at_s, is_certain in ((0.5, False), (0.6, True)):
        loop = LoopHeard("Ardour", is_certain=is_certain)
        performance.at(at_s, lambda loop=loop: performance.inbox.put(loop))  # type: ignore[misc] # this turn's
    performance.at(0.7, lambda: performance.inbox.put(LoopClosed("Ardour")))
    performance.run(until_s=1.0)
    assert ["Ardour"] == closed
    ignored, let_go = [told.text for told in performance.told(Warned)]
    assert "come back on 'Ardour'" in ignored
    assert "--in 'Ardour'" in let_go
    gone = PortChanged("Ardour", is_output=False, is_there=False, may_return=False)
    assert [gone] == performance.told(PortChanged)


def test_a_system_that_is_gone_ends_the_performance() -> None:
    """The loss of the MIDI system ends the performance, so that another performer opens it again."""
    performance = Performance()
    performance.at(0.5, lambda: performance.inbox.put(BackendLost("jack")))
    with pytest.raises(PortError, match=r"the MIDI system \(jack\) no longer answers"):
        performance.run(until_s=1.0)
