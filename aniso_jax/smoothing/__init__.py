"""Floor 2: laws, noise, votes."""
