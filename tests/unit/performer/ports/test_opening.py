"""Opening the ports of a performance, and watching them."""

from __future__ import annotations

from typing import Any

import pytest

from improviser.errors import PortError
from improviser.performer.inbox import BackendLost, Inbox, LoopClosed, PortFound, PortLost
from improviser.performer.ports import hot_plug as watch_module
from improviser.performer.ports import opening
from improviser.performer.ports.hot_plug import HotPlugMonitor, watching
from improviser.performer.ports.opening import Opening, OpenPorts, alone_notice, open_ports
from improviser.performer.ports.reconnecting_output import ReconnectingOutput
from improviser.ports.base import VIRTUAL_INPUT, VIRTUAL_OUTPUT
from improviser.ports.loopback import LoopbackBackend, LoopbackInput, Patchbay
from improviser.ports.priority import HELPER_PRIORITY
from improviser.protocol import Event, Notice, PlayerUse, Route
from tests.live import wait_for
from tests.performing import port_settings


@pytest.fixture
def patchbay(monkeypatch: pytest.MonkeyPatch) -> Patchbay:
    """A patchbay for every backend, under the name of a backend that others can reach."""
    bay = Patchbay()

    def open_shared(_name: str) -> LoopbackBackend:
        """Return a backend on the patchbay."""
        backend = LoopbackBackend(bay)
        backend.name = "shared"
        return backend

    monkeypatch.setattr(opening, "open_backend", open_shared)
    monkeypatch.setattr(opening, "LINGER_S", 0.0)
    return bay


def offer(patchbay: Patchbay, *names: str) -> None:
    """Open sources of other programs."""
    for name in names:
        patchbay.add_source(name)


def opened(events: list[Event] | None = None, **settings: object) -> OpenPorts:
    """Open ports."""
    told = events if events is not None else []
    return open_ports(port_settings(**settings), Inbox(), told.append)


def test_by_default_all_foreign_inputs_are_opened(patchbay: Patchbay) -> None:
    """By default the virtual port opens, and every other input except our own and the one that repeats the others."""
    offer(patchbay, "Keys", "Midi Through 14:0", "Improviser Listener-01:Improviser Listener", "Pad")
    assert {"in": (VIRTUAL_INPUT, "Keys", "Pad"), "out": (VIRTUAL_OUTPUT,)} == opened().names()


def test_a_pattern_chooses_the_inputs(patchbay: Patchbay) -> None:
    """A pattern opens only the inputs that match, and no virtual port."""
    offer(patchbay, "Keys", "Pad")
    assert ("Pad",) == opened(input_pattern="pad").names()["in"]


def test_the_virtual_port_can_be_asked_for(patchbay: Patchbay) -> None:
    """The pattern of our own input opens the virtual port, which waits for other programs."""
    offer(patchbay, "Keys")
    assert (VIRTUAL_INPUT,) == opened(input_pattern="Improviser In").names()["in"]


def test_our_own_output_is_never_an_input(patchbay: Patchbay) -> None:
    """Our own output is never opened as an input, not even by pattern: it would be a loop."""
    offer(patchbay, "Keys", "Improviser Out-01:Improviser Out")
    with pytest.raises(PortError, match="no MIDI input matches 'Improviser Out' \\(available: 'Keys'\\)"):
        opened(input_pattern="Improviser Out")


def test_a_pattern_chooses_the_output(patchbay: Patchbay) -> None:
    """A pattern opens the first output that matches, and no virtual port."""
    LoopbackBackend(patchbay).open_virtual_input("Synth", lambda *_: None)
    ports = opened(output_pattern="syn")
    assert (("Synth",), False, ()) == (ports.names()["out"], ports.is_virtual, patchbay.sources())
    with pytest.raises(PortError, match="no MIDI output matches 'Piano'"):
        opened(output_pattern="Piano")


def test_the_built_in_player_fills_an_empty_room(patchbay: Patchbay) -> None:
    """The built-in player gets a port, with a notice, only where there is no input."""
    ports = opened(player=PlayerUse.WHEN_ALONE)
    notice = alone_notice(ports)
    assert ports.is_alone
    assert notice is not None
    assert "--in 'Improviser In'" in notice.text
    ports.close()
    offer(patchbay, "Keys")
    ports = opened(player=PlayerUse.WHEN_ALONE)
    assert (None, None) == (ports.player_output, alone_notice(ports))


def test_a_named_input_is_waited_for_alone(patchbay: Patchbay) -> None:
    """Naming the virtual input means no built-in player."""
    del patchbay
    assert opened(player=PlayerUse.WHEN_ALONE, input_pattern="Improviser In").player_output is None


def test_a_demo_listens_to_nobody_else(patchbay: Patchbay) -> None:
    """When the built-in player is asked for, other inputs are not opened."""
    offer(patchbay, "Keys")
    ports = opened(player=PlayerUse.ALWAYS)
    assert ((VIRTUAL_INPUT,), False) == (ports.names()["in"], ports.is_alone)
    assert ports.player_output is not None
    ports.close()
    assert (("Keys",), ()) == (patchbay.sources(), patchbay.destinations())


def refuse(name: str) -> LoopbackBackend:
    """Open loopback ports, and raise for every other backend."""
    if name == "loopback":
        return LoopbackBackend()
    raise PortError("install a server")


def test_without_a_midi_system_the_player_jams_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a MIDI system loopback ports are used, and a notice says what to install."""
    monkeypatch.setattr(opening, "open_backend", refuse)
    events: list[Event] = []
    ports = opened(events, backend="auto", player=PlayerUse.WHEN_ALONE)
    assert ("loopback", False) == (ports.backend.name, ports.is_alone)
    assert [Notice("install a server. Until then the built-in player plays inside this program")] == events


@pytest.mark.parametrize(
    "settings",
    [
        {"backend": "jack", "player": PlayerUse.ALWAYS},
        {"backend": "auto", "player": PlayerUse.NEVER},
        {"backend": "auto", "player": PlayerUse.WHEN_ALONE, "input_pattern": "Keys"},
        {"backend": "auto", "player": PlayerUse.ALWAYS, "output_pattern": "Synth"},
    ],
)
def test_what_was_asked_for_is_an_error(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing backend or port that was named is an error and is not replaced."""
    monkeypatch.setattr(opening, "open_backend", refuse)
    with pytest.raises(PortError, match="install a server"):
        opened(**settings)


def test_opening_in_a_thread_gives_ports_or_their_error(patchbay: Patchbay) -> None:
    """Opening in a thread returns the ports or raises their error, and can be closed in both cases."""
    thread = Opening(port_settings(), Inbox(), lambda _: None)
    assert (VIRTUAL_OUTPUT,) == thread.result().names()["out"]
    thread.close()
    assert () == patchbay.sources()
    thread = Opening(port_settings(input_pattern="Nothing"), Inbox(), lambda _: None)
    with pytest.raises(PortError, match="no MIDI input matches 'Nothing'"):
        thread.result()
    thread.close()


def test_a_library_that_ends_the_program_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that raises SystemExit in the thread becomes a port error."""

    def leave(_name: str) -> LoopbackBackend:
        """Raise SystemExit."""
        raise SystemExit(3)

    monkeypatch.setattr(opening, "open_backend", leave)
    thread = Opening(port_settings(), Inbox(), lambda _: None)
    with pytest.raises(PortError, match=r"a MIDI library ended the program \(3\)"):
        thread.result()
    thread.close()


def test_the_watch_has_the_helpers_priority(patchbay: Patchbay, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hot-plug monitor has helper priority: it shares the interpreter lock with the performer loop."""
    del patchbay
    asked: list[int] = []
    monkeypatch.setattr(watch_module, "raise_priority", asked.append)
    with watching(opened(), Inbox(), every_s=60.0):
        wait_for(lambda: asked, "priority")
    assert [HELPER_PRIORITY] == asked


def test_lost_ports_are_noticed_at_the_second_look(patchbay: Patchbay) -> None:
    """A port that is missing twice in a row is reported once; one that returns in between is not."""
    offer(patchbay, "Keys", "Pad")
    inbox, ports = Inbox(), opened()
    watch = HotPlugMonitor(ports, inbox, every_s=1.0)
    watch.look()
    patchbay.remove_source("Keys")
    patchbay.remove_source("Pad")
    watch.look()
    offer(patchbay, "Pad")
    for _ in range(3):
        watch.look()
    assert [PortLost("Keys", is_output=False)] == list(inbox.take_many(9))
    assert (VIRTUAL_INPUT, "Pad") == ports.names()["in"]
    ports.output.close()
    watch.look()
    watch.look()
    assert [PortLost(VIRTUAL_OUTPUT, is_output=True)] == list(inbox.take_many(9))


def test_a_lost_system_is_a_lost_output(patchbay: Patchbay, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the port lists cannot be read any more, the output is reported as lost."""
    del patchbay

    def fail(_backend: LoopbackBackend) -> tuple[str, ...]:
        """Raise as a backend does whose server is gone."""
        raise PortError("gone")

    inbox, ports = Inbox(), opened()
    monkeypatch.setattr(LoopbackBackend, "input_names", fail)
    with watching(ports, inbox, every_s=0.001):
        wait_for(lambda: inbox.queue.qsize() >= 2, "lost ports")
    assert PortLost(VIRTUAL_OUTPUT, is_output=True) in list(inbox.take_many(9))


def test_a_twin_is_refused(patchbay: Patchbay, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second improviser is refused where it would open the same virtual output, but not on a named port."""
    monkeypatch.setattr(opening, "TWIN_S", 0.0)
    offer(patchbay, "Improviser:Improviser Out", "Keys")
    with pytest.raises(PortError, match="another jam is running: the port 'Improviser Out' exists"):
        opened()
    LoopbackBackend(patchbay).open_virtual_input("Synth", lambda *_: None)
    assert ("Synth",) == opened(output_pattern="Synth", input_pattern="Keys").names()["out"]


def test_inputs_that_come_are_opened(patchbay: Patchbay) -> None:
    """A matching keyboard that is plugged in, or in again, is opened; others are not."""
    offer(patchbay, "Keys")
    inbox, ports = Inbox(), opened(input_pattern="keys")
    watch = HotPlugMonitor(ports, inbox, every_s=1.0)
    offer(patchbay, "Pad", "Keys 2")
    watch.look()
    assert [PortFound("Keys 2", is_output=False)] == list(inbox.take_many(9))
    patchbay.remove_source("Keys")
    patchbay.remove_source("Keys 2")
    watch.look()
    watch.look()
    assert () == ports.names()["in"]
    offer(patchbay, "Keys")
    watch.look()
    assert PortFound("Keys", is_output=False) == list(inbox.take_many(9))[-1]
    patchbay.listeners("Keys")[0].deliver((0x90, 60, 1), 0)
    assert 1 == inbox.queue.qsize()


def test_a_port_that_came_back_unseen_is_opened_anew(patchbay: Patchbay, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that lost its connection but never its name is reported as lost and opened again."""
    offer(patchbay, "Keys")
    inbox, ports = Inbox(), opened()
    watch = HotPlugMonitor(ports, inbox, every_s=1.0)
    monkeypatch.setattr(ports.inputs[1], "is_plugged", False)
    watch.look()
    assert [PortLost("Keys", is_output=False), PortFound("Keys", is_output=False)] == list(inbox.take_many(9))
    watch.look()
    assert [] == list(inbox.take_many(9))


def test_of_two_alike_either_may_go(patchbay: Patchbay) -> None:
    """When one of two keyboards of the same name disappears, the remaining one is opened again."""
    offer(patchbay, "Keys", "Keys #2", "Pad")
    inbox, ports = Inbox(), opened()
    watch = HotPlugMonitor(ports, inbox, every_s=1.0)
    patchbay.remove_source("Keys #2")  # the remaining list begins with the plain name
    watch.look()
    watch.look()
    told = list(inbox.take_many(9))
    assert [PortLost("Keys", is_output=False), PortLost("Keys #2", is_output=False)] == told[:2]
    assert [PortFound("Keys", is_output=False)] == told[2:]
    assert (VIRTUAL_INPUT, "Pad", "Keys") == ports.names()["in"]


def test_an_output_that_goes_is_played_on_when_it_is_back(patchbay: Patchbay) -> None:
    """A lost output is used again when a matching port returns; messages sent in between are dropped."""
    heard: list[int] = []

    def plug() -> LoopbackInput:
        """Plug a synthesizer in."""
        return LoopbackBackend(patchbay).open_virtual_input("Synth", lambda data, _: heard.append(data[1]))

    synth = plug()
    inbox, ports = Inbox(), opened(output_pattern="syn", input_pattern=VIRTUAL_INPUT)
    watch = HotPlugMonitor(ports, inbox, every_s=1.0)
    ports.output.send((0x90, 60, 1))
    synth.close()
    for _ in range(3):
        watch.look()
    ports.output.send((0x90, 61, 1))
    synth = plug()
    watch.look()
    ports.output.send((0x90, 62, 1))
    assert [60, 62] == heard
    lost = PortLost("Synth", is_output=True, may_return=True)
    assert [lost, PortFound("Synth", is_output=True)] == list(inbox.take_many(9))
    synth.close()
    ports.output.send((0x90, 63, 1))  # before the monitor has looked
    assert isinstance(ports.output, ReconnectingOutput)
    assert ports.output.is_away
    ports.close()


def test_inputs_can_be_left_out(patchbay: Patchbay) -> None:
    """Excluded inputs are never opened, not even later or by pattern."""
    offer(patchbay, "Keys", "Ardour:MIDI 1/midi_out 1")
    inbox, ports = Inbox(), opened(excluded_inputs=("ardour", "PAD"))
    watch = HotPlugMonitor(ports, inbox, every_s=1.0)
    offer(patchbay, "Pad")
    watch.look()
    assert (VIRTUAL_INPUT, "Keys") == ports.names()["in"]
    with pytest.raises(PortError, match="no MIDI input matches 'Pad'"):
        opened(input_pattern="Pad", excluded_inputs=("Pad",))


def test_a_port_that_returns_our_output_is_closed(patchbay: Patchbay) -> None:
    """An input that returns our output is closed, unless it was named or is our own."""
    offer(patchbay, "Keys", "Ardour")
    inbox, ports = Inbox(), opened()
    watch = HotPlugMonitor(ports, inbox, every_s=1.0)
    watch.close_loop("Ardour")
    watch.close_loop(VIRTUAL_INPUT)
    for _ in range(3):
        watch.look()
    assert [LoopClosed("Ardour")] == list(inbox.take_many(9))
    assert (VIRTUAL_INPUT, "Keys") == ports.names()["in"]
    watch.reroute(Route(input="Ardour"))
    watch.close_loop("Ardour")
    watch.look()
    assert (VIRTUAL_INPUT, "Ardour") == ports.names()["in"]


def test_a_system_that_does_not_answer_is_lost(patchbay: Patchbay, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend that does not answer is reported as lost, whichever output is used."""
    LoopbackBackend(patchbay).open_virtual_input("Synth", lambda *_: None)
    inbox, ports = Inbox(), opened(output_pattern="Synth")
    monkeypatch.setattr(LoopbackBackend, "answers", lambda _backend: False)
    with watching(ports, inbox, every_s=0.001):
        wait_for(lambda: inbox.queue.qsize() > 1, "what is lost")
    assert BackendLost("shared") in list(inbox.take_many(9))
