"""The command line: one file per subcommand. Only the requested one is imported.

To add a command, write `cli/<name>.py` with

- a function `<name>` with typer's parameters (`Annotated[int, typer.Option(help=...)] = 4`) and the help text as
  its docstring (plain paragraphs; no `Args:` section);
- a constant `EXAMPLES`, one example per line, each a whole command line;

and add a row to `_PANELS`. Import slow libraries inside the function. Raise an `ImproviserError` for a fault, and
`typer.Exit(code)` for an exit code without a message.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Protocol, runtime_checkable

import typer

from improviser.cli.terminal.help import PanelCommand, PanelGroup
from improviser.errors import ImproviserError, UsageError
from improviser.version import __version__

# Commands with their summaries, by the headings of the help.
_PANELS: Final = {
    "Play": {
        "jam": "Play along with a musician, live.",
        "demo": "Jam with a built-in player.",
        "ctl": "Steer a running jam, or print its status.",
        "render": "Add an improvised part to a MIDI file.",
        "compose": "Write a whole piece from a given or random fragment.",
        "chart": "Show what is read of a chord chart.",
    },
    "After a jam": {
        "keep": "Save the last bars as a MIDI file.",
        "save": "Save the jam as a preset, with what it learned.",
        "explain": "Explain the notes of a bar.",
        "replay": "Play a session again and check that it is identical.",
    },
    "Set up": {
        "doctor": "Check this machine, and say what to do next.",
        "ports": "List the MIDI ports.",
        "presets": "List the presets, or show one.",
        "devices": "List the known controllers.",
        "midi-learn": "Choose a knob, pad or pedal by moving it.",
    },
    "Train and measure": {
        "corpus": "Read a folder of music, and say what is in it.",
        "learn": "Learn from your own music, as a preset.",
        "train": "Train a preset's model.",
        "evaluate": "Measure a model, beside people and baselines.",
        "ablate": "Measure what each addition to the learner gains.",
        "bench": "Measure speed, timing and learning on this machine.",
    },
}
# Former names of commands, which still work.
_OLD_NAMES: Final = {"learn-control": "midi-learn"}
COMMANDS: Final = {name: summary for panel in _PANELS.values() for name, summary in panel.items()}
DEBUG_VARIABLE = "IMPROVISER_DEBUG"
EXIT_OK, EXIT_FAILURE, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130
_COMPLETION_VARIABLE = "_IMPROVISER_COMPLETE"
_PROGRAM = "improviser"


@runtime_checkable
class _WrongUsage(Protocol):
    """An error of typer for wrong usage; the name and module of its class depend on typer's version."""

    exit_code: int

    def format_message(self) -> str:
        """Return the message for the user."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (by default the process's own) and return its exit code.

    The codes: 0 success, 1 failure, 2 wrong usage, 130 interrupted. An error is one line on stderr, plus one for each
    further fault of a file. A traceback is shown only if the environment variable IMPROVISER_DEBUG is set.
    """
    arguments = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        _silence_stdout()
        return EXIT_FAILURE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:  # the last resort of the process
        if os.environ.get(DEBUG_VARIABLE):
            raise
        return _report(error)
    return code


def build_app(chosen: str | None = None) -> typer.Typer:
    """Return the typer app with the command `chosen` imported, the others only as names with a summary."""
    app = typer.Typer(
        name=_PROGRAM,
        cls=PanelGroup,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=_context_settings(),
    )
    app.callback(help="A deep Q-network that plays along, live, on a virtual MIDI port.")(_root)
    for panel, commands in _PANELS.items():
        for name, summary in commands.items():
            if name == chosen:
                _add_command(app, name, panel)
            else:
                app.command(name, help=summary, rich_help_panel=panel)(_not_loaded)
    return app


def _run(arguments: list[str]) -> int:
    """Run `arguments` through typer and return the exit code; errors are raised."""
    arguments = [_OLD_NAMES.get(arguments[0], arguments[0]), *arguments[1:]]
    chosen = next((word for word in _words(arguments) if not word.startswith("-")), None)
    result = build_app(chosen)(arguments, prog_name=_PROGRAM, standalone_mode=False)
    return result if isinstance(result, int) else EXIT_OK


def _words(arguments: list[str]) -> list[str]:
    """Return the words of the command line: `arguments`, or the line that the shell wants to complete."""
    if _COMPLETION_VARIABLE not in os.environ:
        return arguments
    typed = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS", "")
    return typed.split()[1:]


def _context_settings() -> dict[str, Any]:
    """Return the settings that all commands share: `-h` as `--help`, and wide lines."""
    return {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def _add_command(app: typer.Typer, name: str, panel: str) -> None:
    """Import the command `name` and register its function, with its examples below the options."""
    identifier = name.replace("-", "_")
    module = importlib.import_module(f"{__name__}.{identifier}")
    function: Callable[..., None] = getattr(module, identifier)
    examples = "\n".join(f"  {line.strip()}" for line in module.EXAMPLES.strip().splitlines())
    epilog = f"\b\nExamples:\n{examples}"
    app.command(name, cls=PanelCommand, rich_help_panel=panel, short_help=COMMANDS[name], epilog=epilog)(function)


def _not_loaded() -> None:
    """Replace a command that was not requested; never called."""


def _show_version(value: bool) -> None:
    """Print the version and exit, if the option is given."""
    if value:
        typer.echo(f"{_PROGRAM} {__version__}")
        raise typer.Exit


def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Accept the options before a command."""


def _report(error: Exception) -> int:
    """Print `error` on stderr and return its exit code."""
    if isinstance(error, ImproviserError):
        text, code = str(error), EXIT_USAGE if isinstance(error, UsageError) else EXIT_FAILURE
    elif isinstance(error, _WrongUsage):
        text, code = _usage_text(error), error.exit_code
    elif isinstance(error, typer.Abort):
        text, code = "aborted", EXIT_FAILURE
    else:
        kind = type(error).__name__
        text = f"unexpected {kind}: {error} (run with {DEBUG_VARIABLE}=1 for the traceback)"
        code = EXIT_FAILURE
    print(f"{_PROGRAM}: {text}", file=sys.stderr)  # noqa: T201 - the only place that prints errors
    return code


def _usage_text(error: _WrongUsage) -> str:
    """Return typer's message with the help command that explains the usage."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else _PROGRAM
    return f"{error.format_message().rstrip('.')} (see: {path} --help)"


def _silence_stdout() -> None:
    """Redirect stdout to the null device, so that the interpreter's last flush of a closed pipe is silent."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
