"""Floor 7: what a run writes: its configuration, its votes and regions, part by part."""
