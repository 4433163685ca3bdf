"""`improviser replay`: plays a session again from its journal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from improviser.cli.console import say, say_json
from improviser.cli.keep import SessionArgument, newest_session
from improviser.cli.options import JsonOption

if TYPE_CHECKING:
    from improviser.session.replay import Replay
    from improviser.session.session_log import Session

EXAMPLES = """
improviser replay
improviser replay take.mid
improviser replay take.session.jsonl --json
"""
EXIT_DIFFERENT = 1


def replay(session: SessionArgument = None, json: JsonOption = False) -> None:
    """Play the improviser's part of a session again, and check that it is identical.

    The journal holds what improviser heard and when it decided. With the same model, seed and settings the
    result is the same, bit for bit. If not, the exit code is 1: the model, the program or a library is another
    than in the session.
    """
    from improviser.performer.assembly import engine_maker
    from improviser.session.replay import replay as play_again
    from improviser.session.session_log import read_session

    source = session or newest_session()
    told = read_session(source)
    _check_model(source, told)
    found = play_again(told, engine_maker(told.settings))
    _show(source, found, json=json)
    if found.difference is not None:
        raise typer.Exit(EXIT_DIFFERENT)


def _check_model(source: Path, told: Session) -> None:
    """Raise UsageError if a model has changed since the session was played."""
    from improviser.errors import UsageError
    from improviser.files import model_digest
    from improviser.protocol import Changed

    changes = [event for event in told.events if isinstance(event, Changed)]
    played = [(event.model, event.model_digest) for event in changes]
    for model, digest in [(told.settings.model, told.settings.model_digest), *played]:
        if digest not in {"", model_digest(Path(model))}:
            raise UsageError(f"{source} was played with another model than is at {model} now; restore that model")


def _show(source: Path, found: Replay, *, json: bool) -> None:
    """Print the result."""
    place = found.difference
    if json:
        say_json(
            {
                "event": "replayed",
                "session": str(source),
                "messages": len(found.live),
                "identical": place is None,
                "first_difference": place,
            }
        )
    elif place is None:
        say(f"{source}: all {len(found.live)} note-ons and note-offs are the same")
    else:
        live = found.live[place : place + 1]
        again = found.again[place : place + 1]
        say(f"{source}: message {place + 1} of {len(found.live)} differs: {live} then, {again} now")
