"""Commands during a performance: preset by name, key, ports; and notes from a page."""

from __future__ import annotations

import pytest

from improviser.app.jam_settings import JamOptions
from improviser.app.jam_settings import performer_settings as jam_settings
from improviser.midi.message import NoteOff, NoteOn
from improviser.performer.assembly import engine_maker
from improviser.performer.inbox import Inbox, NotRouted, PortFound, PortLost, PortsSeen, Rerouted
from improviser.performer.ports.hot_plug import HotPlugMonitor
from improviser.performer.ports.opening import OpenPorts, open_ports
from improviser.ports.base import VIRTUAL_INPUT, VIRTUAL_OUTPUT
from improviser.ports.clock import ManualClock
from improviser.ports.loopback import LoopbackBackend, Patchbay
from improviser.protocol import (
    Act,
    Action,
    Changed,
    Choose,
    Heard,
    Lifted,
    Lock,
    Locked,
    Offered,
    PerformerSettings,
    PortChanged,
    Receive,
    Refused,
    Rested,
    Route,
    Routed,
    Understood,
    line_to_value,
    value_to_line,
)
from improviser.session.replay import replay
from improviser.session.session_log import parse_session
from tests.performing import (
    BAR_S,
    ENGINE,
    START_S,
    Performance,
    hanging,
    performer_settings,
    port_settings,
    ready,
    tell,
)
from tests.unit.performer.test_preset_switcher import jam, settings

__all__ = ["settings"]

NOTE_ON, NOTE_OFF = 0x9, 0x8


def performer_settings_of(key: str) -> PerformerSettings:
    """Return settings of a jam with shipped models in a locked key."""
    return jam_settings(JamOptions(preset="chorale", tempo_bpm=120.0, key=key, seed=7))


def ignore(_event: object) -> None:
    """Ignore an event."""


def test_a_preset_is_chosen_by_name(settings: PerformerSettings) -> None:
    """A named preset plays from the next bar line on; an unknown name is refused with the available names."""
    performance = jam(settings)
    tell(performance, 4 * BAR_S + 0.7, Choose("comping"), waits=True)
    tell(performance, 6 * BAR_S + 0.7, Choose("polka"))
    performance.run(until_s=8 * BAR_S)
    assert ["comping"] == [changed.preset for changed in performance.told(Changed)]
    assert "cannot switch to 'polka'; presets with this time grid: band, bass, chorale" in "".join(
        notice.text for notice in performance.told(Refused)
    )


def test_a_key_is_locked_and_let_go_in_mid_play(settings: PerformerSettings) -> None:
    """All notes are in a locked key; with auto the tracked key is used again; the session replays identically."""
    performance = jam(settings)
    tell(performance, 4 * BAR_S + 0.7, Lock("F#"))
    tell(performance, 8 * BAR_S + 0.7, Lock("auto"))
    tell(performance, 8 * BAR_S + 0.9, Lock("H"))
    tell(performance, 11 * BAR_S, Lock("Gb"))
    performance.run(until_s=12 * BAR_S)
    assert ["F#", "auto", "F#"] == [locked.key for locked in performance.told(Locked)]
    assert "'H' is not a key" in performance.told(Refused)[-1].text
    begin_s, end_s = 5 * BAR_S, 8 * BAR_S + 0.7
    notes = [m.note for at_s, m in performance.sent if isinstance(m, NoteOn) and begin_s < at_s < end_s]
    assert len(notes) > 5
    assert {note % 12 for note in notes} <= {6, 8, 10, 11, 1, 3, 5}
    told = performance.told(Understood)
    assert ("F#", 1.0) == next((event.key, event.key_confidence) for event in told if event.at_s > START_S + begin_s)
    unlocked = [event for event in told if 9 * BAR_S < event.at_s - START_S < 11 * BAR_S]
    assert all(event.key != "F#" and event.key_confidence < 1.0 for event in unlocked)
    lines = "".join(map(value_to_line, (settings, ready(backend="loopback", seed=7), *performance.events)))
    again = replay(parse_session(lines, "test"), engine_maker(settings))
    assert (None, True) == (again.difference, len(again.live) > 20)


@pytest.mark.parametrize("heard", [(58, 76, 66, 77), (70, 73, 72), (58, 67, 57, 73, 63), (66, 66, 71)])
def test_when_it_is_prepared_does_not_matter_to_a_lock(heard: tuple[int, ...]) -> None:
    """Unlocking the key within a step gives the same key whether or not the step was prepared before."""
    keys = []
    for prepares in (False, True):
        engine = engine_maker(performer_settings_of("C"))(0.0)
        for beat, note in enumerate((60, 64, 67, 72) * 2):
            engine.hear(NoteOn(0, note, 80), beat * 0.5)
            engine.hear(NoteOff(0, note), beat * 0.5 + 0.4)
            while (step_s := engine.next_step_s) is not None and step_s < (beat + 1) * 0.5 - 1e-6:
                engine.step(step_s)
        for note in heard:
            engine.hear(NoteOn(0, note, 80), 4.01)
            if prepares:
                engine.prepare()
        engine.lock(None)
        engine.step(0.0)
        keys.append((engine.key.name, engine.listener.heard_key.confidence))
    assert keys[0] == keys[1]


def test_what_is_understood_is_told_once_a_step() -> None:
    """Key and chord are reported once a step, each with a confidence between 0 and 1."""
    performance = Performance()
    for note in (60, 64, 67):
        performance.play(0.0, NoteOn(0, note, 80))
    performance.run(until_s=2.0)
    told = performance.told(Understood)
    assert 12 < len(told) <= 17
    assert ("C", True) == (told[-1].chord, 0.5 < told[-1].chord_confidence <= 1.0)


def test_a_page_is_heard_as_a_keyboard() -> None:
    """A page's message arrives on a port of its own at the time of the clock; without a clock it is dropped."""
    performance = Performance()
    inbox = performance.inbox
    inbox.put(Receive((0x90, 60, 80)))
    assert inbox.queue.empty()
    performance.at(1.0, lambda: inbox.put(Receive((0x90, 60, 80))))
    performance.at(1.5, lambda: inbox.put(Receive((0x80, 60, 0))))
    performance.run(until_s=2.0)
    assert [(START_S + 1.0, 60, "Page")] == [(heard.at_s, heard.note, heard.port) for heard in performance.told(Heard)]


@pytest.mark.parametrize(
    "data",
    [(), (0x90,), (0x90, 60), (0x90, 60, 128), (0xF8,), (0xF0, 1, 0xF7), (60, 60), (0x90, 1.5, 2), "x", 3],
)
def test_only_whole_messages_of_a_channel_are_received(data: object) -> None:
    """Anything but a complete channel message is refused."""
    with pytest.raises(ValueError, match="bytes of a channel message"):
        Receive(data)  # type: ignore[arg-type] # whatever is sent


def test_a_message_survives_the_line() -> None:
    """A message is unchanged after it was written to JSON and read back."""
    command = Receive((0x90, 60, 80), "Page 2")
    assert command == line_to_value(value_to_line(command))


class Room:
    """A performer's ports in a patchbay, and the reports of its hot-plug monitor."""

    def __init__(self, **wanted: str | None) -> None:
        """Open the wanted ports, with a synthesizer and two keyboards present."""
        self.patchbay, self.heard = Patchbay(), list[int]()
        other = LoopbackBackend(self.patchbay)
        other.open_virtual_input("Synth", lambda data, _: self.heard.append(data[1]))
        for name in ("Keys", "Pad"):
            other.open_virtual_output(name)
        self.inbox = Inbox()
        self.ports = self._open(**wanted)
        self.watch = HotPlugMonitor(self.ports, self.inbox, every_s=1.0)

    def _open(self, **wanted: str | None) -> OpenPorts:
        """Open the ports in this patchbay."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("improviser.performer.ports.opening.open_backend", lambda _: LoopbackBackend(self.patchbay))
            return open_ports(port_settings(**wanted), self.inbox, ignore)

    def told(self) -> list[object]:
        """Return the reports of the hot-plug monitor."""
        return list(self.inbox.take_many(9))


def test_other_inputs_are_listened_to() -> None:
    """Choosing an input closes the others except our own; None opens all of them again."""
    room = Room()
    room.watch.reroute(Route(input="Pad"))
    route = Route(input="Pad")
    assert [Rerouted(route, (VIRTUAL_INPUT, "Pad"), ("Keys",), None, is_ours=True)] == room.told()
    room.watch.reroute(Route())
    assert [Rerouted(Route(), (VIRTUAL_INPUT, "Pad", "Keys"), (), None, is_ours=True)] == room.told()


def test_ports_that_there_are_not_change_nothing() -> None:
    """A route to a missing port is refused, and the ports stay as they were."""
    room = Room()
    for route in (Route(input="Organ"), Route(output="Organ"), Route(output="Improviser In")):
        room.watch.reroute(route)
    assert [NotRouted] * 3 == [type(one) for one in room.told()]
    assert (VIRTUAL_INPUT, "Keys", "Pad") == room.ports.names()["in"]


def test_the_ports_of_others_are_told_when_they_change() -> None:
    """The ports of other programs are reported only when they change, without our own."""
    room = Room()
    for _ in range(2):
        room.watch.look()
        room.watch.note_seen()
    assert [PortsSeen(("Keys", "Pad"), ("Synth",))] == room.told()


def test_another_output_is_played_on_and_nothing_hangs_on_the_first() -> None:
    """After a change of output sounding notes end on the old port, and the next notes sound on the new one."""
    performance = Performance()
    heard: list[tuple[int, int]] = []
    performance.backend.open_virtual_input("Synth", lambda data, _: heard.append((data[0] >> 4, data[1])))
    watch = HotPlugMonitor(performance.ports, performance.inbox, every_s=1.0)
    performance.play(0.0, NoteOn(0, 60, 80))
    performance.at(0.5, lambda: watch.reroute(Route(output="Synth")))
    performance.at(0.9, lambda: watch.reroute(Route(output="Synth")))
    performance.at(2.5, lambda: watch.reroute(Route()))
    performance.run(until_s=5.0)
    assert set() == hanging(performance)
    assert [NOTE_ON, NOTE_OFF] == [kind for kind, _ in heard if kind in {NOTE_ON, NOTE_OFF}]
    routed = performance.told(Routed)
    assert ["Synth", "Synth", VIRTUAL_OUTPUT] == [event.sends_on for event in routed]
    assert [False, False, True] == [event.is_virtual for event in routed]
    assert [0.0, 4.0] == [at_s for at_s, message in performance.sent if isinstance(message, NoteOn)]
    performance.output.close_left()


def test_a_jam_on_a_port_of_others_can_come_home() -> None:
    """Our own output is opened when it is chosen."""
    room = Room(output_pattern="Synth")
    room.watch.reroute(Route())
    (rerouted,) = room.told()
    assert isinstance(rerouted, Rerouted)
    assert (VIRTUAL_OUTPUT, True) == (getattr(rerouted.output, "name", None), rerouted.is_ours)


def test_a_second_choice_before_the_first_is_taken_counts() -> None:
    """Of several routes the last one is used, and our own output is opened only once."""
    room = Room()
    for route in (Route(output="Synth"), Route(), Route(output="Synth"), Route(output="Synth")):
        room.watch.reroute(route)
    rerouted = [one for one in room.told() if isinstance(one, Rerouted)]
    assert ["Synth", VIRTUAL_OUTPUT, "Synth", None] == [getattr(one.output, "name", None) for one in rerouted]
    other = Room(output_pattern="Synth")
    for route in (Route(), Route(output="Synth"), Route()):
        other.watch.reroute(route)
    again = [one.output for one in other.told() if isinstance(one, Rerouted)]
    assert again[0] is again[2]


def test_of_many_routes_only_the_last_is_opened() -> None:
    """Of many waiting routes only the last is kept: they come faster than ports open."""
    room = Room()
    for _ in range(50):
        room.watch.route(Route(input="Keys"))
    room.watch.route(Route(input="Pad"))
    assert [Route(input="Pad")] == list(room.watch._routes)  # noqa: SLF001


def test_a_name_is_that_port_and_no_longer_one() -> None:
    """A port whose name is equal is preferred to ports that only contain the name."""
    room = Room()
    LoopbackBackend(room.patchbay).open_virtual_input("My Synth 2", lambda *_: None)
    room.watch.reroute(Route(output="Synth"))
    (rerouted,) = room.told()
    assert isinstance(rerouted, Rerouted)
    assert "Synth" == getattr(rerouted.output, "name", None)


def test_a_route_is_handed_to_the_watch() -> None:
    """The performer loop opens no port itself; it releases the keys of a closed input and reports each change."""
    performance = Performance(performer_settings())
    performance.play(0.0, NoteOn(0, 60, 80), port="Keyboard")
    performance.at(0.5, lambda: performance.inbox.put(Rerouted(Route(), ("A",), ("Keyboard",))))
    performance.at(0.6, lambda: performance.inbox.put(NotRouted("no MIDI input matches 'x'")))
    performance.at(0.7, lambda: performance.inbox.put(PortsSeen(("A",), ())))
    performance.at(0.8, lambda: performance.inbox.put(PortLost("A", is_output=False)))
    performance.at(0.9, lambda: performance.inbox.put(PortFound("B", is_output=False)))
    performance.run(until_s=1.0)
    assert [60] == [event.note for event in performance.told(Lifted)]
    assert ["no MIDI input matches 'x'; the ports stay as they were"] == [
        event.text for event in performance.told(Refused)
    ]
    assert [Offered(("A",), ())] == performance.told(Offered)
    changed = [
        PortChanged("A", is_output=False, is_there=False),
        PortChanged("B", is_output=False, is_there=True),
    ]
    assert changed == performance.told(PortChanged)


def test_a_panic_after_all_that_leaves_nothing() -> None:
    """After a panic no note hangs while a key of a page is down."""
    performance = Performance()
    performance.at(0.0, lambda: performance.inbox.put(Receive((0x90, 60, 80))))
    performance.at(0.6, lambda: performance.inbox.put(Act(Action.PANIC)))
    performance.run(until_s=1.0)
    assert set() == hanging(performance)
    assert isinstance(performance.clock, ManualClock)
    assert [NoteOff(0, note.note) for _, note in performance.sent if isinstance(note, NoteOn)] == [
        note for _, note in performance.sent if isinstance(note, NoteOff)
    ]


def test_a_rest_is_told_once() -> None:
    """A rest is reported once when the player has been silent for `patience_bars`, and again after a new note."""
    performance = Performance(performer_settings(engine=ENGINE | {"patience_bars": 1}))
    for at_s in (0.0, 10.0):
        performance.play(at_s, NoteOn(0, 60, 80))
        performance.play(at_s + 0.4, NoteOff(0, 60))
    performance.run(until_s=20.0)
    first, second = performance.told(Rested)
    assert BAR_S < first.at_s - START_S < 2 * BAR_S
    assert 10.0 + BAR_S < second.at_s - START_S < 10.0 + 2 * BAR_S
    assert [4.5, 12.5] == [first.beat, second.beat]
