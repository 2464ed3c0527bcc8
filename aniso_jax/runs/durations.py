"""Times as people say them."""


def duration(seconds: float) -> str:
    """Two units at most.

    >>> duration(12.4), duration(250), duration(11_520), duration(200_000)
    ('12 s', '4 min 10 s', '3 h 12 min', '2 d 8 h')
    """
    left = round(seconds)
    if left < 60:
        return f"{left} s"
    if left < 3600:
        return f"{left // 60} min {left % 60} s"
    minutes = round(seconds / 60)
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    hours = round(seconds / 3600)
    return f"{hours // 24:,} d {hours % 24} h"
