"""Floor 6: networks, their weights, and how any network becomes a pure function."""
