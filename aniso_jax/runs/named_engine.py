"""What computes a run: this process, or actors on a Ray cluster."""

import re

_ENGINE = re.compile(r"(?P<alone>local)|ray(:(?P<address>auto|[^/]+:\d{1,5}))?")


def named_cluster(engine: str, *, actors: int | None, devices: str) -> str | None:
    """The address of the Ray cluster that `--engine` names, "" to start one; None without Ray.

    Raises:
      ValueError: no such engine, or options that belong to the other one.

    >>> named_cluster("ray:10.0.0.1:6379", actors=None, devices="all")
    '10.0.0.1:6379'
    """
    named = _ENGINE.fullmatch(engine)
    if named is None:
        raise ValueError(
            "--engine must be local, ray, or ray:HOST:PORT with the address that ray start prints "
            f"on the cluster's head, got {engine}."
        )
    if named["alone"] and actors is not None:
        raise ValueError("--actors goes with --engine ray: leave it out, or give both.")
    if not named["alone"] and devices != "all":
        raise ValueError(
            f"--devices {devices} goes without --engine ray, whose actors have a GPU or some cores "
            "each: say by --actors how many there are."
        )
    if actors is not None and actors < 1:
        raise ValueError(f"--actors must be at least 1, got {actors}.")
    return None if named["alone"] else named["address"] or ""
