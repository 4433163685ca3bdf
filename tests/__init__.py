"""The tests; a package only so that no other `tests` on the path can take its place."""
