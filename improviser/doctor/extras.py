"""Checks the optional parts: the page, a browser, a synthesizer, and the libraries for learning and Link."""

from __future__ import annotations

import webbrowser
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from improviser.doctor.finding import by_system, passed, warned
from improviser.synth.soundfont import find_soundfont, how_to_install, missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from improviser.doctor.finding import Finding

_WEB: Final = ("starlette", "uvicorn", "websockets")
# Name of the extra -> its libraries, and what needs them.
_EXTRAS: Final = {
    "train": (("torch", "gymnasium", "music21", "matplotlib"), "jam --learn, train and evaluate"),
    "link": (("link",), "--clock link"),
}
_GET_BROWSER: Final = {
    "darwin": "open the address that the jam prints in Safari, or: brew install --cask firefox",
    "win32": "open the address that the jam prints in Edge",
}
_GET_BROWSER_ELSEWHERE: Final = (
    "sudo apt install firefox-esr (Debian) or sudo apt install firefox (Ubuntu); or open the address that "
    "the jam prints in any browser on this machine"
)


def check_web() -> Iterator[Finding]:
    """Report whether the page can be served."""
    lacks = _lacking(_WEB)
    if lacks:
        yield warned("page", f"missing: {', '.join(lacks)}", f"pip install {' '.join(lacks)}")
    else:
        yield passed("page", f"ready ({', '.join(_WEB)})")


def check_browser() -> Iterator[Finding]:
    """Report whether a browser can show the page."""
    try:
        found = getattr(webbrowser.get(), "name", "found")
    except webbrowser.Error:
        yield warned("browser", "none was found", by_system(_GET_BROWSER, _GET_BROWSER_ELSEWHERE))
        return
    yield passed("browser", str(found))


def check_synthesizer() -> Iterator[Finding]:
    """Report whether `--sound` works."""
    lacks, soundfont = missing(), find_soundfont()
    if lacks or soundfont is None:
        yield warned(
            "synthesizer", f"{lacks} missing, for jam --sound; the page plays sound without it", how_to_install()
        )
    else:
        yield passed("synthesizer", f"fluidsynth with {soundfont.name}, for jam --sound")


def check_extras() -> Iterator[Finding]:
    """Report which optional extras are installed."""
    for extra, (libraries, purpose) in _EXTRAS.items():
        name = f"extra {extra}"
        lacks = _lacking(libraries)
        if lacks:
            step = f'pip install "improviser-live[{extra}]"; in a checkout: pip install ".[{extra}]"'
            yield warned(name, f"not installed: {', '.join(lacks)}; only needed for {purpose}", step)
        else:
            yield passed(name, f"installed, for {purpose}")


def _lacking(libraries: tuple[str, ...]) -> list[str]:
    """Return the libraries that are not installed; import finders may also raise."""
    lacking = []
    for name in libraries:
        spec = None
        with suppress(ImportError, ValueError):
            spec = find_spec(name)
        if spec is None:
            lacking.append(name)
    return lacking
