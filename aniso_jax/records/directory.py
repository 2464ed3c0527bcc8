"""A run directory and its `run.json`, the one configuration it may hold."""

import json
import os
from pathlib import Path

from aniso_jax.records.claim import claim_of
from aniso_jax.records.experiment import Experiment, differences
from aniso_jax.records.lock import is_lock
from aniso_jax.records.schema import FORMAT
from aniso_jax.storage.atomic import full_disk_said, is_leftover, write_atomically

RUN_FILE = "run.json"


class NotARun(ValueError):
    """The path is not a run directory, or its `run.json` cannot be read."""


class RunMismatch(ValueError):
    """The directory holds a run of another configuration."""


def open_run(directory: Path, experiment: Experiment) -> None:
    """Make the directory this experiment's: write `run.json` first, or check the one there.

    Raises:
        RunMismatch: it holds another configuration; the fields that differ are named.
        NotARun: it is a file, or holds other things.
        DiskFull: there is no room.
    """
    if check_run(directory, experiment):
        return
    with full_disk_said(directory):
        directory.mkdir(parents=True, exist_ok=True)
    content = {
        "claim": claim_of(experiment),
        "experiment": json.loads(experiment.to_json()),
        "format": FORMAT,
        "run": experiment.hash,
    }
    text = json.dumps(content, indent=2, sort_keys=True) + "\n"
    write_atomically(directory / RUN_FILE, text.encode())
    check_run(directory, experiment)  # another shard may have begun at the same moment


def check_run(directory: Path, experiment: Experiment) -> bool:
    """Whether the directory already holds this run; False where it is free. Writes nothing.

    Raises:
        RunMismatch, NotARun: as `open_run`.
    """
    if _is_free(directory):
        return False
    there = read_experiment(directory)
    if there != experiment:
        raise RunMismatch(
            f"{directory} holds another run: {'; '.join(differences(there, experiment))}. Choose "
            "another --out, or give the options with which that run was started."
        )
    return True


def read_experiment(directory: Path) -> Experiment:
    """The experiment of a run directory.

    Raises:
        NotARun: there is no `run.json`, or it is damaged or of another format.
    """
    path = directory / RUN_FILE
    if not path.is_file():
        raise NotARun(f"{directory} is no run: it has no {RUN_FILE}; choose another directory.")
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != FORMAT:
            raise ValueError(f"it has format {content['format']}, wanted {FORMAT}")
        experiment = Experiment.from_json(json.dumps(content["experiment"]))
        if experiment.hash != content["run"]:
            raise ValueError("its experiment does not belong to its hash")
        if content["claim"] != claim_of(experiment):
            raise ValueError("its claim is not that of its experiment")
    except (ValueError, TypeError, KeyError) as error:
        raise NotARun(f"{path} cannot be used: {error}. Choose another directory.") from error
    return experiment


def _is_free(directory: Path) -> bool:
    """Nothing there, save what a writer killed at its very start leaves behind."""
    if not os.path.lexists(directory):
        return True
    if not directory.is_dir():
        raise NotARun(f"{directory} is a file; a run needs a directory: choose another --out.")
    names = [path for path in directory.iterdir() if not (is_leftover(path) or is_lock(path))]
    if names and not (directory / RUN_FILE).is_file():
        raise NotARun(
            f"{directory} is not empty and no run (it holds {names[0].name}, and no {RUN_FILE}); "
            "choose an empty or a new directory."
        )
    return not names
