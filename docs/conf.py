"""Configuration of Sphinx, which builds this folder into docs/_build."""

from importlib.metadata import version as installed_version

project = "improviser"
author = "The improviser authors"
copyright = "2026, The improviser authors"
release = installed_version("improviser-live")

extensions = ["myst_parser"]
exclude_patterns = ["_build", "changelog.d"]
html_theme = "furo"
