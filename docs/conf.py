"""Configuration of Sphinx, which builds this folder into docs/_build.

Pages link to the source as the repository's host understands it: `[key.py](../improviser/listening/heard_key.py)`.
There it opens the file; here MyST copies the file beside the page, and a file that is gone fails the build.
Folders, and Markdown outside of docs/, cannot be linked so: they stand in code font.
"""

from importlib.metadata import version as installed_version

project = "improviser"
author = "The improviser authors"
copyright = "2026, The improviser authors"
release = installed_version("improviser-live")

extensions = ["myst_parser"]
exclude_patterns = ["_build", "changelog.d"]
html_theme = "furo"
# Headings down to the third level can be linked to: `presets.md#making-your-own`.
myst_heading_anchors = 3
