"""What computes a run: this process, or actors on a Ray cluster."""


def named_cluster(engine: str, *, actors: int | None, devices: str) -> str | None:
    """The address of the Ray cluster that `--engine` names, "" to start one; None without Ray.

    Raises:
      ValueError: no such engine, or options that belong to the other one.

    >>> named_cluster("ray:10.0.0.1:6379", actors=None, devices="all")
    '10.0.0.1:6379'
    """
    name, colon, address = engine.partition(":")
    if name not in ("local", "ray") or (colon and (name == "local" or not address)):
        raise ValueError(f"--engine must be local, ray, or ray:HOST:PORT, got {engine}.")
    if "://" in address:
        raise ValueError(
            f"--engine {engine}: give HOST:PORT of the cluster's head, as ray start prints it, "
            "and start the command on a machine of the cluster."
        )
    if name == "local":
        if actors is not None:
            raise ValueError("--actors goes with --engine ray: leave it out, or give both.")
        return None
    if actors is not None and actors < 1:
        raise ValueError(f"--actors must be at least 1, got {actors}.")
    if devices != "all":
        raise ValueError(
            f"--devices {devices} goes without --engine ray, whose actors have a GPU or some cores "
            "each: say by --actors how many there are."
        )
    return address
