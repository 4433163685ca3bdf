"""The default preset, if neither the command line nor the user's settings name one; quick to import."""

from typing import Final

DEFAULT_PRESET: Final = "chorale"
