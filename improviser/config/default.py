"""What is taken where neither the command line nor the user's settings say; costs nothing to import."""

from typing import Final

DEFAULT_PRESET: Final = "chorale"
