"""For any input in any order no note hangs, and the session replays identically."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from improviser.engine import Engine, EngineSettings
from improviser.errors import PortError
from improviser.ipc.shared_state import NOTE_CELLS
from improviser.midi.message import NoteOff, NoteOn
from improviser.performer.inbox import PortLost
from improviser.ports.base import VIRTUAL_INPUT
from improviser.protocol import Act, Action, PlayerUse, Stop, value_to_line
from improviser.session.replay import replay
from improviser.session.session_log import parse_session
from tests.actors import random_policy
from tests.performing import ENGINE, KEYBOARD, Performance, performer_settings

if TYPE_CHECKING:
    from improviser.midi.message import Message

LENGTH_S = 6.0
MOMENTS = st.floats(0, LENGTH_S)
DATA = st.integers(0, 127)
NOTES = st.tuples(st.sampled_from((0x80, 0x90)), st.integers(40, 80), DATA)
CONTROLS = st.tuples(st.just(0xB0), st.sampled_from((1, 64, 120, 123)), DATA)
GARBAGE = st.lists(st.integers(0, 255), max_size=4).map(tuple)
PORTS = st.sampled_from((KEYBOARD, VIRTUAL_INPUT))
BYTES = st.tuples(MOMENTS, st.one_of(NOTES, NOTES, NOTES, CONTROLS, GARBAGE), PORTS)
LOSSES = (PortLost(KEYBOARD, is_output=False), PortLost("Out", is_output=True))
ITEMS = st.tuples(MOMENTS, st.sampled_from((Act(Action.PANIC), Stop(), *LOSSES)))
STALLS = st.tuples(MOMENTS, st.floats(0, 0.5))


def hanging(sent: list[tuple[float, Message]]) -> Counter[tuple[int, int]]:
    """Return note-ons minus note-offs for each (channel, note)."""
    sounding: Counter[tuple[int, int]] = Counter()
    for _, message in sent:
        if isinstance(message, NoteOn):
            sounding[message.channel, message.note] += 1
        elif isinstance(message, NoteOff):
            sounding[message.channel, message.note] -= 1
            assert sounding[message.channel, message.note] >= 0
    return +sounding


def stall(performance: Performance, stall_s: float) -> None:
    """Advance the clock as if the process stood still."""
    performance.clock.advance(performance.clock.now_s() + stall_s)


@given(
    heard=st.lists(BYTES, max_size=40),
    items=st.lists(ITEMS, max_size=2),
    stalls=st.lists(STALLS, max_size=2),
    player=st.sampled_from(PlayerUse),
    seed=st.integers(0, 99),
)
def test_every_note_is_released_and_every_session_replays(
    heard: list[Any], items: list[Any], stalls: list[Any], player: PlayerUse, seed: int
) -> None:
    """For any stream of notes, commands, lost ports and stalls no note hangs, and the journal replays exactly."""
    settings = performer_settings(engine=ENGINE | {"temperature": 1.0, "key": "auto"}, seed=seed)
    policy = random_policy()

    def make_engine(ahead_s: float = 0.0) -> Engine:
        """Return the engine of these settings."""
        engine = EngineSettings(**settings.engine, ahead_s=ahead_s)
        return Engine(engine, policy, np.random.default_rng(seed))

    performance = Performance(settings, player=player, new_engine=make_engine)
    for at_s, data, port in heard:
        performance.play_bytes(at_s, data, port=port)
    for at_s, item in items:
        performance.at(at_s, partial(performance.inbox.put, item))
    for at_s, stall_s in stalls:
        performance.at(at_s, partial(stall, performance, stall_s))
    with suppress(PortError):  # its own output is lost
        assert 0 == performance.run(until_s=LENGTH_S).stuck_notes
    assert Counter() == hanging(performance.sent)
    assert not any(performance.cells[:NOTE_CELLS])
    lines = "".join(map(value_to_line, (settings, *performance.events)))
    again = replay(parse_session(lines, "test"), make_engine)
    assert again.difference is None
    assert again.live == again.again
