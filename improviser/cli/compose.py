"""`improviser compose`: writes a whole piece from a fragment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from improviser.app.chart_values import playable_chart, with_chart
from improviser.app.preset_policy import make_settings, preset_actor, preset_program
from improviser.cli.console import PATIENCE_S, progress, say, say_json
from improviser.cli.options import MUSIC, ChartOption, JsonOption, PresetOption, SeedOption
from improviser.config.default import DEFAULT_PRESET

if TYPE_CHECKING:
    from improviser.chart import Chart
    from improviser.engine import EngineSettings

EXAMPLES = """
improviser compose -o piece.mid
improviser compose -o piece.mid --start "C4 E4 G4" --bars 16 --preset fiddle
improviser compose -o piece.mid --chart tune.txt --preset comping
improviser compose -o piece.mid --key Am --greedy --seed 3
"""

_BARS = 16
OutOption = Annotated[Path, typer.Option("-o", "--out", metavar="OUT.mid", help="MIDI file to write.")]
BarsOption = Annotated[
    int | None,
    typer.Option("--bars", min=1, max=1000, help=f"Length in bars. Default: {_BARS}, or once through the chart."),
]
StartOption = Annotated[
    str | None, typer.Option("--start", help="First notes, one per beat; '' for none. Default: random.")
]
GreedyOption = Annotated[bool, typer.Option("--greedy", help="Take the best action at each step instead of sampling.")]
PieceKeyOption = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="auto|C|Am..",
        help="Key of the piece. auto takes the key that the fragment implies, or a random one. Default: the preset's, "
        "auto in all shipped presets.",
        rich_help_panel=MUSIC,
    ),
]


def compose(
    out: OutOption,
    bars: BarsOption = None,
    start: StartOption = None,
    key: PieceKeyOption = None,
    chart: ChartOption = None,
    preset: PresetOption = DEFAULT_PRESET,
    seed: SeedOption = 0,
    greedy: GreedyOption = False,
    json: JsonOption = False,
) -> None:
    """Write a whole piece for one voice, from a given or random fragment."""
    import numpy as np

    from improviser.config.preset import load_preset
    from improviser.midi.smf import check_suffix, write_file
    from improviser.music.pitch import parse_note
    from improviser.offline import compose_song, fragment_key, random_fragment, with_program

    check_suffix(out)
    chosen = load_preset(preset)
    rng = np.random.default_rng(seed)
    notes = [parse_note(word) for word in start.split()] if start is not None else None
    written = None if chart is None else playable_chart(chart)
    charts = None if written is None else written.likely_key().name
    wanted = key or charts or chosen.key
    key_name = fragment_key(notes, rng).name if wanted == "auto" else wanted
    settings = _settings(make_settings(chosen, key=key_name), written, greedy=greedy)
    length = bars or (_BARS if written is None else len(written.bars))
    fragment = random_fragment(settings, rng) if notes is None else notes
    actor = preset_actor(chosen)
    with progress("composing", 1, PATIENCE_S) as advance:
        song = compose_song(fragment, length, settings, actor, rng, lambda done, total: advance(done / total))
    write_file(out, with_program(song, preset_program(chosen)))
    if json:
        say_json(
            {
                "event": "composed",
                "out": str(out),
                "preset": chosen.name,
                "key": key_name,
                "bars": length,
                "seed": seed,
                "start": fragment,
            }
        )
    else:
        say(f"{out}: {length} bars in {key_name}")


def _settings(settings: EngineSettings, chart: Chart | None, *, greedy: bool) -> EngineSettings:
    """Return the settings by a chart, if there is one, and with temperature 0 if `greedy`."""
    from dataclasses import replace

    settings = settings if chart is None else with_chart(settings, chart, keeps_key=True)
    return replace(settings, temperature=0.0) if greedy else settings
