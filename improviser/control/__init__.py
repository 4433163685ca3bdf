"""All that crosses between processes: commands in, events out, each one JSON object on one line.

    settings   PortSettings, then PerformerSettings: the first lines that the performer is told
    commands   Stop, Panic, Keep, SetTempo, Tap
    events     Ready, Notice, Warned, Heard, Lifted, Controlled, Stepped, Silenced, Restarted, Started,
               Synced, Halted, Kept, Played, Released, Failed, Summary

Heard to Halted, in their order, are all that the engine was told: a session can be replayed from them.

Moments (`at_s`, `due_s`, `actual_s`) are seconds of the MIDI backend's clock; channels are 0-15 here and
in the lines between processes, and 1-16 in what is shown to people.
"""

from improviser.control.events import (
    Controlled,
    Event,
    Failed,
    Halted,
    Heard,
    Kept,
    Lifted,
    Notice,
    Played,
    Ready,
    Released,
    Restarted,
    Silenced,
    Started,
    Stepped,
    Summary,
    Synced,
    Warned,
)
from improviser.control.lines import DIGITS, Value, line_to_value, value_to_json, value_to_line
from improviser.control.settings import (
    CLICK_CHANNEL,
    TEMPO_FROM_BPM,
    ClockUse,
    Command,
    Keep,
    Panic,
    PerformerSettings,
    PlayerUse,
    PortSettings,
    SetTempo,
    Stop,
    Tap,
)

__all__ = [
    "CLICK_CHANNEL",
    "DIGITS",
    "TEMPO_FROM_BPM",
    "ClockUse",
    "Command",
    "Controlled",
    "Event",
    "Failed",
    "Halted",
    "Heard",
    "Keep",
    "Kept",
    "Lifted",
    "Notice",
    "Panic",
    "PerformerSettings",
    "Played",
    "PlayerUse",
    "PortSettings",
    "Ready",
    "Released",
    "Restarted",
    "SetTempo",
    "Silenced",
    "Started",
    "Stepped",
    "Stop",
    "Summary",
    "Synced",
    "Tap",
    "Value",
    "Warned",
    "line_to_value",
    "value_to_json",
    "value_to_line",
]
