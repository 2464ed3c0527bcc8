"""An imported network's certificates beside the published package's for the same in torch."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import aniso_jax as aj

torch = pytest.importorskip("torch", reason="torch is no dependency; install it to compare")
import torch_twins as twins  # noqa: E402  # it imports torch

N, ALPHA, SIGMA, INPUTS = 2000, 0.001, 0.1, 6


def published() -> Any:
    """The package of Alfarra et al., which wants a function that SciPy has removed."""
    pytest.importorskip("statsmodels", reason="statsmodels is not installed, which it needs")
    if not hasattr(scipy.stats, "binom_test"):
        scipy.stats.binom_test = None
    return pytest.importorskip("ddsmoothing.smooth", reason="ddsmoothing-python is not installed")


def test_radii_agree_within_the_error_of_counting(tmp_path: Path) -> None:
    smooth, certificate = published(), pytest.importorskip("ddsmoothing.certificate")
    net = twins.randomized(twins.ResNet((3, 3, 3), (4, 8, 16), classes=4))
    torch.save({"state_dict": net.state_dict()}, tmp_path / "net.pth")
    model = aj.import_checkpoint(
        tmp_path / "net.pth", arch="resnet20", normalize="none", shape=(8, 8, 3)
    )
    x = np.random.default_rng(1).random((INPUTS, 8, 8, 3), np.float32)
    ours = jax.jit(jax.vmap(lambda x, key: certified(model, x, key)))(
        jnp.asarray(x), jax.random.split(jax.random.key(0), INPUTS)
    )
    torch.manual_seed(0)
    law = certificate.L2Certificate(1, device="cpu")
    peer = smooth.Smooth(net, 4, torch.tensor(SIGMA), law)
    compared = 0
    for image, label, gap in zip(x, ours.label, ours.region.gap, strict=True):
        image = torch.tensor(image.transpose(2, 0, 1))
        their_label, their_gap = peer.certify(image, 100, N, ALPHA, N, device="cpu")
        p, their_p = scipy.stats.norm.cdf([float(gap), float(their_gap)])
        spread = 5 * np.sqrt(2 * p * (1 - p) / N) + 2 / N
        if min(p, their_p) > 0.5 + spread:
            compared += 1
            assert int(label) == their_label
            assert abs(p - their_p) < spread
    assert compared >= INPUTS // 2


def certified(model: Any, x: jax.Array, key: jax.Array) -> aj.Certification:
    return aj.certify(
        model.apply_fn,
        model.params,
        x,
        key,
        law=aj.gaussian,
        scale=aj.Isotropic(sigma=SIGMA),
        plan=aj.plan(aj.gaussian, n0=100, n=N, alpha=ALPHA),
    )
