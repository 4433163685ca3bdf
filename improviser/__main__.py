"""Run the command line: `python -m improviser`."""

from __future__ import annotations

import sys

from improviser.cli import main

if __name__ == "__main__":
    sys.exit(main())
