"""Whose beat is played to: the improviser's own, which can be set and tapped, or an outer clock's.

Of a MIDI clock and of Link the transport is followed too. Each port's clock is heard by itself
(`clock_source`), and one of them leads: with `auto` one that was started, with `midi` any; a clock that is
started takes the lead from one that is not.

Between two messages of a clock, and when it has gone, the engine's own beat goes on at the last pace, so that
nothing has to be handed over. A clock that has stopped silences the jam as long as it ticks; when it is gone
the beat is the improviser's own again.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from improviser.errors import MidiError
from improviser.listening.taps import Taps
from improviser.midi.message import CLOCK, CONTINUE, START, STOP, SongPosition, bytes_to_message
from improviser.music.meter import Meter
from improviser.performer.clock.clock_source import ClockSource
from improviser.performer.clock.sent_clock import SentClock
from improviser.protocol import (
    DIGITS,
    TEMPO_BPM,
    ClockUse,
    Detached,
    Event,
    Halted,
    Notice,
    Refused,
    Started,
    Synced,
    Warned,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from improviser.engine import Engine
    from improviser.ipc.shared_state import JamPosition
    from improviser.listening.midi_clock import Sync
    from improviser.midi.message import Message
    from improviser.performer.inbox import LinkHeard
    from improviser.performer.input.arrivals import Arrival

# A tick, a song position, start, continue, stop.
_CLOCK_BYTES: Final = frozenset({0xF2, 0xF8, 0xFA, 0xFB, 0xFC})
# The engine is told four times a beat, and each tick of the first beat after a jump.
SYNC_TICKS: Final = 6
_FIRST_TICKS: Final = 24
# A pace beyond these is none: messages were lost, or made up.
TEMPO_MIN, TEMPO_MAX = TEMPO_BPM
# A clock that only ticks changes the tempo where it differs by more than this share.
TEMPO_SHARE: Final = 0.005
# Peers that meet, or a peer that shifts its bars, let the beat jump; less is evened out.
LINK_JUMP_BEATS: Final = 0.1
# Somebody who counts in gets a moment to listen.
COUNT_IN_LEAD_S: Final = 0.5
LINK: Final = "Link"
_S_PER_MINUTE: Final = 60.0
_PLAY_ON: Final = "a note, a tap, a tempo or solo goes on without it"


def is_clock(data: Sequence[int]) -> bool:
    """Tell whether the bytes of a message are a clock's."""
    return bool(data) and data[0] in _CLOCK_BYTES


class ClockSync:
    """Tells an engine the beat of the clock that is followed.

    Threads: the performer's beat only.
    """

    def __init__(
        self, use: ClockUse, propose: Callable[[float], None] | None = None, *, keeps_tempo: bool = False
    ) -> None:
        """Follow as `use` says; nothing is heard yet.

        Args:
            use: Whose beat is played to.
            propose: Takes a tempo that others have to agree on; None where nobody has.
            keeps_tempo: Whether the tempo was chosen, so that a clock that only ticks does not set it.
        """
        self.sent = SentClock()
        self._use = use
        self._propose = propose
        self._keeps_tempo = keeps_tempo
        self._tempo_bpm: float | None = None
        self._has_transport = False
        self._sources: dict[str, ClockSource] = {}
        self._lead: ClockSource | None = None
        self._has_joined = False
        self._ticks = 0
        self._taps = Taps()
        self._knows_place = False
        self._is_bridging = False
        # Whose stop silences the jam; and whether one did that is gone since, and nothing has woken it yet.
        self._stopped_by: str | None = None
        self._is_detached = False
        self._told: set[tuple[str, str]] = set()

    @property
    def next_look_s(self) -> float | None:
        """The moment at which `look` has to be called; None where there is nothing to look for."""
        lead = self._lead
        is_watched = lead is not None and (self._stopped_by is not None or lead.is_rolling)
        return lead.gone_s if lead is not None and is_watched and not self._is_bridging else None

    def hear(self, arrival: Arrival, engine: Engine) -> Iterator[Event]:
        """Take in a message of a clock; tell the engine what follows from it, and give what to tell of it.

        Halted is given before anything is done: the caller ends what sounds and halts the engine.
        """
        message = _message(arrival.data)
        if message is None or self._use in {ClockUse.OWN, ClockUse.LINK}:
            return
        source = self._sources.setdefault(arrival.port, ClockSource(arrival.port, self.sent))
        sync = source.hear(message, arrival.at_s, is_lead=source is self._lead)
        yield from self._warn(source)
        if message == STOP and source is self._lead:
            yield from self._halt(arrival.at_s, source.port, engine)
        elif sync is None or not source.may_be_followed:
            return
        elif self._leads(source, sync, arrival.at_s):
            yield from self._follow(source, sync, engine)
        else:
            yield from self._pass_by(source, sync, engine)

    def hear_link(self, heard: LinkHeard, engine: Engine) -> Iterator[Event]:
        """Take in where Link's beat is; its transport counts once a peer has used it, while one is there."""
        at_s, beat = heard.at_s, heard.beat
        self._has_transport = self._has_transport or heard.is_playing
        if self._has_transport and not heard.is_playing:
            if heard.peers:
                yield from self._halt(at_s, LINK, engine)
                return
            self._has_transport = False
            if self._stopped_by is not None:
                yield from self._detach(at_s, engine, "the last peer of Link has gone")
        is_jump = not engine.is_rolling or abs(engine.beat_at(at_s) - beat) > LINK_JUMP_BEATS
        engine.sync(at_s, beat, heard.tempo_bpm)
        yield Synced(at_s, beat, heard.tempo_bpm)
        if is_jump and (engine.is_rolling or heard.is_playing or not self._is_detached):
            yield from self.begin(at_s, beat, engine)

    def begin(self, at_s: float, beat: float, engine: Engine) -> Iterator[Event]:
        """Let the engine's own beat begin: `beat` stands at `at_s`."""
        self._stopped_by, self._is_detached = None, False
        engine.start(at_s, beat)
        yield Started(at_s, beat)

    def count_in(self, bars: int, now_s: float, engine: Engine) -> Iterator[Event]:
        """Let the engine's own beat begin so many bars before the first one."""
        beats = Meter(*engine.settings.meter).bar_beats * bars
        return self.begin(round(now_s + COUNT_IN_LEAD_S, DIGITS), -beats, engine)

    def resume(self, place: JamPosition, now_s: float, engine: Engine) -> Iterator[Event]:
        """Go on with a performance that had come to a place; the beat has gone on since."""
        self._keeps_tempo = True
        passed_s = max(0.0, now_s - place.at_s)
        beat = round(place.beat + passed_s * place.tempo_bpm / _S_PER_MINUTE, DIGITS)
        engine.sync(now_s, beat, place.tempo_bpm)
        yield Synced(now_s, beat, place.tempo_bpm, is_own=True)
        yield from self.begin(now_s, beat, engine)

    def set_tempo(self, tempo_bpm: float, at_s: float, engine: Engine) -> Iterator[Event]:
        """Go on at another tempo from `at_s` on, where no outer clock says it."""
        if self._propose is not None:
            self._propose(tempo_bpm)
        elif self._is_led(at_s):
            waits = "" if self._stopped_by is None else f", and it is stopped: {_advice(self._stopped_by)}"
            text = f"the tempo is that of the clock that is followed; it cannot be set here{waits}"
            yield Refused("tempo", text)
        else:
            self._keeps_tempo = True
            yield from self._set(at_s, engine.beat_at(at_s), tempo_bpm, engine)
            yield from self._wake(at_s, engine)

    def tap(self, at_s: float, engine: Engine) -> Iterator[Event]:
        """Take a tap as a beat; as a downbeat, where a clock leads that stopped or has not told its place."""
        tempo_bpm = self._taps.tap(at_s)
        if self._propose is not None:
            if tempo_bpm is not None:
                self._propose(tempo_bpm)
        elif self._stopped_by is not None or self._is_led(at_s):
            yield from self._tap_downbeat(at_s, engine)
        elif tempo_bpm is not None and TEMPO_MIN <= tempo_bpm <= TEMPO_MAX:
            self._keeps_tempo = True
            beat = engine.beat_at(at_s)
            yield from self._set(at_s, round(beat) if engine.is_rolling else beat, tempo_bpm, engine)
            yield from self._wake(at_s, engine)

    def look(self, at_s: float, engine: Engine) -> Iterator[Event]:
        """Look whether the clock that leads has gone, at the moment `at_s`; say so, once."""
        for source in self._sources.values():
            if source.is_without_ticks(at_s):
                yield from self._once(
                    "silent",
                    source.port,
                    f"'{source.port}' sends a start but no MIDI clock: its start and stop are ignored; "
                    "turn its clock on to play to it",
                )
        lead = self._lead
        if lead is None or lead.is_alive(at_s):
            return
        if self._stopped_by is not None:
            lead.give_up()
            self._lead = None
            yield from self._detach(at_s, engine, f"the stopped MIDI clock on '{lead.port}' ticks no more")
        elif lead.is_rolling and not self._is_bridging:
            self._is_bridging = True
            yield Notice("the MIDI clock is gone: the beat goes on at its last tempo until it is back")

    def _is_led(self, at_s: float) -> bool:
        """Return whether an outer clock is followed, or has stopped and ticks on."""
        lead = self._lead
        return lead is not None and lead.is_alive(at_s) and lead.may_be_followed

    def _leads(self, source: ClockSource, sync: Sync, at_s: float) -> bool:
        """Return whether a clock that ticks leads; a started one takes over from one that is not."""
        if source is self._lead:
            return True
        if not source.is_rolling and self._use is not ClockUse.MIDI:
            return False
        if self._is_led(at_s) and not (sync.is_jump and self._lead is not None and not self._lead.is_rolling):
            return False
        self._lead, self._has_joined, self._is_bridging = source, False, False
        return True

    def _halt(self, at_s: float, by: str, engine: Engine) -> Iterator[Event]:
        """Stop with the transport of the clock that leads."""
        if engine.is_rolling:
            self._stopped_by, self._is_detached = by, False
            yield Halted(at_s, by)
            yield Notice(f"stopped by {_clock_name(by)}: {_advice(by)}")

    def _detach(self, at_s: float, engine: Engine, why: str) -> Iterator[Event]:
        """Go back to the improviser's own beat, after a transport that stopped it has gone."""
        self._stopped_by, self._is_detached = None, True
        engine.detach()
        yield Detached(round(at_s, DIGITS))
        yield Notice(f"{why}: {_PLAY_ON}")

    def _wake(self, at_s: float, engine: Engine) -> Iterator[Event]:
        """Go on with a new bar, if the jam still waits after a transport that stopped it has gone."""
        if self._is_detached and not engine.is_rolling:
            bar_beats = Meter(*engine.settings.meter).bar_beats
            yield from self.begin(at_s, math.ceil(engine.beat_at(at_s) / bar_beats) * bar_beats, engine)

    def _tap_downbeat(self, at_s: float, engine: Engine) -> Iterator[Event]:
        """Take a tap as the downbeat, unless the clock has told its place; leave one that has stopped."""
        lead = self._lead
        if self._knows_place and self._stopped_by is None:
            return
        if lead is not None and self._stopped_by is not None:
            lead.give_up()
            self._told.add(("idle", lead.port))
            self._lead = lead if self._use is ClockUse.MIDI else None
        bar_beats = Meter(*engine.settings.meter).bar_beats
        yield from self.begin(at_s, round(engine.beat_at(at_s) / bar_beats) * bar_beats, engine)

    def _set(self, at_s: float, beat: float, tempo_bpm: float, engine: Engine) -> Iterator[Event]:
        """Let the engine's own beat stand, and go on, so."""
        beat, self._tempo_bpm = round(beat, DIGITS), round(tempo_bpm, DIGITS)
        engine.sync(at_s, beat, self._tempo_bpm)
        yield Synced(at_s, beat, self._tempo_bpm, is_own=True)

    def _follow(self, source: ClockSource, sync: Sync, engine: Engine) -> Iterator[Event]:
        """Inform the engine of a tick of the clock that leads."""
        is_jump = sync.beat is not None and (sync.is_jump or not self._has_joined)
        self._ticks = 0 if is_jump else self._ticks + 1
        if self._is_bridging:
            self._is_bridging = False
            yield Notice("the MIDI clock is back")
        if self._ticks % SYNC_TICKS and self._ticks > _FIRST_TICKS:
            return
        if sync.beat is None and source.is_started:
            return  # it has stopped, though it ticks on
        self._knows_place = sync.beat is not None
        at_s = round(sync.at_s, DIGITS)
        beat = round(engine.beat_at(at_s) if sync.beat is None else sync.beat, DIGITS)
        yield from self._pace(source, sync, beat, engine)
        if is_jump:
            self._has_joined = True
            yield from self.begin(at_s, beat, engine)

    def _pace(self, source: ClockSource, sync: Sync, beat: float, engine: Engine) -> Iterator[Event]:
        """Inform the engine where a tick stands, and the tempo: the last one, until the clock's is sure."""
        tempo_bpm = self._tempo_bpm if sync.tempo_bpm is None else round(sync.tempo_bpm, DIGITS)
        if tempo_bpm is None:
            return
        if not TEMPO_MIN <= tempo_bpm <= TEMPO_MAX:
            yield from self._beyond(source, tempo_bpm)
            return
        self._tempo_bpm = tempo_bpm
        at_s = round(sync.at_s, DIGITS)
        engine.sync(at_s, beat, tempo_bpm)
        yield Synced(at_s, beat, tempo_bpm)

    def _pass_by(self, source: ClockSource, sync: Sync, engine: Engine) -> Iterator[Event]:
        """Report a clock that only ticks, once; its tempo is taken as long as nothing plays."""
        is_heeded = self._use is ClockUse.AUTO and not source.is_started and self._lead is None
        if not is_heeded or not source.is_told or sync.tempo_bpm is None:
            return
        if not TEMPO_MIN <= sync.tempo_bpm <= TEMPO_MAX:
            yield from self._beyond(source, sync.tempo_bpm)
            return
        is_taken = not engine.is_rolling and not self._keeps_tempo
        used = "its tempo is used; " if is_taken else ""
        yield from self._once(
            "idle",
            source.port,
            f"a MIDI clock of {sync.tempo_bpm:.0f} bpm ticks on '{source.port}' but was not started: "
            f"{used}press play there to follow it, or use --clock midi",
        )
        before_bpm = self._tempo_bpm or engine.settings.tempo_bpm
        if is_taken and abs(sync.tempo_bpm - before_bpm) > TEMPO_SHARE * before_bpm:
            at_s = round(sync.at_s, DIGITS)
            yield from self._set(at_s, engine.beat_at(at_s), sync.tempo_bpm, engine)

    def _warn(self, source: ClockSource) -> Iterator[Event]:
        """Report once why a clock is not followed that cannot be."""
        port = source.port
        if source.is_ours and ("ours", port) not in self._told:
            self._told.add(("ours", port))
            yield Warned(f"our own MIDI clock comes back on '{port}' and is not followed; take that cable out")
        if source.pair is not None and ("pair", port) not in self._told:
            self._told.add(("pair", port))
            one, other = sorted(source.pair)
            yield Warned(
                f"two MIDI clocks ({one:.0f} and {other:.0f} bpm) come on '{port}'; neither is followed: "
                "take one of them out, then press play on the other"
            )

    def _beyond(self, source: ClockSource, tempo_bpm: float) -> Iterator[Event]:
        """Report once a clock that is too slow or too fast."""
        yield from self._once(
            "beyond",
            source.port,
            f"the MIDI clock on '{source.port}' runs at {tempo_bpm:.0f} bpm, which is not followed: set it "
            f"to {TEMPO_MIN:g} to {TEMPO_MAX:g} bpm there",
        )

    def _once(self, kind: str, port: str, text: str) -> Iterator[Event]:
        """Report a kind of matter on a port, the first time."""
        if (kind, port) not in self._told:
            self._told.add((kind, port))
            yield Notice(text)


def _clock_name(by: str) -> str:
    """Return what people call the clock that has stopped."""
    return "Link" if by == LINK else f"the MIDI clock on '{by}'"


def _advice(by: str) -> str:
    """Return what starts the music again."""
    return "press play there" if by == LINK else "press play there, or tap to go on without it"


def _message(data: Sequence[int]) -> Message | None:
    """Give the message of a clock; None where it is broken."""
    try:
        message = bytes_to_message(data)
    except MidiError:
        return None
    return message if message in {CLOCK, START, CONTINUE, STOP} or isinstance(message, SongPosition) else None
