"""The command line of every stage: the same arguments, one place where errors become a line and an exit code."""

from __future__ import annotations

import logging
import os
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from gpu_utils import environment_additions
from stages.pipeline.definition import StageDefinition
from stages.pipeline.errors import ExitCode, SceneRelayError, UsageError
from stages.pipeline.process import end_process, follow_parent

RunDirectories = Annotated[
    list[Path], typer.Argument(metavar="RUN_DIR...", help="Run directories, made by `python -m stages new`.")
]
Scenes = Annotated[list[str] | None, typer.Option("--scene", help="Only this scene, for example 03. May be repeated.")]
Force = Annotated[bool, typer.Option("--force", help="Make it again even when nothing has changed.")]
Another = Annotated[bool, typer.Option("--another", help="Make a further take, with other seeds.")]
Strategy = Annotated[
    str | None, typer.Option("--strategy", help="How to place the model, instead of the first that fits.")
]


def main(stage: StageDefinition[Any, Any]) -> None:
    """Run a stage as a process: parse, work, exit."""
    follow_parent()
    os.environ.update(environment_additions(os.environ))  # by hand there is no runner that did it; before torch
    log_to_stderr()

    def work(runs: list[Path], scenes: list[str] | None, force: bool, another: bool, strategy: str | None) -> int:
        from stages.pipeline.frame import StageProcess
        from stages.pipeline.staleness import Selection

        wanted = frozenset(scenes or ())
        for scene_id in wanted:
            if not re.fullmatch(r"[a-z0-9-]{1,16}", scene_id):
                raise UsageError(f"--scene {scene_id!r} is not a scene's name; names look like 01, 02, 03")
        selection = Selection(wanted, force, another)
        return StageProcess(stage, selection, strategy).run(runs)

    if stage.per_scene:

        def command(
            runs: RunDirectories,
            scene: Scenes = None,
            force: Force = False,
            another: Another = False,
            strategy: Strategy = None,
        ) -> None:
            raise typer.Exit(work(runs, scene, force, another, strategy))
    else:

        def command(runs: RunDirectories, force: Force = False) -> None:  # type: ignore[misc]
            raise typer.Exit(work(runs, None, force, False, None))

    command.__doc__ = stage.summary
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command()(command)
    run_and_exit(lambda: app(prog_name=f"python -m stages.{stage.name}", standalone_mode=False))


def run_and_exit(call: Callable[[], object]) -> None:
    """Call a typer application and end the process with its exit code; every error of ours is one line on stderr."""
    end_process(_exit_code(call))


def _exit_code(call: Callable[[], object]) -> int:
    import click

    try:
        result = call()
        return result if isinstance(result, int) else ExitCode.DONE
    except SceneRelayError as error:
        _say(str(error))
        return error.exit_code
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.exceptions.Abort:
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        _say(f"{error.format_message()}; --help shows what is understood")
        return ExitCode.USAGE
    except KeyboardInterrupt:
        _say("interrupted; what was finished is kept")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    except Exception:  # noqa: BLE001 - the last line of defence: a bug keeps its traceback and gets its exit code
        traceback.print_exc()
        _say("this is a bug of scene-relay; the traceback above says where")
        return ExitCode.BUG


def _say(text: str) -> None:
    print(f"scene-relay: {text}", file=sys.stderr, flush=True)  # noqa: T201


def log_to_stderr() -> None:
    """Logs go to stderr; `SCENE_RELAY_LOG_LEVEL` sets how much."""
    level = os.environ.get("SCENE_RELAY_LOG_LEVEL", "INFO").upper()
    logging.basicConfig(
        stream=sys.stderr,
        level=level if level in logging.getLevelNamesMapping() else "INFO",
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%H:%M:%S",
    )
