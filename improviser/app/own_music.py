"""Makes a preset of one's own music: a model fine-tuned to it, as far as its held-out figures hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from improviser.app.game import conditions
from improviser.errors import CorpusError, ImproviserError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from improviser.config.preset import Preset
    from improviser.corpus.piece import Piece
    from improviser.training.prior import PriorScore
    from improviser.training.train import Report, TrainingSettings
    from improviser.training.tuning import Networks

# How much of the way to the fine-tuned model is tried, the farthest first.
SHARES: Final = (1.0, 0.7, 0.5, 0.3)
# One's own music may lead the policy farther from the model than a jam may.
DRIFT_MAX: Final = 1.0
HELD_OUT, PEOPLE = 16, 40


@dataclass(frozen=True, slots=True)
class OwnResult:
    """What was learned from one's own music.

    Attributes:
        share: How much of the way to the fine-tuned model was taken; 0 if nothing could be taken.
        faults: What the farther ways would have spoiled.
        before: How well the base model predicts the last tenth of one's own music.
        after: How well the new model does.
        kept: Held-out reward of the corpus as a share of the base model's.
        learnt: Number of own pieces that were learned from.
        held_out: Number of own pieces that were held out.
    """

    share: float
    faults: tuple[str, ...]
    before: PriorScore
    after: PriorScore
    kept: float
    learnt: int
    held_out: int


def session_pieces(folder: Path, name: str, first_family: int) -> tuple[list[Piece], list[str]]:
    """Return what the player played in the sessions whose journals are in a folder, and what could not be used.

    Args:
        folder: The folder of the journals.
        name: How the names of the pieces begin.
        first_family: Number of the first family.
    """
    from improviser.corpus.duplicates import group_scores
    from improviser.corpus.midi_file import song_music
    from improviser.corpus.written_music import cut
    from improviser.session.journal import sessions
    from improviser.session.recorder import PLAYER_TRACK, recorder_of
    from improviser.session.session_log import read_session

    drafts, faults = [], []
    for path in reversed(sessions(folder)):
        try:
            song = recorder_of(read_session(path)).song()
            own = replace(song, tracks=tuple(track for track in song.tracks if track.name == PLAYER_TRACK))
            drafts += cut(song_music(own, f"{name}/{path.name}")).scores
        except ImproviserError as error:
            faults.append(f"{path.name}: {error}")
    pieces = [replace(piece, family=first_family + piece.family) for piece in group_scores(drafts)] if drafts else []
    return pieces, faults


def learn_own(
    preset: Preset, settings: TrainingSettings, own: list[Piece], corpus: list[Piece], model: Path, report: Report
) -> OwnResult:
    """Fine-tune a preset's model to one's own pieces, and write it to `model` if something could be learned.

    Args:
        preset: The preset to go on from.
        settings: How long, and for which game.
        own: One's own pieces.
        corpus: The pieces that are mixed in, and by which the model is held.
        model: Where to write it.
        report: Called with the progress.

    Raises:
        CorpusError: There is too little music for that.
        CheckpointError: A model cannot be read or written.
    """
    from improviser.training.run_state import run_folder
    from improviser.training.tuning import fingerprint, own_imitation, read_networks, score, split_own, tuned

    music = split_own(own)
    base = read_networks(preset.model_path, settings)
    held_out = own_imitation(music.held_out, settings)
    before = score(base, held_out)
    folder = run_folder(f"own-{model.stem}") / fingerprint(preset.model_path, settings, music, corpus)
    new = tuned(base, settings, music, corpus, folder, report)

    def worse(mixed: Networks) -> str:
        """Return what is worse with one's own held-out pieces, an empty text if nothing is."""
        nats = score(mixed, held_out).nats
        told = f"your held-out pieces are predicted worse, with {nats:.3f} nats a step in place of {before.nats:.3f}"
        return told if nats > before.nats else ""

    share, kept, faults = _farthest(preset, settings, (base, new), corpus, worse)
    chosen = base.towards(new, share)
    after = score(chosen, held_out)
    if share > 0:
        chosen.save(model)
    return OwnResult(share, tuple(faults), before, after, kept, len(music.learnt), len(music.held_out))


def _farthest(
    preset: Preset,
    settings: TrainingSettings,
    way: tuple[Networks, Networks],
    corpus: list[Piece],
    worse: Callable[[Networks], str],
) -> tuple[float, float, list[str]]:
    """Return the largest share of a way that spoils nothing, the reward kept there, and the faults of larger ones.

    Args:
        preset: The preset that is played.
        settings: The game of the training.
        way: The networks at its begin and its end.
        corpus: The pieces by which the acceptance test holds the model.
        worse: Returns what is worse with one's own music, an empty text if nothing is.
    """
    from improviser.agent.policy import Policy
    from improviser.evaluation.evaluate import spread
    from improviser.online.acceptance import AcceptanceTest
    from improviser.training.material import held_out_parts, human_parts

    held_out = spread(held_out_parts(corpus, settings.game, "valid"), HELD_OUT)
    people = spread(human_parts(corpus, settings.game, "valid"), PEOPLE)
    if not held_out or not people:
        raise CorpusError("no held-out piece is long enough for the acceptance test. Reinstall music21")
    stands = conditions(preset)
    base, new = way
    policy = Policy(base.config, base.weights["prior"], base.weights["q"])
    test = AcceptanceTest(policy, held_out, people, stands, settings.seed, DRIFT_MAX)
    faults: list[str] = []
    for share in SHARES:
        mixed = base.towards(new, share)
        result = test.judge(Policy(mixed.config, mixed.weights["prior"], mixed.weights["q"]), policy, (), stands)
        fault = result.fault or worse(mixed)
        if not fault:
            return share, result.kept, faults
        faults.append(fault)
    return 0.0, 1.0, faults
