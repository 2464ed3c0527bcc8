"""Floor 3: from votes to certified regions and predictions."""
