"""Where presets, devices, models and settings lie on this machine."""

from __future__ import annotations

import os
from pathlib import Path

CONFIG_DIR_VARIABLE = "IMPROVISER_CONFIG_DIR"
CACHE_DIR_VARIABLE = "IMPROVISER_CACHE_DIR"
STATE_DIR_VARIABLE = "IMPROVISER_STATE_DIR"
_APPLICATION = "improviser"


def config_folder() -> Path:
    """Return the user's own folder: what IMPROVISER_CONFIG_DIR names, or the platform's place for it."""
    chosen = os.environ.get(CONFIG_DIR_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs  # noqa: PLC0415 - not needed where the variable is set

    return Path(platformdirs.user_config_dir(_APPLICATION, appauthor=False))


def cache_folder() -> Path:
    """Return the folder of what can be made again: IMPROVISER_CACHE_DIR, or the platform's place for it."""
    chosen = os.environ.get(CACHE_DIR_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs  # noqa: PLC0415 - not needed where the variable is set

    return Path(platformdirs.user_cache_dir(_APPLICATION, appauthor=False))


def sessions_folder() -> Path:
    """Return the folder of sessions' journals: in what IMPROVISER_STATE_DIR names, or the platform's place."""
    chosen = os.environ.get(STATE_DIR_VARIABLE)
    if chosen:
        return Path(chosen).expanduser() / "sessions"
    import platformdirs  # noqa: PLC0415 - not needed where the variable is set

    return Path(platformdirs.user_state_dir(_APPLICATION, appauthor=False)) / "sessions"


def control_folder() -> Path:
    """Return the folder in which jams that run say how they are reached."""
    return sessions_folder().parent / "running"


def page_token_path() -> Path:
    """Return the path of the file that holds the token of a page whose address is kept, there or not."""
    return sessions_folder().parent / "page-token"


def shipped_folder(kind: str) -> Path:
    """Return the folder of the shipped files of `kind`, "presets" or "devices".

    In a checkout it is the checkout's own, so that an edit counts at once; else the installed package's.
    """
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").is_file() and (checkout / kind).is_dir():
        return checkout / kind
    from importlib import resources  # noqa: PLC0415 - 10 ms that a checkout need not pay

    return Path(str(resources.files(_APPLICATION) / "data" / kind))


def preset_paths() -> dict[str, Path]:
    """Return the path of each preset by its name, sorted; the user's own hide shipped ones of the same name."""
    return _paths("presets")


def device_paths() -> dict[str, Path]:
    """Return the path of each device file by its name, sorted; the user's own hide shipped ones."""
    return _paths("devices")


def own_model_path(name: str) -> Path:
    """Return the path of the user's own model called `name`, there or not."""
    return config_folder() / "presets" / "models" / f"{name}.safetensors"


def model_path(file_name: str) -> Path:
    """Return the path of the model `file_name` of a preset: the user's own, or the shipped one.

    The file may be missing; who loads it says so.
    """
    own = config_folder() / "presets" / "models" / file_name
    return own if own.is_file() else shipped_folder("presets") / "models" / file_name


def _paths(kind: str) -> dict[str, Path]:
    """Return the TOML files of `kind` by their names; those that start with `_` are templates."""
    found = {
        path.stem: path
        for folder in (shipped_folder(kind), config_folder() / kind)
        for path in folder.glob("[!_]*.toml")
    }
    return dict(sorted(found.items()))
