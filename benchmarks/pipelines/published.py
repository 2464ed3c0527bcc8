"""The published pipeline, asked stage by stage, at the batch size that serves it best."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pipelines.peer_process import Peer

Array = NDArray[Any]

STEPS = {"isotropic": 900, "anisotropic": 100}
DRAWS = 100  # of a step
SETTINGS = {"learning_rate": 0.04, "n": DRAWS}
KAPPA = 2.0
_PROBE = 3  # steps whose time decides between batch sizes
_PROBE_DRAWS = 2000


@dataclass(kw_only=True)
class Published:
    """The published packages on one network.

    Attributes:
      steps: of each search; fewer than the published ones only time it.
      certify: n0, n and alpha.
      rows: for each stage the rows in one batch, as `choose_rows` found them.
    """

    peer: Peer
    sigma: float
    steps: dict[str, int]
    certify: dict[str, Any]
    rows: dict[str, int] = field(default_factory=dict)

    def choose_rows(self, x: Array, candidates: tuple[int, ...]) -> dict[str, dict[int, float]]:
        """Time each stage shortly at each batch size (twice, the better counts); keep the best.

        Returns:
          seconds an input by stage and batch size.
        """
        sigma, theta = np.full(len(x), self.sigma, np.float32), np.full_like(x, self.sigma)
        probes: dict[str, Callable[[int], float]] = {
            "isotropic": lambda rows: self._isotropic(x, rows, _PROBE)[0],
            "anisotropic": lambda rows: self._anisotropic(x, sigma, rows, _PROBE)[0],
            "certify": lambda rows: self._certify(x[:1], theta[:1], rows, n=_PROBE_DRAWS)[0],
        }
        timed = {
            stage: {rows: min(probe(rows), probe(rows)) for rows in candidates}
            for stage, probe in probes.items()
        }
        self.rows = {stage: min(times, key=times.__getitem__) for stage, times in timed.items()}
        return timed

    def optimise_isotropic(self, x: Array) -> tuple[float, Array]:
        """Seconds and sigma of each input by `optimize_isotropic_dds`."""
        return self._isotropic(x, self.rows["isotropic"], self.steps["isotropic"])

    def optimise_anisotropic(self, x: Array, sigma: Array) -> tuple[float, Array]:
        """Seconds and theta of each input by `optimize_ancer`."""
        steps = self.steps["anisotropic"]
        return self._anisotropic(x, sigma, self.rows["anisotropic"], steps)

    def certify_all(self, x: Array, theta: Array) -> tuple[float, dict[str, Array]]:
        """Seconds, labels and gaps by `Smooth.certify`."""
        return self._certify(x, theta, self.rows["certify"])

    def _isotropic(self, x: Array, rows: int, steps: int) -> tuple[float, Array]:
        options = SETTINGS | {"steps": steps, "sigma": self.sigma}
        return self._searched("isotropic", "sigma", {"x": x}, rows, options)

    def _anisotropic(self, x: Array, sigma: Array, rows: int, steps: int) -> tuple[float, Array]:
        options = SETTINGS | {"steps": steps, "kappa": KAPPA}
        return self._searched("anisotropic", "theta", {"x": x, "sigma": sigma}, rows, options)

    def _searched(
        self, stage: str, made: str, arrays: dict[str, Array], rows: int, options: dict[str, Any]
    ) -> tuple[float, Array]:
        """As many inputs in a call as fill the rows of a batch."""
        at_once, count = max(rows // DRAWS, 1), len(arrays["x"])
        seconds, found = 0.0, []
        for at in range(0, count, at_once):
            part = {name: value[at : at + at_once] for name, value in arrays.items()}
            answer, result = self.peer.ask(stage, part, **options)
            seconds += answer["seconds"]
            found.append(result[made])
        return seconds, np.concatenate(found)

    def _certify(
        self, x: Array, theta: Array, rows: int, **changes: Any
    ) -> tuple[float, dict[str, Array]]:
        options = self.certify | changes | {"batch_size": rows}
        answer, found = self.peer.ask("certify", {"x": x, "theta": theta}, **options)
        return answer["seconds"], found
