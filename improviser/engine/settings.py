"""The settings of the engine: plain values, so that they can be sent between processes."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Final

from improviser.choices import NoteTiming, PlayMode, RoleName
from improviser.engine.decision_values import DecisionValues
from improviser.listening.observation import STYLES
from improviser.music.meter import METERS, Meter, parse_meter
from improviser.music.scale import parse_key
from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from improviser.music.scale import Key

AUTO_KEY: Final = "auto"


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How improviser plays; plain values, so that they can be sent between processes.

    Attributes:
        tempo_bpm: Quarter notes per minute.
        meter: Time signature, one of music.meter.METERS.
        steps_per_beat: The grid: 1-4 decisions per quarter note.
        key: "auto" or a locked key such as "C" or "F#m".
        register_low: About the lowest note, 0-127. The register is three octaves above the nearest tonic.
        channel: MIDI channel 0-15.
        timing: When notes leave, one of choices.NoteTiming; AUTO: after the player, until `Engine.set_timing`.
        collect_s: After the player: for how many seconds after a step the player's notes of it are collected.
        offset_s: How many seconds later notes leave than `timing` says; negative: earlier.
        ahead_s: How many seconds before it is due the output needs a message.
        has_hindsight: Whether all that the player does in a step is known when it is decided, as in a file.
        patience_bars: Number of bars without the player after which improviser stops and waits; 0 means never.
        max_note_bars: The longest duration of a note in bars.
        temperature: See DecisionValues; this and the next five are the initial values of the knobs.
        prior_weight: See DecisionValues.
        harmony: See DecisionValues.
        coherence: See DecisionValues.
        creativity: See DecisionValues.
        density: See DecisionValues.
        swing: The first eighth's share of a beat, 0.5 (straight) to 0.75; it has no effect if `follows_swing`.
        follows_swing: Whether the swing is the groove's, and then the player's, as far as `feel` goes.
        feel: How far microtiming, accents and note lengths are the player's: 0 is the plain grid, 1 the player's.
        groove: One of listening.pocket.groove.GROOVE_NAMES, whose feel is expected of the player; "": none.
        panel: Initial positions of the panel's knobs, 0-2, by name; 1 for knobs that are not named.
        taste: Known preferences of the player: weights by the names of features.
        style: One of listening.observation.STYLES.
        role: One of engine.role.ROLES.
        chart: The chord of each eighth of a tune that goes round from beat 0 on: an index or NO_CHORD; empty: none.
        advice: Weight of ChordAdvice, 0-2; above 0 for the melody role alone.
        mode: When improviser plays, one of choices.PlayMode, until `Engine.set_mode`.
        recall: What an action gains that was played when the player last played the same, 0-2, in units of the reward.
        mends: Whether what we play is replaced at once if a note that the player plays later clashes with it.
    """

    tempo_bpm: float = 100.0
    meter: tuple[int, int] = (4, 4)
    steps_per_beat: int = 4
    key: str = AUTO_KEY
    register_low: int = 60
    channel: int = 0
    timing: str = NoteTiming.AUTO
    collect_s: float = 0.0
    offset_s: float = 0.0
    ahead_s: float = 0.0
    has_hindsight: bool = False
    patience_bars: int = 4
    max_note_bars: float = 2.0
    temperature: float = 0.2
    prior_weight: float = 0.3
    harmony: float = 1.0
    coherence: float = 1.0
    creativity: float = 1.0
    density: float = 1.0
    swing: float = 0.5
    follows_swing: bool = False
    feel: float = 0.0
    groove: str = ""
    panel: Mapping[str, float] = field(default_factory=dict)
    taste: Mapping[str, float] = field(default_factory=dict)
    style: str = STYLES[0]
    role: str = RoleName.MELODY
    chart: tuple[int, ...] = ()
    advice: float = 0.0
    recall: float = 0.0
    mends: bool = True
    mode: str = PlayMode.WITH_ME

    def after(self, before: EngineSettings) -> EngineSettings:
        """Return these settings as they follow others in a performance: when notes leave, meter and chart stay.

        The meter may have come from outside since the beginning.
        """
        return replace(self, offset_s=before.offset_s, meter=before.meter, chart=before.chart)

    @property
    def knobs(self) -> DecisionValues:
        """The initial values of the knobs."""
        return DecisionValues(**{each.name: getattr(self, each.name) for each in fields(DecisionValues)})

    @property
    def locked(self) -> Key | None:
        """The locked key, None if there is none; raises UsageError if `key` is not a key."""
        return None if self.key == AUTO_KEY else parse_key(self.key)

    @property
    def meter_row(self) -> int:
        """The meter's row of METERS; raises UsageError if it is not among them."""
        return METERS.index(parse_meter(Meter(*self.meter).name))

    @property
    def bar_steps(self) -> int:
        """The number of steps in a bar; raises UsageError if the grid does not fit the meter."""
        return Meter(*self.meter).bar_steps(self.steps_per_beat)

    @property
    def max_note_s(self) -> float:
        """The longest duration of a note in seconds."""
        return self.max_note_bars * Meter(*self.meter).bar_beats * S_PER_MINUTE / self.tempo_bpm
