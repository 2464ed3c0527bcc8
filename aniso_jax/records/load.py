"""A finished run as one table."""

from collections.abc import Container
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from aniso_jax.records.directory import NotARun, read_experiment
from aniso_jax.records.experiment import Experiment, hash_indices
from aniso_jax.records.parts import present_parts, read_part
from aniso_jax.records.schema import experiment_of, run_schema
from aniso_jax.records.sidecar import read_timings, seconds_per_input

_MEASURED = ("optimise_seconds", "certify_seconds", "fold_seconds")


class IncompleteRun(ValueError):
    """Some inputs of the run are not there yet."""


def load_run(
    path: str | Path, *, partial: bool = False, columns: Container[str] | None = None
) -> Any:
    """The whole run as a `pyarrow.Table`, in ascending `index`, its experiment in the metadata.

    pandas, polars and duckdb read the table as it is; `records.schema` documents the columns.

    Args:
        path: the run directory.
        partial: take what is there of an unfinished run.
        columns: these alone, and `index`; every part is still checked whole, one after the other,
            so that scales of many large inputs need not be in memory together. None for all.

    Raises:
        NotARun: the path holds no run.
        IncompleteRun: inputs are missing, and `partial` was not asked for.
        TornPart, ForeignPart: a part is damaged or of another run; it is named.
    """
    directory = Path(path)
    experiment = read_experiment(directory)
    schema = _schema(experiment, columns)
    parts = (read_part(directory, part, experiment) for part in present_parts(directory))
    kept = (part.select(schema.names).replace_schema_metadata(schema.metadata) for part in parts)
    table = pa.concat_tables([schema.empty_table(), *kept])
    if len(table) < experiment.inputs and not partial:
        raise IncompleteRun(
            f"{directory} holds {len(table)} of its {experiment.inputs} inputs; run the same "
            "command again to finish it, or ask for a partial result."
        )
    _check_order(table, experiment, directory)
    return table


def load_frame(
    path: str | Path, *, partial: bool = False, columns: Container[str] | None = None
) -> Any:
    """The whole run as a `pandas.DataFrame`, with the run's constants in `.attrs`.

    The attributes are `name` (of the directory), `run` (hash), `data`, `data_fingerprint`, `model`,
    `model_fingerprint`, `dtype`, `law`, `scale`, `scale_source`, `unit` (of sigma: "std", "half-
    width" or "b"), `sigma`, `n0`, `n`, `looks`, `bound`, `target`, `alpha`, `joint_alpha`, `seed`,
    `shared_draws`, `mode`, `grid`, `discount`, `memory`, `shape`, `dimension`, and from the side
    file the mean seconds an input `optimise_seconds`, `certify_seconds` and `fold_seconds`, which
    asking the memory took (None where nothing was measured).

    Args and errors as `load_run`.
    """
    table = load_run(path, partial=partial, columns=columns)
    frame = table.to_pandas()
    frame.attrs = _attributes(Path(path), experiment_of(table.schema))
    return frame


def _schema(experiment: Experiment, columns: Container[str] | None) -> Any:
    """Of the columns that are asked for."""
    whole = run_schema(experiment)
    if columns is None:
        return whole
    asked = [field for field in whole if field.name == "index" or field.name in columns]
    return pa.schema(asked, metadata=whole.metadata)


def _attributes(directory: Path, experiment: Experiment) -> dict[str, Any]:
    copied = (
        "data data_fingerprint model model_fingerprint dtype law scale scale_source unit sigma "
        "n0 n looks bound target alpha joint_alpha seed shared_draws mode grid discount memory "
        "shape dimension"
    )
    timings = read_timings(directory)
    return {
        "name": directory.resolve().name,
        "run": experiment.hash,
        **{name: getattr(experiment, name) for name in copied.split()},
        **{name: seconds_per_input(timings, name) for name in _MEASURED},
    }


def _check_order(table: Any, experiment: Experiment, directory: Path) -> None:
    """Each part ascends; so must the whole, and a whole run is the selection that it names."""
    indices = table["index"].combine_chunks()
    ascending = len(table) < 2 or pc.min(pc.pairwise_diff(indices)).as_py() > 0
    whole = len(table) == experiment.inputs
    if not ascending or (whole and hash_indices(indices.to_numpy()) != experiment.indices_hash):
        raise NotARun(
            f"the inputs in the parts of {directory} are not the selection that its run.json "
            "names; compute the run again in another directory."
        )
