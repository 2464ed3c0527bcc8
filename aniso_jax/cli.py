"""The command line: parses, calls, prints."""

import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

for _name in ("jinja2", "matplotlib", "pandas", "pyarrow", "rich", "safetensors", "tyro"):
    if find_spec(_name) is None:
        raise SystemExit(
            f"aniso-jax: {_name} is not installed; the command line needs its extra: "
            "pip install 'aniso-jax[cli]'"
        )

import pandas as pd
import tyro
from rich.console import Console

from aniso_jax.audit.attack.config import Attack
from aniso_jax.audit.attack.printing import attack_lines
from aniso_jax.audit.attack.run import attack_run
from aniso_jax.audit.verify.config import Verify
from aniso_jax.audit.verify.findings import lines as verify_lines
from aniso_jax.audit.verify.run import verify_run
from aniso_jax.certification.status import ABSTAIN
from aniso_jax.data.load import load as load_data
from aniso_jax.figures.config import Figures
from aniso_jax.figures.plane.areas import area_lines
from aniso_jax.figures.run import figures_run
from aniso_jax.records.directory import read_experiment
from aniso_jax.records.load import load_frame
from aniso_jax.records.merge import merge_runs
from aniso_jax.records.sidecar import seconds_by_row
from aniso_jax.report.compare import galleries_of, with_containment
from aniso_jax.report.export import export
from aniso_jax.report.foreign import read_tsv
from aniso_jax.report.html import write_html
from aniso_jax.report.rounding import significant_up
from aniso_jax.report.terminal import printout
from aniso_jax.runs.certify import certify_run
from aniso_jax.runs.check import Check, check_run
from aniso_jax.runs.config import Certify, Demo, Optimize, Predict
from aniso_jax.runs.demo import demo_directories, run_demo
from aniso_jax.runs.imports import ImportCheckpoint, import_run
from aniso_jax.runs.imports import lines as import_lines
from aniso_jax.runs.log import watched
from aniso_jax.runs.memory import memory_lines
from aniso_jax.runs.memory_config import MemoryCommand
from aniso_jax.runs.optimize import optimize_run
from aniso_jax.runs.predict import Answer, predict_run
from aniso_jax.runs.progress import line
from aniso_jax.runs.refusals import REFUSALS, sentence
from aniso_jax.runs.results_config import Export, Merge, Report, Status
from aniso_jax.runs.status import status_of
from aniso_jax.training.config import TrainConfig
from aniso_jax.training.train import train

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

_STOPPED = "Stopped; nothing half-written is left. The same command starts again."

_console = Console()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; an error is one sentence on standard error and exit status 2."""
    warnings.showwarning = lambda text, *_: print(f"aniso-jax: {text}", file=sys.stderr)
    try:
        command = _parsed(arguments)
        _COMMANDS[type(command)](command)
    except KeyboardInterrupt as stop:
        raise SystemExit(_said(str(stop) or _STOPPED, status=130)) from None
    except REFUSALS as error:
        raise SystemExit(_said(sentence(error), status=2)) from None


def _parsed(arguments: Sequence[str] | None) -> Any:
    """The configuration of a command; a wrong use ends here with the usage and exit status 2."""
    flags = (tyro.conf.FlagCreatePairsOff,)
    return tyro.cli(Command, prog="aniso-jax", args=arguments, config=flags)  # type: ignore[arg-type]


def _said(text: str, *, status: int) -> int:
    print(f"aniso-jax: {text}", file=sys.stderr)
    return status


def _demo(config: Demo) -> None:
    runs, page = demo_directories(config), config.out / "report.html"
    if page.exists() and not runs[0].exists():
        raise ValueError(f"{page} exists and is no demo's; choose another --out.")
    with line(config.limit * len(runs)) as progress:
        run_demo(config, watch=progress, title=progress.title)
    frames = with_containment([load_frame(run) for run in runs])
    _print_tables(frames)
    alone = [frame for frame in frames if "memory" not in frame]
    galleries = galleries_of(alone, load_data("mnist5k"))
    title = "Anisotropic certificates on MNIST"
    write_html(page, frames, galleries=galleries, title=title, overwrite=True)
    _console.print(f"\nThe report is in [bold]{page}[/bold].")


def _certify(config: Certify) -> None:
    with watched(config.out.name, log_json=config.log_json) as progress:
        certify_run(config, watch=progress)
    if (there := status_of(config.out)).missing:  # the other shards'
        print("\n".join(there.lines()))
    else:
        _print_tables([load_frame(config.out)])


def _optimize(config: Optimize) -> None:
    with watched(config.scale, log_json=config.log_json) as progress:
        path = optimize_run(config, watch=progress)
    _console.print(f"The scales are in [bold]{path}[/bold]; use them by certify --scale {path}.")


def _predict(config: Predict) -> None:
    print("index", "label", "predict", "p_value", sep="\t", flush=True)

    def show(answer: Answer) -> None:
        label = "ABSTAIN" if answer.label == ABSTAIN else str(answer.label)
        p_value = significant_up(answer.p_value, 3)
        print(answer.position, answer.true_label, label, p_value, sep="\t", flush=True)

    predict_run(config, on_answer=show)


def _train(config: TrainConfig) -> None:
    with line() as progress:
        progress.title(config.chosen_method)
        train(config, on_epoch=lambda metrics: print(metrics.line(), flush=True), watch=progress)
    _console.print(f"The network is in [bold]{config.out}[/bold].")


def _import_checkpoint(config: ImportCheckpoint) -> None:
    print("\n".join(import_lines(*import_run(config))))
    _console.print(f"The network is in [bold]{config.out}[/bold].")


def _check(config: Check) -> None:
    print(check_run(config).line())


def _report(config: Report) -> None:
    frames = with_containment([_frame(path, config) for path in config.runs])
    data = load_data(config.data, split=config.split) if config.data else None
    galleries = galleries_of(frames, data) if data else {}
    _print_tables(frames)
    title = "Certified accuracy"
    write_html(config.out, frames, galleries=galleries, title=title, overwrite=config.overwrite)
    _console.print(f"\nThe report is in [bold]{config.out}[/bold].")


def _export(config: Export) -> None:
    frame = load_frame(config.run, partial=config.partial)
    seconds = seconds_by_row(config.run, len(frame), read_experiment(config.run).part_size)
    time = pd.Series(seconds, index=frame.index)
    export(frame, config.format, config.out, time=time, overwrite=config.overwrite)
    _console.print(f"{len(frame)} inputs are in [bold]{config.out}[/bold].")


def _status(config: Status) -> None:
    print("\n".join(status_of(config.run).lines()))


def _merge(config: Merge) -> None:
    inputs = merge_runs(config.runs, config.out, partial=config.partial)
    _console.print(f"{inputs:,} inputs are in [bold]{config.out}[/bold].")


def _verify(config: Verify) -> None:
    found = verify_run(config)
    print("\n".join(verify_lines(found)))
    if found.findings:
        raise SystemExit(1)


def _attack(config: Attack) -> None:
    with line() as progress:
        progress.title(config.run.name)
        found = attack_run(config, watch=progress)
    print("\n".join(attack_lines(found)))
    if found.counterexamples:
        raise SystemExit(1)


def _memory(config: MemoryCommand) -> None:
    for text in memory_lines(config):
        print(text, flush=True)


def _figures(config: Figures) -> None:
    with line() as progress:
        table = figures_run(config, watch=progress, told=progress.title)
    if table is not None:
        print("Mean certified areas:", *area_lines(table), f"({table['claim']})", sep="\n")
    _console.print(f"The figures are in [bold]{config.out / 'figures.html'}[/bold].")


_COMMANDS: dict[type, Callable[[Any], None]] = {
    Demo: _demo,
    Certify: _certify,
    Optimize: _optimize,
    Predict: _predict,
    TrainConfig: _train,
    ImportCheckpoint: _import_checkpoint,
    Check: _check,
    Report: _report,
    Export: _export,
    Status: _status,
    Merge: _merge,
    Verify: _verify,
    Attack: _attack,
    MemoryCommand: _memory,
    Figures: _figures,
}


def _print_tables(frames: list[pd.DataFrame]) -> None:
    for printed in printout(frames):
        _console.print(printed)


def _frame(path: Path, config: Report) -> pd.DataFrame:
    if path.is_dir():
        return load_frame(path, partial=config.partial)
    return read_tsv(path, law=config.law)


if __name__ == "__main__":
    main()
