"""`improviser corpus`: reads a folder of music, and says what training can use of it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from improviser.cli.console import progress, say, say_json, say_table
from improviser.cli.options import JsonOption

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


def load_corpus() -> list[Piece]:
    """Return the corpus; show progress if it has to be parsed first."""
    from improviser.corpus.library import load_pieces

    with ExitStack() as stack:
        return load_pieces(progress=_file_progress(stack))


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
