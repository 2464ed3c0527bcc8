"""Commands that draw, search and train."""

from aniso_jax.certification.status import ABSTAIN
from aniso_jax.commands.console import console, print_tables
from aniso_jax.data.load import load as load_data
from aniso_jax.records.load import load_frame
from aniso_jax.records.schema import flat_columns
from aniso_jax.report.compare import galleries_of, with_containment
from aniso_jax.report.html import write_html
from aniso_jax.report.rounding import significant_up
from aniso_jax.runs.certify import certify_run
from aniso_jax.runs.check import Check, check_run
from aniso_jax.runs.config import Certify, Demo, Optimize, Predict
from aniso_jax.runs.demo import demo_directories, run_demo
from aniso_jax.runs.imports import ImportCheckpoint, import_run
from aniso_jax.runs.imports import lines as import_lines
from aniso_jax.runs.log import watched
from aniso_jax.runs.optimize import optimize_run
from aniso_jax.runs.predict import Answer, predict_run
from aniso_jax.runs.progress import line
from aniso_jax.runs.status import status_of
from aniso_jax.training.config import TrainConfig
from aniso_jax.training.train import train as train_network


def demo(config: Demo) -> None:
    """Certify the demo, print its tables, write its page."""
    runs, page = demo_directories(config), config.out / "report.html"
    if page.exists() and not runs[0].exists():
        raise ValueError(f"{page} exists and is no demo's; choose another --out.")
    with line(config.limit * len(runs)) as progress:
        run_demo(config, watch=progress, title=progress.title)
    frames = with_containment([load_frame(run) for run in runs])
    print_tables(frames)
    alone = [frame for frame in frames if "memory" not in frame]
    galleries = galleries_of(alone, load_data("mnist5k"))
    title = "Anisotropic certificates on MNIST"
    write_html(page, frames, galleries=galleries, title=title, overwrite=True)
    console.print(f"\nThe report is in [bold]{page}[/bold].")


def certify(config: Certify) -> None:
    """Certify a run; its tables, or where it stands if other shards still work."""
    with watched(config.out.name, log_json=config.log_json) as progress:
        experiment = certify_run(config, watch=progress)
    if (there := status_of(config.out)).missing:  # the other shards'
        print("\n".join(there.lines()))
    else:  # a memory's table is about scales too
        columns = flat_columns(experiment) if experiment.memory is None else None
        print_tables([load_frame(config.out, columns=columns)])


def optimize(config: Optimize) -> None:
    """Search scales and keep them."""
    with watched(config.scale, log_json=config.log_json) as progress:
        path = optimize_run(config, watch=progress)
    console.print(f"The scales are in [bold]{path}[/bold]; use them by certify --scale {path}.")


def predict(config: Predict) -> None:
    """Answer inputs one by one."""
    print("index", "label", "predict", "p_value", sep="\t", flush=True)

    def show(answer: Answer) -> None:
        label = "ABSTAIN" if answer.label == ABSTAIN else str(answer.label)
        p_value = significant_up(answer.p_value, 3)
        print(answer.position, answer.true_label, label, p_value, sep="\t", flush=True)

    predict_run(config, on_answer=show)


def train(config: TrainConfig) -> None:
    """Train a network."""
    with line() as progress:
        progress.title(config.chosen_method)
        train_network(
            config, on_epoch=lambda metrics: print(metrics.line(), flush=True), watch=progress
        )
    console.print(f"The network is in [bold]{config.out}[/bold].")


def import_checkpoint(config: ImportCheckpoint) -> None:
    """Read the network of another."""
    print("\n".join(import_lines(*import_run(config))))
    console.print(f"The network is in [bold]{config.out}[/bold].")


def check(config: Check) -> None:
    """Count right answers."""
    print(check_run(config).line())
