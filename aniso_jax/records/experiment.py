"""Everything that determines the bytes of a run, as one frozen, hashed value."""

import hashlib
import json
import math
import operator
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

import numpy as np

from aniso_jax.models.precision import Precision

ScaleKind = Literal["fixed", "isotropic", "anisotropic", "rotated", "file"]
Mode = Literal["float", "grid"]

SOUGHT = ("isotropic", "anisotropic", "rotated")
"""Kinds of scales that are sought for each input."""

UNITS = {"gaussian": "std", "uniform": "half-width", "laplace": "b"}
"""What the number `sigma` means under each law."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One run, up to the last bit of its records: equal experiments write equal parts.

    Numbers are brought to their declared type on the way in (`sigma=1` is `sigma=1.0`), so that
    equal experiments also have equal JSON and equal hashes.

    Args:
        data: canonical specification of the data set, for instance `"mnist5k"`.
        data_fingerprint: hash of the data's content.
        model: canonical specification of the network.
        model_fingerprint: hash of its architecture and weights.
        dtype: what its layers compute in; with bfloat16 it is another base classifier than with
            float32.
        law: `"gaussian"`, `"uniform"` or `"laplace"`.
        scale: where the scale comes from.
        scale_source: the optimiser's settings by name, or the hash of the scale file; it says
            whether there is one theta for all inputs or one per input.
        sigma: isotropic scale, or the start of the optimisation, in the law's unit (`unit`).
        n0: selection draws.
        n: estimation draws.
        looks: numbers of draws at which the votes are read; the last one is n.
        bound: kind of confidence bound.
        target: a radius that was to be decided; None where every radius counts.
        tolerance: expected relative gain at which sampling stopped; None where it went on.
        alpha: probability of a wrong certificate, per input.
        joint_alpha: probability that any certificate of the run is wrong, where alpha was made
            from it (joint_alpha / inputs); None where each input is claimed by itself.
        seed: seed of the noise.
        shared_draws: whether all inputs saw the same draws, so that nothing that needs independent
            inputs may be concluded.
        mode: `"float"`: noise is added in floating point, and the claim assumes real arithmetic;
            `"grid"`: integer noise is added to inputs on a grid, and nothing is assumed.
        grid: grid points per unit of the input, in grid mode; 255 for 8-bit images.
        discount: total variation between the noise drawn and the law's, subtracted from p_A.
        shape: shape of one input.
        start: first input of the selection.
        stop: end of the selection, exclusive; None for the end of the data.
        skip: every skip-th input is taken.
        limit: at most so many inputs; None for all.
        inputs: how many inputs the selection holds.
        indices_hash: `hash_indices` of the selected indices.
        part_size: inputs in a part.
        batch: inputs computed together, only where the records' bits may depend on it: optimised
            scales, or a network whose logits depend on the size of a forward pass.
        chunk: draws of an input in a forward pass, only for such a network.
        memory: name and number of the memory file that the certificates were folded into, one
            after the other; None where each input is answered by itself.
        matmul_precision: JAX's precision of matrix products.
        versions: versions of `aniso_jax`, `jax` and `jaxlib`.

    Raises:
        ValueError: an unknown law or kind of scale, a number of the wrong type, no input.
    """

    data: str
    data_fingerprint: str
    model: str
    model_fingerprint: str
    dtype: Precision = "float32"
    law: str
    scale: ScaleKind
    scale_source: str
    sigma: float
    n0: int
    n: int
    looks: tuple[int, ...]
    bound: str = "one-sided"
    target: float | None = None
    tolerance: float | None = None
    alpha: float
    joint_alpha: float | None = None
    seed: int
    shared_draws: bool = False
    mode: Mode = "float"
    grid: int | None = None
    discount: float = 0.0
    shape: tuple[int, ...]
    start: int = 0
    stop: int | None = None
    skip: int = 1
    limit: int | None = None
    inputs: int
    indices_hash: str
    part_size: int
    batch: int | None = None
    chunk: int | None = None
    memory: str | None = None
    matmul_precision: str
    versions: dict[str, str]

    def __post_init__(self) -> None:
        for field in fields(self):
            value = _typed(field.name, field.type, getattr(self, field.name))
            object.__setattr__(self, field.name, value)
        _known("law", self.law, tuple(UNITS))
        _known("dtype", self.dtype, get_args(Precision))
        _known("scale", self.scale, get_args(ScaleKind))
        _known("mode", self.mode, get_args(Mode))
        for name in ("inputs", "part_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; a run needs at least 1.")

    @property
    def unit(self) -> str:
        """What `sigma` measures: std, half-width or b."""
        return UNITS[self.law]

    @property
    def dimension(self) -> int:
        """Number of coordinates of one input."""
        return math.prod(self.shape)

    @property
    def parts(self) -> int:
        """Number of parts of the whole run."""
        return -(-self.inputs // self.part_size)

    @property
    def hash(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """The canonical JSON: sorted keys, no spaces, every number exact."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "Experiment":
        """The experiment that `to_json` wrote.

        Raises:
            ValueError: the text is no JSON object with exactly an experiment's fields.
        """
        values = json.loads(text)
        if not isinstance(values, dict):
            raise ValueError("an experiment is a JSON object; this text holds something else.")
        surplus = sorted(set(values) ^ {field.name for field in fields(cls)})
        if surplus:
            raise ValueError(
                f"the fields {', '.join(surplus)} are missing or unknown: another version of "
                "aniso_jax wrote this experiment; read it with that version."
            )
        return cls(**values)


def differences(run: Experiment, asked: Experiment) -> list[str]:
    """One readable line for every field in which two experiments differ."""
    there, here = _flat(run), _flat(asked)
    return [
        f"{name}: the run has {_shown(there.get(name))}, you asked for {_shown(here.get(name))}"
        for name in sorted({*there, *here})
        if there.get(name) != here.get(name)
    ]


def hash_indices(indices: np.ndarray) -> str:
    """Hash of a selection of inputs, in its order: 16 hexadecimal digits.

    >>> hash_indices(np.array([0, 1, 2]))
    'ab25350e3e65efeb'
    """
    return hashlib.sha256(np.asarray(indices).astype("<i8").tobytes()).hexdigest()[:16]


def _typed(name: str, kind: Any, value: Any) -> Any:
    """The value in the field's declared type; numpy scalars and JSON lists become plain."""
    try:
        if kind is float or (kind == float | None and value is not None):
            return _finite(value)
        if kind is int or (kind == int | None and value is not None):
            return operator.index(value)
        if kind == tuple[int, ...]:
            return tuple(operator.index(item) for item in value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is {value!r}; wanted {_spelt(kind)}.") from error
    return dict(value) if name == "versions" else value


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _spelt(kind: Any) -> str:
    words = {float: "a finite number", tuple[int, ...]: "whole numbers"}
    return words.get(kind, "a whole number")


def _known(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name} is {value!r}; wanted one of {', '.join(known)}.")


def _flat(experiment: Experiment) -> dict[str, Any]:
    values = asdict(experiment)
    versions = values.pop("versions")
    return values | {f"versions.{name}": version for name, version in versions.items()}


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)
