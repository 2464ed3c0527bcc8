"""The optimiser and its learning rate, from optax."""

from dataclasses import dataclass

import optax


@dataclass(frozen=True, kw_only=True)
class Descent:
    """How weights follow gradients; counts are in steps.

    Attributes:
        optimizer: "adamw" or "sgd".
        schedule: "cosine", "step" or "constant", after a linear warm-up.
        lr: peak learning rate.
        momentum: of sgd.
        weight_decay: as AdamW's, or added to the gradient of sgd.
        warmup: steps of the warm-up.
        decay_every, decay_factor: of the schedule "step".
        steps: all of them.
    """

    optimizer: str
    schedule: str
    lr: float
    momentum: float
    weight_decay: float
    warmup: int
    decay_every: int
    decay_factor: float
    steps: int

    @property
    def transformation(self) -> optax.GradientTransformation:
        """The optimiser with its learning rate."""
        if self.optimizer == "adamw":
            return optax.adamw(self.learning_rate, weight_decay=self.weight_decay)
        return optax.chain(
            optax.add_decayed_weights(self.weight_decay),
            optax.sgd(self.learning_rate, momentum=self.momentum),
        )

    @property
    def learning_rate(self) -> optax.Schedule:
        """The learning rate by step.

        >>> steps = Descent(optimizer="sgd", schedule="step", lr=1.0, momentum=0.9, weight_decay=0,
        ...                 warmup=2, decay_every=3, decay_factor=0.1, steps=9).learning_rate
        >>> [round(float(steps(i)), 3) for i in range(9)]
        [0.0, 0.5, 1.0, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01]
        """
        if self.warmup == 0:
            return self._after(0)
        rise = optax.linear_schedule(0.0, self.lr, self.warmup)
        return optax.join_schedules([rise, self._after(self.warmup)], [self.warmup])

    def _after(self, warmup: int) -> optax.Schedule:
        """What follows the warm-up; its own count begins there."""
        if self.schedule == "cosine":
            return optax.cosine_decay_schedule(self.lr, max(self.steps - warmup, 1))
        if self.schedule == "constant":
            return optax.constant_schedule(self.lr)
        falls = range(self.decay_every, self.steps + 1, self.decay_every)
        # Counted from the first step of all, so that a warm-up moves no step of the schedule.
        return optax.piecewise_constant_schedule(
            self.lr, {fall - warmup: self.decay_factor for fall in falls if fall > warmup}
        )
