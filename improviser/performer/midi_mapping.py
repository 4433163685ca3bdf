"""Maps the knobs, pads and pedals of the player's instruments to commands, for each port separately.

Knobs use soft takeover: a knob changes nothing until it reaches the present value. So the first movement of a knob
makes no jump. A pad or pedal acts when it goes down.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from improviser.listening.window import PEDAL_DOWN
from improviser.midi.message import (
    ALL_SOUND_OFF,
    DATA_MAX,
    ControlChange,
    NoteOff,
    NoteOn,
    PolyAftertouch,
    ProgramChange,
)
from improviser.protocol import Act, Action, ControlMessage, Knob, Steer, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from improviser.midi.message import Message
    from improviser.protocol import Binding

# The controller value 0 stands for this tempo. Each step up to 127 adds 1 bpm.
TEMPO_FROM_BPM: Final = 60
# A knob reaches a value when it is this close to it: three of its 127 steps.
NEAR: Final = 0.05
NEAR_BPM: Final = 3.0
_MIDDLE: Final = 64
_ACTIONS: Final = frozenset(Action)
# kind, number, channel (None: any)
_Sent = tuple[str, int, int | None]


class MidiMapping:
    """Turns messages into commands.

    Threads: The performer's loop uses this class. The drivers' threads call `owns` too. No method blocks.
    """

    def __init__(self, bindings: Sequence[Binding], control_ports: Sequence[str] = ()) -> None:
        """Create the mapping from `bindings`.

        Nothing counts as music that comes from a port whose name contains one of `control_ports`.
        """
        self._control_ports = control_ports
        self._is_control_port: dict[str, bool] = {}
        # The bindings by the port patterns that they apply to: all bindings of a device are matched at once.
        self._devices: dict[tuple[str, ...], dict[_Sent, str]] = {(): {}}
        for patterns, kind, number, channel, does in bindings:
            self._devices.setdefault(patterns, {})[kind, number, channel] = does
        self._ports: dict[str, dict[_Sent, str]] = {}
        self._last: dict[tuple[str, _Sent], float] = {}

    def owns(self, message: Message, port: str) -> bool:
        """Return whether a message belongs to a knob, pad or pedal, so that it is not music.

        That is the case if the control is bound, or if the controller has no keys.
        """
        if port not in self._is_control_port:
            self._is_control_port[port] = _fits(self._control_ports, port)
        return self._is_control_port[port] or self._bound(message, port) is not None

    def asked(self, message: Message, port: str, position: Callable[[Knob], float]) -> Steer | None:
        """Return the command that a message stands for, or None. `position` returns the position of a knob."""
        bound = self._bound(message, port)
        if bound is None:
            return None
        sent, does = bound
        if does in _ACTIONS:
            return Act(Action(does)) if self._has_gone_down(message, (port, sent)) else None
        if isinstance(message, ControlChange):
            return self._turned(message.value, (port, sent), Knob(does), position)
        return None

    def _bound(self, message: Message, port: str) -> tuple[_Sent, str] | None:
        """Return the control that sent a message and what it does, or None if nothing is bound to it."""
        exact = sent_by(message)
        if exact is None:
            return None
        table = self._table(port)
        for sent in (exact, (*exact[:2], None)):
            if sent in table:
                return sent, table[sent]
        return None

    def _table(self, port: str) -> dict[_Sent, str]:
        """Return the bindings for a port. Bindings that name the port override those for any port."""
        if port not in self._ports:
            table = dict(self._devices[()])
            for patterns, bound in self._devices.items():
                table |= bound if _fits(patterns, port) else {}
            self._ports[port] = table
        return self._ports[port]

    def _has_gone_down(self, message: Message, control: tuple[str, _Sent]) -> bool:
        """Return whether a pad or pedal goes down with a message."""
        if isinstance(message, NoteOn | ProgramChange):
            return True
        if not isinstance(message, ControlChange):
            return False
        if message.control >= ALL_SOUND_OFF:  # a channel mode message
            return True
        before = self._last.get(control, 0.0)
        self._last[control] = message.value
        return before < PEDAL_DOWN <= message.value

    def _turned(
        self, value: int, control: tuple[str, _Sent], knob: Knob, where: Callable[[Knob], float]
    ) -> Turn | None:
        """Return the turn of a knob, or None if the knob has not reached the present value yet."""
        is_tempo = knob is Knob.TEMPO
        position = float(TEMPO_FROM_BPM + value) if is_tempo else _position(value)
        stands, near = where(knob), NEAR_BPM if is_tempo else NEAR
        if is_tempo:  # the tempo may be outside the knob's range
            stands = min(max(stands, TEMPO_FROM_BPM), TEMPO_FROM_BPM + DATA_MAX)
        last = self._last.get(control, position)
        self._last[control] = position
        has_passed = (last - stands) * (position - stands) <= 0
        has_hold = has_passed or abs(last - stands) <= near or abs(position - stands) <= near
        return Turn(knob, position) if has_hold else None


def sent_by(message: Message) -> tuple[ControlMessage, int, int] | None:
    """Return the control that sent a message, as in device files: kind, number, channel. None: no control."""
    match message:
        case ControlChange(channel, control):
            return ControlMessage.CONTROL_CHANGE, control, channel
        case NoteOn(channel, note) | NoteOff(channel, note) | PolyAftertouch(channel, note):
            return ControlMessage.NOTE, note, channel
        case ProgramChange(channel, program):
            return ControlMessage.PROGRAM_CHANGE, program, channel
        case _:
            return None


def _position(value: int) -> float:
    """Return the knob position (0-2) for a controller value (0-127). The middle value 64 gives 1."""
    if value <= _MIDDLE:
        return value / _MIDDLE
    return 1.0 + (value - _MIDDLE) / (DATA_MAX - _MIDDLE)


def _fits(patterns: Sequence[str], port: str) -> bool:
    """Return whether a port's name contains one of the patterns, which may use the wildcards * and ?."""
    return any(fnmatchcase(port.lower(), f"*{pattern.lower()}*") for pattern in patterns)
