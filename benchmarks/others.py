"""How many cores other processes kept busy while a benchmark ran."""

import os
import time
from collections.abc import Callable
from pathlib import Path

_STAT = Path("/proc/stat")


def watched() -> Callable[[], float | None]:
    """Start watching; the call that is returned says how many cores others kept busy since.

    The busy time of all cores less this process's own; None where the system does not count it.
    """
    begin, busy, own = time.monotonic(), _busy(), _own()

    def others() -> float | None:
        now = _busy()
        if busy is None or now is None:
            return None
        seconds = time.monotonic() - begin
        return max(now - busy - (_own() - own), 0.0) / seconds

    return others


def _own() -> float:
    return time.process_time()


def _busy() -> float | None:
    """Seconds that all cores together were not idle."""
    if not _STAT.exists():
        return None
    user, nice, system, _idle, _iowait, irq, softirq, *_ = (
        int(count) for count in _STAT.read_text().splitlines()[0].split()[1:]
    )
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
