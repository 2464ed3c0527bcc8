"""What a report's numbers certify, in one exact sentence."""

from collections.abc import Sequence
from decimal import Decimal

import pandas as pd

_EXPECTED = "; at most α times the inputs asked about are expected to have stored a false region"


def own(runs: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """The runs that carry their plan; result files of other tools do not."""
    return [df for df in runs if "alpha" in df.attrs and "mode" in df.attrs]


def statement(runs: Sequence[pd.DataFrame]) -> str:
    """The claim of this project's own runs among `runs`; empty where there are none."""
    remembering = [df for df in own(runs) if has_memory(df)]
    others = [df for df in own(runs) if not has_memory(df)]
    said = _of_inputs(others) if others else "", _of_regions(remembering) if remembering else ""
    return " ".join(filter(None, said))


def has_memory(df: pd.DataFrame) -> bool:
    """Whether a run's answers rest on stored regions."""
    return df.attrs.get("memory") is not None


def _of_inputs(runs: Sequence[pd.DataFrame]) -> str:
    all_joint = all(_is_joint(df) for df in runs)
    scope = "For all inputs of a run together" if all_joint else "For each input by itself"
    return (
        f"{scope}, with probability at least {_confidence(runs, all_joint)} over the run's "
        "random draws, the run either abstains or the smoothed classifier gives the stated label "
        f"at every point of the input's region{_arithmetic(runs)}{_frozen(runs)}"
        f"{_joint_among(runs)}{_targets(runs)}; nothing is certified beyond the region, "
        f"{'' if all_joint else 'for all inputs jointly, '}or about what the network predicts "
        "without noise."
    )


def _of_regions(runs: Sequence[pd.DataFrame]) -> str:
    """What is true of runs with a memory, where many answers may rest on one false region."""
    files = ", ".join(sorted({str(df.attrs["memory"]) for df in runs}))
    joint = all(_is_joint(df) for df in runs)
    asked = f"{'all inputs' if joint else 'each input'} that the memory {files} was asked about"
    beyond = "beyond the regions" if joint else "of one stored region or of all regions jointly"
    return (
        f"For {asked}{' together' if joint else ', by itself'}, with probability at least "
        f"{_confidence(runs, joint)} over {'the' if joint else 'its own'} draws, the network "
        "smoothed with a stored region's scale gives that region's class at every point of any "
        f"region stored for it{_arithmetic(runs)}{_joint_among(runs)}{_targets(runs)}"
        f"{'' if joint else _EXPECTED}; an adopted answer rests on the region it names, and one "
        f"false region makes every answer that rests on it false; nothing is certified {beyond}."
    )


def _is_joint(df: pd.DataFrame) -> bool:
    return df.attrs.get("joint_alpha") is not None


def _joint_among(runs: Sequence[pd.DataFrame]) -> str:
    """The runs whose certificates also hold together, where others' do not."""
    joint = [df for df in runs if _is_joint(df)]
    if not joint or len(joint) == len(runs):
        return ""
    named = ", ".join(f"{df.attrs['name']} ({_level(df.attrs['joint_alpha'])})" for df in joint)
    return f"; for all inputs of a run together with the probability named: {named}"


def _targets(runs: Sequence[pd.DataFrame]) -> str:
    """Runs that stopped once a radius was decided say little about larger ones."""
    aimed = [df for df in runs if df.attrs.get("target") is not None]
    if not aimed:
        return ""
    named = ", ".join(f"{df.attrs['name']} ({df.attrs['target']:g})" for df in aimed)
    return f"; radii beyond the target were not sought, and may be larger than stated, in {named}"


def _level(alpha: float) -> str:
    return str(1 - Decimal(repr(float(alpha))))


def foreign_statement(runs: Sequence[pd.DataFrame]) -> str:
    """A sentence for the result files of other tools; empty where there are none."""
    ours = {id(df) for df in own(runs)}
    theirs = [str(df.attrs.get("name", "run")) for df in runs if id(df) not in ours]
    if not theirs:
        return ""
    files = ", ".join(theirs)
    return f"Read from result files of other tools and repeated as they stand there: {files}."


def _confidence(runs: Sequence[pd.DataFrame], all_joint: bool) -> str:
    alphas = sorted({float(df.attrs["joint_alpha" if all_joint else "alpha"]) for df in runs})
    if len(alphas) > 1:
        return "1 − α (its run's α stands under Provenance)"
    return f"1 − α = {_level(alphas[0])}"


def _arithmetic(runs: Sequence[pd.DataFrame]) -> str:
    said = []
    if any(df.attrs["mode"] == "float" for df in runs):
        said.append(", real arithmetic assumed (noise and network were computed in floating point)")
    if any(df.attrs["mode"] == "grid" for df in runs):
        said.append(
            "; where the noise is integer, the classifier first rounds to the input grid, and no "
            "real arithmetic is assumed of the noise"
        )
    return "".join(said)


def _frozen(runs: Sequence[pd.DataFrame]) -> str:
    if all(df.attrs.get("scale") == "fixed" for df in runs):
        return ""
    return (
        "; where the scale depends on the input, the smoothed classifier is the one with that "
        "input's scale, frozen, and not one classifier for all inputs"
    )
