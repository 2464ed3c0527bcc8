"""Certified regions searched for counterexamples."""
