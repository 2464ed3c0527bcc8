"""Floor 6: data sets by name or path, checked where they are read."""
