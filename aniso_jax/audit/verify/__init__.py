"""Records derived again, and drawn again."""
