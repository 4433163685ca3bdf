"""`improviser save`: saves what was learned and set in a jam as a preset."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from improviser.cli.console import NO_TASTE, say, say_json
from improviser.cli.options import JsonOption

EXAMPLES = """
improviser save mine
improviser save mine take.mid
improviser jam --preset mine
"""

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the new preset: letters, digits, _ and -.")]
SessionArgument = Annotated[
    Path | None,
    typer.Argument(metavar="[SESSION]", help="A session journal or its recording. Default: the newest."),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace your preset of that name, or hide a shipped one.")]


def save(
    name: NameArgument,
    session: SessionArgument = None,
    force: ForceOption = False,
    json: JsonOption = False,
) -> None:
    """Save a jam as a preset: its knobs, tempo, key, meter and what it learned.

    What it learned is your taste and, after jam --learn, the last accepted weights.

    You can save during the jam or afterwards. The preset is a file in the folder presets of improviser's
    configuration folder. jam --preset NAME plays it and learns on from there.
    """
    from improviser.agent.checkpoint import save_with_weights
    from improviser.cli.keep import newest_session
    from improviser.config.preset_file import Saved, check_name, save_preset
    from improviser.config.resources import own_model_path
    from improviser.music.meter import Meter
    from improviser.session.session_log import read_session
    from improviser.supervisor.state import state_of

    told = read_session(session or newest_session())
    state = state_of(told)
    settings = state.settings or told.settings
    number, learned_path, digest = settings.adopted or (0, "", "")
    model = None
    if number:
        check_name(name, over=force)
        model = own_model_path(f"{name}-{digest}")  # a model that a jam uses is never overwritten
        save_with_weights(Path(settings.model), Path(learned_path), digest, model)
    meter = Meter(*state.meter).name
    saved = Saved(state.panel, state.taste, state.tempo_bpm, state.lock or "auto", meter, model)
    path = save_preset(Path(settings.source), name, saved, over=force)
    if json:
        learned = {"checkpoint": number, "model": None if model is None else str(model)}
        say_json({"event": "saved", "path": str(path)} | asdict(saved) | learned)
    else:
        say(f"Tempo {saved.tempo_bpm:g}, key {saved.key}, meter {saved.meter}.")
        say(f"Saved: {path}. Your taste: {state.words or NO_TASTE}.")
        if model is not None:
            say(f"It uses checkpoint {number}: {model}.")
        say(f"Play it: improviser jam --preset {name}")
