"""Searches a better activation function for a model in Equinox."""

import equinox as eqx
import jax
from sklearn.datasets import load_digits

from actsearch import Arrays, Campaign, Recipe, Task, equinox_network


class Model(eqx.Module):
    layers: list
    activate: object

    def __init__(self, activate, key):
        one, two, three = jax.random.split(key, 3)
        self.layers = [eqx.nn.Linear(64, 32, key=one), eqx.nn.Linear(32, 32, key=two)]
        self.layers.append(eqx.nn.Linear(32, 10, key=three))
        self.activate = activate

    def __call__(self, image):
        for layer in self.layers[:-1]:
            image = self.activate(layer(image))
        return self.layers[-1](image)


x, y = load_digits(return_X_y=True)
recipe = Recipe("adamw", learning_rate=0.003, schedule="decay", batch=64)
task = Task(data=Arrays(x, y), network=equinox_network(Model), recipe=recipe, name="digits")
campaign = Campaign(
    name="in-equinox",
    task=task,
    search={"population": 8},
    scoring={"rungs": [{"steps": 50}, {"steps": 150, "seeds": 2}]},
    stop={"generations": 3},
    finals={"top": 1, "seeds": 4, "max_seeds": 4},
)
print(campaign.run())
print(campaign.leaderboard())
print(campaign.finals())
print(campaign.report())
print(campaign.export("equinox", "activation.py"))
