"""The documentation: tutorials that run, a page for each function, answers that lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module, util
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from nbclient import NotebookClient

import actsearch
from grammars import CATALOGUE
from grammars.export.targets import TARGETS
from search.settings.template import sections
from search.settings.whole import Settings

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
TUTORIALS = sorted((DOCS / "tutorials").glob("*.ipynb"))


def script(name: str) -> ModuleType:
    specification = util.spec_from_file_location(name, DOCS / "site" / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_runs_and_shows_what_is_printed_in_it(path: Path, tmp_path: Path) -> None:
    shown = nbformat.read(path, 4)
    fresh = nbformat.read(path, 4)
    where = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(fresh, timeout=300, kernel_name="python3", resources=where).execute()
    for before, after in zip(shown.cells, fresh.cells, strict=True):
        if before.cell_type == "code":
            assert outputs(before) == outputs(after)


def outputs(cell: nbformat.NotebookNode) -> list[tuple[str, ...]]:
    """What a cell gave, in kind: figures of scores depend on the machine's arithmetic."""
    kept = (each for each in cell.outputs if each.get("name") != "stderr")
    return [(each.output_type, *sorted(each.get("data", {}))) for each in kept]


def test_the_gallery_has_a_page_for_each_function_and_what_to_do_with_it() -> None:
    pages = script("gallery").pages(ROOT / "runs" / "records")
    index = pages.pop("gallery/index.md")
    assert {f"gallery/{name}.md" for name in CATALOGUE} < pages.keys(), "and those on record"
    for path, page in pages.items():
        name = Path(path).stem
        assert f'href="{name}/"' in index
        assert "<math" in page
        assert page.count("<svg") == 2, "f and f'"
        assert "**Source.** " in page or name in CATALOGUE
        assert all(f"--to {target} " in page for target in TARGETS)
        assert re.search(r"^\| range \| .+ \| .+ \|$", page, flags=re.MULTILINE)
    found = pages["gallery/04293a24b7b0.md"]
    assert "found by the campaign on record as 2026-11-26-mnist" in found
    assert "[2026-11-26-mnist](../records/2026-11-26-mnist/index.md) | 2.5888 |" in found


def test_the_reference_names_every_command_and_every_setting() -> None:
    pages = script("reference").pages()
    for verb in ("init", "launch", "compare", "finals", "export", "grammar"):
        assert f"\n## actsearch {verb}\n" in pages["reference/commands.md"]
    parts = re.split(r"^## (.+)$", pages["reference/settings.md"], flags=re.MULTILINE)
    tables = dict(zip(parts[1::2], parts[2::2], strict=True))
    models = {"At the top": Settings, **{f"[{each.name}]": each.model for each in sections()}}
    assert list(tables) == list(models)
    for title, model in models.items():
        inner = {each.name for each in sections(model)}
        for name in model.model_fields.keys() - inner:
            row = rf"^\| `{name}` \| .* \| .{{5,}} \|$"
            assert re.search(row, tables[title], flags=re.MULTILINE), f"{title} {name}"
    assert tables["[stop]"].startswith("\n\n| setting"), "no setting's meaning as the section's"


def test_the_reference_shows_every_public_name() -> None:
    shown = (DOCS / "reference" / "python.md").read_text(encoding="utf-8")
    listed = {name for each in re.findall(r"members: \[(.+)\]", shown) for name in each.split(", ")}
    for name in actsearch.__all__:
        homes = re.findall(rf"^::: (\S+)\.{name}$", shown, flags=re.MULTILINE)
        assert name in listed or [getattr(import_module(home), name) for home in homes] == [
            getattr(actsearch, name)
        ]


def test_links_between_records_lead_to_their_pages() -> None:
    records = script("records")
    pages = records.pages(ROOT / "runs" / "records")
    of_docs = {path.name: path.read_text(encoding="utf-8") for path in DOCS.glob("*.md")}
    links = 0
    for path, text in {**of_docs, **pages}.items():
        for link in re.findall(r"\]\(([^)#]*records?/[^)#]*|\.\./\d[^)#]*)", records.linked(text)):
            assert os.path.normpath(Path(path).parent / link) in pages, f"{path}: {link}"
            links += 1
    assert links > len(pages)


def test_twenty_questions_are_answered_and_lead_to_pages_that_exist() -> None:
    text = (DOCS / "questions.md").read_text(encoding="utf-8")
    answers = re.findall(
        r"^## ([^\n]+\?)\n\n(.+?)(?=\n\n## |\Z)", text, flags=re.DOTALL | re.MULTILINE
    )
    assert len(answers) >= 20
    made = ("gallery/index.md", "reference/settings.md", "reference/commands.md")
    for link in re.findall(r"\]\(([^)#]+)", text):
        assert link in made or (DOCS / link).is_file(), link


def test_another_system_is_answered_by_one_sentence() -> None:
    code = "import sys; sys.modules['fcntl'] = None; import evaluators.reading.file_locks"
    refused = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert refused.stderr.splitlines()[-1].endswith(
        "on Windows, install it in WSL: https://learn.microsoft.com/windows/wsl/install"
    )
