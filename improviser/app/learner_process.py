"""The learner process, which learns while a jam runs. Started as `python -m improviser.app.learner_process`.

Standard input: the learner's settings, the performer's settings, then all events as in the journal. The process ends
when its input ends. Standard output: new weights, and the results of the acceptance test. The process replays all
events, so it knows what the improviser observed and did without asking the performer. It runs at the lowest
priority.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from improviser.agent.policy import Policy
from improviser.errors import ImproviserError
from improviser.protocol import (
    Action,
    Adopt,
    Adopted,
    Changed,
    Judged,
    Learned,
    LearnerSettings,
    Notice,
    PerformerSettings,
    PresetEntry,
    Ready,
    Restarted,
    Switched,
    Undone,
    Warned,
    line_to_value,
    value_to_line,
)

if TYPE_CHECKING:
    from improviser.engine import Engine
    from improviser.ipc.weight_mailbox import WeightMailbox
    from improviser.online.trainer import Offer, OnlineTrainer
    from improviser.protocol import Value

_NICE: Final = 19
_AWAKE_S: Final = 0.5
# When it is this many events behind the music, half a minute, it only replays and does not learn until it has
# caught up.
BEHIND: Final = 500
EXIT_OK, EXIT_FAILURE = 0, 1


def main() -> int:
    """Learn with the settings in the first two lines of stdin until it ends; return the exit code."""
    _give_way()
    try:
        where, what = (line_to_value(sys.stdin.readline()) for _ in range(2))
        if isinstance(where, LearnerSettings) and isinstance(what, PerformerSettings):
            from improviser.ipc.weight_mailbox import WeightMailbox

            mailbox = WeightMailbox(Path(where.mailbox))
            try:
                LearnerProcess(where, what, mailbox).attend()
            finally:
                mailbox.remove()  # the process that made it may have been killed
            return EXIT_OK
        fault = "the learner received no settings. Start it with: improviser jam --learn"
    except BrokenPipeError:
        return EXIT_OK
    except (ImproviserError, ValueError) as error:
        fault = str(error)
    print(fault, file=sys.stderr)  # noqa: T201 - the supervisor shows the last line as the reason
    return EXIT_FAILURE


class LearnerProcess:
    """Replays a session and learns from it."""

    def __init__(self, where: LearnerSettings, what: PerformerSettings, mailbox: WeightMailbox) -> None:
        """Start with the preset's model. The first read of the corpus takes two minutes."""
        from improviser.performer.assembly import engine_maker
        from improviser.session.replayer import SessionReplayer

        self._folder, self._mailbox = Path(where.folder), mailbox
        self._seed, self._number, self._undone = what.seed, 0, 0
        self._model_digest = what.model_digest
        self._replayer = SessionReplayer(engine_maker(what), self._stepped)
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        self._trainer = self._new_trainer(PresetEntry(what.preset, what.source, what.model, what.engine))

    def attend(self) -> None:
        """Learn until the input ends."""
        while True:
            self._mailbox.beat()
            try:
                line = self._lines.get(timeout=_AWAKE_S)
            except queue.Empty:
                continue
            if line is None:
                return
            self._take(line_to_value(line))

    def _read(self) -> None:
        """Read lines as they arrive, so that the writer never waits."""
        for line in sys.stdin:
            self._lines.put(line)
        self._lines.put(None)

    def _take(self, event: Value) -> None:
        """Process an event of the session."""
        trainer = self._trainer
        match event:
            case Ready() | Restarted():
                trainer.cut()
                self._undone = 0 if isinstance(event, Ready) else self._undone
            case Undone(everything):
                trainer.take_back(everything=everything)
            case Judged(at_s, liked):
                trainer.press(at_s, liked=liked)
            case Switched(_, Action.FREEZE, is_on):
                trainer.is_frozen = is_on
            case _:
                pass
        self._replayer.replay(event)
        match event:
            case Adopted(is_back=is_back, undone=undone):
                actor, self._undone = self._replayer.engine.actor, undone
                if isinstance(actor, Policy):
                    (trainer.go_back if is_back else trainer.adopt)(actor)
            case Changed(preset, source, model, digest, engine):
                self._model_digest = digest
                self._trainer = self._new_trainer(PresetEntry(preset, source, model, engine))
                self._trainer.is_frozen = trainer.is_frozen
            case _:
                pass

    def _stepped(self, engine: Engine) -> None:
        """Learn from a step; publish new weights if they pass the acceptance test."""
        self._replayer.notes.clear()
        offer = self._trainer.step(engine, learns=self._lines.qsize() < BEHIND)
        if offer is not None:
            accepted = offer.verdict.accepted and self._publish(offer)
            self._tell(offer, accepted=accepted)

    def _publish(self, offer: Offer) -> bool:
        """Write the new weights to a file and to the mailbox, and offer them; return whether that succeeded."""
        from improviser.agent.checkpoint import set_to_bytes
        from improviser.files import bytes_digest, write_whole

        number = self._number + 1
        data = set_to_bytes(offer.policy.config, offer.weights, {"model": self._model_digest})
        path = self._folder / f"{number:04}.safetensors"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, data)
        except OSError as error:
            _say(Warned(f"cannot write the new weights ({error.strerror}); they are not used"))
            return False
        self._number = number
        self._mailbox.write(number, data)
        _say(Adopt(number, str(path), bytes_digest(data), self._model_digest, self._undone))
        return True

    def _tell(self, offer: Offer, *, accepted: bool) -> None:
        """Report the result of the acceptance test."""
        verdict, trainer = offer.verdict, self._trainer
        _say(
            Learned(
                updates=trainer.learner.updates,
                lived=trainer.learner.lived,
                reward=trainer.reward or 0.0,
                accepted=accepted,
                number=self._number,
                words=verdict.words,
                kept=verdict.kept,
                gain=verdict.gain,
                drift=verdict.drift,
            )
        )

    def _new_trainer(self, piece: PresetEntry) -> OnlineTrainer:
        """Return an online trainer for a preset that has learned nothing yet."""
        from improviser.app.make_trainer import make_online_trainer
        from improviser.config.preset import load_preset
        from improviser.corpus.library import load_pieces

        def progress(stage: str, done: int, total: int) -> None:
            """Send a heartbeat, and report that reading the corpus takes a while."""
            self._mailbox.beat()
            if done <= 1:
                _say(Notice(f"reading the corpus before learning, once ({stage}: {total} files)"))

        pieces = load_pieces(progress=progress)
        trainer = make_online_trainer(load_preset(piece.source), pieces, self._seed, self._mailbox.beat)
        _say(Notice(f"it now learns while you play, starting from the preset {piece.preset}"))
        return trainer


def _say(value: Value) -> None:
    """Write a value to the process that started this one."""
    sys.stdout.write(value_to_line(value))
    sys.stdout.flush()


def _give_way() -> None:
    """Set the lowest priority, so that all other processes run first."""
    if hasattr(os, "nice"):  # not on Windows
        os.nice(_NICE)


if __name__ == "__main__":
    sys.exit(main())
