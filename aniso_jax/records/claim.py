"""What a run's records claim, in one sentence that travels with them."""

from decimal import Decimal

from aniso_jax.records.experiment import Experiment

_EXPECTED = "At most alpha times the inputs asked about are expected to have stored a false one. "


def claim_of(experiment: Experiment) -> str:
    """The claim of a run, with its probability and what it assumes.

    Every part and run.json carry it, so that no record is read for more than it says.
    """
    if experiment.memory is not None:
        return f"{_remembered(experiment)} {_arithmetic(experiment)}"
    return (
        f"{_scope(experiment)}, with probability at least {_confidence(experiment)} over the "
        "draws: where the prediction is not -1, the network smoothed with the recorded scale, "
        f"frozen, answers it on the whole region. {_arithmetic(experiment)}"
    )


def _remembered(experiment: Experiment) -> str:
    """Of what an input stored, not of its answer: neighbours rest on one false region together.

    Which regions are stored depends on the draws, so that nothing is said of one that was: inputs
    that no class wins would store false regions only.
    """
    joint, where = experiment.joint_alpha is not None, experiment.memory
    scope = f"For {'all inputs' if joint else 'each input'} that {where} was asked about"
    return (
        f"{scope}{' together' if joint else ', by itself'}, with probability at least "
        f"{_confidence(experiment)} over {'the' if joint else 'its own'} draws: on any region "
        "stored for it the network smoothed with the region's scale answers the region's class. "
        f"{'' if joint else _EXPECTED}Where the prediction is not -1, the classifier that "
        "remembers answers it on the claimed region; an adopted answer rests on the stored region "
        "it names, and is wrong wherever that one is, with every other answer that rests on it."
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
    # regions in a memory may be of other runs, whose scales have another total variation
    most = "" if experiment.memory is not None else f", at most {experiment.discount:.2g},"
    return (
        f"Rounding to multiples of 1/{experiment.grid} is part of the network; the noise is "
        f"integer, and its total variation from the law's{most} is paid for."
    )
