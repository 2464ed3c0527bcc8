"""The one error of the data readers."""


class DataError(ValueError):
    """Data that cannot be used; the message is one sentence: what was given, wanted, to be done."""
