"""Finds `fluidsynth` and a General MIDI soundfont on this machine, and says how to get them."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

PROGRAM: Final = "fluidsynth"
SOUNDFONT_VARIABLE: Final = "IMPROVISER_SOUNDFONT"
# The page needs no synthesizer, because the browser makes the sound.
INSTEAD: Final = "or open the page of the jam instead, which has sound of its own"
# Source: fluid-soundfont-gm, timgm6mb-soundfont and the alternative default-GM of Debian; soundfont-fluid of Arch and
# Fedora; fluidsynth's own default on Windows; the small one that comes with Homebrew's fluid-synth.
SOUNDFONTS: Final = (
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",
    "/usr/share/sounds/sf2/TimGM6mb.sf2",
    "/usr/share/sounds/sf2/default-GM.sf2",
    "/usr/share/sounds/sf3/default-GM.sf3",
    "/usr/share/soundfonts/default.sf2",
    "/usr/share/soundfonts/FluidR3_GM.sf2",
    "~/.fluidsynth/default_sound_font.sf2",
    "~/Library/Audio/Sounds/Banks/default.sf2",
    "C:/soundfonts/default.sf2",
    "/opt/homebrew/share/soundfonts/default.sf2",
    "/usr/local/share/soundfonts/default.sf2",
    "/opt/homebrew/share/fluid-synth/sf2/VintageDreamsWaves-v2.sf2",
    "/usr/local/share/fluid-synth/sf2/VintageDreamsWaves-v2.sf2",
)
# The gain for fluidsynth. With it the example in docs/ has -17 to -21 dBFS RMS, and chords of five notes peak at -1
# dBFS. fluidsynth's own gain of 0.2 is 20 dB below that. Soundfonts differ in level: _GAINS maps a file's name without
# its suffix to its gain. Source: tests/integration/test_sound_level.py.
_GAIN: Final = 2.0
_GAINS: Final = {"TimGM6mb": 4.0}
_INSTALL_PROGRAM: Final = {
    "darwin": "brew install fluid-synth",
    "win32": "scoop bucket add extras; scoop install fluidsynth",
}
_INSTALL_ELSEWHERE: Final = (
    "sudo apt install fluidsynth fluid-soundfont-gm (Debian, Ubuntu; elsewhere the packages fluidsynth and "
    "a General MIDI soundfont)"
)
_GET_SOUNDFONT: Final = (
    f"save a General MIDI soundfont, such as FluidR3_GM.sf2, and name its path in {SOUNDFONT_VARIABLE}"
)


def find_program() -> str | None:
    """Return the path of fluidsynth, or None if it is not installed."""
    return shutil.which(PROGRAM)


def find_soundfont() -> Path | None:
    """Return the soundfont that IMPROVISER_SOUNDFONT names, else the first usual one that exists, else None.

    If the variable names a path that is not a file, the function returns None and tries no other path.
    """
    chosen = os.environ.get(SOUNDFONT_VARIABLE)
    for name in [chosen] if chosen else SOUNDFONTS:
        path = Path(name).expanduser()
        if path.is_file():
            return path
    return None


def gain_of(soundfont: Path) -> float:
    """Return the gain at which a soundfont is loud enough beside other programs and never too loud."""
    return _GAINS.get(soundfont.resolve().stem, _GAIN)


def missing() -> str:
    """Return which of fluidsynth and the soundfont is missing, or an empty text if both are there."""
    if find_program() is None:
        return "fluidsynth is not installed"
    if find_soundfont() is None:
        chosen = os.environ.get(SOUNDFONT_VARIABLE)
        return f"{SOUNDFONT_VARIABLE} names no file: {chosen}" if chosen else "fluidsynth finds no soundfont"
    return ""


def how_to_install() -> str:
    """Return how to install what is missing on this system, as text for the user."""
    if os.environ.get(SOUNDFONT_VARIABLE) and find_program() is not None:
        return f"name a file that is there in {SOUNDFONT_VARIABLE}"
    command = _INSTALL_PROGRAM.get(sys.platform)
    if command is None:
        return _INSTALL_ELSEWHERE
    return _GET_SOUNDFONT if find_program() is not None else f"{command}; then {_GET_SOUNDFONT}"
