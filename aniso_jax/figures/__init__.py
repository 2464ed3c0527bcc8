"""Floor 10: the five figures that explain certified regions, from real computations."""
