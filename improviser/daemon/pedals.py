"""What pedals, keys and knobs of the player's instrument ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from improviser.control import TEMPO_FROM_BPM, Command, Keep, Panic, SetTempo, Tap
from improviser.listening.window import PEDAL_DOWN
from improviser.midi.message import ControlChange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from improviser.control import PerformerSettings
    from improviser.midi.message import Message


def asked(message: Message, settings: PerformerSettings) -> Iterator[Command]:
    """Give the commands that a message stands for by the settings."""
    if not isinstance(message, ControlChange):
        return
    control, is_down = message.control, message.value >= PEDAL_DOWN
    if control in settings.panic_controls:
        yield Panic()
    if is_down and control == settings.keep_control:
        yield Keep()
    if is_down and control == settings.tap_control:
        yield Tap()
    if control == settings.tempo_control:
        yield SetTempo(float(TEMPO_FROM_BPM + message.value))
