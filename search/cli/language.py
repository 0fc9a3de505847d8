"""`actsearch describe` and `actsearch grammar`: what a function is, what a grammar can write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.table import Table

from search.cli.options import (
    AsCsv,
    AsJson,
    ManualDir,
    print_csv,
    print_json,
    site_of,
    wide_console,
)

if TYPE_CHECKING:
    from grammars import Grammar
    from grammars.description import Description

# Sizes whose functions are counted; the next one takes several times as long.
_COUNTED_SIZE: Final = 5
# Where a grammar's rules want every expression written down, larger sizes are left out.
_WRITTEN: Final = 5_000
_SAMPLES: Final = 10
_SAMPLE_DEPTH: Final = (1, 4)

GrammarName = Annotated[
    str, typer.Argument(help="A shipped grammar, or a .toml file.", metavar="GRAMMAR")
]


def describe_command(
    expression: Annotated[
        str,
        typer.Argument(
            help="An expression such as 'x * sigmoid(x)', or a catalogue name.",
            metavar="EXPRESSION",
        ),
    ],
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", help="Draw f and f' beside ReLU and the nearest relative."),
    ] = None,
    simplify: Annotated[
        bool, typer.Option("--simplify", help="Let SymPy simplify the derivative; takes seconds.")
    ] = False,
    train: Annotated[
        bool, typer.Option("--train", help="Train with it once too, and say what that showed.")
    ] = False,
    task: Annotated[str, typer.Option(help="What to train on.")] = "mnist-mlp",
    steps: Annotated[int, typer.Option(min=1, max=1_000_000, help="Optimiser steps.")] = 1000,
    manual_dir: ManualDir = None,
) -> None:
    """Says what a function is: its forms, its published kin, its properties."""
    from grammars import parse
    from grammars.description import describe

    function = parse(expression)
    description = describe(function, simplify=simplify)
    if not as_json and not as_csv:
        _print_description(description)
    if plot is not None:
        from search.drawing import draw_functions

        drawn = {expression: function}
        if description.nearest is not None and description.nearest not in description.known_as:
            drawn[description.nearest] = parse(description.nearest)
        draw_functions(drawn, plot)
    trained = _train(expression, task=task, steps=steps, manual_dir=manual_dir) if train else None
    if as_json or as_csv:
        document = description.to_json() | ({} if trained is None else {"training": trained})
        print_json(document) if as_json else print_csv([document])
        return
    if trained is not None:
        _print_training(trained)


def _train(expression: str, *, task: str, steps: int, manual_dir: Path | None) -> dict[str, Any]:
    from evaluators.evaluation.fidelity import Fidelity
    from evaluators.tasks import find_task
    from grammars import parse
    from search.cli.evaluation import evaluation_row
    from search.trials.protocol import score

    site = site_of(manual_dir=manual_dir, workers=1)
    fidelity = Fidelity(steps, (0,))
    (record,) = score([parse(expression)], fidelity, task=find_task(task), site=site)
    return evaluation_row(expression, record)


def _print_training(trained: dict[str, Any]) -> None:
    """What one training run showed, or why there is nothing to show."""
    console = wide_console()
    where = f"{trained['task']} ({trained['dataset']}), {trained['steps']:,} steps"
    console.print(f"\ntrained on {where}:", highlight=False)
    if trained["score"] is None:
        console.print(f"  {trained['outcome']}: {trained['reason']}", highlight=False, markup=False)
        return
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name in ("validation_loss", "validation_accuracy", "relative_cost"):
        table.add_row(name.replace("_", " "), _shown(trained[name]))
    for name, value in (trained["diagnostics"] or {}).items():
        table.add_row(name.replace("_", " "), _shown(value))
    console.print(table)


def _print_description(description: Description) -> None:
    """Prints what is known at once first, since the rest takes a moment."""
    from grammars import CATALOGUE, shortened

    _print_rows(
        {
            "expression": description.expression,
            "canonical": shortened(description.canonical, written=description.expression),
            "id": description.id,
            "size, depth": f"{description.size} nodes, {description.depth} levels",
            "latex": description.latex,
            "derivative": description.derivative,
            "parameters": ", ".join(
                f"{p.name} from {p.start:g} per {p.per}" for p in description.parameters
            ),
        }
    )
    known = [f"{name} ({CATALOGUE[name].source})" for name in description.known_as]
    _print_rows(
        {
            "known as": "; ".join(known) or "not in the catalogue",
            "relatives": "; ".join(r.formula for r in description.relatives),
            "nearest": description.nearest or "",
        }
    )
    table = _rows()
    for name, found in description.properties.items():
        table.add_row(name.replace("_", " "), _plain(_shown(found.value)), f"({found.decided_by})")
    wide_console().print(table)


def _print_rows(rows: dict[str, str]) -> None:
    table = _rows()
    for name, value in rows.items():
        if value:
            table.add_row(name, _plain(value))
    wide_console().print(table)


def _rows() -> Table:
    """A table whose columns stand below those of another."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(min_width=len("zero derivative share"))
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    return table


def _plain(value: str) -> Any:
    """Text that rich prints as it is: expressions may hold square brackets."""
    from rich.text import Text

    return Text(value)


def _shown(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case None:
            return "none"
        case float():
            return f"{value:.6g}"
        case list() | tuple():
            return "[" + ", ".join(map(_shown, value)) + "]"
        case _:
            return str(value)


def grammar_list_command(as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """Lists the shipped grammars, the primitives and the catalogue."""
    from grammars import CATALOGUE, PRIMITIVES, grammar_names, load_grammar

    grammars = [load_grammar(name) for name in grammar_names()]
    if as_json or as_csv:
        listed = [
            {"name": g.name, "description": g.description, "source": g.source} for g in grammars
        ]
        words = {"primitives": list(PRIMITIVES), "catalogue": list(CATALOGUE)}
        if as_json:
            print_json({"grammars": listed, **words})
        else:
            named = [{"kind": kind, "name": name} for kind, all_ in words.items() for name in all_]
            print_csv([{"kind": "grammars", **each} for each in listed] + named)
        return
    table = Table("grammar", "primitives", "size", "what it is for", box=None)
    for g in grammars:
        table.add_row(g.name, str(len(g.primitives)), f"<= {g.max_size}", g.description)
    console = wide_console()
    console.print(table)
    console.print(f"\nprimitives: {', '.join(PRIMITIVES)}", highlight=False)
    console.print(f"\ncatalogue: {', '.join(CATALOGUE)}", highlight=False)


def grammar_show_command(
    name: GrammarName,
    seed: Annotated[int, typer.Option("--seed", help="Decides the samples.")] = 0,
    count_to: Annotated[
        int, typer.Option("--count-to", min=1, max=9, help="Count functions up to this size.")
    ] = _COUNTED_SIZE,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Shows a grammar: what it holds, how many functions up to a size, ten samples."""
    from dataclasses import asdict
    from random import Random

    from grammars import load_grammar
    from grammars.space.enumeration import tally

    grammar = load_grammar(name)
    random = Random(seed)
    samples = [str(grammar.sample(random, depth=_SAMPLE_DEPTH)) for _ in range(_SAMPLES)]
    counts = [asdict(row) for row in tally(grammar, max_size=count_to, most_expressions=_WRITTEN)]
    if as_json:
        document = {"grammar": grammar.model_dump(mode="json"), "counts": counts}
        print_json(document | {"samples": samples})
        return
    if as_csv:
        print_csv(counts)
        return
    console = wide_console()
    console.print(f"{grammar.name}: {grammar.description}", highlight=False)
    if grammar.source:
        console.print(f"source: {grammar.source}", highlight=False, markup=False)
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for key, value in _rules(grammar).items():
        table.add_row(key, _plain(value))
    console.print(table)
    counting = Table("size", "expressions of x", "new functions", box=None)
    for row in counts:
        counting.add_row(*(f"{number:,}" for number in row.values()))
    console.print(counting)
    console.print("samples:")
    for sample in samples:
        console.print(f"  {sample}", highlight=False, markup=False)


def _rules(grammar: Grammar) -> dict[str, str]:
    """The rules of a grammar, those that it has, in words."""
    rules = {
        "primitives": ", ".join(f"{n} {weight:g}" for n, weight in grammar.primitives.items()),
        **{f"{name}(x)": formula for name, formula in grammar.definitions.items()},
        "weight of x": f"{grammar.input_weight:g}",
        "limits": f"size {grammar.max_size}, depth {grammar.max_depth}",
    }
    if constants := grammar.constants:
        values = list(constants.choices) or f"{constants.low:g} to {constants.high:g}"
        rules["constants"] = f"{values}, weight {constants.weight:g}"
    if parameters := grammar.parameters:
        rules["parameters"] = f"at most {parameters.max_count} per {' or '.join(parameters.per)}"
    for inner, outer in grammar.nesting.not_inside.items():
        rules[f"{inner} not inside"] = ", ".join(outer)
    for inner, allowed in grammar.nesting.only_of.items():
        rules[f"{inner} only of"] = ", ".join(allowed)
    for inner, most in grammar.nesting.at_most.items():
        rules[f"{inner} at most"] = str(most)
    if grammar.root:
        rules["root"] = grammar.root
    rules["x"] = "at the root" if grammar.input_at_root else "must occur"
    return rules
