"""`actsearch data`: gets data sets ready, offline too."""

from __future__ import annotations

from typing import Annotated

import typer

from search.cli.options import ManualDir, say


def prepare_command(
    name: Annotated[str, typer.Argument(help="Such as mnist, digits, diabetes or tfds:cifar10.")],
    manual_dir: ManualDir = None,
) -> None:
    """Gets a data set ready: from what TFDS has, from raw files, or from the network."""
    from evaluators.datasets import prepare

    dataset = prepare(name, manual_dir=manual_dir, announce=say)
    training, validation = dataset.training, dataset.validation
    targets = f"in {dataset.classes} classes" if dataset.classes else "with numbers for targets"
    print(
        f"{dataset.name} is ready: {len(training.labels):,} training and "
        f"{len(validation.labels):,} validation examples of shape "
        f"{' x '.join(map(str, training.inputs.shape[1:]))} {targets}.\n"
        f"{dataset.source}"
    )
