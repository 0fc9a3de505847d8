"""Networks that take the activation function as an argument."""

from evaluators.networks.chains import CNN, MLP
from evaluators.networks.frameworks import equinox_network, flax_network
from evaluators.networks.initialisers import Initialiser, weight_scale
from evaluators.networks.kinds import AnyNetwork, deciding_network, network_section, read_network
from evaluators.networks.network import UNKNOWN, Chain, Layer, Moments, Network
from evaluators.networks.own import OwnNetwork
from evaluators.networks.residual import ResidualCNN, ResidualMLP
from evaluators.networks.transformer import Transformer

__all__ = [
    "CNN",
    "MLP",
    "UNKNOWN",
    "AnyNetwork",
    "OwnNetwork",
    "equinox_network",
    "flax_network",
    "Chain",
    "Initialiser",
    "Layer",
    "Moments",
    "Network",
    "ResidualCNN",
    "ResidualMLP",
    "Transformer",
    "deciding_network",
    "network_section",
    "read_network",
    "weight_scale",
]
