"""How the improviser plays: plain values, so that they cross processes."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Final

from improviser.choices import RoleName
from improviser.engine.knobs import Knobs
from improviser.listening.observation import STYLES
from improviser.music.meter import METERS, Meter, parse_meter
from improviser.music.scale import parse_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from improviser.music.scale import Key

AUTO_KEY: Final = "auto"


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How the improviser plays; plain values, so that they cross processes.

    Attributes:
        tempo_bpm: Quarter notes a minute.
        meter: Time signature, one of music.meter.METERS.
        steps_per_beat: Grid, 1-4 decisions a quarter note.
        key: "auto" or a locked key such as "C" or "F#m".
        register_low: About the lowest note, 0-127; three octaves begin at the tonic nearest to it.
        channel: MIDI channel 0-15.
        collect_s: How long after a step the player's notes still count for it; what is played is due then.
        ahead_s: So much earlier it is decided, since the output takes messages so long before they are due.
        patience_bars: After so many bars without the player it stops and waits; 0 means never.
        max_note_bars: No note is held longer.
        temperature: See Knobs; so are the five that follow, where the knobs stand at first.
        prior_weight: See Knobs.
        harmony: See Knobs.
        coherence: See Knobs.
        creativity: See Knobs.
        density: See Knobs.
        swing: The first eighth's share of a beat, 0.5 (straight) to 0.75.
        panel: Where the panel's knobs stand at first, 0-2, by name; 1 where nothing is said.
        taste: What is known of the player's taste: weights of traits by name.
        style: One of listening.observation.STYLES.
        role: One of engine.role.ROLES.
    """

    tempo_bpm: float = 100.0
    meter: tuple[int, int] = (4, 4)
    steps_per_beat: int = 4
    key: str = AUTO_KEY
    register_low: int = 60
    channel: int = 0
    collect_s: float = 0.0
    ahead_s: float = 0.0
    patience_bars: int = 4
    max_note_bars: float = 2.0
    temperature: float = 0.2
    prior_weight: float = 0.3
    harmony: float = 1.0
    coherence: float = 1.0
    creativity: float = 1.0
    density: float = 1.0
    swing: float = 0.5
    panel: Mapping[str, float] = field(default_factory=dict)
    taste: Mapping[str, float] = field(default_factory=dict)
    style: str = STYLES[0]
    role: str = RoleName.MELODY

    @property
    def knobs(self) -> Knobs:
        """How the knobs stand at first."""
        return Knobs(**{each.name: getattr(self, each.name) for each in fields(Knobs)})

    @property
    def locked(self) -> Key | None:
        """The key that the player chose, if so. Raises UsageError where it is none."""
        return None if self.key == AUTO_KEY else parse_key(self.key)

    @property
    def meter_row(self) -> int:
        """The meter's row of METERS. Raises UsageError where it is not among them."""
        return METERS.index(parse_meter(Meter(*self.meter).name))

    @property
    def bar_steps(self) -> int:
        """The steps in a bar. Raises UsageError where the grid does not fit the meter."""
        return Meter(*self.meter).bar_steps(self.steps_per_beat)

    @property
    def max_note_s(self) -> float:
        """The longest that a note may sound, in seconds."""
        return self.max_note_bars * Meter(*self.meter).bar_beats * 60.0 / self.tempo_bpm
