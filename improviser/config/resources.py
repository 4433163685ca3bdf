"""Paths of presets, devices, models and settings on this machine."""

from __future__ import annotations

import os
from pathlib import Path

CONFIG_DIR_VARIABLE = "IMPROVISER_CONFIG_DIR"
CACHE_DIR_VARIABLE = "IMPROVISER_CACHE_DIR"
STATE_DIR_VARIABLE = "IMPROVISER_STATE_DIR"
_APPLICATION = "improviser"


def config_folder() -> Path:
    """Return the user's configuration folder: IMPROVISER_CONFIG_DIR, or the platform's default."""
    chosen = os.environ.get(CONFIG_DIR_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs  # noqa: PLC0415 - not needed if the variable is set

    return Path(platformdirs.user_config_dir(_APPLICATION, appauthor=False))


def cache_folder() -> Path:
    """Return the folder for files that can be rebuilt: IMPROVISER_CACHE_DIR, or the platform's default."""
    chosen = os.environ.get(CACHE_DIR_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs  # noqa: PLC0415 - not needed if the variable is set

    return Path(platformdirs.user_cache_dir(_APPLICATION, appauthor=False))


def sessions_folder() -> Path:
    """Return the folder of session journals: in IMPROVISER_STATE_DIR, or in the platform's default."""
    chosen = os.environ.get(STATE_DIR_VARIABLE)
    if chosen:
        return Path(chosen).expanduser() / "sessions"
    import platformdirs  # noqa: PLC0415 - not needed if the variable is set

    return Path(platformdirs.user_state_dir(_APPLICATION, appauthor=False)) / "sessions"


def control_folder() -> Path:
    """Return the folder in which running jams register how to reach them."""
    return sessions_folder().parent / "running"


def page_token_path() -> Path:
    """Return the path of the saved page token. The file may be missing."""
    return sessions_folder().parent / "page-token"


def shipped_folder(kind: str) -> Path:
    """Return the folder of the shipped files of `kind`, "presets" or "devices".

    A checkout uses its own folder, so that an edit takes effect at once. Otherwise the installed package has the
    folder.
    """
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").is_file() and (checkout / kind).is_dir():
        return checkout / kind
    from importlib import resources  # noqa: PLC0415 - takes 10 ms, which a checkout saves

    return Path(str(resources.files(_APPLICATION) / "data" / kind))


def preset_paths() -> dict[str, Path]:
    """Return the path of each preset by its name, sorted; the user's own replace shipped ones of the same name."""
    return _paths("presets")


def device_paths() -> dict[str, Path]:
    """Return the path of each device file by its name, sorted; the user's own replace shipped ones."""
    return _paths("devices")


def own_model_path(name: str) -> Path:
    """Return the path of the user's own model called `name`. The file may be missing."""
    return config_folder() / "presets" / "models" / f"{name}.safetensors"


def model_path(file_name: str) -> Path:
    """Return the path of a preset's model `file_name`: the user's own, or the shipped one.

    The file may be missing; loading it reports that.
    """
    own = config_folder() / "presets" / "models" / file_name
    return own if own.is_file() else shipped_folder("presets") / "models" / file_name


def _paths(kind: str) -> dict[str, Path]:
    """Return the TOML files of `kind` by their names, without templates, whose names start with `_`."""
    found = {
        path.stem: path
        for folder in (shipped_folder(kind), config_folder() / kind)
        for path in folder.glob("[!_]*.toml")
    }
    return dict(sorted(found.items()))
