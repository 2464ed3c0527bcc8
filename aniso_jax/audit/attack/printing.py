"""What a command prints of an attack."""

from collections.abc import Iterator

from aniso_jax.audit.attack.outcome import Attacked, Call
from aniso_jax.report.rounding import significant_up, text_down


def attack_lines(found: Attacked) -> Iterator[str]:
    """What was attacked and tried, the closest call or every counterexample, and the verdict."""
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(found.tried.items()))
    yield (
        f"attacked: {len(found.outcomes)} of {found.certified} certified inputs, "
        f"{found.tried.total():,} points inside their regions ({kinds or 'none'})"
    )
    if found.calls:
        yield (
            f"tested: {len(found.calls)} of these points by {found.n:,} fresh draws each, all "
            f"together at level {found.alpha:g}; smallest soft margin {found.soft_margin:.3f}"
        )
    refuted = found.counterexamples
    if found.calls and not refuted:
        yield f"closest call: {_said(*found.calls[0])}"
    yield from (f"counterexample: {_said(index, call)}" for index, call in refuted)
    yield _verdict(len({index for index, _ in refuted}))


def _said(index: int, call: Call) -> str:
    votes = call.votes
    return (
        f"input {index}, {call.kind} at gauge {text_down(call.gauge, 4)}: certified class "
        f"{call.label} has {votes[call.label]:,} votes, class {call.rival} has "
        f"{votes[call.rival]:,} (p = {significant_up(call.p_value, 3)})"
    )


def _verdict(refuted: int) -> str:
    if not refuted:
        return "No counterexample was found; that does not prove that there is none."
    return f"{refuted} certificate{' is' if refuted == 1 else 's are'} refuted."
