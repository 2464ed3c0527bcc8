"""Errors that a user can mend, each as one sentence."""

from aniso_jax.storage.atomic import DiskFull

REFUSALS = (ValueError, OSError, RuntimeError, ImportError, MemoryError, OverflowError)


def sentence(error: Exception) -> str:
    """What an error says; what the system alone refused gets the cause and a remedy."""
    if isinstance(error, OSError) and error.strerror and not isinstance(error, DiskFull):
        reason = error.strerror.lower()
        if error.filename is None:
            return f"The system refused something ({reason}); look into that, and try again."
        return f"{error.filename} cannot be used ({reason}); check the path, or give another one."
    said = str(error) or type(error).__name__
    if isinstance(error, RuntimeError) and said.startswith("RESOURCE_EXHAUSTED"):  # a device's
        return sentence(MemoryError(said.splitlines()[0].rstrip(".")))
    if isinstance(error, MemoryError):
        return f"Memory ran out ({said}); give a smaller --batch or --chunk, or less data."
    if isinstance(error, OverflowError):
        return f"A number is too large to compute with ({said}); give a smaller one."
    return said
