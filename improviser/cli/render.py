"""`improviser render`: adds an improvised part to a MIDI file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from improviser.app.chart_values import playable_chart, with_chart
from improviser.app.preset_policy import make_settings, make_tracker, preset_actor, preset_program
from improviser.cli.console import PATIENCE_S, progress, say, say_json, tell
from improviser.cli.options import (
    PORTS,
    ChartOption,
    GrooveOption,
    JsonOption,
    KeyOption,
    PresetOption,
    ProgramOption,
    SeedOption,
    SwingOption,
)
from improviser.config.default import DEFAULT_PRESET

if TYPE_CHECKING:
    from improviser.chart import Chart
    from improviser.config.preset import Preset
    from improviser.engine import EngineSettings
    from improviser.midi.smf import Song
    from improviser.music.meter import Meter
    from improviser.offline import Followed, Wishes

EXAMPLES = """
improviser render melody.mid -o duet.mid
improviser render song.mid -o duet.mid --preset fiddle --player-track 2 --key Am --seed 7
improviser render band.mid -o duet.mid --player-track piano --channel 5 --program 41
improviser render tune.mid -o duet.mid --chart tune.txt --preset comping
improviser render waltz.mid -o duet.mid --meter 3/4 --pickup 1 --swing 0.6
improviser render rubato.mid -o duet.mid --follow --json
"""

PlayerArgument = Annotated[Path, typer.Argument(metavar="PLAYER.mid", help="MIDI file with the player's part.")]
OutOption = Annotated[Path, typer.Option("-o", "--out", metavar="OUT.mid", help="MIDI file to write, with all parts.")]
TrackOption = Annotated[
    str | None,
    typer.Option(
        "--player-track",
        metavar="NAME|N|channel:N",
        help="Track to improvise with: its number from 1, part of its name, or a channel. Default: all tracks.",
    ),
]
FileMeterOption = Annotated[
    str | None,
    typer.Option(
        "--meter",
        metavar="N/N",
        help="Time signature of the whole file, such as 3/4. Default: the file's.",
    ),
]
PickupOption = Annotated[
    float | None,
    typer.Option(
        "--pickup",
        metavar="BEATS",
        min=0,
        help="Quarter notes before the first downbeat. Default: the length of a short first bar, else 0.",
    ),
]
FollowOption = Annotated[
    bool,
    typer.Option(
        "--follow",
        help="Find the beat by ear: ignore the file's tempos and time signatures. The preset's tempo is only a hint.",
    ),
]
FreeChannelOption = Annotated[
    int | None,
    typer.Option(
        "--channel",
        metavar="1-16",
        min=1,
        max=16,
        help="Channel to play on. Default: one that no track uses.",
        rich_help_panel=PORTS,
    ),
]


def render(
    player: PlayerArgument,
    out: OutOption,
    preset: PresetOption = DEFAULT_PRESET,
    key: KeyOption = None,
    chart: ChartOption = None,
    seed: SeedOption = 0,
    player_track: TrackOption = None,
    meter: FileMeterOption = None,
    pickup: PickupOption = None,
    follow: FollowOption = False,
    swing: SwingOption = None,
    groove: GrooveOption = None,
    channel: FreeChannelOption = None,
    program: ProgramOption = None,
    json: JsonOption = False,
) -> None:
    """Add an improvised part to a MIDI file, faster than real time.

    OUT.mid is PLAYER.mid with one more track, "improviser". All tracks, names, lyrics, tempos and time
    signatures stay. The improviser starts with the player's first note, stops when the player is silent for the
    preset's number of bars, and starts again with the player. It plays on a channel that no track uses, and
    ignores drums (channel 10). Bars follow the file's time signatures, or the preset's if the file has none.
    With --follow, OUT.mid has the tempos and time signatures that were found by ear as the notes came.
    The same file, preset, options and seed give the same bytes. Damaged parts of a file are skipped and listed.
    """
    import numpy as np

    from improviser.config.preset import load_preset
    from improviser.midi.message import NoteOn
    from improviser.midi.smf import read_file, write_file
    from improviser.offline import Wishes, follow_song, render_song, with_program

    _check_out(player, out)
    _check_follow(follow, pickup)
    written = None if chart is None else playable_chart(chart, meter)
    wishes = Wishes(
        player=player_track,
        meter=_meter(meter, written),
        pickup=pickup,
        channel=None if channel is None else channel - 1,
    )
    chosen = load_preset(preset)
    song = read_file(player)
    settings = _settings(chosen, key, swing, groove, written)
    actor, rng = preset_actor(chosen), np.random.default_rng(seed)
    followed: Followed | None = None
    with progress("rendering", 1, PATIENCE_S) as advance:
        if follow:
            tracker = make_tracker(settings, wishes.meter)
            followed = follow_song(
                song, wishes, settings, actor, rng, tracker, lambda done, total: advance(done / total)
            )
            rendered = followed.song
        else:
            rendered = render_song(song, wishes, settings, actor, rng, lambda done, total: advance(done / total))
    write_file(out, with_program(rendered, _program(song, wishes, chosen, program)))
    notes = sum(isinstance(event.message, NoteOn) for event in rendered.tracks[-1].events)
    _warn(player, song, wishes)
    if json:
        _say_found(followed)
        say_json(
            {
                "event": "rendered",
                "out": str(out),
                "notes": notes,
                "preset": chosen.name,
                "seed": seed,
                "skipped": song.skipped,
            }
        )
    else:
        say(f"{out}: {notes} notes of the improviser beside {player.name}")


def _meter(meter: str | None, chart: Chart | None) -> Meter | None:
    """Return the meter that the user or the chart asks for; None if they ask for none."""
    from improviser.music.meter import parse_meter

    if meter is not None:
        return parse_meter(meter)
    return None if chart is None else chart.meter


def _check_out(player: Path, out: Path) -> None:
    """Raise UsageError if the output is not a MIDI file, or is the player's own file."""
    from improviser.errors import UsageError
    from improviser.midi.smf import check_suffix

    check_suffix(out)
    if out.exists() and player.exists() and out.samefile(player):
        msg = f"{out} is the player's file and would be overwritten. Choose another file with --out"
        raise UsageError(msg)


def _check_follow(follow: bool, pickup: float | None) -> None:
    """Raise UsageError for an option that has no effect with --follow."""
    from improviser.errors import UsageError

    if follow and pickup is not None:
        raise UsageError("--pickup counts from the file's bars, which --follow ignores. Leave one of them out")


def _say_found(followed: Followed | None) -> None:
    """Print the beats that were found, and what was understood, in the order of time."""
    if followed is None:
        return
    lines: list[dict[str, object]] = [
        {
            "event": "beat",
            "at_s": round(beat.at_s, 4),
            "beat": number,
            "bar": beat.view.bar,
            "beat_in_bar": beat.view.beat_in_bar + 1,
            "tempo_bpm": round(beat.view.tempo_bpm, 2),
            "confidence": round(beat.view.confidence, 3),
            "meter": beat.view.meter.name,
        }
        for number, beat in enumerate(followed.time.beats)
    ]
    lines += [
        {"event": "understood", "at_s": round(one.at_s, 4), "key": one.key, "chord": one.chord}
        for one in followed.understood
    ]
    for line in sorted(lines, key=lambda line: float(str(line["at_s"]))):
        say_json(line)


def _settings(
    preset: Preset, key: str | None, swing: float | None, groove: str | None, chart: Chart | None
) -> EngineSettings:
    """Return the preset's settings in a key, with another swing or groove if one is given."""
    from dataclasses import replace

    settings = make_settings(preset, key=key)
    if chart is not None:
        settings = with_chart(settings, chart, keeps_key=key is not None)
    if groove is not None:
        settings = replace(settings, groove=groove)
    return settings if swing is None else replace(settings, swing=swing, follows_swing=False)


def _program(song: Song, wishes: Wishes, preset: Preset, program: int | None) -> int | None:
    """Return the program, 0-127: the given one, else the preset's; None if another track has the channel."""
    from improviser.offline import channel_users

    if program is not None:
        return program - 1
    is_shared = wishes.channel is not None and channel_users(song, wishes.channel)
    return None if is_shared else preset_program(preset)


def _warn(player: Path, song: Song, wishes: Wishes) -> None:
    """Print on stderr what was skipped in the player's file, and which tracks share the improviser's channel."""
    from improviser.offline import channel_users

    for line in song.skipped:
        tell(f"Note: {player}: skipped {line}")
    if wishes.channel is not None and (users := channel_users(song, wishes.channel)):
        tell(f"Note: channel {wishes.channel + 1} is shared with {', '.join(users)}")
