"""What a search handles: candidates, their generations, rungs, objectives and the best of them."""
