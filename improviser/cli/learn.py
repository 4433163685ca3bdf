"""`improviser learn`: makes a preset of your own music."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from improviser.app.optional import need_training
from improviser.cli.console import say, say_json, tell
from improviser.cli.corpus import load_corpus, read_folder
from improviser.cli.evaluate import CorporaOption
from improviser.cli.options import JsonOption, SeedOption
from improviser.cli.train import make_training, step_progress
from improviser.errors import ImproviserError, UsageError

if TYPE_CHECKING:
    from improviser.app.own_music import OwnResult
    from improviser.config.preset import Preset
    from improviser.corpus.piece import Piece

EXAMPLES = """
improviser learn ~/Music/midi --name mine
improviser learn songs --name mine --preset fiddle
improviser learn --sessions --name mine
improviser learn songs --name mine --transitions 200000 --force
"""

FolderArgument = Annotated[
    Path | None, typer.Argument(metavar="FOLDER", help="Folder of MIDI and MusicXML files.", show_default=False)
]
SessionsOption = Annotated[
    bool, typer.Option("--sessions", help="Learn also, or only, from what you played in your jams.")
]
NameOption = Annotated[str, typer.Option("--name", metavar="NAME", help="Name of the new preset.")]
BaseOption = Annotated[str, typer.Option("--preset", metavar="NAME", help="Preset to go on from.")]
UpdatesOption = Annotated[int, typer.Option("--prior-updates", min=1, help="Gradient steps of the prior.")]
TransitionsOption = Annotated[int, typer.Option("--transitions", min=64, help="Environment steps of the Q-network.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace a preset of that name.")]
_DEFAULT_BASE = "fiddle"
# More faults than these are only counted.
_SHOWN = 10


def learn(
    name: NameOption,
    folder: FolderArgument = None,
    sessions: SessionsOption = False,
    preset: BaseOption = _DEFAULT_BASE,
    prior_updates: UpdatesOption = 1_500,
    transitions: TransitionsOption = 120_000,
    corpora: CorporaOption = None,
    seed: SeedOption = 0,
    force: ForceOption = False,
    json: JsonOption = False,
) -> None:
    """Learn from your own music, a folder or your jams, and save the result as a preset that you can play with at once.

    The preset's model goes on learning from your files, mixed with the music that it comes from. The last tenth of
    your pieces is held out: what is printed is how well they are predicted before and after. As much is taken over as
    leaves the figures of other held-out music in their bands. Nothing leaves this machine. It takes some minutes;
    after Ctrl-C the same command goes on.
    """
    need_training()
    from improviser.app.own_music import learn_own
    from improviser.config.preset import load_preset
    from improviser.config.preset_file import check_name
    from improviser.config.resources import own_model_path

    check_name(name, over=force)
    base = load_preset(preset)
    pieces = _own_pieces(folder, sessions=sessions)
    model = own_model_path(name)
    settings = make_training(base, seed=seed, prior_updates=prior_updates, transitions=transitions)
    corpus = load_corpus(base.style, corpora) if corpora is not None else load_corpus()
    try:
        with ExitStack() as stack:
            learned = learn_own(base, settings, pieces, corpus, model, step_progress(stack))
    except KeyboardInterrupt:
        tell("interrupted. Give the same command again to go on")
        raise
    if not learned.share:
        raise ImproviserError(
            f"nothing was taken over: {learned.faults[-1]}. Try fewer --transitions, more music, or another --preset"
        )
    path = _save(base, name, model, "your jams" if folder is None else folder.resolve().name)
    if json:
        say_json({"event": "learned", "name": name, "preset": str(path), "model": str(model), **_figures(learned)})
    else:
        _say(learned, name)


def _own_pieces(folder: Path | None, *, sessions: bool) -> list[Piece]:
    """Return the pieces of a folder and of the user's sessions; say what cannot be used.

    Raises:
        UsageError: There is neither.
    """
    from improviser.app.own_music import session_pieces
    from improviser.config.resources import sessions_folder

    if folder is None and not sessions:
        raise UsageError("what to learn from? Give a FOLDER of music, or --sessions")
    pieces, faults = [], []
    if folder is not None:
        found = read_folder(folder)
        pieces, faults = [*found.pieces], [*found.faults]
    if sessions:
        first = max((piece.family for piece in pieces), default=-1) + 1
        played, unread = session_pieces(sessions_folder(), "sessions", first)
        pieces, faults = [*pieces, *played], [*faults, *unread]
    for fault in faults[:_SHOWN]:
        tell(f"not used, or not wholly: {fault}")
    if len(faults) > _SHOWN:
        tell(f"and {len(faults) - _SHOWN} more")
    return pieces


def _save(base: Preset, name: str, model: Path, music: str) -> Path:
    """Save a copy of the preset with another name and model, learned from `music`; return its path."""
    from improviser.config.preset import preset_path
    from improviser.config.preset_file import copy_preset

    about = {
        "description": f"Learned from {music}, after the preset {base.name}.",
        "author": "you",
        "source": f"Your own music. Before: {base.source}",
    }
    return copy_preset(preset_path(base.name), name, model, about)


def _figures(learned: OwnResult) -> dict[str, float | int | list[str]]:
    """Return what was learned as plain values."""
    return {
        "pieces": learned.learnt,
        "held_out": learned.held_out,
        "share": learned.share,
        "nats_before": round(learned.before.nats, 4),
        "nats_after": round(learned.after.nats, 4),
        "note_accuracy_before": round(learned.before.note_accuracy, 4),
        "note_accuracy_after": round(learned.after.note_accuracy, 4),
        "kept": round(learned.kept, 4),
        "faults": list(learned.faults),
    }


def _say(learned: OwnResult, name: str) -> None:
    """Print what was learned."""
    before, after = learned.before, learned.after
    say(
        f"learned from {learned.learnt} pieces. In the {learned.held_out} held out, each step was predicted with "
        f"{before.nats:.3f} nats before and {after.nats:.3f} now, the notes right in {before.note_accuracy:.0%} and "
        f"{after.note_accuracy:.0%}."
    )
    say(f"{learned.kept:.0%} of the reward with other held-out music is kept.")
    if learned.faults:
        say(f"{learned.share:.0%} of the way was taken; farther, {learned.faults[-1]}.")
    say(f"Play it: improviser jam --preset {name}")
