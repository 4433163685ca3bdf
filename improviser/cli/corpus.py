"""`improviser corpus`: reads a folder of music, and says what training can use of it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from improviser.cli.console import progress, say, say_json, say_table
from improviser.cli.options import JsonOption
from improviser.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.corpus.folder import FolderCorpus
    from improviser.corpus.piece import Piece

EXAMPLES = """
improviser corpus ~/Music/midi
improviser corpus songs --json
"""

FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of MIDI and MusicXML files.")]
# More faults than these are only counted, unless --json is given.
_SHOWN = 20


def corpus(folder: FolderArgument, *, json: JsonOption = False) -> None:
    """Read a folder of music, and say what training can use of it, what it leaves out and why.

    A piece is a stretch of one meter and key. Its parts are told by their names (voice, melody, bass, piano left),
    else by their notes. Markers that are chord symbols (Am7, G7/B) are its chords. Drums are left out. What was read
    is kept, so reading it again takes no time.
    """
    found = read_folder(folder)
    about = found.summary()
    if json:
        say_json({"event": "corpus", "folder": str(folder), **about, "faults": found.faults})
        return
    say(f"{folder}: {found.files} files, {len(found.pieces)} pieces, {about['bars']:,} bars, {about['notes']:,} notes.")
    rows = [
        (title, ", ".join(f"{name} {count}" for name, count in about[key].items()) or "none")
        for key, title in (
            ("parts", "parts"),
            ("meters", "meters"),
            ("modes", "modes"),
            ("marked", "with"),
            ("splits", "pieces to"),
            ("left_out", "left out"),
        )
    ]
    say_table(("WHAT", "HOW MANY"), rows)
    for fault in found.faults[:_SHOWN]:
        say(f"not used, or not wholly: {fault}")
    if len(found.faults) > _SHOWN:
        say(f"and {len(found.faults) - _SHOWN} more; all of them: --json")


def load_corpus(style: str = "", corpora: Path | None = None) -> list[Piece]:
    """Return the pieces that a style learns from, or music21's; show progress if they have to be read first.

    Args:
        style: A style, or the empty string.
        corpora: Where the style's folders are; None if there are none.

    Raises:
        UsageError: The style learns from folders, and one is not there; or it does not, and `corpora` has no effect.
    """
    from improviser.corpus.library import load_pieces
    from improviser.training.material import USAGES

    folders = USAGES[style].folders if style else ()
    if not folders and corpora is not None:
        raise UsageError(f"the style '{style}' learns from music21's corpus; --corpora has no effect")
    if not folders:
        with ExitStack() as stack:
            return load_pieces(progress=_file_progress(stack))
    missing = [name for name in folders if corpora is None or not (corpora / name).is_dir()]
    if corpora is None or missing:
        raise UsageError(
            f"the style '{style}' learns from the sets {', '.join(folders)}. Give the folder that has them with "
            f"--corpora; it lacks {', '.join(missing)}. docs/training.md says where they come from"
        )
    return [piece for name in folders for piece in read_folder(corpora / name).pieces]


def read_folder(folder: Path) -> FolderCorpus:
    """Return the music of a folder; show progress if it has to be parsed first."""
    from improviser.corpus.folder import load_folder

    with ExitStack() as stack:
        return load_folder(folder, progress=_file_progress(stack))


def _file_progress(stack: ExitStack) -> Callable[[str, int, int], None]:
    """Return the function that shows the progress of reading the corpus."""
    bars: dict[str, Callable[..., None]] = {}

    def report(stage: str, done: int, total: int) -> None:
        """Move the stage's bar."""
        if stage not in bars:
            stack.close()
            bars[stage] = stack.enter_context(progress(f"corpus: {stage}", total))
        bars[stage](done)

    return report
