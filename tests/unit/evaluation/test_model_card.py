"""The model card: its content matches the file beside it."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import pytest

from improviser.errors import CheckpointError
from improviser.evaluation.estimate import Estimate
from improviser.evaluation.model_card import (
    LISTENING,
    PHRASES,
    ModelCard,
    card_text,
    markdown_table,
    update_card,
    write_figures,
    write_section,
)
from improviser.evaluation.report import EvaluationTable
from improviser.training.prior import PriorScore

TABLE = EvaluationTable(
    "ours",
    {
        "human": {"reward": Estimate(0.5, 0.25, 0.75), "Vendi": Estimate(math.nan, math.nan, math.nan)},
        "ours": {"reward": Estimate(0.25, 0.125, 0.5), "not in key %": Estimate(1.0, 0.5, 2.25)},
    },
)

SHOWN = [(("POP", "bass"), [("improviser", "0.50 (+0.10)")])]


@pytest.fixture
def card(tmp_path: Path) -> ModelCard:
    """A card of an existing model."""
    model = tmp_path / "chorale.safetensors"
    model.write_bytes(b"weights" * 1000)
    return ModelCard(
        name="chorale",
        model=model,
        command="improviser train chorale",
        corpus={"pieces": 400, "licence": "public domain"},
        settings={"seed": 7},
        prior=PriorScore(nats=0.5042, note_accuracy=0.481, accuracy=0.7),
        player=PriorScore(nats=1.036, note_accuracy=0.459, accuracy=0.675),
        table=TABLE,
        versions={"torch": "2.6", "numpy": "2.1"},
    )


def test_the_card_names_the_file(card: ModelCard) -> None:
    """Name, size and sha256 are those of the file."""
    text = card_text(card)
    digest = hashlib.sha256(card.model.read_bytes()).hexdigest()
    for part in ("# Model card: chorale", "`chorale.safetensors`, 7,000 bytes", f"`{digest}`"):
        assert part in text


def test_the_card_tells_how_it_was_made(card: ModelCard) -> None:
    """The card has the command, libraries, corpus, settings and the prior's score."""
    text = card_text(card)
    for part in ("`improviser train chorale`", "numpy 2.1, torch 2.6", '"pieces": 400', '"seed": 7'):
        assert part in text
    assert "0.504 nats a step" in text
    assert "48.1 %" in text
    assert "1.036 nats a step, right in 67.5 % of the steps, note accuracy 45.9 %" in text


def test_the_table() -> None:
    """The table has one row per figure, columns in order, and marks figures outside their band."""
    assert [
        "| figure | human | ours | band |",
        "|---|---:|---:|---|",
        "| reward | 0.500 [0.250, 0.750] | 0.250 [0.125, 0.500] |  |",
        "| Vendi | - | - | >= 0.9 x human |",
        "| not in key % | - | 1.0 [0.5, 2.2] ! | <= 0.5 % |",
    ] == markdown_table(TABLE).splitlines()


def test_another_network_of_the_player_changes_three_lines(card: ModelCard) -> None:
    """File, sha256 and the network's own line are new, in a card with that line as in one without; all else stays."""
    path = card.model.with_suffix(".md")
    path.write_text(card_text(card), encoding="utf-8")
    old = path.read_text().splitlines()
    without = [line for line in old if not line.startswith("- Network that predicts the player")]
    card.model.write_bytes(b"other" * 1000)
    score = PriorScore(nats=0.9, note_accuracy=0.5, accuracy=0.75)
    texts = []
    for lines in (old, without):
        path.write_text("\n".join(lines) + "\n")
        assert path == update_card(card.model, score, "improviser train --only-player")
        texts.append(path.read_text().splitlines())
    assert texts[0] == texts[1]
    changed = [new for before, new in zip(old, texts[0], strict=True) if before != new]
    assert "`chorale.safetensors`, 5,000 bytes" in changed[0]
    assert hashlib.sha256(card.model.read_bytes()).hexdigest() in changed[1]
    assert "`improviser train --only-player`; on the validation split 0.900 nats" in changed[2]
    assert 3 == len(changed)


@pytest.mark.parametrize("text", [None, "no card"], ids=["missing", "of something else"])
def test_a_card_that_cannot_be_updated(card: ModelCard, text: str | None) -> None:
    """A missing card, or a file that is none, is refused in one line."""
    if text is not None:
        card.model.with_suffix(".md").write_text(text)
    with pytest.raises(CheckpointError, match="cannot update the card"):
        update_card(card.model, card.player, "improviser train --only-player")


def test_sections_come_at_the_end_and_replace_themselves(card: ModelCard) -> None:
    """Each stands in the card once, however often it is written, and leaves the others; a missing card is told."""
    path = card.model.with_suffix(".md")
    with pytest.raises(CheckpointError, match="cannot update the card"):
        write_section(path, LISTENING, [], "x")
    path.write_text(card_text(card), encoding="utf-8")
    for command in ("old", "improviser evaluate listening"):
        write_section(path, LISTENING, SHOWN, command)
        write_section(path, PHRASES, [(("POP", "phrases"), [("improviser", command)])], command)
    text = path.read_text("utf-8")
    assert text.startswith(card_text(card).rstrip())
    assert "old" not in text
    assert "`improviser evaluate listening`" in text
    assert "| POP | bass |\n| --- | ---: |\n| improviser | 0.50 (+0.10) |\n\n## Phrases\n" in text


def test_new_figures_replace_the_old_ones_only(card: ModelCard) -> None:
    """The table is another one, beside the same text, and the section on listening stays."""
    path = card.model.with_suffix(".md")
    with pytest.raises(CheckpointError, match="cannot update the card"):
        write_figures(path, TABLE)
    other = EvaluationTable("ours", {"ours": {"reward": Estimate(0.75, 0.5, 1.0)}})
    for has_listening in (False, True):
        path.write_text(card_text(card), encoding="utf-8")
        if has_listening:
            write_section(path, LISTENING, SHOWN, "x")
        before = path.read_text("utf-8")
        write_figures(path, other)
        assert before.replace(markdown_table(TABLE), markdown_table(other)) == path.read_text("utf-8")
