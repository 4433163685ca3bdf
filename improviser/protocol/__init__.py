"""The messages between processes: settings, commands and events. Each is one JSON object on one line.

A subclass of Value with a name in `event` is registered in `value.KINDS`. The codec and the tables of
docs/protocol.md (`python docs/reference.py`) use this registry.

The performer first gets PortSettings, then PerformerSettings. The learner first gets LearnerSettings, then
PerformerSettings. The events from Heard to Adopted report all inputs of the engine, in their order. So a session can
be replayed from them.

Moments (`at_s`, `due_s`, `actual_s`) are seconds of the MIDI backend's clock. Channels are 0-15 here and in the lines
between processes, and 1-16 in everything that users see.
"""

from improviser.protocol.codec import DIGITS, json_to_value, line_to_value, value_to_json, value_to_line
from improviser.protocol.commands import (
    NEUTRAL,
    TEMPO_BPM,
    TURNS_MAX,
    Act,
    Action,
    Adopt,
    Choose,
    Knob,
    Lock,
    Receive,
    Route,
    Stop,
    Turn,
)
from improviser.protocol.events import (
    Changed,
    Controlled,
    Detached,
    Failed,
    Halted,
    Heard,
    Kept,
    Lifted,
    Locked,
    LookAhead,
    Notice,
    Offered,
    Played,
    Ready,
    Released,
    Restarted,
    Routed,
    Silenced,
    Started,
    Stepped,
    Summary,
    Switched,
    Synced,
    Turned,
    Warned,
)
from improviser.protocol.insight import Planned, Understood
from improviser.protocol.learning import Adopted, Judged, Learned, Tasted, Undone
from improviser.protocol.startup import (
    CLICK_CHANNEL,
    Binding,
    ControlMessage,
    LearnerSettings,
    PerformerSettings,
    PlayerUse,
    PortSettings,
    PresetEntry,
)
from improviser.protocol.status import PortChanged, Refused, Rested
from improviser.protocol.value import Command, Event, StartSettings, Steer, Value

__all__ = [
    "CLICK_CHANNEL",
    "DIGITS",
    "NEUTRAL",
    "TEMPO_BPM",
    "TURNS_MAX",
    "Act",
    "Action",
    "Adopt",
    "Adopted",
    "Binding",
    "Changed",
    "Choose",
    "Command",
    "ControlMessage",
    "Controlled",
    "Detached",
    "Event",
    "Failed",
    "Halted",
    "Heard",
    "Judged",
    "Kept",
    "Knob",
    "Learned",
    "LearnerSettings",
    "Lifted",
    "Lock",
    "Locked",
    "LookAhead",
    "Notice",
    "Offered",
    "PerformerSettings",
    "Planned",
    "Played",
    "PlayerUse",
    "PortChanged",
    "PortSettings",
    "PresetEntry",
    "Ready",
    "Receive",
    "Refused",
    "Released",
    "Restarted",
    "Rested",
    "Route",
    "Routed",
    "Silenced",
    "StartSettings",
    "Started",
    "Steer",
    "Stepped",
    "Stop",
    "Summary",
    "Switched",
    "Synced",
    "Tasted",
    "Turn",
    "Turned",
    "Understood",
    "Undone",
    "Value",
    "Warned",
    "json_to_value",
    "line_to_value",
    "value_to_json",
    "value_to_line",
]
