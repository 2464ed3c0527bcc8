"""What two runs over the same inputs say about each other."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from aniso_jax.data.dataset import Dataset
from aniso_jax.data.ids import input_id
from aniso_jax.report.frames import ABSTAIN, names
from aniso_jax.report.maps import gallery

_SAME = ("data_fingerprint", "model_fingerprint", "law", "alpha", "n", "n0", "seed")


def with_containment(frames: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """The runs, each anisotropic or rotated one with `contains_isotropic` where it can be known.

    An isotropic region is a ball, so a region around the same input contains it exactly where
    its inscribed radius is not smaller; both radii are read from the records, rounded down alike.
    An input on which the isotropic run abstains has no region to contain: it is missing there.
    """
    return [_compared(frame, _partner(frame, frames)) for frame in frames]


def galleries_of(frames: Sequence[pd.DataFrame], data: Dataset) -> dict[str, Figure]:
    """A gallery, under its heading, for each anisotropic run over images that certified any.

    Raises `ValueError` where a run's inputs are not those of `data`.
    """
    return {
        f"{name}: inputs and their A⁻¹ maps": gallery_of(frame, _inputs_of(frame, name, data))
        for frame, name in zip(frames, names(frames), strict=True)
        if frame.attrs.get("scale") == "anisotropic"
        and len(frame.attrs["shape"]) == 3
        and (frame["prediction"] >= 0).any()
    }


def gallery_of(anisotropic: pd.DataFrame, x: NDArray[np.float32]) -> Figure:
    """The gallery of a run: certified inputs with their isotropic and anisotropic A^-1 maps.

    Args:
      anisotropic: the run; its records hold the isotropic sigma that each search started from.
      x: its inputs, in the same order.
    """
    certified = np.flatnonzero(anisotropic["prediction"].to_numpy() >= 0)
    rows = anisotropic.iloc[certified]
    theta = np.stack(list(_claimed_theta(rows))).reshape(-1, *x.shape[1:])
    return gallery(
        images=x[certified],
        sigma_iso=rows["sigma"].to_numpy(),
        theta=theta,
        labels=rows["label"].tolist(),
        predictions=rows["prediction"].tolist(),
        radii=rows["radius"].tolist(),
        proxy_radii=rows["proxy_radius"].tolist(),
        unit=anisotropic.attrs["unit"],
    )


def _claimed_theta(rows: pd.DataFrame) -> pd.Series:
    """Of the region that is claimed: where a memory's was adopted, that one's."""
    if "claimed_theta" not in rows:
        return rows["theta"]
    return rows["claimed_theta"].where(rows["claimed_theta"].notna(), rows["theta"])


def _inputs_of(frame: pd.DataFrame, name: str, data: Dataset) -> NDArray[np.float32]:
    """The inputs of a run, known by the hash of their content."""
    index = frame["index"].to_numpy()
    x: NDArray[np.float32] = data.x[index[index < len(data)]]
    if [input_id(row) for row in x] != frame["input_id"].tolist():
        raise ValueError(
            f"The inputs of {name} are not those of {data.name}: give the data and the split of "
            f"the run, {frame.attrs['data']}."
        )
    return x


def _partner(frame: pd.DataFrame, frames: Sequence[pd.DataFrame]) -> pd.DataFrame | None:
    """The isotropic run over the same inputs and network, by content, with the same draws."""
    if frame.attrs.get("scale") not in ("anisotropic", "rotated"):
        return None
    for other in frames:
        if other.attrs.get("scale") == "isotropic" and _same_runs(frame, other):
            return other
    return None


def _same_runs(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    """What a run does not say of itself is the same as nothing."""
    said = all(name in a.attrs and name in b.attrs for name in _SAME)
    return said and all(a.attrs[name] == b.attrs[name] for name in _SAME) and _same_inputs(a, b)


def _same_inputs(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    return len(a) == len(b) and bool((a["input_id"].to_numpy() == b["input_id"].to_numpy()).all())


def _compared(frame: pd.DataFrame, partner: pd.DataFrame | None) -> pd.DataFrame:
    if partner is None:
        return frame
    contains = frame["radius"].to_numpy() >= partner["radius"].to_numpy()
    unknown = partner["prediction"].to_numpy() == ABSTAIN
    compared = frame.assign(contains_isotropic=pd.arrays.BooleanArray(contains, unknown))
    compared.attrs = frame.attrs
    return compared
