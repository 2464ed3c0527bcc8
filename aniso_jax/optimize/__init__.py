"""Floor 4: the search for a scale. A heuristic: only fresh draws certify what it returns."""
