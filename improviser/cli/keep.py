"""`improviser keep`: saves the last bars of a jam as a MIDI file, during the jam or afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from improviser.cli.console import say, say_json
from improviser.cli.options import JsonOption

EXAMPLES = """
improviser keep
improviser keep --bars 16 -o idea.mid
improviser keep take.mid --bars 4
"""

SessionArgument = Annotated[
    Path | None,
    typer.Argument(metavar="[SESSION]", help="A session journal or its recording. Default: the newest."),
]
BarsOption = Annotated[int, typer.Option("--bars", min=1, help="Number of bars to save, including the current one.")]
OutOption = Annotated[
    Path,
    typer.Option(
        "--out", "-o", metavar="FILE.mid", help="File to write. An existing file is kept; the new one gets a number."
    ),
]


def keep(
    session: SessionArgument = None,
    bars: BarsOption = 8,
    out: OutOption = Path("improviser-kept.mid"),
    json: JsonOption = False,
) -> None:
    """Save the last bars of a jam as a MIDI file, during the jam or afterwards.

    Every jam writes a journal from its first note, so you need not start a recording, and nothing is lost in a
    crash. keep writes two files: both parts as played, and both parts quantised.
    """
    from improviser.errors import UsageError
    from improviser.midi.smf import check_suffix
    from improviser.session.recorder import free_path, quantised_path, recorder_of
    from improviser.session.session_log import read_session

    check_suffix(out)
    source = session or newest_session()
    told = read_session(source)
    recorder = recorder_of(told, bars)
    if not recorder.has_notes:
        raise UsageError(f"nothing was played in {source}")
    path = free_path(out)
    recorder.write(path, told.start_s)
    if json:
        say_json({"event": "kept", "path": str(path), "quantised": str(quantised_path(path)), "bars": bars})
    else:
        say(f"Kept: {path}, and quantised: {quantised_path(path)}")


def newest_session() -> Path:
    """Return the path of the newest session. Raises UsageError if there is none."""
    from improviser.config.resources import sessions_folder
    from improviser.errors import UsageError
    from improviser.session.journal import sessions

    found = sessions(sessions_folder())
    if not found:
        raise UsageError(f"no session in {sessions_folder()} yet. Start one: improviser jam")
    return found[0]
