"""What a performance plays with, apart from the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.performer.demo.built_in_player import BuiltInPlayer
    from improviser.performer.inbox import Inbox
    from improviser.performer.midi_mapping import MidiMapping
    from improviser.performer.midi_output import OutputPath
    from improviser.performer.policy_history import PolicyHistory
    from improviser.performer.preset_switcher import PresetSwitcher
    from improviser.protocol import Event, Route


@dataclass(frozen=True, slots=True)
class PerformerContext:
    """What the beat plays with: its ports are open.

    Attributes:
        output_path: Where the improviser plays.
        inbox: What wakes the beat.
        tell: Takes an event at once, without blocking.
        midi_mapping: What the controls of the player's instruments do.
        preset_switcher: The presets that can be gone on with.
        policy_history: What was learned in the background.
        built_in_player: The built-in player, None where there is none.
        propose: Takes a tempo that others have to agree on; None where nobody has.
        route: Lets other ports be opened, without blocking.
        close_loop: Lets an input be closed on which our own output comes back, without blocking.
    """

    output_path: OutputPath
    inbox: Inbox
    tell: Callable[[Event], None]
    midi_mapping: MidiMapping
    preset_switcher: PresetSwitcher
    policy_history: PolicyHistory
    built_in_player: BuiltInPlayer | None = None
    propose: Callable[[float], None] | None = None
    route: Callable[[Route], None] = lambda _route: None
    close_loop: Callable[[str], None] = lambda _port: None
