"""Floor 9: finished runs doubted: derived again, drawn again, attacked."""
