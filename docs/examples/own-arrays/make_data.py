"""Three spirals, wound into each other, as arrays x and y in spirals.npz."""

import numpy as np

random = np.random.default_rng(0)
kinds = random.integers(0, 3, 3000)
distance = random.uniform(0.5, 3.0, 3000)
angle = 2.0 * distance + kinds * 2.0 * np.pi / 3.0
points = distance[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
np.savez("spirals.npz", x=points + random.normal(0.0, 0.05, points.shape), y=kinds)
