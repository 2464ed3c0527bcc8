"""Floor 0: scales, balls, regions and what can be proved about them; no probability here."""
