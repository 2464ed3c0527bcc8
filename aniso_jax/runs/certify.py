"""A certification run from its configuration, part by part, by this process or by actors."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aniso_jax.records.directory import check_run
from aniso_jax.records.experiment import Experiment
from aniso_jax.runs.config import Certify
from aniso_jax.runs.engine import Engine
from aniso_jax.runs.layout import PART as PART
from aniso_jax.runs.named_memory import named_memory
from aniso_jax.runs.on_ray.cluster import prepare
from aniso_jax.runs.on_ray.computing import computing_on_ray
from aniso_jax.runs.remember import remembering
from aniso_jax.runs.runner import Compute, own_parts, run_parts, split_parts
from aniso_jax.runs.setup import Read, engine_of, experiment_of, read_of
from aniso_jax.runs.watch import Watch, silent


def certify_run(config: Certify, *, watch: Watch = silent) -> Experiment:
    """Certify what a configuration names and write the run; go on where it stopped.

    Guarantee: everything that can be refused is refused before the first draw and before the
    first byte is written; run again after any interruption, by whichever engine, it ends with the
    same bytes.

    Raises:
      ValueError and its kin, one sentence: bad data, model, scale, plan, or another run in `out`;
        with Ray, what `computing_on_ray` raises.
      Interrupted: Ctrl-C; finished parts are kept.
    """
    if config.cluster is not None:
        prepare(config.cluster)
    read = read_of(config)
    engine = engine_of(config, read, watch=watch)
    out, named = Path(config.out), named_memory(config.memory, Path(config.out))
    memory = None if named is None else str(named)
    experiment = experiment_of(config, engine, memory=memory)
    parts = split_parts(engine.inputs.indices, PART)
    check_run(out, experiment)
    about = out, experiment, engine.inputs, engine.model.params
    with (
        _computing(config, read, engine, watch) as computed,
        remembering(computed, named, *about) as compute,
    ):
        watch.start(sum(map(len, own_parts(parts, config.share).values())))
        run_parts(out, experiment, parts, compute, shard=config.share, on_part=watch.part)
    return experiment


@contextmanager
def _computing(config: Certify, read: Read, engine: Engine, watch: Watch) -> Iterator[Compute]:
    """The engine itself, or actors that do as it would."""
    if config.cluster is None:
        yield engine.compute
        return
    with computing_on_ray(config, read, engine, watch=watch) as compute:
        yield compute
