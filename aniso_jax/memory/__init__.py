"""Floor 5: certified regions of many inputs that never contradict each other."""
