"""The published packages in their own environment, as a process that answers one line at a time.

A request is a line of JSON, {"do": NAME, "arrays": FILE.npz, ...}; the answer is one too, with the
seconds that the package's own function took. Images come as (B, H, W, C).
"""

import importlib.metadata
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.stats
import torch
from networks import build

# SciPy has removed what the packages import; certify never calls it.
scipy.stats.binom_test = scipy.stats.binomtest

from ancer.optimization import optimize_ancer  # noqa: E402
from ddsmoothing.certificate import L1Certificate, L2Certificate  # noqa: E402
from ddsmoothing.optimization import optimize_isotropic_dds  # noqa: E402
from ddsmoothing.smooth import Smooth  # noqa: E402

Arrays = dict[str, np.ndarray]
Answer = tuple[dict[str, Any], Arrays]


class Worker:
    """One network and one law at a time."""

    def setup(
        self,
        arrays: Arrays,
        *,
        network: dict[str, Any],
        norm: str,
        threads: int,
        device: str,
        seed: int,
    ) -> Answer:
        """Build the network, load its weights, fix threads, device and seed."""
        torch.set_num_threads(threads)
        torch.manual_seed(seed)
        self.norm, self.device, self.classes = norm, device, network["classes"]
        self.net = build(**network)
        self.net.load_state_dict({name: torch.tensor(value) for name, value in arrays.items()})
        self.net.to(device)
        names = ("torch", "ddsmoothing-python", "ancer-python", "numpy", "scipy")
        return {name: importlib.metadata.version(name) for name in names}, {}

    def logits(self, arrays: Arrays) -> Answer:
        """What the network says before its softmax."""
        with torch.no_grad():
            logits = self.net[:-1](self._batch(arrays["x"]))
        return {}, {"logits": logits.cpu().numpy()}

    def isotropic(self, arrays: Arrays, **settings: Any) -> Answer:
        """`optimize_isotropic_dds` from the same sigma for every input."""
        batch = self._batch(arrays["x"])
        start = torch.full((len(batch),), settings["sigma"], device=self.device)

        def run() -> torch.Tensor:
            return optimize_isotropic_dds(
                self.net,
                batch,
                self._certificate(len(batch)),
                settings["learning_rate"],
                start,
                settings["steps"],
                settings["n"],
                device=self.device,
            )

        seconds, sigma = self._timed(run)
        return {"seconds": seconds}, {"sigma": sigma.detach().cpu().numpy()}

    def anisotropic(self, arrays: Arrays, **settings: Any) -> Answer:
        """`optimize_ancer` from every input's own sigma."""
        batch = self._batch(arrays["x"])
        sigma = torch.tensor(arrays["sigma"], device=self.device).view(-1, 1, 1, 1)
        start = sigma * torch.ones_like(batch)

        def run() -> torch.Tensor:
            return optimize_ancer(
                self.net,
                batch,
                self._certificate(len(batch)),
                settings["learning_rate"],
                start,
                settings["steps"],
                settings["n"],
                kappa=settings["kappa"],
                device=self.device,
            )

        seconds, theta = self._timed(run)
        nhwc = theta.detach().permute(0, 2, 3, 1).cpu().numpy()
        return {"seconds": seconds}, {"theta": np.ascontiguousarray(nhwc)}

    def certify(self, arrays: Arrays, **settings: Any) -> Answer:
        """`Smooth.certify` for one input after the other, as its scripts do."""
        batch, theta = self._batch(arrays["x"]), self._batch(arrays["theta"])
        options = {key: settings[key] for key in ("n0", "n", "alpha", "batch_size")}

        def run() -> list[tuple[int, float]]:
            return [
                Smooth(self.net, self.classes, scale[None], self._certificate(1)).certify(
                    x, **options, device=self.device
                )
                for x, scale in zip(batch, theta, strict=True)
            ]

        seconds, found = self._timed(run)
        labels, gaps = zip(*found, strict=True)
        return {"seconds": seconds}, {"label": np.array(labels), "gap": np.array(gaps)}

    def _batch(self, x: np.ndarray) -> torch.Tensor:
        channels_first = np.ascontiguousarray(x.transpose(0, 3, 1, 2), np.float32)
        return torch.tensor(channels_first, device=self.device)

    def _certificate(self, count: int) -> Any:
        if self.norm == "l1":
            return L1Certificate(device=self.device)
        return L2Certificate(count, device=self.device)

    def _timed(self, run: Callable[[], Any]) -> tuple[float, Any]:
        self._wait()
        start = time.perf_counter()
        result = run()
        self._wait()
        return time.perf_counter() - start, result

    def _wait(self) -> None:
        if self.device != "cpu":
            torch.cuda.synchronize()


def main() -> None:
    """Answer until the pipe closes; whatever the packages print goes to the error stream."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    worker = Worker()
    for line in sys.stdin:
        request = json.loads(line)
        path = request.pop("arrays")
        with np.load(path) as file:
            arrays = dict(file)
        try:
            answer, made = getattr(worker, request.pop("do"))(arrays, **request)
        except Exception as error:
            answer, made = {"error": f"{type(error).__name__}: {error}"}, {}
        np.savez(path, **made)
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
