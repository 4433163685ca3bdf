"""The frame of the command line: help, exit codes, errors in one line, no traceback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import typer

import improviser
from improviser import cli
from improviser.cli import COMMANDS, main
from improviser.cli.terminal.help import PanelCommand
from improviser.errors import ConfigError, ImproviserError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

# What listing the presets must not import: training, music theory, ports and pictures.
HEAVY = {"torch", "music21", "gymnasium", "numpy", "mido", "rtmidi", "rich", "safetensors"}


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a separate process."""
    environment = {**os.environ, **variables}
    command = [sys.executable, "-m", "improviser", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """A function that replaces the command `ports` by another function."""

    def replace(function: Callable[[], None]) -> None:
        """Make `improviser ports` call `function`."""
        module = ModuleType("improviser.cli.ports")
        module.__dict__.update(ports=function, EXAMPLES="improviser ports")
        monkeypatch.setitem(sys.modules, "improviser.cli.ports", module)

    return replace


def failing(error: BaseException) -> Callable[[], None]:
    """Return a command that raises `error`."""

    def ports() -> None:
        """Raise the error."""
        raise error

    return ports


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_the_help_lists_every_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command, as with --help, all commands are listed and the exit code is 0."""
    assert 0 == main(arguments)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert set() == set(COMMANDS) - {line[0] for line in lines if line}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_each_command_has_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The help of each command says what it does and ends with examples."""
    assert 0 == main([name, "--help"])
    text = capsys.readouterr().out
    assert f"Usage: improviser {name}" == text.splitlines()[0][: len(f"Usage: improviser {name}")]
    examples = text.partition("Examples:")[2].split("\n")[1:]
    assert [] == [line for line in examples if line.strip() and "improviser" not in line]
    assert f"improviser {name}" in "\n".join(examples)


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """--version shows the version of the package."""
    assert 0 == main(["--version"])
    assert f"improviser {improviser.__version__}\n" == capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["preset"], "No such command 'preset'. Did you mean 'presets'? (see: improviser --help)"),
        (["presets", "--jsn"], "No such option: --jsn"),
        (["presets", "a", "b"], "Got unexpected extra argument"),
        (["--nope"], "No such option: --nope (see: improviser --help)"),
    ],
)
def test_wrong_usage_is_one_line(arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong usage is one line on stderr that names the help to read, with exit code 2."""
    assert 2 == main(arguments)
    captured = capsys.readouterr()
    assert ("", f"improviser: {expected}") == (captured.out, captured.err[: len(f"improviser: {expected}")])
    assert 1 == captured.err.count("\n")


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (ConfigError("a.toml: wrong"), 1, "a.toml: wrong"),
        (ImproviserError("no"), 1, "no"),
        (UsageError("give a file"), 2, "give a file"),
        (
            RuntimeError("odd"),
            1,
            "unexpected RuntimeError: odd (run with IMPROVISER_DEBUG=1 for the traceback)",
        ),
    ],
)
def test_an_error_is_one_line(
    error: Exception,
    code: int,
    text: str,
    command: Callable[[Callable[[], None]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An error is one line on stderr; the exit code is 2 for wrong usage, else 1."""
    command(failing(error))
    assert code == main(["ports"])
    assert f"improviser: {text}\n" == capsys.readouterr().err


def test_an_abort_is_told(command: Callable[[Callable[[], None]], None], capsys: pytest.CaptureFixture[str]) -> None:
    """A prompt without an answer is reported and is a failure."""
    command(failing(EOFError()))
    assert 1 == main(["ports"])
    assert "improviser: aborted\n" == capsys.readouterr().err.lstrip("\n")


def test_an_interrupt_is_silent(
    command: Callable[[Callable[[], None]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C ends a command without output, with the shell's exit code."""
    command(failing(KeyboardInterrupt()))
    assert 130 == main(["ports"])
    assert "" == capsys.readouterr().err


def test_the_traceback_is_shown_on_request(
    command: Callable[[Callable[[], None]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With IMPROVISER_DEBUG set the exception is raised."""
    monkeypatch.setenv("IMPROVISER_DEBUG", "1")
    command(failing(RuntimeError("odd")))
    with pytest.raises(RuntimeError, match="odd"):
        main(["ports"])


def test_a_command_may_leave_with_a_code(command: Callable[[Callable[[], None]], None]) -> None:
    """The code of typer.Exit is the exit code."""
    command(failing(typer.Exit(7)))
    assert 7 == main(["ports"])


def test_an_interrupt_before_the_command_is_silent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C while a command is being imported gives no output either."""
    monkeypatch.setattr(cli, "build_app", lambda _: failing(KeyboardInterrupt())())
    assert 130 == main(["--help"])
    assert "" == capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["presets"], ["presets", "--json"]])
def test_a_closed_pipe_is_silent(arguments: list[str]) -> None:
    """When stdout is closed by its reader, nothing is printed."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "improviser", *arguments]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (1, "") == (done.returncode, done.stderr)


def test_a_listing_imports_nothing_heavy() -> None:
    """Listing the presets imports nothing that only playing or training needs."""
    code = f"import sys; from improviser.cli import main; main(['presets']); print({HEAVY!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "set()" == done.stdout.splitlines()[-1]


def test_a_process_has_the_exit_code() -> None:
    """`python -m improviser` ends with the command's exit code, without a traceback."""
    done = run("presets", "nope")
    assert 1 == done.returncode
    there_are = "band, bass, chorale, comping, fiddle, free, jazz, lied, minimal, pop"
    assert f"improviser: no preset 'nope' (available: {there_are})\n" == done.stderr


def test_the_shell_completes_commands_and_options() -> None:
    """Shell completion knows the commands and their options."""
    asked = {"_IMPROVISER_COMPLETE": "complete_bash", "COMP_CWORD": "1"}
    assert "presets" in run(COMP_WORDS="improviser pre", **asked).stdout.split()
    options = run(COMP_WORDS="improviser presets --", _IMPROVISER_COMPLETE="complete_bash", COMP_CWORD="2")
    assert "--json" in options.stdout.split()


def test_each_command_has_a_file() -> None:
    """Each command of the table has a file, or a folder, of its name."""
    folder = Path(cli.__file__).parent
    paths = {name: folder / name.replace("-", "_") for name in COMMANDS}
    missing = [name for name, path in paths.items() if not path.with_suffix(".py").is_file() and not path.is_dir()]
    assert [] == missing


def test_help_that_names_a_command_keeps_the_headings(capsys: pytest.CaptureFixture[str]) -> None:
    """The command that is named, and so loaded, stands in its panel too."""
    assert 0 == main(["--help", "jam"])
    shown = capsys.readouterr().out
    assert "\nPlay:\n  jam " in shown
    assert "object at" not in shown


def test_an_option_without_a_panel_stands_under_options(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest typer that is allowed has a help option that knows no panel."""
    get_params = PanelCommand.get_params

    def without_panel(command: PanelCommand, ctx: Any) -> list[Any]:  # noqa: ANN401 - typer's own type
        """Return the parameters, the help option as that typer makes it."""
        params: list[Any] = list(get_params(command, ctx))
        vars(params[-1]).pop("rich_help_panel", None)
        return params

    monkeypatch.setattr(PanelCommand, "get_params", without_panel)
    assert 0 == main(["jam", "--help"])
    assert re.search(r"\nOptions:\n(  .*\n)*  -h, --help", capsys.readouterr().out)
