"""A run's options by name: the command that repeats it, and what two runs differ in."""

import shlex
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from aniso_jax.training.methods.table import SETTINGS, settings_of

# Where files go says nothing about what is in them.
_PLACES = ("out", "checkpoint", "metrics")


def options(config: Any) -> dict[str, Any]:
    """Every option that has an effect, by its name on the command line, its default filled in."""
    chosen = {"method": config.chosen_method, "law": config.chosen_law}
    own = [each.name for each in fields(config) if each.name not in SETTINGS]
    plain = {name: chosen.get(name, getattr(config, name)) for name in own}
    settings = settings_of(config.named(config.chosen_method))
    of_method = {f"{config.chosen_method}.{name}": value for name, value in settings.items()}
    return {name.replace("_", "-"): value for name, value in {**plain, **of_method}.items()}


def command(config: Any) -> str:
    """The command line of a configuration."""
    words = ["aniso-jax", "train"]
    for name, value in options(config).items():
        if value is True:
            words.append(f"--{name}")
        elif value is not None and value is not False:
            words += [f"--{name}", shlex.quote(str(value))]
    return " ".join(words)


def first_difference(there: Mapping[str, Any], here: Mapping[str, Any]) -> str | None:
    """Which option of a run that is there is another one here, as half a sentence.

    >>> first_difference({"epochs": 20, "lr": 0.1}, {"epochs": 30, "lr": 0.2})
    'epochs is 20 there and 30 here'
    """
    for name in {**here, **there}:
        old, new = there.get(name, "absent"), here.get(name, "absent")
        if old != new:
            return f"{name} is {old} there and {new} here"
    return None


def without_places(named: Mapping[str, Any]) -> dict[str, Any]:
    """Options less the paths that are written to."""
    return {name: value for name, value in named.items() if name not in _PLACES}
