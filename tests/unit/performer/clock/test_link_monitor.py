"""Playing to Link: the performer's beat, and two real peers."""

from __future__ import annotations

import builtins
import sys
from typing import Any

import pytest

from improviser.choices import ClockUse
from improviser.errors import PortError
from improviser.midi.message import CLOCK, START, NoteOn
from improviser.performer.clock.link_monitor import LinkMonitor, watching_link
from improviser.performer.inbox import Inbox, LinkHeard
from improviser.ports.clock import MonotonicClock
from improviser.ports.link import LinkPeer, open_link
from improviser.protocol import Act, Action, Halted, Knob, Started, Synced, Turn
from tests.live import wait_for
from tests.performing import START_S, Performance, hanging, ons, performer_settings
from tests.unit.performer.clock.test_clock_sync import play_clock

ON = NoteOn(0, 60, 80)
PROPOSED: list[float] = []


def linked() -> Performance:
    """Return a performance that plays to Link; its proposals are in PROPOSED."""
    PROPOSED.clear()
    performance = Performance(performer_settings(clock=ClockUse.LINK))
    performance.propose = PROPOSED.append
    return performance


def hear(
    performance: Performance, at_s: float, beat: float, tempo_bpm: float = 120.0, *, is_playing: bool = False
) -> None:
    """Report Link's state to the performance."""
    heard = LinkHeard(START_S + at_s, beat, tempo_bpm, is_playing)
    performance.at(at_s, lambda: performance.inbox.put(heard))


def test_bars_are_links() -> None:
    """The improviser begins at Link's bar line, at the shared tempo, and follows its change."""
    performance = linked()
    hear(performance, 1.0, 2.5)
    hear(performance, 1.5, 3.5)
    hear(performance, 4.0, 8.5, 60.0)
    performance.run(until_s=12.0)
    # Beat 4 is at 1.75 s and beat 8 at 3.75 s; at 60 bpm from beat 8.5 on, beat 12 is at 7.5 s.
    assert [1.75, 3.75, 7.5, 11.5] == pytest.approx(ons(performance), abs=0.002)
    assert 1 == len(performance.told(Started))
    assert [False] * 3 == [event.is_own for event in performance.told(Synced)]


def test_links_transport_is_followed_once_it_is_used() -> None:
    """Peers without a transport do not stop the improviser; after a stop it waits for the next start."""
    performance = linked()
    hear(performance, 0.0, 0.0)
    hear(performance, 1.0, 2.0, is_playing=True)
    hear(performance, 2.1, 4.2, is_playing=False)
    hear(performance, 2.6, 5.2, is_playing=False)
    performance.play(3.0, ON)
    hear(performance, 6.0, 12.0, is_playing=True)
    performance.run(until_s=7.9)
    assert [0.0, 2.0, 6.0] == pytest.approx(ons(performance), abs=0.002)
    assert 1 == len(performance.told(Halted))
    assert not hanging(performance)


def test_a_jump_is_followed() -> None:
    """The improviser follows a jump of the bars, which happens when peers meet."""
    performance = linked()
    hear(performance, 0.0, 0.0)
    hear(performance, 1.0, 3.0)
    performance.run(until_s=3.6)
    assert [0.0, 1.5, 3.5] == pytest.approx(ons(performance), abs=0.002)
    assert 2 == len(performance.told(Started))


def test_a_tempo_is_proposed_to_all() -> None:
    """A tempo that is set or tapped is proposed to the peers and used when Link reports it; MIDI clocks are ignored."""
    performance = linked()
    hear(performance, 0.0, 0.0)
    performance.at(1.0, lambda: performance.inbox.put(Turn(Knob.TEMPO, 90.0)))
    for at_s in (2.0, 2.5):
        performance.at(at_s, lambda: performance.inbox.put(Act(Action.TAP)))
    play_clock(performance, 200.0, 3.0, 4, START, CLOCK)
    performance.run(until_s=5.0)
    assert [90.0, 120.0] == PROPOSED
    assert [120.0] == [event.tempo_bpm for event in performance.told(Synced)]


def test_the_library_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the Link library the error says what to install."""
    monkeypatch.setitem(sys.modules, "link", None)
    with pytest.raises(PortError, match=r'pip install "improviser-live\[link\]"'):
        open_link(120.0, 4.0)


def test_what_the_library_stands_on_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where libatomic is missing, the error names it instead of calling the Link library missing."""
    original = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any module
        """Fail as the library does without libatomic."""
        if name == "link":
            raise ImportError("libatomic.so.1: cannot open shared object file")
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(PortError, match=r"libatomic\.so\.1.*apt-get install libatomic1"):
        open_link(120.0, 4.0)


@pytest.fixture
def peers() -> tuple[LinkPeer, LinkPeer]:
    """Two peers that have met."""
    pytest.importorskip("link", reason="LinkPython-extern is not installed", exc_type=ImportError)
    clock, both = MonotonicClock(), (open_link(120.0, 4.0), open_link(90.0, 4.0))
    wait_for(lambda: all(peer.read(clock).peers for peer in both), "another peer of Link")
    return both


def test_two_peers_agree(peers: tuple[LinkPeer, LinkPeer]) -> None:
    """Two peers agree on the tempo, on its changes, and on the times of the beats by the given clock."""
    ours, theirs = peers
    clock, inbox = MonotonicClock(), Inbox()
    watch = LinkMonitor(ours, clock, inbox)
    theirs.set_tempo(77.0)
    wait_for(lambda: ours.read(clock).tempo_bpm == pytest.approx(77.0, abs=0.01), "the tempo of the other peer")
    one, other = ours.read(clock), theirs.read(clock)
    beats = (other.at_s - one.at_s) * 77.0 / 60
    assert abs((one.beat + beats - other.beat + 2) % 4 - 2) < 0.05
    watch.look()
    watch.look()
    assert 1 == inbox.queue.qsize()
    theirs.set_tempo(99.0)
    with watching_link(ours, clock, inbox):
        wait_for(lambda: _tempo(inbox) == pytest.approx(99.0, abs=0.01), "word of the change")
    theirs.close()


def _tempo(inbox: Inbox) -> float:
    """Return the tempo of Link's next state."""
    heard = inbox.queue.get()
    assert isinstance(heard, LinkHeard)
    return heard.tempo_bpm
