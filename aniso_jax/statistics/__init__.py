"""Floor 1: bounds on a binomial probability, tabulated on the host or traced."""
