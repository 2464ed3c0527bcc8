"""Floor 8: curves, tables, maps and pages, drawn from records; nothing is run here."""
