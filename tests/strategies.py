"""Hypothesis strategies: messages, timed notes, engine settings, songs, TOML."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any

import tomlkit
from hypothesis import strategies as st

from improviser.engine import EngineSettings
from improviser.listening.observation import STYLES
from improviser.midi.message import (
    SUSTAIN_PEDAL,
    ChannelAftertouch,
    ControlChange,
    Message,
    NoteOff,
    NoteOn,
    PitchBend,
    PolyAftertouch,
    ProgramChange,
    Realtime,
    SongPosition,
    SongSelect,
    SysEx,
    TimeCode,
    TimedMessage,
)
from improviser.midi.smf import MetaEvent, MetaKind, MeterChange, Song, TempoChange, TimedEvent, Track
from improviser.music.meter import METERS
from improviser.music.scale import ALL_KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

CHANNELS = st.integers(0, 15)
DATA = st.integers(0, 127)
VELOCITIES = st.integers(1, 127)
ANY_KEY = ("auto", *(key.name for key in ALL_KEYS))
ONE_BYTE_STATUSES = (0xF6, 0xF8, 0xFA, 0xFB, 0xFC, 0xFE, 0xFF)


def note_ons(channels: st.SearchStrategy[int] = CHANNELS) -> st.SearchStrategy[NoteOn]:
    """Return a strategy for note-ons."""
    return st.builds(NoteOn, channels, DATA, VELOCITIES)


def note_offs(channels: st.SearchStrategy[int] = CHANNELS) -> st.SearchStrategy[NoteOff]:
    """Return a strategy for note-offs."""
    return st.builds(NoteOff, channels, DATA, DATA)


def channel_messages() -> st.SearchStrategy[Message]:
    """Return a strategy for channel messages of every kind."""
    return st.one_of(
        note_ons(),
        note_offs(),
        st.builds(PolyAftertouch, CHANNELS, DATA, DATA),
        st.builds(ControlChange, CHANNELS, DATA, DATA),
        st.builds(ProgramChange, CHANNELS, DATA),
        st.builds(ChannelAftertouch, CHANNELS, DATA),
        st.builds(PitchBend, CHANNELS, st.integers(-8192, 8191)),
    )


def sysex() -> st.SearchStrategy[SysEx]:
    """Return a strategy for system exclusive messages of up to 40 bytes."""
    return st.builds(SysEx, st.lists(DATA, max_size=40).map(bytes))


def messages() -> st.SearchStrategy[Message]:
    """Return a strategy for messages of every kind."""
    return st.one_of(
        channel_messages(),
        sysex(),
        st.builds(SongPosition, st.integers(0, 16383)),
        st.builds(TimeCode, DATA),
        st.builds(SongSelect, DATA),
        st.sampled_from(ONE_BYTE_STATUSES).map(Realtime),
    )


@st.composite
def timed_messages(
    draw: st.DrawFn,
    of: st.SearchStrategy[Message] | None = None,
    max_size: int = 60,
    max_gap_s: float = 2.0,
) -> list[TimedMessage]:
    """Draw messages at ascending times, by default note-ons and note-offs that need not match."""
    kinds = st.one_of(note_ons(), note_offs()) if of is None else of
    gaps = st.floats(0.0, max_gap_s, allow_nan=False)
    pairs = draw(st.lists(st.tuples(gaps, kinds), max_size=max_size))
    times = accumulate(gap for gap, _ in pairs)
    return [TimedMessage(at_s, message) for at_s, (_, message) in zip(times, pairs, strict=True)]


@st.composite
def melodies(
    draw: st.DrawFn,
    notes: st.SearchStrategy[int] = DATA,
    max_size: int = 30,
    max_length_s: float = 2.0,
) -> list[TimedMessage]:
    """Draw a line of notes on channel 0, one after another, each with its note-off at or before the next note."""
    lengths = st.floats(0.05, max_length_s, allow_nan=False)
    rows = draw(st.lists(st.tuples(notes, VELOCITIES, lengths, st.floats(0.1, 1.0)), max_size=max_size))
    at_s = 0.0
    line = []
    for note, velocity, length_s, held in rows:
        line.append(TimedMessage(at_s, NoteOn(0, note, velocity)))
        line.append(TimedMessage(at_s + held * length_s, NoteOff(0, note)))
        at_s += length_s
    return line


def pedals(channels: st.SearchStrategy[int] = CHANNELS) -> st.SearchStrategy[ControlChange]:
    """Return a strategy for movements of the sustain pedal."""
    return st.builds(ControlChange, channels, st.just(SUSTAIN_PEDAL), DATA)


def performances(notes: st.SearchStrategy[int] = DATA, max_size: int = 40) -> st.SearchStrategy[list[TimedMessage]]:
    """Return a strategy for keyboard input on two channels: notes and pedal, matched or not."""
    channels = st.integers(0, 1)
    strikes = st.builds(NoteOn, channels, notes, VELOCITIES)
    lifts = st.builds(NoteOff, channels, notes)
    return timed_messages(st.one_of(strikes, strikes, lifts, pedals(channels)), max_size, max_gap_s=0.6)


# Every meter and number of steps a beat where a bar has a whole number of steps.
GRIDS = [
    ((meter.numerator, meter.denominator), steps)
    for meter in METERS
    for steps in range(1, 5)
    if meter.bar_beats * steps % 1 == 0
]


def engine_settings(keys: Sequence[str] = ANY_KEY) -> st.SearchStrategy[EngineSettings]:
    """Return a strategy for engine settings with one of `keys`, as varied as presets can be."""
    return st.builds(
        lambda grid, **values: EngineSettings(meter=grid[0], steps_per_beat=grid[1], **values),
        grid=st.sampled_from(GRIDS),
        tempo_bpm=st.sampled_from([40.0, 97.3, 240.0]),
        key=st.sampled_from(list(keys)),
        register_low=DATA,
        channel=CHANNELS,
        collect_s=st.sampled_from([0.0, 0.001, 0.02]),
        patience_bars=st.integers(0, 3),
        max_note_bars=st.sampled_from([0.1, 0.5, 1.0, 2.0]),
        temperature=st.sampled_from([0.0, 0.3, 1.0]),
        prior_weight=st.sampled_from([0.0, 0.3]),
        style=st.sampled_from(STYLES),
    )


def ticks(max_size: int, max_delta: int = 5000) -> st.SearchStrategy[list[int]]:
    """Return a strategy for ascending ticks."""
    return st.lists(st.integers(0, max_delta), max_size=max_size).map(lambda deltas: list(accumulate(deltas)))


def meta_events() -> st.SearchStrategy[MetaEvent]:
    """Return a strategy for meta events inside tracks: texts, lyrics, markers, ports, key signatures and others."""
    small = st.binary(max_size=12)
    kinds = [0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x54, 0x7E, 0x7F]
    return st.one_of(
        st.builds(MetaEvent, st.sampled_from(kinds), small),
        st.builds(MetaEvent, st.just(MetaKind.PORT), st.binary(min_size=1, max_size=1)),
        st.builds(MetaEvent, st.just(MetaKind.CHANNEL_PREFIX), CHANNELS.map(lambda channel: bytes([channel]))),
        st.builds(
            lambda sharps, mode: MetaEvent(MetaKind.KEY_SIGNATURE, bytes([sharps & 0xFF, mode])),
            st.integers(-7, 7),
            st.integers(0, 1),
        ),
    )


@st.composite
def tracks(draw: st.DrawFn, kinds: st.SearchStrategy[Message | MetaEvent] | None = None) -> Track:
    """Draw a track of messages and meta events; its name is any text that UTF-8 can hold."""
    name = draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
    moments = draw(ticks(max_size=12))
    drawn = st.one_of(channel_messages(), sysex(), meta_events()) if kinds is None else kinds
    return Track(name, tuple(TimedEvent(tick, draw(drawn)) for tick in moments))


@st.composite
def songs(draw: st.DrawFn) -> Song:
    """Draw a song of up to three tracks and a conductor track, with changes of tempo and meter."""
    tempo_ticks = sorted(set(draw(ticks(max_size=4))))
    meter_ticks = sorted(set(draw(ticks(max_size=4))))
    tempos = st.integers(1, 0xFFFFFF)
    numerators, denominators = st.integers(1, 255), st.sampled_from([1, 2, 4, 8, 16, 32, 64, 128])
    return Song(
        draw(st.integers(1, 0x7FFF)),
        tuple(TempoChange(tick, draw(tempos)) for tick in tempo_ticks),
        tuple(MeterChange(tick, draw(numerators), draw(denominators)) for tick in meter_ticks),
        tuple(draw(st.lists(tracks(), max_size=3))),
        draw(tracks(meta_events())),
    )


def toml_values() -> st.SearchStrategy[Any]:
    """Return a strategy for values that TOML can hold: scalars, arrays, tables."""
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    scalars = st.one_of(
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(),
        text,
        st.dates(),
        st.datetimes(),
        st.times(),
    )
    return st.recursive(
        scalars,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(text, inner, max_size=3)),
        max_leaves=6,
    )


@st.composite
def toml_texts(draw: st.DrawFn, keys: Sequence[str] = ("name", "model")) -> str:
    """Draw text that is mostly TOML, with some of `keys` among its keys; one in four texts is arbitrary."""
    if draw(st.integers(0, 3)) == 0:
        return draw(st.text(max_size=200))
    names = st.one_of(st.sampled_from(list(keys)), st.text('abcdef_-."[]= ', max_size=8))
    return tomlkit.dumps(draw(st.dictionaries(names, toml_values(), max_size=6)))
