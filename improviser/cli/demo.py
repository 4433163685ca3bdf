"""`improviser demo`: a jam with a built-in player."""

from __future__ import annotations

from typing import Annotated

import typer

from improviser.cli.options import JsonOption, KeyOption, LivePresetOption, LiveSeedOption
from improviser.cli.performance import (
    BackendOption,
    BarsOption,
    Beside,
    OutOption,
    RecordOption,
    SoundOption,
    SwingOption,
    TempoOption,
    perform,
)

EXAMPLES = """
improviser demo
improviser demo --tune drowsy_maggie --preset fiddle
improviser demo --sound
improviser demo --backend loopback --record demo.mid
"""

TuneOption = Annotated[
    str | None,
    typer.Option("--tune", metavar="NAME", help="ode_to_joy, scarborough_fair or drowsy_maggie."),
]


def demo(
    *,
    tune: TuneOption = None,
    preset: LivePresetOption = None,
    out: OutOption = None,
    tempo: TempoOption = None,
    swing: SwingOption = None,
    key: KeyOption = "auto",
    seed: LiveSeedOption = None,
    bars: BarsOption = None,
    backend: BackendOption = None,
    record: RecordOption = None,
    sound: SoundOption = False,
    json: JsonOption = False,
) -> None:
    """Jam with a built-in player, which plays a tune on the port 'Improviser In'; needs no instrument.

    It ends with the tune, or after --bars. On a machine without any MIDI system both play inside this
    program, and what they play is shown and written to improviser-demo.mid.
    """
    from improviser.app import JamOptions
    from improviser.control import PlayerUse

    options = JamOptions(
        preset=preset,
        output_pattern=out,
        tempo_bpm=tempo,
        swing=swing,
        key=key,
        seed=seed,
        bars=bars,
        backend=backend,
        player=PlayerUse.ALWAYS,
        tune=tune,
    )
    perform(options, record, Beside(sounds=sound), as_json=json)
