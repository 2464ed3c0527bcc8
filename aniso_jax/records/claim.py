"""What a run's records claim, in one sentence that travels with them."""

from decimal import Decimal

from aniso_jax.records.experiment import Experiment


def claim_of(experiment: Experiment) -> str:
    """The claim of a run, with its probability and what it assumes.

    Every part and run.json carry it, so that no record is read for more than it says.
    """
    return (
        f"{_scope(experiment)}, with probability at least {_confidence(experiment)} over the "
        f"draws: where the prediction is not -1, {_classifier(experiment)} answers it on the whole "
        f"region. {_arithmetic(experiment)}"
    )


def _classifier(experiment: Experiment) -> str:
    if experiment.memory is None:
        return "the network smoothed with the recorded scale, frozen,"
    return (
        f"the classifier that remembers ({experiment.memory}: in a stored region the network "
        "smoothed with that region's scale)"
    )


def _scope(experiment: Experiment) -> str:
    joint = experiment.joint_alpha is not None
    return "For all inputs of the run together" if joint else "For each input by itself"


def _confidence(experiment: Experiment) -> Decimal:
    alpha = experiment.alpha if experiment.joint_alpha is None else experiment.joint_alpha
    return 1 - Decimal(repr(alpha))


def _arithmetic(experiment: Experiment) -> str:
    if experiment.mode == "float":
        return "Real arithmetic is assumed: noise was added in float32."
    return (
        f"Rounding to multiples of 1/{experiment.grid} is part of the network; the noise is "
        f"integer, and its total variation from the law's, at most {experiment.discount:.2g}, "
        "is paid for."
    )
