"""Searches a better activation function for a language model, which reads Python's own manual."""

from pydoc_data.topics import topics

import numpy as np
from flax import nnx

from actsearch import Arrays, Campaign, Recipe, Task, flax_network

LENGTH, WIDTH, HEADS, BLOCKS = 32, 64, 4, 2
characters, text = np.unique([*"".join(topics.values())], return_inverse=True)


class Block(nnx.Module):
    def __init__(self, activate, rngs):
        self.first, self.second = nnx.LayerNorm(WIDTH, rngs=rngs), nnx.LayerNorm(WIDTH, rngs=rngs)
        self.attend = nnx.MultiHeadAttention(HEADS, WIDTH, decode=False, rngs=rngs)
        self.up = nnx.Linear(WIDTH, 4 * WIDTH, rngs=rngs)
        self.down = nnx.Linear(4 * WIDTH, WIDTH, rngs=rngs)
        self.drop, self.activate = nnx.Dropout(0.1, rngs=rngs), activate

    def __call__(self, x):
        x = x + self.attend(self.first(x), mask=nnx.make_causal_mask(x[..., 0]))
        return x + self.drop(self.down(self.activate(self.up(self.second(x)))))


class Model(nnx.Module):
    def __init__(self, activate, rngs):
        self.character = nnx.Embed(len(characters), WIDTH, rngs=rngs)
        self.place = nnx.Embed(LENGTH, WIDTH, rngs=rngs)
        self.blocks = nnx.List([Block(activate, rngs) for _ in range(BLOCKS)])
        self.norm, self.out = (
            nnx.LayerNorm(WIDTH, rngs=rngs),
            nnx.Linear(WIDTH, len(characters), rngs=rngs),
        )

    def __call__(self, x):  # [batch, LENGTH] to [batch, LENGTH, characters]
        x = self.character(x.astype("int32")) + self.place(np.arange(LENGTH))
        for block in self.blocks:
            x = block(x)
        return self.out(self.norm(x))


# Each row is a piece of the text and the character behind it; none shares a character with another.
rows = text[: len(text) // (LENGTH + 1) * (LENGTH + 1)].reshape(-1, LENGTH + 1)
x, y = rows[:, :-1], rows[:, 1:]
data = Arrays(x, y, name="python-manual", classes=len(characters), standardise=False)
recipe = Recipe("adamw", learning_rate=0.003, schedule="decay", batch=32)
campaign = Campaign(
    name="language-model",
    task=Task(data=data, network=flax_network(Model), recipe=recipe, name="next-character"),
    search={"population": 8},
    scoring={"rungs": [{"steps": 50}, {"steps": 150, "seeds": 2}]},
    stop={"generations": 3},
    finals={"top": 1, "seeds": 4, "max_seeds": 4, "measure": "log_loss"},
)
print(campaign.run())
print(campaign.leaderboard())
print(campaign.finals())
print(campaign.report())
print(campaign.export("flax", "activation.py"))
