"""Decides whose beat to play to: an outer clock's or the improviser's own, which can be set and tapped.

The improviser also follows the transport of a MIDI clock, of Link and of JACK (`jack_sync`). The clock of each port is
tracked separately (`clock_source`), and one of the clocks leads. With `auto` this is a clock that was started, with
`midi` any clock. A clock that is started takes the lead from one that is not.

The engine's own beat goes on at the last tempo between two messages of a clock, and after the clock has gone. So no
beat has to be handed over. A stopped clock silences the jam as long as it ticks. When the clock has gone, the beat is
the improviser's own again.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from improviser.choices import ClockUse
from improviser.errors import MidiError
from improviser.listening.taps import Taps
from improviser.midi.message import CLOCK, CONTINUE, START, STOP, NoteOn, SongPosition, bytes_to_message
from improviser.performer.clock.clock_source import ClockSource
from improviser.performer.clock.sent_clock import SentClock
from improviser.protocol import DIGITS, TEMPO_BPM, Event, Notice, Refused, Warned
from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from improviser.engine import Engine
    from improviser.ipc.shared_state import JamPosition
    from improviser.listening.midi_clock import Sync
    from improviser.midi.message import Message
    from improviser.performer.clock.beat_follower import BeatFollower
    from improviser.performer.inbox import LinkHeard
    from improviser.performer.input.arrivals import Arrival
    from improviser.performer.transport import Transport

# Song position, tick, start, continue and stop.
_CLOCK_BYTES: Final = frozenset({0xF2, 0xF8, 0xFA, 0xFB, 0xFC})
# The engine receives the beat four times a beat, and at each tick of the first beat after a jump.
SYNC_TICKS: Final = 6
_FIRST_TICKS: Final = 24
# A tempo outside these limits is not real: messages were lost, or the clock is faulty.
TEMPO_MIN, TEMPO_MAX = TEMPO_BPM
# A clock that only ticks changes the tempo if it differs by more than this share.
TEMPO_SHARE: Final = 0.005
# The beat jumps if two peers meet or a peer shifts its bars. Smaller differences are smoothed.
LINK_JUMP_BEATS: Final = 0.1
# Before a count-in the player gets this time to get ready.
COUNT_IN_LEAD_S: Final = 0.5
LINK: Final = "Link"
JACK: Final = "JACK"
MMC: Final = "MMC"
_NAMES: Final = {LINK: "Link", JACK: "the JACK transport", MMC: "MIDI Machine Control"}
_PLAY_ON: Final = "play a note, tap, set a tempo or press solo to go on without it"


def is_clock(data: Sequence[int]) -> bool:
    """Return whether the bytes of a message belong to a clock."""
    return bool(data) and data[0] in _CLOCK_BYTES


class ClockSync:
    """Passes the beat of the clock that is followed to the engine.

    Threads: Only the performer's loop uses this class.
    """

    def __init__(
        self,
        use: ClockUse,
        transport: Transport,
        tell: Callable[[Event], None],
        propose: Callable[[float], None] | None = None,
        *,
        follower: BeatFollower | None = None,
        keeps_tempo: bool = False,
    ) -> None:
        """Follow clocks as `use` says. Nothing has been heard yet.

        Args:
            use: Whose beat to play to.
            transport: Starts, paces and halts the performance.
            tell: Called with events for the player.
            propose: Called with a tempo that others have to agree on; None if nobody has to.
            follower: Follows the player's beat while no outer clock leads; None if that is not possible.
            keeps_tempo: Whether the player chose the tempo, so that a clock that only ticks does not change it.
        """
        self.sent = SentClock()
        self._use = use
        self._transport, self._tell = transport, tell
        self._propose = propose
        self._keeps_tempo = keeps_tempo
        self._follower = follower
        self._tempo_bpm: float | None = None
        self._has_transport = False
        self._sources: dict[str, ClockSource] = {}
        self._lead: ClockSource | None = None
        self._has_joined = False
        self._ticks = 0
        # Whether the JACK transport and its timebase master give the beat now (JackSync).
        self.follows_jack = False
        self._taps = Taps()
        self._knows_place = False
        self._is_bridging = False
        # Who stopped the jam, if it is stopped. _is_detached: that clock has gone, and nothing has restarted the jam.
        self._stopped_by: str | None = None
        self._is_detached = False
        self._told: set[tuple[str, str]] = set()

    @property
    def _engine(self) -> Engine:
        """The engine that plays now."""
        return self._transport.engine

    @property
    def next_look_s(self) -> float | None:
        """The time at which `look` has to be called; None if there is nothing to check."""
        lead = self._lead
        is_watched = lead is not None and (self._stopped_by is not None or lead.is_rolling)
        gone_s = lead.gone_s if lead is not None and is_watched and not self._is_bridging else None
        moments = (gone_s, self._follower.next_look_s if self._follower is not None and self._may_follow else None)
        return min((moment for moment in moments if moment is not None), default=None)

    def hear_player(self, message: Message, at_s: float, *, begins: bool) -> None:
        """Process a message of the player that the engine has heard; `begins` if the beat begins with it."""
        if self._follower is not None and self._may_follow:
            self._follower.hear(message, at_s, begins=begins)

    def end_wait(self, message: Message, at_s: float) -> None:
        """End a wait for the player if the message is a note of theirs; call it before the engine hears it."""
        if self._follower is not None and isinstance(message, NoteOn):
            self._follower.end_wait(at_s)

    @property
    def waited_until_s(self) -> float:
        """The end of the last wait for the player; a step before it is not late."""
        return -math.inf if self._follower is None else self._follower.waited_until_s

    @property
    def _may_follow(self) -> bool:
        """Whether nothing else sets the beat than the player's notes."""
        return self._is_following and self._lead is None and self._stopped_by is None and not self.follows_jack

    @property
    def _own_clock(self) -> ClockUse:
        """Whose beat it is if no outer clock's: the player's or the improviser's own."""
        return ClockUse.FOLLOW if self._is_following else ClockUse.OWN

    @property
    def _is_following(self) -> bool:
        """Whether the player is followed as long as no outer clock leads."""
        return self._follower is not None and self._follower.is_on

    def _leave_player(self) -> None:
        """Follow the player no more."""
        if self._follower is not None:
            self._follower.is_on = False
            self._follower.rest()

    def _rest_follower(self, at_s: float) -> None:
        """Follow the player no more until their next note."""
        if self._follower is not None:
            self._follower.leave(round(at_s, DIGITS))

    def receive(self, arrival: Arrival) -> None:
        """Process a message of a clock. The performance follows it if that clock leads."""
        message = _message(arrival.data)
        if message is None or self._use not in {ClockUse.AUTO, ClockUse.MIDI} or self._is_by_jack:
            return
        source = self._sources.setdefault(arrival.port, ClockSource(arrival.port, self.sent))
        sync = source.receive(message, arrival.at_s, is_lead=source is self._lead)
        self._warn(source)
        if message == STOP and source is self._lead:
            self.halt(arrival.at_s, source.port)
        elif sync is None or not source.may_be_followed:
            return
        elif self._leads(source, sync, arrival.at_s):
            self._follow(source, sync)
        else:
            self._pass_by(source, sync)

    def hear_link(self, heard: LinkHeard) -> None:
        """Process Link's beat. Link's transport counts after a peer has used it, and as long as a peer is there."""
        at_s, beat = heard.at_s, heard.beat
        self._has_transport = self._has_transport or heard.is_playing
        if self._has_transport and not heard.is_playing:
            if heard.peers:
                self.halt(at_s, LINK)
                return
            self._has_transport = False
            if self._stopped_by is not None:
                self.detach(at_s, "the last peer of Link has gone")
        is_jump = not self._engine.is_rolling or abs(self._engine.beat_at(at_s) - beat) > LINK_JUMP_BEATS
        self._transport.sync(at_s, beat, heard.tempo_bpm, ClockUse.LINK)
        if is_jump and (self._engine.is_rolling or heard.is_playing or not self._is_detached):
            self.begin(at_s, beat)

    def follow_jack(self) -> None:
        """Follow the JACK transport from now on, and neither a MIDI clock nor the player. It sets the beat at once."""
        if self._follower is not None:
            self._follower.rest()
        self.follows_jack, self._lead, self._is_bridging = True, None, False

    def is_led(self, at_s: float) -> bool:
        """Return whether the transport of an outer clock is followed."""
        return self._is_led(at_s) or self._propose is not None

    @property
    def stopped_by(self) -> str | None:
        """What has stopped the music, None if it is not stopped."""
        return self._stopped_by

    def begin(self, at_s: float, beat: float) -> None:
        """Start the engine's own beat, with `beat` at the time `at_s`."""
        self._stopped_by, self._is_detached = None, False
        self._transport.start(at_s, beat)

    def count_in(self, bars: int, now_s: float) -> float | None:
        """Start the improviser's own beat `bars` bars before bar 1, unless something else keeps the beat.

        Returns:
            The first beat of the count-in, which is negative; None if the count-in was refused.
        """
        reason = self._beat_keeper(now_s)
        if reason:
            self._tell(Refused("count_in", f"cannot count in: {reason}"))
            return None
        beat = -bars * self._engine.meter.bar_beats
        self._keeps_tempo = True
        if self._is_following and self._use is not ClockUse.FOLLOW:
            self._leave_player()
            self._set(now_s, self._engine.beat_at(now_s), self._transport.tempo_bpm)
        self._rest_follower(now_s)
        self._stopped_by, self._is_detached = None, False
        self._transport.count_in(round(now_s + COUNT_IN_LEAD_S, DIGITS), beat)
        return beat

    def resume(self, place: JamPosition, now_s: float) -> None:
        """Continue a performance that had reached `place`. The beat has gone on since then."""
        self._keeps_tempo = True
        self._transport.resume(place.start_s, place.tempo_bpm)
        passed_s = max(0.0, now_s - place.at_s)
        beat = round(place.beat + passed_s * place.tempo_bpm / S_PER_MINUTE, DIGITS)
        self._transport.sync(now_s, beat, place.tempo_bpm, self._own_clock)
        self.begin(now_s, beat)

    def set_tempo(self, tempo_bpm: float, at_s: float) -> None:
        """Set the tempo from `at_s` on, unless an outer clock sets it."""
        if self._propose is not None:
            self._propose(tempo_bpm)
        elif self._is_led(at_s):
            waits = "" if self._stopped_by is None else f", and it is stopped: {_advice(self._stopped_by)}"
            text = f"cannot set the tempo: it comes from the clock that improviser follows{waits}"
            self._tell(Refused("tempo", text))
        else:
            self._keeps_tempo = True
            self._leave_player()
            self._set(at_s, self._engine.beat_at(at_s), tempo_bpm)
            self._wake(at_s)

    def follow_player(self, at_s: float) -> None:
        """Follow the player's beat from their next note on, unless an outer clock sets the beat."""
        if self._follower is None or self._is_led(at_s) or self._use in {ClockUse.MIDI, ClockUse.LINK}:
            self._tell(Refused("tempo", "cannot follow you: the beat comes from a clock. Start with --clock follow"))
            return
        if not self._follower.is_on:
            self._follower.is_on = True
            self._set(at_s, self._engine.beat_at(at_s), self._transport.tempo_bpm)
        self._tell(Notice("it follows your beat from your next note on. A tempo or two taps end that"))

    def tap(self, at_s: float) -> None:
        """Use a tap as a beat, or as a downbeat if a clock leads that has stopped or has not sent its position.

        While the player is followed, one tap corrects the beat. From the second one on, taps set the tempo.
        """
        tempo_bpm = self._taps.tap(at_s)
        if self._propose is not None:
            if tempo_bpm is not None:
                self._propose(tempo_bpm)
        elif self._stopped_by is not None or self._is_led(at_s):
            self._tap_downbeat(at_s)
        elif tempo_bpm is None and self._follower is not None and self._may_follow:
            self._follower.tap(at_s)
        elif tempo_bpm is not None and TEMPO_MIN <= tempo_bpm <= TEMPO_MAX:
            self._keeps_tempo = True
            self._leave_player()
            beat = self._engine.beat_at(at_s)
            self._set(at_s, round(beat) if self._engine.is_rolling else beat, tempo_bpm)
            self._wake(at_s)

    def look(self, at_s: float) -> None:
        """Look how the player's beat goes on at `at_s`, and whether the leading clock has gone. Report that once."""
        if self._follower is not None and self._may_follow:
            self._follower.look(at_s)
        for source in self._sources.values():
            if source.is_without_ticks(at_s):
                self._once(
                    "silent",
                    source.port,
                    f"'{source.port}' sends a start but no MIDI clock: its start and stop are ignored. "
                    "Switch its clock on to follow it",
                )
        lead = self._lead
        if lead is None or lead.is_alive(at_s):
            return
        if self._stopped_by is not None:
            lead.give_up()
            self._lead = None
            self.detach(at_s, f"the stopped MIDI clock on '{lead.port}' has stopped ticking")
        elif lead.is_rolling and not self._is_bridging:
            self._is_bridging = True
            self._tell(Notice("the MIDI clock is gone. The beat goes on at its last tempo until it returns"))

    def _beat_keeper(self, at_s: float) -> str:
        """Return who keeps the beat instead of the improviser, and what to do; an empty text if nobody does."""
        if self._propose is not None:
            return "Link keeps the beat. Press play in a program on Link, or use --clock own"
        if self.follows_jack:
            return "the JACK transport keeps the beat. Start it there, or use --clock own"
        lead = self._lead
        if lead is not None and (self._stopped_by is not None or self._is_led(at_s)):
            return f"the MIDI clock on '{lead.port}' keeps the beat. Use the count-in there, or --clock own here"
        return "the built-in player keeps the beat" if self._transport.has_tune else ""

    def _is_led(self, at_s: float) -> bool:
        """Return whether an outer clock is followed, or has stopped and still ticks."""
        return self.follows_jack or self._has_lead(at_s)

    @property
    def _is_by_jack(self) -> bool:
        """Whether the JACK transport gives the beat, and has not stopped."""
        return self.follows_jack and self._stopped_by != JACK

    def _has_lead(self, at_s: float) -> bool:
        """Return whether a MIDI clock is followed, or has stopped and still ticks."""
        lead = self._lead
        return lead is not None and lead.is_alive(at_s) and lead.may_be_followed

    def _leads(self, source: ClockSource, sync: Sync, at_s: float) -> bool:
        """Return whether a ticking clock leads. A started clock takes the lead from one that is not started."""
        if source is self._lead:
            return True
        if not source.is_rolling and self._use is not ClockUse.MIDI:
            return False
        if self._has_lead(at_s) and not (sync.is_jump and self._lead is not None and not self._lead.is_rolling):
            return False
        self._lead, self._has_joined, self._is_bridging = source, False, False
        self._rest_follower(at_s)
        self.follows_jack = False
        return True

    def halt(self, at_s: float, by: str) -> None:
        """Stop with the transport of the leading clock."""
        if self._engine.is_rolling:
            self._rest_follower(at_s)
            self._stopped_by, self._is_detached = by, False
            self._transport.halt(at_s, by)
            self._tell(Notice(f"stopped by {_clock_name(by)}: {_advice(by)}"))

    def detach(self, at_s: float, why: str) -> None:
        """Return to the improviser's own beat after the transport that stopped it has gone."""
        self._stopped_by, self._is_detached = None, True
        self._transport.detach(round(at_s, DIGITS))
        self._tell(Notice(f"{why}: {_PLAY_ON}"))

    def _wake(self, at_s: float) -> None:
        """Continue with a new bar if the jam still waits because the transport that stopped it has gone."""
        if self._is_detached and not self._engine.is_rolling:
            bar_beats = self._engine.meter.bar_beats
            self.begin(at_s, math.ceil(self._engine.beat_at(at_s) / bar_beats) * bar_beats)

    def _tap_downbeat(self, at_s: float) -> None:
        """Use a tap as the downbeat, unless the clock has sent its position. Leave a clock that has stopped."""
        lead = self._lead
        if (self._knows_place or self.follows_jack) and self._stopped_by is None:
            return
        self.follows_jack = False
        if lead is not None and self._stopped_by is not None:
            lead.give_up()
            self._told.add(("idle", lead.port))
            self._lead = lead if self._use is ClockUse.MIDI else None
        bar_beats = self._engine.meter.bar_beats
        self.begin(at_s, round(self._engine.beat_at(at_s) / bar_beats) * bar_beats)

    def _set(self, at_s: float, beat: float, tempo_bpm: float) -> None:
        """Set the engine's own beat and tempo."""
        beat, self._tempo_bpm = round(beat, DIGITS), round(tempo_bpm, DIGITS)
        self._transport.sync(at_s, beat, self._tempo_bpm, self._own_clock)

    def _follow(self, source: ClockSource, sync: Sync) -> None:
        """Pass a tick of the leading clock to the engine."""
        is_jump = sync.beat is not None and (sync.is_jump or not self._has_joined)
        self._ticks = 0 if is_jump else self._ticks + 1
        if self._is_bridging:
            self._is_bridging = False
            self._tell(Notice("the MIDI clock is back"))
        if self._ticks % SYNC_TICKS and self._ticks > _FIRST_TICKS:
            return
        if sync.beat is None and source.is_started:
            return  # the clock has stopped, but still ticks
        self._knows_place = sync.beat is not None
        at_s = round(sync.at_s, DIGITS)
        beat = round(self._engine.beat_at(at_s) if sync.beat is None else sync.beat, DIGITS)
        self._pace(source, sync, beat)
        if is_jump:
            self._has_joined = True
            self.begin(at_s, beat)

    def _pace(self, source: ClockSource, sync: Sync, beat: float) -> None:
        """Pass the beat and tempo of a tick to the engine. Use the last tempo until the clock's is certain."""
        tempo_bpm = self._tempo_bpm if sync.tempo_bpm is None else round(sync.tempo_bpm, DIGITS)
        if tempo_bpm is None:
            return
        if not TEMPO_MIN <= tempo_bpm <= TEMPO_MAX:
            self._beyond(source, tempo_bpm)
            return
        self._tempo_bpm = tempo_bpm
        at_s = round(sync.at_s, DIGITS)
        self._transport.sync(at_s, beat, tempo_bpm, ClockUse.MIDI)

    def _pass_by(self, source: ClockSource, sync: Sync) -> None:
        """Report once a clock that only ticks. Use its tempo as long as nothing plays."""
        is_heeded = self._use is ClockUse.AUTO and not source.is_started and self._lead is None
        if not is_heeded or not source.is_told or sync.tempo_bpm is None:
            return
        if not TEMPO_MIN <= sync.tempo_bpm <= TEMPO_MAX:
            self._beyond(source, sync.tempo_bpm)
            return
        is_taken = not self._engine.is_rolling and not self._keeps_tempo
        used = "its tempo is used; " if is_taken else ""
        self._once(
            "idle",
            source.port,
            f"a MIDI clock of {sync.tempo_bpm:.0f} bpm ticks on '{source.port}' but was not started: "
            f"{used}press play there to follow it, or use --clock midi",
        )
        before_bpm = self._tempo_bpm or self._engine.settings.tempo_bpm
        if is_taken and abs(sync.tempo_bpm - before_bpm) > TEMPO_SHARE * before_bpm:
            at_s = round(sync.at_s, DIGITS)
            self._set(at_s, self._engine.beat_at(at_s), sync.tempo_bpm)

    def _warn(self, source: ClockSource) -> None:
        """Report once why a clock cannot be followed."""
        port = source.port
        if source.is_ours and ("ours", port) not in self._told:
            self._told.add(("ours", port))
            self._tell(
                Warned(f"improviser's own MIDI clock comes back on '{port}' and is ignored. Remove that connection")
            )
        if source.pair is not None and ("pair", port) not in self._told:
            self._told.add(("pair", port))
            one, other = sorted(source.pair)
            self._tell(
                Warned(
                    f"two MIDI clocks ({one:.0f} and {other:.0f} bpm) come on '{port}'; neither is followed. "
                    "Remove one, then press play on the other"
                )
            )

    def _beyond(self, source: ClockSource, tempo_bpm: float) -> None:
        """Report once a clock that is too slow or too fast."""
        self._once(
            "beyond",
            source.port,
            f"the MIDI clock on '{source.port}' runs at {tempo_bpm:.0f} bpm, which is out of range. Set it "
            f"to {TEMPO_MIN:g} to {TEMPO_MAX:g} bpm there",
        )

    def _once(self, kind: str, port: str, text: str) -> None:
        """Send a notice, once for each kind and port."""
        if (kind, port) not in self._told:
            self._told.add((kind, port))
            self._tell(Notice(text))


def _clock_name(by: str) -> str:
    """Return the name of the stopped clock for the user."""
    return _NAMES.get(by, f"the MIDI clock on '{by}'")


def _advice(by: str) -> str:
    """Return what starts the music again."""
    return "press play there" if by == LINK else "press play there, or tap to go on without it"


def _message(data: Sequence[int]) -> Message | None:
    """Return the clock message in `data`, or None if it is broken or not a clock message."""
    try:
        message = bytes_to_message(data)
    except MidiError:
        return None
    return message if message in {CLOCK, START, CONTINUE, STOP} or isinstance(message, SongPosition) else None
