"""Commands that doubt a run, ask a memory, and draw what regions look like."""

from aniso_jax.audit.attack.config import Attack
from aniso_jax.audit.attack.printing import attack_lines
from aniso_jax.audit.attack.run import attack_run
from aniso_jax.audit.verify.config import Verify
from aniso_jax.audit.verify.findings import lines as verify_lines
from aniso_jax.audit.verify.run import verify_run
from aniso_jax.commands.console import console
from aniso_jax.figures.config import Figures
from aniso_jax.figures.plane.areas import area_lines
from aniso_jax.figures.run import figures_run
from aniso_jax.runs.memory import memory_lines
from aniso_jax.runs.memory_config import MemoryCommand
from aniso_jax.runs.progress import line


def verify(config: Verify) -> None:
    """Doubt a run; exit status 1 if something is found."""
    found = verify_run(config)
    print("\n".join(verify_lines(found)))
    if found.findings:
        raise SystemExit(1)


def attack(config: Attack) -> None:
    """Attack a run; exit status 1 if a counterexample is found."""
    with line() as progress:
        progress.title(config.run.name)
        found = attack_run(config, watch=progress)
    print("\n".join(attack_lines(found)))
    if found.counterexamples:
        raise SystemExit(1)


def memory(config: MemoryCommand) -> None:
    """Show, check or ask a memory."""
    for text in memory_lines(config):
        print(text, flush=True)


def figures(config: Figures) -> None:
    """Draw the figures."""
    with line() as progress:
        table = figures_run(config, watch=progress, told=progress.title)
    if table is not None:
        print("Mean certified areas:", *area_lines(table), f"({table['claim']})", sep="\n")
    console.print(f"The figures are in [bold]{config.out / 'figures.html'}[/bold].")
