"""The command line: which commands there are, and how one is parsed and refused."""

import contextlib
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any

for _name in ("jinja2", "matplotlib", "pandas", "pyarrow", "rich", "safetensors", "tyro"):
    if find_spec(_name) is None:
        raise SystemExit(
            f"aniso-jax: {_name} is not installed; the command line needs its extra: "
            "pip install 'aniso-jax[cli]'"
        )

import tyro

from aniso_jax.audit.attack.config import Attack
from aniso_jax.audit.verify.config import Verify
from aniso_jax.figures.config import Figures
from aniso_jax.runs.check import Check
from aniso_jax.runs.compiled import keep_compiled
from aniso_jax.runs.config import Certify, Demo, Optimize, Predict
from aniso_jax.runs.imports import ImportCheckpoint
from aniso_jax.runs.log import said, said_as_json
from aniso_jax.runs.memory_config import MemoryCommand
from aniso_jax.runs.refusals import REFUSALS, sentence
from aniso_jax.runs.results_config import Export, Merge, Report, Status
from aniso_jax.training.config import TrainConfig

Command = (
    Annotated[Demo, tyro.conf.subcommand("demo")]
    | Annotated[Certify, tyro.conf.subcommand("certify")]
    | Annotated[Optimize, tyro.conf.subcommand("optimize")]
    | Annotated[Predict, tyro.conf.subcommand("predict")]
    | Annotated[TrainConfig, tyro.conf.subcommand("train")]
    | Annotated[ImportCheckpoint, tyro.conf.subcommand("import-checkpoint")]
    | Annotated[Check, tyro.conf.subcommand("check")]
    | Annotated[Report, tyro.conf.subcommand("report")]
    | Annotated[Export, tyro.conf.subcommand("export")]
    | Annotated[Status, tyro.conf.subcommand("status")]
    | Annotated[Merge, tyro.conf.subcommand("merge")]
    | Annotated[Verify, tyro.conf.subcommand("verify")]
    | Annotated[Attack, tyro.conf.subcommand("attack")]
    | Annotated[MemoryCommand, tyro.conf.subcommand("memory")]
    | Annotated[Figures, tyro.conf.subcommand("figures")]
)

_COMMANDS: dict[type, tuple[str, str]] = {
    Demo: ("work", "demo"),
    Certify: ("work", "certify"),
    Optimize: ("work", "optimize"),
    Predict: ("work", "predict"),
    TrainConfig: ("work", "train"),
    ImportCheckpoint: ("work", "import_checkpoint"),
    Check: ("work", "check"),
    Report: ("results", "report"),
    Export: ("results", "export"),
    Status: ("results", "status"),
    Merge: ("results", "merge"),
    Verify: ("doubts", "verify"),
    Attack: ("doubts", "attack"),
    MemoryCommand: ("doubts", "memory"),
    Figures: ("doubts", "figures"),
}
"""The modules of commands and their functions; only the one that is asked for loads."""

_STOPPED = "Stopped; nothing half-written is left. The same command starts again."


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; an error is one sentence on standard error and exit status 2."""
    say = said
    warnings.showwarning = lambda text, *_: say("warning", str(text))
    try:
        command = _parsed(arguments)
        say = said_as_json if getattr(command, "log_json", False) else said
        keep_compiled()
        with _stopped_by_sigterm():
            _function(command)(command)
    except KeyboardInterrupt as stop:
        say("stopped", str(stop) or _STOPPED)
        raise SystemExit(130) from None
    except REFUSALS as error:
        say("error", sentence(error))
        raise SystemExit(2) from None


def _parsed(arguments: Sequence[str] | None) -> Any:
    """The configuration of a command; a wrong use ends here with the usage and exit status 2."""
    flags = (tyro.conf.FlagCreatePairsOff,)
    return tyro.cli(Command, prog="aniso-jax", args=arguments, config=flags)  # type: ignore[arg-type]


def _function(command: Any) -> Callable[[Any], None]:
    module, name = _COMMANDS[type(command)]
    run: Callable[[Any], None] = getattr(import_module(f"aniso_jax.commands.{module}"), name)
    return run


@contextlib.contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """As by Ctrl-C: what ends a job of a cluster is no reason to say nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    main()
