"""The objects that a performance needs besides the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.listening.beat_tracker import BeatTracker
    from improviser.music.meter import Meter
    from improviser.performer.demo.built_in_player import BuiltInPlayer
    from improviser.performer.inbox import Inbox
    from improviser.performer.midi_mapping import MidiMapping
    from improviser.performer.midi_output import OutputPath
    from improviser.performer.policy_history import PolicyHistory
    from improviser.performer.preset_switcher import PresetSwitcher
    from improviser.protocol import Event, Route


@dataclass(frozen=True, slots=True)
class PerformerContext:
    """What the performer's loop works with. The ports are open.

    Attributes:
        output_path: The port that the improviser plays on, and the objects that record what is sent.
        inbox: The queue that wakes the loop.
        tell: Accepts an event without blocking.
        midi_mapping: Maps the controls of the player's instruments to commands.
        preset_switcher: The presets that the jam can switch to.
        policy_history: The checkpoints that were learned in the background.
        built_in_player: The built-in player; None if there is none.
        propose: Accepts a tempo that others have to agree on; None if nobody has to.
        route: Requests that other ports are opened, without blocking.
        new_tracker: Makes a tracker of the player's beat; None if it is not followed.
        close_loop: Requests that an input is closed on which our own output comes back, without blocking.
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
    new_tracker: Callable[[float, Meter | None], BeatTracker] | None = None
