"""All methods: a new one is a file beside this and a line here."""

from dataclasses import dataclass, field, fields
from typing import Any, Literal

from aniso_jax.smoothing.laws import LAWS
from aniso_jax.training.methods.augmentation import Augmentation
from aniso_jax.training.methods.batch import Method
from aniso_jax.training.methods.consistency import Consistency
from aniso_jax.training.methods.macer import Macer
from aniso_jax.training.methods.smoothadv import SmoothAdv
from aniso_jax.training.methods.stability import Stability

MethodName = Literal[
    "gaussian", "uniform", "laplace", "stability", "consistency", "smoothadv", "macer"
]


@dataclass(frozen=True, kw_only=True)
class Methods:
    """The settings of every method that has some; a run reads those of its own."""

    stability: Stability = field(default_factory=Stability)
    consistency: Consistency = field(default_factory=Consistency)
    smoothadv: SmoothAdv = field(default_factory=SmoothAdv)
    macer: Macer = field(default_factory=Macer)

    def named(self, name: str) -> Method:
        """The method of that name; a law's name is cross-entropy under its noise."""
        method: Method = Augmentation() if name in LAWS else getattr(self, name)
        return method


SETTINGS = tuple(setting.name for setting in fields(Methods))
"""The methods that have settings."""

METHODS = (*LAWS, *SETTINGS)


def settings_of(method: Method) -> dict[str, Any]:
    """A method's settings by name.

    >>> settings_of(Stability())
    {'weight': 2.0}
    """
    return {each.name: getattr(method, each.name) for each in fields(method)}  # type: ignore[arg-type]


def check_method(name: str, law: str, methods: Methods) -> None:
    """Refuse a method that there is not, or one that is not defined for the law."""
    if name not in METHODS:
        raise ValueError(f"method is {name!r}; choose one of {', '.join(METHODS)}.")
    if name in LAWS and name != law:
        raise ValueError(
            f"--method {name} trains under {name} noise, got --law {law}; leave one of them out."
        )
    if law not in methods.named(name).laws:
        raise ValueError(
            f"--method {name} is defined for gaussian noise only, got --law {law}; choose "
            f"--method {law}, stability or consistency, which take any law."
        )
