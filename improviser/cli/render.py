"""`improviser render`: the improviser over a MIDI file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from improviser.cli.console import say, say_json
from improviser.cli.playing import (
    DEFAULT_PRESET,
    JsonOption,
    KeyOption,
    PresetOption,
    SeedOption,
    make_settings,
    preset_actor,
)

EXAMPLES = """
improviser render melody.mid -o duet.mid
improviser render song.mid -o duet.mid --preset fiddle --player-track 2 --key Am --seed 7
"""

PlayerArgument = Annotated[Path, typer.Argument(metavar="PLAYER.mid", help="What the player plays.")]
OutOption = Annotated[
    Path, typer.Option("-o", "--out", metavar="OUT.mid", help="Where both parts are written.")
]
TrackOption = Annotated[
    int | None, typer.Option("--player-track", min=1, help="The player's track; all by default.")
]


def render(
    player: PlayerArgument,
    out: OutOption,
    preset: PresetOption = DEFAULT_PRESET,
    key: KeyOption = "auto",
    seed: SeedOption = 0,
    player_track: TrackOption = None,
    json: JsonOption = False,
) -> None:
    """Improvise over a MIDI file, faster than real time.

    The file that is written keeps the tempo map, the meters and the ticks of the first, and has the
    tracks player and improviser. The same file, preset and seed give the same bytes.
    """
    import numpy as np

    from improviser.config.preset import load_preset
    from improviser.midi.smf import read_file, write_file
    from improviser.offline import render_song

    song = read_file(player)
    chosen = load_preset(preset)
    track = None if player_track is None else player_track - 1
    settings = make_settings(chosen, key=key)
    rendered = render_song(song, track, settings, preset_actor(chosen), np.random.default_rng(seed))
    write_file(out, rendered)
    notes = sum(type(event.message).__name__ == "NoteOn" for event in rendered.tracks[1].events)
    if json:
        say_json({"event": "rendered", "out": str(out), "notes": notes, "preset": chosen.name, "seed": seed})
    else:
        say(f"{out}: {notes} notes of the improviser beside {player.name}")
