"""The reference program in C, compiled where there is a compiler and JACK's library."""

from __future__ import annotations

import ctypes.util
import shutil
import subprocess
from pathlib import Path
from typing import Final

_SOURCE: Final = Path(__file__).with_name("reference.c")
_COMPILERS: Final = ("cc", "gcc", "clang")
NEEDS: Final = "a C compiler and libjack (on Debian: apt-get install gcc libc6-dev jackd2)"


def compile_reference(folder: Path) -> Path | None:
    """Compile the reference into `folder`; return its path, None where that is not possible here."""
    compiler = next(filter(None, map(shutil.which, _COMPILERS)), None)
    library = ctypes.util.find_library("jack")
    if compiler is None or library is None:
        return None
    program = folder / "reference"
    command = [compiler, "-O2", "-pthread", str(_SOURCE), "-o", str(program), f"-l:{library}"]
    done = subprocess.run(command, capture_output=True, check=False)
    return program if done.returncode == 0 else None
