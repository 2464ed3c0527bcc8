"""Floor 5: a memory of regions, so that scales found for each input make one classifier."""
