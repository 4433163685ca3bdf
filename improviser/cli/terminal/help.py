"""Help in panels: the options of a command, and the commands themselves, under headings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ARGUMENTS: Final = "Arguments"
_OPTIONS: Final = "Options"

Row = tuple[str, str]


class PanelCommand(TyperCommand):
    """A command that lists its options under the headings in their `rich_help_panel`."""

    # The types of typer's context and formatter depend on its version.
    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """Write arguments first, then the options panel by panel, and those without a panel last."""
        _write(formatter, _rows(self.get_params(ctx), ctx))


class PanelGroup(TyperGroup):
    """A group that lists its commands under the headings in their `rich_help_panel`."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401, ARG002 - as above; click's signature
        """Write the commands panel by panel."""
        limit = formatter.width - 6 - max(map(len, self.commands))
        shown: list[tuple[str, Any]] = [
            (name, command) for name, command in self.commands.items() if not command.hidden
        ]
        _write(
            formatter,
            ((str(command.rich_help_panel), (name, command.get_short_help_str(limit))) for name, command in shown),
        )


def _rows(params: Iterable[Any], ctx: Any) -> Iterator[tuple[str, Row]]:  # noqa: ANN401 - as above
    """Yield the heading and the row of each parameter with a help text."""
    for param in sorted(params, key=lambda param: _panel(param) == _OPTIONS):
        row = param.get_help_record(ctx)
        if row is not None:
            yield _panel(param), row


def _panel(param: Any) -> str:  # noqa: ANN401 - as above
    """Return the heading of a parameter; the help option of typer 0.15 has no such attribute."""
    if param.param_type_name == "argument":
        return _ARGUMENTS
    return getattr(param, "rich_help_panel", None) or _OPTIONS


def _write(formatter: Any, rows: Iterable[tuple[str, Row]]) -> None:  # noqa: ANN401 - as above
    """Write rows under their headings, arguments first."""
    panels: dict[str, list[Row]] = {_ARGUMENTS: []}
    for heading, row in rows:
        panels.setdefault(heading, []).append(row)
    for heading, listed in panels.items():
        if listed:
            with formatter.section(heading):
                formatter.write_dl(listed)
