"""Switches a jam to another preset: loads its model in the background, and uses it from a bar line on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from improviser.engine import EngineSettings
from improviser.errors import ImproviserError
from improviser.files import model_digest
from improviser.performer.actor import load_actor
from improviser.performer.worker import Worker
from improviser.protocol import Action, Changed, Refused, Warned

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.agent.policy import Actor
    from improviser.engine import Engine
    from improviser.midi.message import TimedMessage
    from improviser.protocol import Event, PerformerSettings, PresetEntry


@dataclass(frozen=True, slots=True)
class PresetLoaded:
    """A preset that can be played now. The model of its actor has this digest."""

    piece: PresetEntry
    actor: Actor
    digest: str


@dataclass(frozen=True, slots=True)
class PresetNotLoaded:
    """A preset that cannot be played, and why."""

    piece: PresetEntry
    fault: str


class PresetSwitcher:
    """The presets in their order, and the position of the jam in it.

    Threads: The performer's loop uses this class. A thread of its own loads presets: see Worker.

    Attributes:
        program: The MIDI program (0-127) of the present preset; None if it asks for none.
    """

    def __init__(
        self,
        settings: PerformerSettings,
        put: Callable[[PresetLoaded | PresetNotLoaded], None],
        tell: Callable[[Event], None],
    ) -> None:
        """Start with the preset of `settings`.

        Args:
            settings: What the performer plays.
            put: Called with what was loaded, in the loading thread.
            tell: Called with events about the preset in use.
        """
        self._tell = tell
        self.program = settings.program
        self._pieces = settings.pieces
        names = [piece.preset for piece in self._pieces]
        self._at = names.index(settings.preset) if settings.preset in names else -1
        self._has_others = any(name != settings.preset for name in names)
        self._put = put
        self._waiting: PresetLoaded | None = None
        self._played: PresetLoaded | None = None
        self._loading = Worker("preset switcher", self._load)

    @property
    def model_digest(self) -> str:
        """The digest of the model in use if the preset was switched, else an empty text."""
        return "" if self._played is None else self._played.digest

    @property
    def is_due(self) -> bool:
        """Whether another preset is to be played from the next bar on."""
        return self._waiting is not None

    def ask_next(self) -> None:
        """Load the next preset in the background."""
        if not self._has_others:
            self._tell(Refused(Action.NEXT_PRESET, "no other preset has this time grid"))
        else:
            self._at = (self._at + 1) % len(self._pieces)
            self._loading.want(self._pieces[self._at])

    def ask(self, preset: str) -> None:
        """Load a preset by its name in the background."""
        names = [piece.preset for piece in self._pieces]
        if preset not in names:
            others = ", ".join(names) or "none"
            self._tell(Refused("preset", f"cannot switch to {preset!r}; presets with this time grid: {others}"))
        else:
            self._at = names.index(preset)
            self._loading.want(self._pieces[self._at])

    def accept_loaded(self, found: PresetLoaded | PresetNotLoaded) -> None:
        """Play a loaded preset from the next bar on, or report that it cannot be played."""
        if isinstance(found, PresetNotLoaded):
            self._tell(Warned(f"{found.fault}; nothing changes"))
        else:
            self._waiting = found

    def play(self, engine: Engine) -> list[TimedMessage]:
        """Switch an engine to the preset that is due. Return the messages that end the sounding notes."""
        self._played, self._waiting = self._waiting, None
        return self.play_on(engine)

    def play_on(self, engine: Engine) -> list[TimedMessage]:
        """Switch an engine to the preset switched to last, if any. Return the messages that end the sounding notes."""
        if self._played is None:
            return []
        piece = self._played.piece
        self.program = piece.program
        settings = EngineSettings(**piece.engine, ahead_s=engine.settings.ahead_s)
        messages = engine.change(settings, self._played.actor)
        taste = engine.preferences.to_dict(), engine.preferences.words
        changed = Changed(
            piece.preset, piece.source, piece.model, self._played.digest, piece.engine, piece.program, *taste
        )
        self._tell(changed)
        return messages

    def _load(self, piece: PresetEntry) -> None:
        """Load a preset."""
        try:
            model = Path(piece.model)
            self._put(PresetLoaded(piece, load_actor(model, EngineSettings(**piece.engine)), model_digest(model)))
        except ImproviserError as error:
            self._put(PresetNotLoaded(piece, str(error)))
