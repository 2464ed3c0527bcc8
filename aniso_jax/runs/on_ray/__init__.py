"""Ray: actors compute parts, and the process that was started keeps them."""
