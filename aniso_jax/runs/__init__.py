"""Floor 8: a whole data set through search and certification."""
