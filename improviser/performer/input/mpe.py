"""Keyboards that use a channel for each note (MPE): all channels of a zone belong to one player.

A keyboard announces its zones with the MPE Configuration Message. Otherwise it is recognised by its playing: just
before each note-on it sends pitch bend and pressure on the note's channel, and the next note uses another channel.

Source: MIDI Polyphonic Expression, version 1.1 (RP-053): the lower zone's master is channel 1, the upper one's channel
16. Registered parameter 6 on a master sets how many member channels follow it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from improviser.midi.message import (
    ChannelAftertouch,
    ControlChange,
    NoteOff,
    NoteOn,
    PitchBend,
    PolyAftertouch,
    ProgramChange,
)

if TYPE_CHECKING:
    from improviser.midi.message import Message

LOWER_MASTER: Final = 0
UPPER_MASTER: Final = 15
_MEMBERS_MAX: Final = 15
_DATA_ENTRY: Final = 6
_PARAMETER: Final = {101: "high", 100: "low"}
_CONFIGURATION: Final = {"high": 0, "low": 6}
_TIMBRE: Final = 74
# This many note-ons in a row, on at least two channels, each with its bend and pressure, show an MPE keyboard. A
# sequencer sends bend and pressure once for a channel, when it begins.
_PROOF: Final = 4


@dataclass(slots=True)
class _Port:
    """What is known of an input.

    Attributes:
        members: Maps each member channel to its master.
        parameters: The registered parameter that is selected on a master.
        shaped: The kinds of messages sent on a channel since its last note-on.
        fresh: The channels of the last note-ons that had all these kinds.
        began: Maps each key that is down, (channel, note), to the channel for the engine. The note ends on that
            channel, even if its own channel has changed its master since.
    """

    members: dict[int, int] = field(default_factory=dict)
    parameters: dict[int, dict[str, int]] = field(default_factory=dict)
    shaped: dict[int, set[str]] = field(default_factory=dict)
    fresh: list[int] = field(default_factory=list)
    began: dict[tuple[int, int], int] = field(default_factory=dict)


class MpeZones:
    """Merges the channels of a zone, for each port separately.

    Threads: Only the performer's loop uses this class.
    """

    def __init__(self) -> None:
        """Create the object with no zone known."""
        self._ports: dict[str, _Port] = {}

    def merged(self, message: Message, port: str) -> Message | None:
        """Return a message on the zone's master channel, or None if it only shapes one note."""
        channel = getattr(message, "channel", None)
        if channel is None:
            return message
        known = self._ports.setdefault(port, _Port())
        if isinstance(message, ControlChange):
            _configure(known, message)
        _look(known, message)
        heard_on = known.members.get(channel, channel)
        match message:
            case NoteOn(_, note):
                # A key that goes down again before it came up keeps its channel.
                return replace(message, channel=known.began.setdefault((channel, note), heard_on))
            case NoteOff(_, note):
                return replace(message, channel=known.began.pop((channel, note), heard_on))
            case _ if heard_on == channel:
                return message
            case ControlChange(_, control) if control != _TIMBRE:
                return replace(message, channel=heard_on)
            case _:
                return None

    def heard_on(self, channel: int) -> set[int]:
        """Return the channels for the engine to which messages on `channel` go, for any port."""
        began = {
            heard_on
            for known in self._ports.values()
            for (its_channel, _), heard_on in known.began.items()
            if its_channel == channel
        }
        return began | {known.members.get(channel, channel) for known in self._ports.values()} | {channel}


def _configure(known: _Port, message: ControlChange) -> None:
    """Follow the configuration message, which consists of three controls on a master channel."""
    channel, control, value = message.channel, message.control, message.value
    if channel not in {LOWER_MASTER, UPPER_MASTER}:
        return
    chosen = known.parameters.setdefault(channel, {})
    if control in _PARAMETER:
        chosen[_PARAMETER[control]] = value
    elif control == _DATA_ENTRY and chosen == _CONFIGURATION:
        _set_zone(known, channel, min(value, _MEMBERS_MAX))


def _set_zone(known: _Port, master: int, count: int) -> None:
    """Assign `count` channels to a master. The newest zone takes channels from the other one."""
    known.members = {channel: its for channel, its in known.members.items() if its != master}
    nearest = range(1, count + 1) if master == LOWER_MASTER else range(_MEMBERS_MAX - count, _MEMBERS_MAX)
    known.members |= dict.fromkeys(nearest, master)


def _look(known: _Port, message: Message) -> None:
    """Detect playing that only an MPE keyboard produces."""
    match message:
        case PitchBend(channel):
            known.shaped.setdefault(channel, set()).add("bend")
        case ChannelAftertouch(channel) | PolyAftertouch(channel) | ControlChange(channel, 74):
            known.shaped.setdefault(channel, set()).add("pressure")
        case NoteOn(channel) if channel != LOWER_MASTER:
            is_fresh = known.shaped.pop(channel, set()) == {"bend", "pressure"}
            known.fresh = [*known.fresh, channel] if is_fresh else []
            if len(known.fresh) >= _PROOF and len(set(known.fresh)) > 1 and not known.members:
                _set_zone(known, LOWER_MASTER, _MEMBERS_MAX)
        case ProgramChange():
            known.fresh = []
        case _:
            pass
