"""The gallery: a page for each function of the catalogue and of the records."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Final

from grammars import CATALOGUE, parse
from grammars.description import Description, describe
from grammars.export.targets import TARGETS
from grammars.showing import curves
from search.report.formula import mathml

_SUMMARY: Final = """# Gallery

Every published function of the catalogue, and every function on record, with its curve in blue
beside ReLU's in grey.
The same is known to the command: `actsearch describe NAME`.

"""
_PROPERTIES: Final = (
    "range",
    "limit_left",
    "limit_right",
    "monotone",
    "convex",
    "symmetry",
    "kinks",
    "smooth",
    "derivative_range",
    "saturating",
    "mean",
    "variance",
)


@dataclass
class Shown:
    """A function of the gallery.

    Attributes:
        name: Of its page.
        text: As it is written.
        source: Who published it, or which campaign found it.
        scores: Rows of the records that it is in.
    """

    name: str
    text: str
    source: str
    aliases: Sequence[str] = ()
    scores: list[Mapping[str, str]] = field(default_factory=list)


def pages(records: Path) -> dict[str, str]:
    """The pages by their paths.

    Args:
        records: Where campaigns are on record.
    """
    shown = _shown(records)
    made = {f"gallery/{each.name}.md": _page(each) for each in shown}
    cards = "".join(map(_card, shown))
    made["gallery/index.md"] = f'{_SUMMARY}<div class="gallery">{cards}</div>\n'
    return made


def _shown(records: Path) -> list[Shown]:
    found = {
        name: Shown(name, entry.text, entry.source, entry.aliases)
        for name, entry in CATALOGUE.items()
    }
    by_function = {str(parse(name)): name for name in CATALOGUE}
    for path in sorted(records.glob("*/hall_of_fame.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                name = by_function.get(row["expression"], row["candidate_id"])
                if name not in found:
                    source = f"found by the campaign on record as {path.parent.name}"
                    found[name] = Shown(name, row["expression"], source)
                found[name].scores.append({"record": path.parent.name, **row})
    return list(found.values())


def _page(shown: Shown) -> str:
    description = describe(parse(shown.text))
    lines = [
        f"# {shown.name}",
        "",
        f'<div class="formula">{mathml(description.function)}</div>',
        "",
        f"`{shown.text}`",
        "",
        f'<div class="curves">{curves(description.function)}</div>',
        "",
        f"**Source.** {shown.source}" if shown.source else "",
        f"\n**Also called** {', '.join(shown.aliases)}." if shown.aliases else "",
        "",
        "## Properties",
        "",
        *_properties(description),
        "",
        f"**Derivative.** `{description.derivative}`",
        "",
        *_relatives(description),
        *_scores(shown),
        "## Take it with you",
        "",
        *_commands(shown),
    ]
    return "\n".join(lines) + "\n"


def _properties(description: Description) -> list[str]:
    known = description.properties
    rows = [
        f"| {name.replace('_', ' ')} | {_value(known[name].value)} | {known[name].decided_by} |"
        for name in _PROPERTIES
        if name in known
    ]
    return ["| property | value | known by |", "|---|---|---|", *rows]


def _relatives(description: Description) -> list[str]:
    formulas = [f"`{relative.formula}`" for relative in description.relatives]
    return [f"**Relatives.** It equals {', '.join(formulas)}.", ""] if formulas else []


def _scores(shown: Shown) -> list[str]:
    if not shown.scores:
        return []
    rows = [
        f"| [{row['record']}](../records/{row['record']}/index.md) | {float(row['score']):.4f} | "
        f"{100 * float(row['validation_accuracy']):.2f} % | {row['steps']} x {row['seeds']} |"
        for row in shown.scores
    ]
    heading = ["## Scores", "", "| campaign on record | score | accuracy | steps x seeds |"]
    return [*heading, "|---|---|---|---|", *rows, ""]


def _commands(shown: Shown) -> list[str]:
    function = shown.name if shown.name in CATALOGUE else shown.text
    return [
        "```bash",
        *(
            f'actsearch export --expression "{function}" --to {target} --output .'
            for target in TARGETS
        ),
        "```",
        "",
        "Without a file, in Python:",
        "",
        "```python",
        "import actsearch",
        "",
        f'layer = actsearch.pytorch("{function}")  # or flax, keras, equinox',
        "```",
    ]


def _card(shown: Shown) -> str:
    (curve, *_) = curves(parse(shown.text)).split("</svg>")
    title = escape(shown.name if shown.name in CATALOGUE else shown.text)
    return f'<a href="{shown.name}/">{curve}</svg><span>{title}</span></a>'


def _value(value: Any) -> str:
    if isinstance(value, list):
        return " to ".join(map(_value, value)) if value else "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
