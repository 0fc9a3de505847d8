"""How a network is trained: recipe, schedule and loss."""
