"""What is known of a function before it is trained: probes, shape, cost."""
