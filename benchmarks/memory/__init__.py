"""Every strategy proven beside a real neighbour: full-size models with random weights, and only so much of the card free."""
