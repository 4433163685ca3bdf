"""`improviser render`: the improviser over a MIDI file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from improviser.cli.console import PATIENCE_S, progress, say, say_json
from improviser.cli.options import JsonOption, KeyOption, PresetOption, SeedOption
from improviser.cli.playing import make_settings, preset_actor, preset_program
from improviser.config.default import DEFAULT_PRESET

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
    key: KeyOption = None,
    seed: SeedOption = 0,
    player_track: TrackOption = None,
    json: JsonOption = False,
) -> None:
    """Improvise over a MIDI file, faster than real time.

    The file that is written keeps the tempo map, the meters and the ticks of the first, and has the
    tracks player and improviser. The same file, preset and seed give the same bytes. Bars are those of
    the file's longest stretch in 4/4, 3/4, 2/4 or 6/8, else the preset's. Drums (channel 10) are not heard.
    """
    import numpy as np

    from improviser.config.preset import load_preset
    from improviser.midi.message import NoteOn
    from improviser.midi.smf import read_file, write_file
    from improviser.offline import render_song, with_program

    _check_out(player, out)
    song = read_file(player)
    chosen = load_preset(preset)
    track = None if player_track is None else player_track - 1
    settings = make_settings(chosen, key=key)
    actor, rng = preset_actor(chosen), np.random.default_rng(seed)
    with progress("rendering", 1, PATIENCE_S) as advance:
        rendered = render_song(song, track, settings, actor, rng, lambda done, total: advance(done / total))
    write_file(out, with_program(rendered, preset_program(chosen)))
    notes = sum(isinstance(event.message, NoteOn) for event in rendered.tracks[1].events)
    if json:
        say_json({"event": "rendered", "out": str(out), "notes": notes, "preset": chosen.name, "seed": seed})
    else:
        say(f"{out}: {notes} notes of the improviser beside {player.name}")


def _check_out(player: Path, out: Path) -> None:
    """Raise UsageError where the player's own file would be overwritten."""
    from improviser.errors import UsageError

    if out.exists() and player.exists() and out.samefile(player):
        msg = f"{out} is the player's file and would be lost; choose another one with --out"
        raise UsageError(msg)
