"""`actsearch data`: gets data sets ready, offline too."""

from __future__ import annotations

from typing import Annotated

import typer

from search.cli.options import ManualDir, say


def prepare_command(
    name: Annotated[str, typer.Argument(help="Such as mnist, fashion_mnist, digits or mnist1d.")],
    manual_dir: ManualDir = None,
) -> None:
    """Gets a data set ready: from what TFDS has, from raw files, or from the network."""
    from evaluators.datasets import prepare

    dataset = prepare(name, manual_dir=manual_dir, announce=say)
    training, validation = dataset.training, dataset.validation
    print(
        f"{dataset.name} is ready: {len(training.labels):,} training and "
        f"{len(validation.labels):,} validation examples of shape "
        f"{' x '.join(map(str, training.inputs.shape[1:]))} in {dataset.classes} classes.\n"
        f"{dataset.source}"
    )
