"""The columns of a part: one row an input, one documented column a fact.

==================== =========================== ===================================================
column               type                        what it holds
==================== =========================== ===================================================
index                int64                       position of the input in the data set
input_id             string                      hash of the input's content; it keys the noise
label                int32                       true label of the input
prediction           int32                       certified label; -1 is ABSTAIN
correct              bool                        prediction equals label
clean_prediction     int32                       the network's label of the input without noise
status               string                      certified, or why there is no certificate
selection_votes      list<int64>                 votes of every class among the n0 selection draws
votes                list<list<int64>>           votes of every class at every look
hits                 int64                       votes of the selected class at the last look
p_lower              float64                     lower bound of the selected class's probability
gap                  float32                     radius of the region in whitened units
radius               float64                     inscribed ball, in input units, rounded down
proxy_radius         float64                     radius of the isotropic region of equal volume
log_volume           float64 or null             log of the region's volume
domain_log_volume    float64 or null             upper bound on the log-volume inside the input box
sigma                float32                     isotropic scale: fixed, or found for this input
theta                list<float32> or null       diagonal scale of this input, flattened
min_sigma            float64                     smallest coordinate of the scale
capped_share         float32 or null             share of coordinates at the optimiser's cap
==================== =========================== ===================================================

A run with a memory has six columns more. Its prediction, correct, gap, radius, proxy_radius,
log_volume and domain_log_volume are what is claimed after the memory was asked; status, p_lower,
hits, votes and the scale are those of the input's own certificate.

==================== =========================== ===================================================
memory               string                      kept, shrunk, adopted or abstained
memory_region        int64 or null               number of the stored region the claim rests on
claimed_theta        list<float32> or null       scale of the claimed region where it was adopted
own_prediction       int32                       certified label before the memory was asked
own_gap              float32                     gap before the memory was asked
memory_cost          float64 or null             nats of log-volume that shrinking or adopting took;
                                                 null where nothing is claimed for the own class
==================== =========================== ===================================================

A run with rotated scales, S = diag(theta) (I + sum over a of (stretch_a - 1) basis_a basis_a'), has
two more.

==================== =========================== ===================================================
basis                list<float32>               k orthonormal directions, one after the other
stretch              list<float32>               t, the stretch of each of the k directions
==================== =========================== ===================================================

A column that may be null is null where it has no meaning: `theta` and `capped_share` where no
diagonal scale was used, volumes where nothing is certified. The metadata of the
schema hold what is constant in a run: the experiment as JSON, its hash, the version of this format,
what the run claims and assumes in one sentence, and in a part its number and its content's hash.
"""

from typing import Any

import pyarrow as pa

from aniso_jax.records.claim import claim_of
from aniso_jax.records.experiment import Experiment

FORMAT = 2
"""Version of the columns and metadata; a change of meaning, name or type raises it."""

_COUNTS = pa.list_(pa.int64())
_INPUT = "units of the input"
_LAW = "parameter of the law"


def _column(
    name: str, kind: Any, description: str, unit: str = "none", *, nullable: bool = False
) -> Any:
    metadata = {"description": description, "unit": unit}
    return pa.field(name, kind, nullable=nullable, metadata=metadata)


COLUMNS = (
    _column("index", pa.int64(), "position of the input in the data set"),
    _column("input_id", pa.string(), "hash of the input's content; it keys the noise"),
    _column("label", pa.int32(), "true label of the input"),
    _column("prediction", pa.int32(), "certified label; -1 is ABSTAIN"),
    _column("correct", pa.bool_(), "prediction equals label"),
    _column("clean_prediction", pa.int32(), "the network's label of the input without noise"),
    _column("status", pa.string(), "certified, or why there is no certificate"),
    _column(
        "selection_votes", _COUNTS, "votes of every class among the n0 selection draws", "draws"
    ),
    _column("votes", pa.list_(_COUNTS), "votes of every class at every look", "draws"),
    _column("hits", pa.int64(), "votes of the selected class at the last look", "draws"),
    _column("p_lower", pa.float64(), "lower bound of the selected class's probability"),
    _column("gap", pa.float32(), "radius of the region in whitened units", "whitened units"),
    _column("radius", pa.float64(), "inscribed ball, in input units, rounded down", _INPUT),
    _column("proxy_radius", pa.float64(), "radius of the isotropic region of equal volume", _INPUT),
    _column("log_volume", pa.float64(), "log of the region's volume", "nats", nullable=True),
    _column(
        "domain_log_volume",
        pa.float64(),
        "upper bound on the log-volume inside the input box",
        "nats",
        nullable=True,
    ),
    _column("sigma", pa.float32(), "isotropic scale: fixed, or found for this input", _LAW),
    _column(
        "theta",
        pa.list_(pa.float32()),
        "diagonal scale of this input, flattened",
        _LAW,
        nullable=True,
    ),
    _column("min_sigma", pa.float64(), "smallest coordinate of the scale", _LAW),
    _column(
        "capped_share",
        pa.float32(),
        "share of coordinates at the optimiser's cap",
        "share",
        nullable=True,
    ),
)

ROTATION_COLUMNS = (
    _column("basis", pa.list_(pa.float32()), "k orthonormal directions, one after the other"),
    _column("stretch", pa.list_(pa.float32()), "t, the stretch of each of the k directions"),
)
"""What a run with rotated scales has besides; theta is then the diagonal on top of them."""

MEMORY_COLUMNS = (
    _column("memory", pa.string(), "kept, shrunk, adopted or abstained"),
    _column(
        "memory_region",
        pa.int64(),
        "number of the stored region the claim rests on",
        nullable=True,
    ),
    _column(
        "claimed_theta",
        pa.list_(pa.float32()),
        "scale of the claimed region where it was adopted",
        _LAW,
        nullable=True,
    ),
    _column("own_prediction", pa.int32(), "certified label before the memory was asked"),
    _column("own_gap", pa.float32(), "gap before the memory was asked", "whitened units"),
    _column(
        "memory_cost",
        pa.float64(),
        "nats of log-volume that shrinking or adopting took",
        "nats",
        nullable=True,
    ),
)
"""What a run with a memory has besides."""

_EXPERIMENT, _RUN, _FORMAT = b"aniso_jax.experiment", b"aniso_jax.run", b"aniso_jax.format"
_CLAIM = b"aniso_jax.claim"


def run_schema(experiment: Experiment) -> Any:
    """The `pyarrow.Schema` of a run: the columns, with the run's constants as metadata."""
    constants = {
        _EXPERIMENT: experiment.to_json().encode(),
        _RUN: experiment.hash.encode(),
        _FORMAT: str(FORMAT).encode(),
        _CLAIM: claim_of(experiment).encode(),
    }
    columns = COLUMNS + (ROTATION_COLUMNS if experiment.scale == "rotated" else ())
    columns += () if experiment.memory is None else MEMORY_COLUMNS
    return pa.schema(columns, metadata=constants)


def flat_columns(experiment: Experiment) -> list[str]:
    """The columns with one value an input: all but votes and scales, which may be large."""
    return [field.name for field in run_schema(experiment) if not pa.types.is_list(field.type)]


def experiment_of(schema: Any) -> Experiment:
    """The experiment that a table's schema carries.

    Raises:
        ValueError: the schema carries none, or one whose hash or format does not fit.
    """
    constants = schema.metadata or {}
    if not {_EXPERIMENT, _RUN, _FORMAT} <= set(constants):
        raise ValueError("the file carries no experiment: it is no part of an aniso_jax run.")
    if constants[_FORMAT] != str(FORMAT).encode():
        raise ValueError(
            f"the file has format {constants[_FORMAT].decode()}, this version of aniso_jax "
            f"reads format {FORMAT}; read it with the version that wrote it."
        )
    experiment = Experiment.from_json(constants[_EXPERIMENT].decode())
    if experiment.hash.encode() != constants[_RUN]:
        raise ValueError("the file's experiment and its hash do not belong together.")
    return experiment
