"""The data and the network of a finished run, found again and recognised by their fingerprints.

A run names its data ("mnist5k (test)") and its network (a file's name, or demo); it keeps neither.
What is loaded under those names, or given instead of them, must have the fingerprint in the run.
"""

from pathlib import Path
from typing import Any, cast

from aniso_jax.data.dataset import Split
from aniso_jax.data.load import load as load_data
from aniso_jax.data.selection import select
from aniso_jax.models.checkpoint import Model
from aniso_jax.models.checkpoint import load as load_model
from aniso_jax.records.experiment import Experiment, hash_indices
from aniso_jax.records.load import load_run
from aniso_jax.records.schema import experiment_of
from aniso_jax.runs.inputs import Inputs


def open_run_again(
    run: Path, *, data: str | None = None, model: str | None = None, partial: bool = False
) -> tuple[Experiment, Any, Inputs, Model]:
    """A run with the data and the network that made it.

    Args:
      run: the run's directory.
      data: where the data are, as `--data` takes it; by default what the run names.
      model: the network's file, or demo; by default what the run names.
      partial: accept a run that is not finished.

    Returns:
      (experiment, records as a `pyarrow.Table`, inputs of the run's selection, network).

    Guarantee: data, selection and network have the fingerprints that the run was made with.

    Raises:
      ValueError: the run is damaged or not finished; other data or another network than the run's,
        or none found; one sentence each, that names the option to give.
    """
    table = load_run(run, partial=partial)
    experiment = experiment_of(table.schema)
    return experiment, table, inputs_of(experiment, data), model_of(experiment, model)


def inputs_of(experiment: Experiment, spec: str | None = None) -> Inputs:
    """The selected inputs of a run, from the data that it names or that `spec` names.

    Raises:
      ValueError: no such data, or others than the run's.
    """
    name, _, split = experiment.data.rpartition(" (")
    try:
        data = load_data(spec or name, split=cast(Split, split.removesuffix(")")))
    except (ValueError, OSError, ImportError) as error:
        raise ValueError(_not_found("data", experiment.data, spec, error)) from error
    if data.fingerprint != experiment.data_fingerprint:
        raise ValueError(_others("data", spec or name, data.fingerprint, experiment))
    asked = {name: getattr(experiment, name) for name in ("start", "stop", "skip", "limit")}
    indices = select(len(data), **asked)
    if hash_indices(indices) != experiment.indices_hash:
        raise ValueError(
            f"The selection {asked} is not the one that the run's indices_hash names: its run.json "
            "was changed."
        )
    return Inputs(data=data, indices=indices)


def model_of(experiment: Experiment, name_or_path: str | None = None) -> Model:
    """The network of a run, from the file that it names or from `name_or_path`.

    Raises:
      ValueError: no such file, or another network than the run's.
    """
    try:
        model = load_model(name_or_path or experiment.model, dtype=experiment.dtype)
    except (ValueError, OSError, ImportError) as error:
        raise ValueError(_not_found("model", experiment.model, name_or_path, error)) from error
    if model.fingerprint != experiment.model_fingerprint:
        given = name_or_path or experiment.model
        raise ValueError(_others("model", given, model.fingerprint, experiment))
    return model


def _not_found(option: str, named: str, given: str | None, error: Exception) -> str:
    said = str(error).rstrip(".")
    if given is not None:
        return f"--{option} {given} cannot be read ({said})."
    return f"The run's {option}, {named}, cannot be found again ({said}): give --{option}."


def _others(option: str, given: str, found: str, experiment: Experiment) -> str:
    wanted = getattr(experiment, f"{option}_fingerprint")
    return (
        f"--{option} {given} has the fingerprint {found[:16]}, the run was made with "
        f"{wanted[:16]}: give the run's {option}."
    )
