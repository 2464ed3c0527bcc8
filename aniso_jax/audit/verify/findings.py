"""What a verification found: every trouble with its place, what was looked at, and what was not."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing in a record that is not as it must be.

    Attributes:
      where: the file, or the input by its index.
      column: the column, or the field of run.json; empty where a whole file is meant.
      stored: what stands there.
      derived: what must stand there; for an interval its sound end.
      said: the trouble in words.
    """

    where: str
    column: str
    stored: str
    derived: str
    said: str


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What was found in a run; sound where `findings` is empty, as far as `checked` goes.

    Attributes:
      findings: every trouble.
      checked: what was looked at.
      skipped: what was not, and why.
      replayed: inputs whose votes were drawn again.
    """

    findings: tuple[Finding, ...]
    checked: tuple[str, ...]
    skipped: tuple[str, ...]
    replayed: int


def of_file(name: str, said: str) -> Finding:
    """A trouble of a whole file."""
    return Finding(where=name, column="", stored="", derived="", said=said)


def stage(
    *,
    findings: Sequence[Finding] = (),
    checked: Sequence[str] = (),
    skipped: Sequence[str] = (),
    replayed: int = 0,
) -> Verification:
    """One stage of a verification."""
    return Verification(
        findings=tuple(findings),
        checked=tuple(checked),
        skipped=tuple(skipped),
        replayed=replayed,
    )


def merged(stages: Sequence[Verification]) -> Verification:
    """Stages after one another, as one verification."""
    return stage(
        findings=[finding for each in stages for finding in each.findings],
        checked=[what for each in stages for what in each.checked],
        skipped=[what for each in stages for what in each.skipped],
        replayed=sum(each.replayed for each in stages),
    )


def lines(result: Verification) -> list[str]:
    """What the command prints: what was checked, what was not, every finding, and the verdict.

    The verdict of a run without findings says how much of it was not checked.

    >>> lines(Verification(findings=(), checked=("run.json",), skipped=(), replayed=0))
    ['checked: run.json', 'Nothing was found.']
    """
    return [
        *(f"checked: {what}" for what in result.checked),
        *(f"not checked: {what}" for what in result.skipped),
        *(f"found: {_line(finding)}" for finding in result.findings),
        _verdict(len(result.findings), len(result.skipped)),
    ]


def _verdict(troubles: int, skipped: int) -> str:
    if troubles:
        return "1 trouble was found." if troubles == 1 else f"{troubles} troubles were found."
    if skipped:
        things = "1 thing was" if skipped == 1 else f"{skipped} things were"
        return f"Nothing was found in what was checked; {things} not checked."
    return "Nothing was found."


def _line(finding: Finding) -> str:
    place = ", ".join(filter(None, (finding.where, finding.column)))
    if not finding.stored and not finding.derived:
        return f"{place}: {finding.said}"
    return f"{place}: stored {finding.stored}, derived {finding.derived}: {finding.said}"
