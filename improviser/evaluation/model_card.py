"""The model card beside each model: what the model is, how it was trained, and its figures."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from improviser.errors import CheckpointError
from improviser.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from improviser.evaluation.report import EvaluationTable
    from improviser.training.prior import PriorScore


# How the lines of a card begin that change with the network of the player.
_FILE, _DIGEST, _MADE_BY, _PLAYER = "- File:", "- sha256:", "- Made by:", "- Network that predicts the player:"
# Where a table begins.
_ROW: Final = "\n|"
_FIGURES: Final = "Figures"
# The sections beside held-out players, which `write_section` writes.
LISTENING, PHRASES = "Listening", "Phrases"
_HEAD: Final = "\n## "


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The content of a model card.

    Attributes:
        name: Name of the preset.
        model: The model file, which must exist.
        command: The command that made the model.
        corpus: What `corpus_summary` returns.
        settings: The training settings.
        prior: The prior's score on the validation split.
        player: The score there of the network that predicts the player.
        table: Figures on the test split.
        versions: Versions of the libraries used for training, by name.
    """

    name: str
    model: Path
    command: str
    corpus: Mapping[str, Any]
    settings: Mapping[str, Any]
    prior: PriorScore
    player: PriorScore
    table: EvaluationTable
    versions: Mapping[str, str]


def card_text(card: ModelCard) -> str:
    """Return the card as Markdown."""
    return f"""# Model card: {card.name}

A prior (people's habits, by maximum likelihood) and a Q-network (deep Q-learning on the rewards harmony,
coherence and creativity, initialised from the prior), of one shape; see `docs/learning.md`.

{_file_lines(card.model)}
- Made by: `{card.command}`
{_player_line(card.player, card.command)}
- With: {", ".join(f"{name} {version}" for name, version in sorted(card.versions.items()))}
- Licence: MIT. No corpus data is contained.

## Data

From the sources below; split by melody family, so that no variant of a tune is in two splits.

```json
{json.dumps(card.corpus, indent=1, ensure_ascii=False)}
```

## Settings

```json
{json.dumps(card.settings, indent=1)}
```

## {_FIGURES}

The prior on the validation split: {card.prior.nats:.3f} nats a step,
note accuracy {100 * card.prior.note_accuracy:.1f} %.

On the test split, as `improviser evaluate --preset {card.name}` gives them; definitions in `docs/metrics.md`.
Means over pieces with their 95 % intervals; `!` marks what lies outside of its band.

{markdown_table(card.table)}
"""


def update_card(model: Path, player: PriorScore, command: str) -> Path:
    """Write into the card of a model that its network of the player is new; all else in the card stays.

    Args:
        model: The model file; its card must lie beside it.
        player: The network's score on the validation split.
        command: The command that made the network.

    Returns:
        The path of the card.

    Raises:
        CheckpointError: The card is missing or cannot be written.
    """
    path = model.with_suffix(".md")
    try:
        text = path.read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if not line.startswith((_FILE, _DIGEST, _PLAYER))]
        at = next(number for number, line in enumerate(lines) if line.startswith(_MADE_BY))
        new = [*lines[:at], _file_lines(model), lines[at], _player_line(player, command), *lines[at + 1 :]]
        write_whole(path, ("\n".join(new) + "\n").encode())
    except (OSError, StopIteration) as error:
        raise CheckpointError(f"cannot update the card {path}: {error}; train the whole model anew") from error
    return path


def _file_lines(model: Path) -> str:
    """Return the lines about a model's file."""
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    return f"{_FILE} `{model.name}`, {model.stat().st_size:,} bytes, safetensors\n{_DIGEST} `{digest}`"


def _player_line(player: PriorScore, command: str) -> str:
    """Return the line about the network that predicts the player, with its score on the validation split."""
    return (
        f"{_PLAYER} `{command}`; on the validation split {player.nats:.3f} nats a step, right in "
        f"{100 * player.accuracy:.1f} % of the steps, note accuracy {100 * player.note_accuracy:.1f} %"
    )


def markdown_table(table: EvaluationTable) -> str:
    """Return the figures as a Markdown table, one row per figure: means with 95 % intervals, and the bands."""
    lines = [f"| figure | {' | '.join(table.columns)} | band |", f"|---|{'---:|' * len(table.columns)}---|"]
    lines += [f"| {' | '.join(table.cells(figure))} |" for figure in table.rows()]
    return "\n".join(lines)


def write_figures(card: Path, table: EvaluationTable) -> None:
    """Write a table into a card in place of its table of figures; all else in the card stays.

    Args:
        card: The card's file.
        table: Figures on the test split.

    Raises:
        CheckpointError: The card is missing or cannot be written.
    """

    def replaced(section: str) -> str:
        """Return the section with another table."""
        return f"{section.split(_ROW, maxsplit=1)[0].rstrip()}\n\n{markdown_table(table)}"

    _rewrite(card, _FIGURES, replaced)


def write_section(
    card: Path, name: str, tables: Sequence[tuple[Sequence[str], Sequence[Sequence[str]]]], command: str
) -> None:
    """Write tables into a card as the section LISTENING or PHRASES, in place of an older one.

    Args:
        card: The card's file.
        name: Name of the section.
        tables: Head and rows of each table.
        command: The command that made them.

    Raises:
        CheckpointError: The card is missing or cannot be written.
    """
    shown = "\n\n".join(_as_markdown(head, rows) for head, rows in tables)
    about = (
        f"By `{command}`: beside the right player and, in brackets, less beside a wrong one\n"
        "of the same key, meter and tempo; definitions in `docs/metrics.md`."
    )
    _rewrite(card, name, lambda _section: f"{about}\n\n{shown}")


def _rewrite(card: Path, name: str, write: Callable[[str], str]) -> None:
    """Write the section of a card that has a name anew from what it was, empty if it is not there yet."""
    try:
        before, *sections = card.read_text(encoding="utf-8").rstrip().split(_HEAD)
        texts = dict(section.split("\n\n", 1) for section in sections)
        texts[name] = write(texts.get(name, ""))
        whole = _HEAD.join([before, *(f"{head}\n\n{text.rstrip()}\n" for head, text in texts.items())])
        write_whole(card, whole.encode())
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot update the card {card}: {error}; train the model anew") from error


def _as_markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
