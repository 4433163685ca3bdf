"""Splits the text of an ABC file into its tunes, so that a faulty one does not affect the others."""

from __future__ import annotations

import re
from collections import Counter
from itertools import zip_longest

TUNE_START = re.compile(r"^X:\s*(\d*)", re.MULTILINE)
"""The reference number at the start of a tune. Source: the abc standard 2.1, section 2.2.1."""

FIELD = re.compile(r"(?:^|\[)([MK]):([^%\]\n]*)", re.MULTILINE)
"""A meter or key field, on its own line or in the music. Source: the abc standard 2.1, section 3.2."""


def split_abc(text: str) -> list[tuple[str, str]]:
    """Return (reference number, text) of each tune; a repeated number gets the suffix ".2", ".3"."""
    matches = list(TUNE_START.finditer(text))
    seen: Counter[str] = Counter()
    tunes = []
    for match, following in zip_longest(matches, matches[1:]):
        number = match[1] or "0"
        seen[number] += 1
        suffix = f".{seen[number]}" if seen[number] > 1 else ""
        end = len(text) if following is None else following.start()
        tunes.append((number + suffix, text[match.start() : end]))
    return tunes


def decode_abc(data: bytes) -> str:
    """Return the text of an ABC file: UTF-8, or Latin-1 in old files, with any line ends."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def before_change(text: str) -> str:
    """Return a tune's text up to a change of meter or key in its body, which music21 does not follow."""
    fields: dict[str, str] = {}
    for match in FIELD.finditer(text):
        name, value = match[1], match[2].strip()
        if "K" in fields and fields.get(name, value) != value:
            return text[: match.start()]
        fields[name] = value
    return text
