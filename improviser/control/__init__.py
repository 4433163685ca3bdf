"""All that crosses between processes: commands in, events out, each one JSON object on one line.

    settings   PortSettings, then PerformerSettings: the first lines that the performer is told;
               LearnerSettings, then PerformerSettings: those of the learner
    commands   Stop, Turn, Act, Adopt
    events     Ready, Notice, Warned, Heard, Lifted, Controlled, Stepped, Silenced, Restarted, Started,
               Synced, Halted, Turned, Switched, Judged, Undone, Tasted, Changed, Adopted, Learned,
               Kept, Played, Released, Failed, Summary

Heard to Adopted, in their order, are all that the engine was told: a session can be replayed from them.

Moments (`at_s`, `due_s`, `actual_s`) are seconds of the MIDI backend's clock; channels are 0-15 here and
in the lines between processes, and 1-16 in what is shown to people.
"""

from improviser.control.commands import (
    NEUTRAL,
    TEMPO_BPM,
    TURNS_MAX,
    Act,
    Action,
    Adopt,
    Command,
    Knob,
    Stop,
    Turn,
)
from improviser.control.events import (
    Changed,
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
    Switched,
    Synced,
    Turned,
    Warned,
)
from improviser.control.learning import Adopted, Judged, Learned, Tasted, Undone
from improviser.control.lines import DIGITS, Value, line_to_value, value_to_json, value_to_line
from improviser.control.settings import (
    CLICK_CHANNEL,
    Binding,
    ClockUse,
    ControlMessage,
    LearnerSettings,
    PerformerSettings,
    Piece,
    PlayerUse,
    PortSettings,
)

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
    "ClockUse",
    "Command",
    "ControlMessage",
    "Controlled",
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
    "Notice",
    "PerformerSettings",
    "Piece",
    "Played",
    "PlayerUse",
    "PortSettings",
    "Ready",
    "Released",
    "Restarted",
    "Silenced",
    "Started",
    "Stepped",
    "Stop",
    "Summary",
    "Switched",
    "Synced",
    "Tasted",
    "Turn",
    "Turned",
    "Undone",
    "Value",
    "Warned",
    "line_to_value",
    "value_to_json",
    "value_to_line",
]
