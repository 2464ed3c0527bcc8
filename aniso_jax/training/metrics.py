"""What each epoch came to, as a line for people and as JSON lines."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from aniso_jax.storage.atomic import write_atomically


@dataclass(frozen=True, kw_only=True)
class EpochMetrics:
    """What one epoch came to.

    Attributes:
        epoch, epochs: which one, from 1, of how many.
        loss: the mean training loss.
        clean_accuracy, noisy_accuracy, soft_radius: on the test split, see `evaluate`.
        parts: the means of what the loss is made of, by the method's names.
    """

    epoch: int
    epochs: int
    loss: float
    clean_accuracy: float
    noisy_accuracy: float
    soft_radius: float
    parts: Mapping[str, float] = field(default_factory=dict)

    def line(self) -> str:
        """One line for people.

        >>> EpochMetrics(epoch=1, epochs=9, loss=0.5, clean_accuracy=0.9, noisy_accuracy=0.8,
        ...              soft_radius=0.4).line()[:41]
        'epoch 1/9  loss 0.5000  clean accuracy 0.'
        """
        return (
            f"epoch {self.epoch}/{self.epochs}  loss {self.loss:.4f}  "
            f"clean accuracy {self.clean_accuracy:.3f}  "
            f"accuracy under noise {self.noisy_accuracy:.3f}  "
            f"soft radius {self.soft_radius:.3f}"
        )


def write_lines(path: Path, history: Sequence[EpochMetrics]) -> None:
    """All epochs so far as JSON lines; the file is there whole or not at all."""
    lines = "".join(json.dumps(asdict(metrics)) + "\n" for metrics in history)
    write_atomically(path, lines.encode())
