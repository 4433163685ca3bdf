"""Releasing the notes that a dead performer left sounding, and finding out who heard them."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from improviser.errors import PortError
from improviser.midi.message import ControlChange, Message, NoteOff, bytes_to_message
from improviser.ports import jack
from improviser.ports.loopback import LoopbackBackend, Patchbay
from improviser.supervisor import connections, rescue
from improviser.supervisor.connections import Connections
from tests.live import wait_for
from tests.performing import ready

SILENCE = [ControlChange(0, control, 0) for control in (64, 123, 120)]
OFFS: list[Message] = [NoteOff(0, 60), NoteOff(0, 64), *SILENCE]


class Synth:
    """A listener that records messages."""

    def __init__(self) -> None:
        """Start with no messages."""
        self.heard: list[Message] = []

    def __call__(self, data: Sequence[int], _at_ns: int) -> None:
        """Record a message."""
        self.heard.append(bytes_to_message(data))


@pytest.fixture
def patchbay(monkeypatch: pytest.MonkeyPatch) -> Patchbay:
    """A patchbay on which notes are released without waiting."""
    bay = Patchbay()
    monkeypatch.setattr(rescue, "open_backend", lambda _: LoopbackBackend(bay))
    for name in ("_GONE_S", "_CONNECT_S", "_LINGER_S", "_LOOK_EVERY_S"):
        monkeypatch.setattr(rescue, name, 0.0)
    return bay


def test_the_listeners_of_the_virtual_port_are_released(patchbay: Patchbay) -> None:
    """Connected ports get the note-offs and the controllers that silence the channel; other ports get nothing."""
    synth, other = Synth(), Synth()
    LoopbackBackend(patchbay).open_virtual_input("Synth", synth)
    LoopbackBackend(patchbay).open_virtual_input("Other", other)
    assert rescue.release(ready(), {(0, 64), (0, 60)}, ("Synth", "Gone"))
    assert (OFFS, []) == (synth.heard, other.heard)


def test_without_known_listeners_a_fresh_port_serves(patchbay: Patchbay, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without known listeners a virtual port of the same name is opened, for programs that connect by name."""
    synth = Synth()

    def connect(_elapsed_s: float) -> None:
        """Connect by name as soon as the port exists."""
        if "Improviser Out" in patchbay.sources() and not synth.heard:
            LoopbackBackend(patchbay).open_input("Improviser Out", synth)

    monkeypatch.setattr(time, "sleep", connect)
    assert not rescue.release(ready(), {(0, 64), (0, 60)})
    assert OFFS == synth.heard
    assert () == patchbay.sources()


def test_an_old_port_has_time_to_go(patchbay: Patchbay, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the server still lists the dead performer's port, the release waits."""
    patchbay.add_source("Improviser Out")
    waits: list[float] = []

    def go(elapsed_s: float) -> None:
        """Remove the port at the first wait."""
        waits.append(elapsed_s)
        if len(waits) == 1:
            patchbay.remove_source("Improviser Out")

    monkeypatch.setattr(rescue, "_GONE_S", 20.0)
    monkeypatch.setattr(time, "sleep", go)
    rescue.release(ready(), {(0, 60)})
    assert 3 == len(waits)


def test_an_existing_port_is_opened_again(patchbay: Patchbay) -> None:
    """Notes played on a port of another program are released there."""
    synth = Synth()
    LoopbackBackend(patchbay).open_virtual_input("Synth", synth)
    assert rescue.release(ready(sends_on="Synth", is_virtual=False), {(0, 60), (0, 64)})
    assert OFFS == synth.heard


def test_nothing_is_opened_where_nothing_sounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without notes, or on ports that died with the process, nothing is opened."""
    monkeypatch.setattr(rescue, "open_backend", lambda _: pytest.fail("opened"))
    rescue.release(ready(), ())
    rescue.release(ready(backend="loopback"), {(0, 60)})


class Graph:
    """A graph with prepared answers."""

    def __init__(self, *answers: tuple[str, ...] | Exception | None) -> None:
        """Answer with each of `answers`, then repeat the last; raise those that are exceptions."""
        self.answers = list(answers)
        self.is_closed = self.is_gone = False
        self.restored: list[tuple[str, tuple[str, ...]]] = []

    def restore(self, port: str, others: tuple[str, ...]) -> None:
        """Record the connections to restore."""
        self.restored.append((port, others))

    def cables(self, port: str) -> tuple[str, ...] | None:
        """Return the next answer for an output, and no connections for an input."""
        if "Improviser Out" != port:
            return ()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """Record the closing."""
        self.is_closed = self.is_gone = True


def test_listeners_are_followed_until_the_port_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last known listeners are kept after the port has disappeared."""
    graph = Graph(("A",), ("A", "B"), None)
    monkeypatch.setattr(jack, "open_jack", lambda: graph)
    monkeypatch.setattr(connections, "_LOOK_EVERY_S", 0.001)
    followed = Connections()
    followed.follow(ready())
    wait_for(lambda: graph.answers == [None], "answers")
    followed.close()
    assert (("A", "B"), True) == (followed.listeners, graph.is_closed)


def test_that_a_port_has_lost_its_listeners_is_believed_the_second_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A loss of all listeners counts only at the second look, because a server disconnects a dead client first."""
    graph = Graph(("A", "B"), (), ("A", "B"), (), None)
    monkeypatch.setattr(jack, "open_jack", lambda: graph)
    monkeypatch.setattr(connections, "_LOOK_EVERY_S", 0.001)
    followed = Connections()
    followed.follow(ready())
    wait_for(lambda: graph.answers == [None], "answers")
    assert ("A", "B") == followed.listeners
    graph.answers = [("B",)]
    wait_for(lambda: followed.listeners == ("B",), "a cable that was pulled")
    followed.close()


def test_where_nobody_can_tell_nothing_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without JACK, without a virtual port or without libjack the list stays empty."""

    def refuse() -> None:
        """Raise PortError."""
        raise PortError("no libjack")

    monkeypatch.setattr(jack, "open_jack", refuse)
    followed = Connections()
    followed.follow(ready(backend="alsa"))
    followed.follow(ready())
    followed.close()
    assert () == followed.listeners


def test_cables_are_laid_again_for_a_successor(monkeypatch: pytest.MonkeyPatch) -> None:
    """While no performer runs nothing is read; the next performer's ports get the earlier connections."""
    graph = Graph(("A", "B"))
    monkeypatch.setattr(jack, "open_jack", lambda: graph)
    monkeypatch.setattr(connections, "_LOOK_EVERY_S", 0.001)
    followed = Connections()
    followed.follow(ready())
    wait_for(lambda: followed.listeners, "a look")
    followed.hold()
    time.sleep(0.02)
    graph.answers = [()]
    time.sleep(0.02)
    assert ("A", "B") == followed.listeners
    followed.follow(ready())
    wait_for(lambda: graph.restored, "cables")
    assert [("Improviser Out", ("A", "B"))] == graph.restored
    followed.close()


def test_a_server_that_comes_back_is_joined_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client of a lost server is closed, and a new one is opened."""
    graphs = [Graph(("A",)), Graph(("B",))]
    left = list(graphs)
    monkeypatch.setattr(jack, "open_jack", lambda: left.pop(0))
    monkeypatch.setattr(connections, "_LOOK_EVERY_S", 0.001)
    followed = Connections()
    followed.follow(ready())
    wait_for(lambda: followed.listeners == ("A",), "a look")
    graphs[0].is_gone = True
    wait_for(lambda: followed.listeners == ("B",), "another look")
    assert graphs[0].is_closed
    followed.close()


def test_a_look_is_taken_at_once_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection made just before a performer is killed is known."""
    graph = Graph(("A",))
    monkeypatch.setattr(jack, "open_jack", lambda: graph)
    monkeypatch.setattr(connections, "_LOOK_EVERY_S", 60.0)
    followed = Connections()
    followed.look()  # nothing is followed yet
    followed.follow(ready())
    wait_for(lambda: followed.listeners, "a look")
    graph.answers = [("A", "B")]
    followed.look()
    assert ("A", "B") == followed.listeners
    followed.close()
    followed.close()


def test_a_port_that_vanishes_while_it_is_listed_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that disappears while it is listed is handled by the next look."""
    graph = Graph(("A",), PortError("no port"), PortError("no port"), ("A", "B"))
    monkeypatch.setattr(jack, "open_jack", lambda: graph)
    monkeypatch.setattr(connections, "_LOOK_EVERY_S", 0.001)
    followed = Connections()
    followed.follow(ready())
    wait_for(lambda: followed.listeners == ("A", "B"), "a look after the fault")
    followed.close()


def test_a_successor_may_be_on_another_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that is never called opens a new client for the next performer's server."""
    graphs = [Graph(("A",)), Graph(("B",))]
    left = list(graphs)
    monkeypatch.setattr(jack, "open_jack", lambda: left.pop(0))
    monkeypatch.setattr(connections, "_LOOK_EVERY_S", 0.001)
    followed = Connections()
    followed.follow(ready())
    wait_for(lambda: followed.listeners == ("A",), "a look")
    followed.hold()
    followed.follow(ready())
    wait_for(lambda: graphs[1].restored, "cables on the other one")
    followed.close()
    assert graphs[0].is_closed
