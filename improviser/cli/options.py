"""The options that several commands share, so that they have the same names and help."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from improviser.choices import AUTO_TEMPO, COUNT_IN_BARS_MAX, TEMPO_BPM, BackendName, ClockUse, NoteTiming, PlayMode

# Headings of the help.
MUSIC: Final = "Music"
PORTS: Final = "Ports and channels"
CLOCK: Final = "Clock"
PAGE: Final = "Page"
RECORDING: Final = "Sound, recording and control"

_PRESET: Final = typer.Option(
    "--preset",
    metavar="NAME",
    help="Preset to play: a name (see: improviser presets) or the path of a .toml file.",
    rich_help_panel=MUSIC,
)
_SEED: Final = typer.Option(
    "--seed", metavar="NUMBER", min=0, max=2**31 - 1, help="Random seed.", rich_help_panel=MUSIC
)

PresetOption = Annotated[str, _PRESET]
SeedOption = Annotated[int, _SEED]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="auto|C|Am..",
        help="Key to play in, or auto to follow the key it hears. Default: the preset's, auto in all shipped presets.",
        rich_help_panel=MUSIC,
    ),
]
JobsOption = Annotated[
    int, typer.Option("--jobs", metavar="N", min=1, help="Processes of this machine that share the work.")
]
RayOption = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="Ray cluster that does the work: HOST:6379, or auto for the one that runs on this machine.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")]
# In a jam, settings.toml may name the preset, and the seed is random unless it is given.
LivePresetOption = Annotated[str | None, _PRESET]
LiveSeedOption = Annotated[int | None, _SEED]


NotInOption = Annotated[
    list[str] | None,
    typer.Option(
        "--not-in",
        metavar="PATTERN",
        help="Ignore inputs whose name matches. Can be repeated.",
        rich_help_panel=PORTS,
    ),
]
OutOption = Annotated[
    str | None,
    typer.Option(
        "--out",
        metavar="PATTERN",
        help="Output to play on. Default: the virtual port 'Improviser Out'.",
        rich_help_panel=PORTS,
    ),
]
# Drivers put a colon between client and port, and cut long names.
_NAME: Final = re.compile(r"\w([\w -]{0,18}\w)?")


def _jam_name(text: str) -> str:
    """Return a name for the ports of a jam."""
    if not _NAME.fullmatch(text):
        raise typer.BadParameter(f"'{text}' is no name for ports. Give up to 20 letters and digits, such as bass.")
    return text


NameOption = Annotated[
    str | None,
    typer.Option(
        "--name",
        metavar="NAME",
        parser=_jam_name,
        help="Name for the ports of another jam beside this one: with bass, 'Improviser bass In' and 'Improviser bass "
        "Out'.",
        rich_help_panel=PORTS,
    ),
]


def _tempo(text: str) -> float | str:
    """Return a tempo of the command line: a number, or "auto"."""
    if text == AUTO_TEMPO:
        return AUTO_TEMPO
    try:
        tempo_bpm = float(text)
    except ValueError:
        tempo_bpm = math.nan
    low, high = TEMPO_BPM
    if not low <= tempo_bpm <= high:
        raise typer.BadParameter(f"{text} is no tempo. Give {low:g} to {high:g} beats per minute, or {AUTO_TEMPO}.")
    return tempo_bpm


TempoOption = Annotated[
    Any,
    typer.Option(
        "--tempo",
        metavar="BPM|auto",
        parser=_tempo,
        help="Quarter notes per minute, 20 to 400, which improviser keeps; auto finds the tempo in your playing. "
        "Default: the preset's tempo at first, then yours, unless a clock or click keeps it.",
        rich_help_panel=MUSIC,
    ),
]
MeterOption = Annotated[
    str | None,
    typer.Option(
        "--meter",
        metavar="N/N",
        help="Time signature, such as 3/4, 5/4, 7/8 or 12/8. Default: the preset's.",
        rich_help_panel=MUSIC,
    ),
]
ChartOption = Annotated[
    Path | None,
    typer.Option(
        "--chart",
        metavar="FILE",
        help="Chords to play by, over and over from bar 1 on: plain text, ChordPro, MusicXML or iReal. It also gives "
        "the meter, and the key if it names one. What it reads: improviser chart FILE.",
        rich_help_panel=MUSIC,
    ),
]
TimingOption = Annotated[
    NoteTiming | None,
    typer.Option(
        "--timing",
        help="When notes leave: on-grid is exactly on the step, decided before your note of that step is heard; "
        "after-you collects your notes of the step first. auto is on-grid with an outer clock or the metronome, else "
        "after-you. Default: the preset's.",
        rich_help_panel=CLOCK,
    ),
]
ModeOption = Annotated[
    PlayMode | None,
    typer.Option(
        "--mode",
        help="When it plays: with-me is beside you, when-i-stop only while you rest, trade-4 four bars after your "
        "four, alone without waiting for you. Default: the preset's, with-me.",
        rich_help_panel=MUSIC,
    ),
]
OffsetOption = Annotated[
    float | None,
    typer.Option(
        "--offset-ms",
        metavar="MS",
        min=-100,
        max=100,
        help="Send notes this many milliseconds later; negative: earlier, for a slow synthesizer. Default: 0.",
        rich_help_panel=CLOCK,
    ),
]
SwingOption = Annotated[
    float | None,
    typer.Option(
        "--swing",
        metavar="SHARE",
        min=0.5,
        max=0.75,
        help="Share of a beat that its first eighth note takes: 0.5 is straight. Default: the preset's, else yours.",
        rich_help_panel=MUSIC,
    ),
]
GrooveOption = Annotated[
    str | None,
    typer.Option(
        "--groove",
        metavar="NAME",
        help="Swing, timing and accents to begin with, such as funk or swing. Default: the preset's, else none.",
        rich_help_panel=MUSIC,
    ),
]
BarsOption = Annotated[
    int | None,
    typer.Option(
        "--bars",
        metavar="BARS",
        min=1,
        help="Stop after this many bars, counted from the first note. Default: play on; demo ends with its tune.",
        rich_help_panel=MUSIC,
    ),
]
BackendOption = Annotated[
    BackendName | None,
    typer.Option(
        "--backend", help="MIDI system. Default: JACK or PipeWire if it runs, else the system's.", rich_help_panel=PORTS
    ),
]
ClockOption = Annotated[
    ClockUse | None,
    typer.Option(
        "--clock",
        help="Clock to follow: auto follows the JACK transport while a timebase master rolls, else a MIDI clock when "
        "it starts, and else your playing, unless you give --tempo, --bars, --count-in or --metronome; follow follows "
        "your playing even then; own follows none; midi waits for a MIDI clock; link follows Ableton Link; jack "
        "follows the JACK transport. Default: auto.",
        rich_help_panel=CLOCK,
    ),
]
ClockOutOption = Annotated[
    bool | None,
    typer.Option(
        "--clock-out/--no-clock-out", help="Send MIDI clock, start and stop with the notes.", rich_help_panel=CLOCK
    ),
]
CountInOption = Annotated[
    int,
    typer.Option(
        "--count-in",
        metavar="BARS",
        min=0,
        max=COUNT_IN_BARS_MAX,
        help="Click this many bars, then start without waiting for a note.",
        rich_help_panel=CLOCK,
    ),
]
MetronomeOption = Annotated[
    bool | None,
    typer.Option("--metronome/--no-metronome", help="Click each beat on channel 10.", rich_help_panel=CLOCK),
]
MmcOption = Annotated[
    bool | None,
    typer.Option(
        "--mmc/--no-mmc",
        help="Start, stop and locate by MIDI Machine Control on any input, at improviser's own tempo. Default: off.",
        rich_help_panel=CLOCK,
    ),
]
ThruOption = Annotated[
    bool | None,
    typer.Option("--thru/--no-thru", help="Send what you play to the output too.", rich_help_panel=PORTS),
]
ListenChannelOption = Annotated[
    list[int] | None,
    typer.Option(
        "--listen-channel",
        metavar="1-16",
        min=1,
        max=16,
        help="Listen to this channel only. Can be repeated. Default: all but 10, which is drums.",
        rich_help_panel=PORTS,
    ),
]
FromOption = Annotated[
    str | None,
    typer.Option("--from", metavar="NOTE", help="Lowest note to listen to, such as C4.", rich_help_panel=PORTS),
]
ToOption = Annotated[
    str | None, typer.Option("--to", metavar="NOTE", help="Highest note to listen to.", rich_help_panel=PORTS)
]
ChannelOption = Annotated[
    int | None,
    typer.Option(
        "--channel", metavar="1-16", min=1, max=16, help="Channel to play on. Default: 1.", rich_help_panel=PORTS
    ),
]
ProgramOption = Annotated[
    int | None,
    typer.Option(
        "--program",
        metavar="1-128",
        min=1,
        max=128,
        help="General MIDI program to send at the start. Default: the preset's.",
        rich_help_panel=PORTS,
    ),
]
OscOption = Annotated[
    int | None,
    typer.Option(
        "--osc",
        metavar="PORT",
        min=1,
        max=65535,
        help="Receive OSC on this UDP port. Default: none.",
        rich_help_panel=RECORDING,
    ),
]
LearnOption = Annotated[
    bool,
    typer.Option(
        "--learn", help="Keep learning while you play. Needs the extra train (PyTorch).", rich_help_panel=MUSIC
    ),
]
SoundOption = Annotated[
    bool,
    typer.Option("--sound", help="Play the sound with FluidSynth, if it is installed.", rich_help_panel=RECORDING),
]
RecordOption = Annotated[
    Path | None,
    typer.Option(
        "--record",
        metavar="FILE.mid",
        help="Write both parts to a MIDI file. An existing file is kept; the new one gets a number.",
        rich_help_panel=RECORDING,
    ),
]
WebOption = Annotated[bool, typer.Option("--web/--no-web", help="Serve the page in the browser.", rich_help_panel=PAGE)]
OpenOption = Annotated[
    bool | None,
    typer.Option(
        "--open/--no-open",
        help="Open the page in a browser. Default: only in a terminal on a desktop.",
        rich_help_panel=PAGE,
    ),
]
HostOption = Annotated[
    str,
    typer.Option(
        "--host",
        metavar="ADDRESS",
        help="Address to serve the page on. 0.0.0.0 serves other machines too: everybody who has the page's address "
        "can play and steer.",
        rich_help_panel=PAGE,
    ),
]
WebPortOption = Annotated[
    int | None,
    typer.Option(
        "--web-port",
        metavar="PORT",
        min=1,
        max=65535,
        help="TCP port of the page. Default: 8765, or any free one if that is taken.",
        rich_help_panel=PAGE,
    ),
]
KeepAddressOption = Annotated[
    bool | None,
    typer.Option(
        "--keep-address/--new-address",
        help="Use the same page address in every jam, so that a bookmark works. Default: a new one.",
        rich_help_panel=PAGE,
    ),
]
InOption = Annotated[
    str | None,
    typer.Option(
        "--in",
        metavar="PATTERN",
        help="Inputs to listen to: all whose name contains this. Default: every input.",
        rich_help_panel=PORTS,
    ),
]
TuneOption = Annotated[
    str | None,
    typer.Option(
        "--tune",
        metavar="NAME",
        help="Tune of the built-in player: ode_to_joy, scarborough_fair or drowsy_maggie.",
        rich_help_panel=MUSIC,
    ),
]
