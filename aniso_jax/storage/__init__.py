"""Floor 0: files that are there whole or not at all."""
