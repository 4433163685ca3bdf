"""The options that several commands have, so that they are called and explained alike."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

_PRESET: Final = typer.Option("--preset", metavar="NAME", help="A preset (see: improviser presets) or a .toml file.")
_SEED: Final = typer.Option("--seed", min=0, max=2**31 - 1, help="Of every random choice.")

PresetOption = Annotated[str, _PRESET]
SeedOption = Annotated[int, _SEED]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="auto|C|Am..",
        help="auto to hear it, or a key to stay in; by default as the preset has it, which is auto in those "
        "that are shipped.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
# Live, the user's settings may name the preset, and without a seed each performance is another.
LivePresetOption = Annotated[str | None, _PRESET]
LiveSeedOption = Annotated[int | None, _SEED]


class BackendName(StrEnum):
    """The MIDI systems that can be chosen."""

    AUTO = "auto"
    JACK = "jack"
    ALSA = "alsa"
    COREMIDI = "coremidi"
    WINMM = "winmm"
    RTMIDI_JACK = "rtmidi-jack"
    LOOPBACK = "loopback"


class ClockName(StrEnum):
    """Whose beat can be chosen."""

    AUTO = "auto"
    OWN = "own"
    MIDI = "midi"
    LINK = "link"


NotInOption = Annotated[
    list[str] | None,
    typer.Option("--not-in", metavar="PATTERN", help="Do not listen to the ports whose names match; may be repeated."),
]
OutOption = Annotated[
    str | None,
    typer.Option("--out", metavar="PATTERN", help="Play on this port instead of 'Improviser Out'."),
]
TempoOption = Annotated[
    float | None, typer.Option("--tempo", metavar="BPM", min=20, max=400, help="Quarter notes a minute.")
]
MeterOption = Annotated[
    str | None,
    typer.Option("--meter", metavar="N/N", help="Time signature, such as 3/4, 5/4, 7/8 or 12/8."),
]
SwingOption = Annotated[
    float | None,
    typer.Option(
        "--swing",
        metavar="SHARE",
        min=0.5,
        max=0.75,
        help="Share of a beat that its first eighth takes.",
    ),
]
BarsOption = Annotated[int | None, typer.Option("--bars", min=1, help="End after so many bars from the first note on.")]
BackendOption = Annotated[BackendName | None, typer.Option("--backend", help="The MIDI system.")]
ClockOption = Annotated[
    ClockName | None,
    typer.Option(
        "--clock",
        help="Follow a MIDI clock once it is started (auto), never (own), from its first tick on (midi), "
        "or Ableton Link (link).",
    ),
]
ClockOutOption = Annotated[
    bool | None,
    typer.Option("--clock-out/--no-clock-out", help="Send MIDI clock, start and stop with the notes."),
]
CountInOption = Annotated[
    int,
    typer.Option("--count-in", metavar="BARS", min=0, max=8, help="Click so many bars, then begin by itself."),
]
MetronomeOption = Annotated[
    bool | None, typer.Option("--metronome/--no-metronome", help="Click each beat on channel 10.")
]
ThruOption = Annotated[
    bool | None, typer.Option("--thru/--no-thru", help="Pass on what you play to the output, at once.")
]
ListenChannelOption = Annotated[
    list[int] | None,
    typer.Option(
        "--listen-channel",
        metavar="1-16",
        min=1,
        max=16,
        help="Listen to this channel only; may be repeated.",
    ),
]
FromOption = Annotated[
    str | None,
    typer.Option("--from", metavar="NOTE", help="Split the keyboard: listen from this note up, such as C4."),
]
ToOption = Annotated[str | None, typer.Option("--to", metavar="NOTE", help="Listen up to this note.")]
ChannelOption = Annotated[
    int | None, typer.Option("--channel", metavar="1-16", min=1, max=16, help="Play on this channel.")
]
ProgramOption = Annotated[
    int | None,
    typer.Option("--program", metavar="1-128", min=1, max=128, help="Choose this sound at the start."),
]
OscOption = Annotated[
    int | None,
    typer.Option("--osc", metavar="PORT", min=1, max=65535, help="Take OSC messages on this UDP port."),
]
LearnOption = Annotated[
    bool,
    typer.Option("--learn", help="Learn beside you in the background too; needs the extra train (PyTorch)."),
]
SoundOption = Annotated[
    bool,
    typer.Option("--sound", help="Let fluidsynth sound, where it is installed: started here, and ended again."),
]
RecordOption = Annotated[
    Path | None,
    typer.Option("--record", metavar="FILE.mid", help="Write both parts to a MIDI file, never over another."),
]
WebOption = Annotated[bool, typer.Option("--web/--no-web", help="Serve the page: play, hear, see why it plays, steer.")]
OpenOption = Annotated[
    bool | None,
    typer.Option("--open/--no-open", help="Open the page in a browser; by default on a desktop's terminal."),
]
HostOption = Annotated[
    str,
    typer.Option(
        "--host",
        metavar="ADDRESS",
        help="Serve the page to other machines too, by 0.0.0.0: whoever has its address plays and steers.",
    ),
]
WebPortOption = Annotated[
    int | None,
    typer.Option("--web-port", metavar="PORT", min=1, max=65535, help="Its port; 8765, or any where that is taken."),
]
KeepAddressOption = Annotated[
    bool | None,
    typer.Option(
        "--keep-address/--new-address",
        help="Give the page the same address in every jam, so that a bookmark works; by default a new one.",
    ),
]
InOption = Annotated[
    str | None,
    typer.Option("--in", metavar="PATTERN", help="Listen to the ports whose names match; part of a name is enough."),
]
TuneOption = Annotated[
    str | None,
    typer.Option("--tune", metavar="NAME", help="ode_to_joy, scarborough_fair or drowsy_maggie."),
]
