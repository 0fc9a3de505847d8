"""The report: what it says with and without finals, what it makes of hostile text, its files."""

from __future__ import annotations

import json
import lzma
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from html import unescape
from pathlib import Path
from statistics import fmean
from typing import Any
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from evaluators.evaluation.evaluation import OnTask, OverTasks
from evaluators.statistics.comparison import Comparison, compare
from grammars import CATALOGUE, parse, title_of
from search.candidates.candidate import Candidate
from search.cli.report import record_command, report_command
from search.drawing.panels import drawn
from search.finals import Plan
from search.journal.journal import FILE_NAME, Journal
from search.library.records import RecordError, readme, record
from search.report import Findings, read_findings, write_report
from search.report.claim import whole
from search.report.figures import graphs, shown_name
from search.report.finals_figures import forest_panels
from search.report.formula import mathml
from search.report.page import render
from search.report.tables import tables
from search.report.wording import (
    brief,
    duration,
    origin_words,
    percent,
    rungs_words,
    score_words,
    search_words,
    signed,
    standing_words,
    watch_words,
)
from search.standings.leaderboard import CandidateNotFoundError
from search.standings.lineage import Ancestor
from search.texts.markdown import code, plain
from search.tracking import Store

from .conftest import DISCOVERED, campaign_events
from .finals_events import SEEDS, baseline, finals_events, plan

WriteCampaign = Callable[..., Path]

RECORDS = Path(__file__).parents[2] / "runs" / "records"
MINUS, JOINER = "\N{MINUS SIGN}", "\N{WORD JOINER}"
HOSTILE = "</style></title><script>window.hacked = 1</script><img src=x onerror='hacked=1'>{{7*7}}"


def add_finals(folder: Path, *, number: int = 1, is_scored: bool = True) -> Path:
    seen = set()
    with Journal(folder / FILE_NAME) as journal:
        for event in finals_events(plan(DISCOVERED[-2:], number=number), is_scored=is_scored):
            if event[:2] not in seen:
                seen.add(event[:2])
                journal.append(*event)
    return folder


def over_tasks(
    found: Findings, advantages: Sequence[float], *, rate: float | None = None
) -> Findings:
    """As many of the best as there are advantages, each with its own on two tasks."""
    standings = tuple(
        replace(
            standing,
            evaluation=replace(
                standing.evaluation,
                over_tasks=OverTasks(
                    advantage,
                    tuple(OnTask(name, name, rate, 1.0, advantage) for name in ("first", "other")),
                ),
            ),
        )
        for standing, advantage in zip(found.standings, advantages, strict=False)
    )
    assert len(standings) == len(advantages)
    return replace(found, standings=standings)


def text_of(page: str) -> str:
    """What a reader sees, in one line."""
    body = re.sub(r"<(style|script|svg)\b.*?</\1>", " ", page, flags=re.DOTALL)
    body = re.sub(r'<span class="whole">(.*?)</span>', r"\1", body)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).replace(JOINER, "").split())


def test_without_finals_there_is_no_claim(write_campaign: WriteCampaign) -> None:
    text = text_of(render(read_findings(write_campaign())))
    assert "No claim yet: the finals were not held" in text
    assert "Of 8 functions considered, the search puts softplus(x) - 0.5 first." in text
    assert "the first of many is partly the luckiest of many." in text
    assert "The test set was not touched." in text
    assert "actsearch finals demo" in text
    assert "test set opened never" in text
    assert "better than" not in text.replace("better than ReLU, Swish and GELU is settled", "")


def test_with_finals_the_claim_comes_first(write_campaign: WriteCampaign) -> None:
    text = text_of(render(read_findings(add_finals(write_campaign()))))
    title = "Better than ReLU, Swish and GELU"
    order = [title, "The functions", "The search The", "How they learn", "Where it holds"]
    positions = [text.index(part) for part in order]
    assert positions == sorted(positions)
    assert "The search considered 40 functions, 30 of them distinct, and trained 25" in text
    assert "The test sets of digits and mnist1d were opened once each." in text
    assert "cos(x) - x ▲ ▲ ▲ ▼ ▼ ▼ ▲ ▲ ▲ F2 softplus" in text  # where it holds, at a glance
    assert "mnist-cnn was left out: its data cannot be had" in text
    assert re.search(r"▲ \+0\.\d\d \+0\.\d\d to \+0\.\d\d p < 0\.001, d = \+\d", text)
    assert re.search(r"▼ M\d\.\d\d M\d\.\d\d to M\d\.\d\d p < 0\.001".replace("M", MINUS), text)


def test_it_says_why_the_headline_is_not_the_first_row(write_campaign: WriteCampaign) -> None:
    found = read_findings(add_finals(write_campaign()))
    leader = found.winners[0].candidate.id
    rank = 1 + [standing.candidate.id for standing in found.standings].index(leader)
    said = f"The function of the headline has rank {rank} here: finals on fresh seeds chose it"
    assert (said in text_of(render(found))) == (rank > 1)
    first, *others = found.standings
    last = replace(found, standings=(*others, first))
    assert "The function of the headline has rank" in text_of(render(last))


def test_finalists_have_short_names_the_leader_first(write_campaign: WriteCampaign) -> None:
    found = read_findings(add_finals(write_campaign()))
    assert found.finals is not None
    assert found.finals.leader is not None
    assert list(found.short_names.values()) == ["F1", "F2"]
    assert next(iter(found.short_names)) == found.finals.leader.candidate_id
    assert graphs(found)[-1].label == "F1: cos(x) - x"
    text = text_of(render(found))
    assert "F1 cos(x) - x ▲ ▲ ▲" in text
    assert "F2 softplus(x) - 0.5" in text
    for panel in forest_panels(found, found.finals):
        axes = drawn([panel], legend=False).axes[0]
        shown = [label.get_text() for label in axes.get_yticklabels()]
        assert shown[:2] == ["F1", "F2"]
        assert not axes.texts  # nothing is written where the intervals are
    assert read_findings(write_campaign("other")).short_names == {}


def test_figures_tell_their_values_under_the_pointer(write_campaign: WriteCampaign) -> None:
    page = render(read_findings(add_finals(write_campaign())))
    told = [json.loads(unescape(each)) for each in re.findall(r'data-hover="([^"]*)"', page)]
    functions, _, progress, front, loss, _, relu, *_ = told
    names = [name for name, _, _ in functions["series"]]
    assert names == ["Swish", "F1"]
    _, xs, ys = functions["series"][1]
    assert len(xs) <= 100
    assert ys == pytest.approx([math.cos(x) - x for x in xs], abs=2e-3)
    assert functions["x"] == [-5.0, 5.0]
    assert loss["log"]
    assert (loss["label"], loss["marks"]) == ("steps", [])
    assert progress["marks"][-1][2].startswith("evaluation ")
    assert front["marks"][0][2].startswith("1  ")
    assert relu["series"] == []
    assert re.fullmatch(r"F1: \+\d\.\d\d \(\+\d\.\d\d to \+\d\.\d\d\)", relu["marks"][0][2])


@pytest.mark.parametrize(
    ("formula", "parts"),
    [
        ("max(-x, x * sigmoid(x))", ["-x", ",", "* sigmoid("]),
        ("a - b", ["- b"]),
        ("x + -1.5e-3", ["+ -1.5e", "-3"]),
        ("relu(x)", []),
    ],
)
def test_formulas_break_before_operators_only(formula: str, parts: list[str]) -> None:
    markup = whole(formula)
    assert re.findall(r'<span class="whole">(.*?)</span>', markup) == parts
    assert unescape(re.sub("<[^>]*>", "", markup)) == formula
    assert "&lt;" in whole("where(x < 0, x, 1)")


def test_a_score_over_several_tasks_is_explained_as_one(write_campaign: WriteCampaign) -> None:
    found = read_findings(write_campaign())
    assert score_words(found).startswith("A score is minus the mean logarithm")
    first, *others = found.standings
    over = OverTasks(1.0, (OnTask("a", "x", None, 1.0, 0.5), OnTask("b", "y", 0.1, 2.0, 1.5)))
    evaluation = replace(first.evaluation, over_tasks=over)
    several = replace(found, standings=(replace(first, evaluation=evaluation), *others))
    assert "ahead of the best baseline in log validation loss on a and b" in score_words(several)


@pytest.mark.parametrize("rate", [None, 0.01])
def test_learning_rates_are_told_of_only_where_there_are_any(
    write_campaign: WriteCampaign, rate: float | None
) -> None:
    found = over_tasks(read_findings(write_campaign()), (1.0, 0.5, -0.5), rate=rate)
    has_rates = rate is not None
    text = text_of(render(found))
    assert ("best learning rate" in text) == has_rates
    own = ", each function at its own best learning rate" if has_rates else ""
    assert f"loss on first and other{own}, in units of the spread" in text
    assert ("function first rate other rate" in text) == has_rates
    assert ("function first other softplus" in text) != has_rates


def with_scoring(found: Findings, **scoring: Any) -> Findings:
    settings = {
        **found.launch.settings,
        "scoring": {**found.launch.settings["scoring"], **scoring},
    }
    return replace(found, launch=replace(found.launch, settings=settings))


@pytest.mark.parametrize("rates", [(), (0.001, 0.002)])
def test_watched_tasks_are_met_at_own_rates_only_where_there_are_any(
    write_campaign: WriteCampaign, rates: tuple[float, ...]
) -> None:
    found = with_scoring(read_findings(write_campaign()), learning_rates=rates)
    assert ("at their own best rates" in watch_words(found)) == bool(rates)


def test_rungs_of_one_length_are_told_apart_by_their_tasks(write_campaign: WriteCampaign) -> None:
    found = read_findings(write_campaign())
    assert "for 200 steps with 1 seed; the best climbed to 1000 steps with 2" in search_words(found)
    assert " that differ in length and number of seeds and " in rungs_words(found)
    few = {"steps": 200, "seeds": 1, "tasks": ["first", "other"]}
    ladder = [few, {"steps": 200, "seeds": 1}, {"steps": 1000, "seeds": 2}]
    wide = with_scoring(found, tasks=["first", "other", "third"], rungs=ladder)
    assert (
        "were trained for 200 steps with 1 seed on first and other; the best climbed to 200 steps "
        "with 1 seed on all 3 tasks, then to 1000 steps with 2 seeds on all 3 tasks."
    ) in search_words(wide)
    assert " that differ in length, number of seeds and tasks and cannot " in rungs_words(wide)
    lowest = next(each for each in found.standings if each.rung == 0)
    ancestor = Ancestor(lowest.candidate, lowest)
    assert re.fullmatch(r"\S+ after 200 steps", standing_words(ancestor, found))
    told = standing_words(ancestor, wide)
    assert told.endswith(" after 200 steps with 1 seed on first and other")
    crowd = [str(number) for number in range(9)]
    many = with_scoring(found, tasks=[*crowd, "more"], rungs=[{**few, "tasks": crowd}, ladder[1]])
    assert "1 seed on 9 of the 10 tasks; the best climbed to 200 steps" in search_words(many)
    alone = with_scoring(found, rungs=[{"steps": 200, "seeds": 1}])
    assert rungs_words(alone) == ""


def test_a_page_writes_no_number_longer_than_it_is_exact(write_campaign: WriteCampaign) -> None:
    found = read_findings(write_campaign())
    folded = Candidate.of(parse("sin(x) * (1.2349 - 0.0001)"), generation=0)
    assert str(folded.canonical) == "1.2348000000000001 * sin(x)"
    root = Candidate.of(parse("cos(x) * (1.2349 - 0.0001)"), generation=1, parents=(folded.id,))
    tree = Ancestor(root, None, (Ancestor(folded, None),))
    text = text_of(render(replace(found, lineages=(tree,))))
    assert "Where the best come from 1.2348 * cos(x) 1.2348 * cos(x) random, generation 1" in text
    assert "1.2348 * sin(x) drawn at random in generation 0" in text
    assert "1.23480" not in text


def test_a_published_function_has_one_name(write_campaign: WriteCampaign) -> None:
    first = read_findings(write_campaign()).standings[0]
    for name in CATALOGUE:
        published = Candidate.of(parse(name), generation=0, origin="baseline", variation=name)
        standing = replace(first, candidate=published)
        assert shown_name(standing) == title_of(name) == baseline(name).label
        assert origin_words(Ancestor(published, None)) == f"published as {title_of(name)}"


def test_unfinished_finals_claim_nothing(write_campaign: WriteCampaign) -> None:
    text = text_of(render(read_findings(add_finals(write_campaign(), is_scored=False))))
    assert "No claim yet: the finals are not finished" in text
    assert "training is done, the test data have not been scored" in text
    assert "No test set was opened." in text


def hold_again(folder: Path, again: Plan) -> None:
    with Journal(folder / FILE_NAME) as journal:
        seen = set()
        for event in finals_events(again):
            if event[:2] not in seen:
                seen.add(event[:2])
                journal.append(*event)


def test_opening_a_test_set_twice_is_shown(write_campaign: WriteCampaign) -> None:
    folder = add_finals(write_campaign())
    hold_again(folder, replace(plan(DISCOVERED[:2], number=2), first_seed=2_000))
    text = text_of(render(read_findings(folder)))
    assert "The test set of digits was opened twice: what was decided after the first" in text
    assert "test set opened twice" in text


def test_how_often_several_test_sets_were_opened_is_one_range(
    write_campaign: WriteCampaign,
) -> None:
    first, second = plan(DISCOVERED[:2]).stages[:2]
    folder = write_campaign()
    hold_again(folder, replace(plan(DISCOVERED[:2]), stages=(first,)))
    several = replace(plan(DISCOVERED[:2], number=2), first_seed=2_000)
    hold_again(folder, replace(several, stages=(first, replace(second, purpose="own"))))
    assert "test sets opened from 1 to 2 times each" in text_of(render(read_findings(folder)))


def test_a_fallback_data_set_is_named(write_campaign: WriteCampaign) -> None:
    text = text_of(render(read_findings(write_campaign(fallback_for="mnist"))))
    assert "mnist was unavailable; everything on this page was measured on digits instead." in text


def test_a_campaign_without_discoveries_is_refused(write_campaign: WriteCampaign) -> None:
    with pytest.raises(CandidateNotFoundError, match="has scored no function of its own"):
        write_report(write_campaign(count=3))


def hostile(payload: Any) -> Any:
    """The payload with every free text replaced."""
    if isinstance(payload, Mapping):
        free = ("description", "source", "reason", "campaign_file", "variation", "strategy")
        return {
            key: HOSTILE if key in free and isinstance(value, str) else hostile(value)
            for key, value in payload.items()
        }
    return payload


def write_hostile(runs_dir: Path) -> Path:
    folder = runs_dir / "demo"
    folder.mkdir()
    with Journal(folder / FILE_NAME) as journal:
        for kind, key, payload in campaign_events("demo"):
            payload = hostile(payload)
            if kind == "campaign":
                payload["settings"] |= {"grammar": HOSTILE, "task": HOSTILE}
                payload["versions"] = {HOSTILE: HOSTILE}
                payload["dataset"] |= {"name": HOSTILE, "fallback_for": HOSTILE}
            journal.append(kind, key, payload)
        journal.append(*next(finals_events(hostile_plan())))
    return folder


def hostile_plan() -> Any:
    honest = plan(DISCOVERED[-1:])
    entrants = [replace(entrant, expression="relu(x)") for entrant in honest.entrants]
    entrants[-1] = replace(entrants[-1], name=HOSTILE)
    return replace(honest, entrants=tuple(entrants), left_out=((HOSTILE, HOSTILE),))


def test_text_from_a_journal_stays_text(runs_dir: Path) -> None:
    page = render(read_findings(write_hostile(runs_dir)))
    assert page.count("<script") == 1
    assert "<img" not in page
    assert "49" not in re.findall(r"onerror=&#39;hacked=1&#39;&gt;(\S\S)", page)
    assert page.count("&lt;script&gt;window.hacked = 1&lt;/script&gt;") > 10
    assert "default-src 'none'" in page


def test_text_from_a_journal_stays_text_in_a_record(runs_dir: Path) -> None:
    folder = write_hostile(runs_dir)
    odd = folder.rename(folder.with_name("`a|b` <b>![c](d)"))
    text = (record(odd, runs_dir / "records") / "README.md").read_text(encoding="utf-8")
    # As GitHub reads it, HTML included; markdown-it comes with rich.
    page = MarkdownIt("commonmark").enable("table").render(text)
    assert not re.search(r"<(script|img|style|a|b)\b", page)
    assert page.count("&lt;script&gt;window.hacked = 1&lt;/script&gt;") >= 3
    assert "<h1>`a|b` &lt;b&gt;![c](d): No claim yet" in page
    rows = re.findall(r"<tr>\s*(<td>.*?</td>)\s*</tr>", page, flags=re.DOTALL)
    assert len(rows) >= 3
    assert all(row.count("<td>") == 3 for row in rows)
    assert "<code>actsearch report '`a|b` &lt;b&gt;![c](d)'</code>" in page


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x * sigmoid(x)", "x * sigmoid(x)"),
        ("[relu(x), tanh(x)]", r"\[relu(x), tanh(x)\]"),
        ("<img src=x>&amp;", "&lt;img src=x&gt;&amp;amp;"),
        ("![a](http://b)", r"!\[a\](http://b)"),
        ("one\n# two\n", "one # two"),
        ("a | b `c` \\[", r"a \| b \`c\` \\\["),
    ],
)
def test_markdown_shows_text_as_it_is(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("actsearch report demo", "`actsearch report demo`"),
        ("a ``b`` | c", r"``` a ``b`` \| c ```"),
        ("a\nb", "`a b`"),
    ],
)
def test_code_stays_code(text: str, shown: str) -> None:
    assert code(text) == shown


def test_the_report_is_written_as_page_figures_and_tables(write_campaign: WriteCampaign) -> None:
    folder = add_finals(write_campaign())
    page = write_report(folder)
    assert page == folder / "report" / "index.html"
    names = {path.stem for path in page.parent.glob("figures/*.png")}
    assert names == {
        *("functions", "slopes", "progress", "front", "learning-loss", "learning-accuracy"),
        *("finals-relu", "finals-swish", "finals-gelu"),
    }
    assert {path.stem for path in page.parent.glob("figures/*.svg")} == names
    for path in page.parent.glob("figures/*.svg"):
        ElementTree.parse(path)
    table = json.loads((page.parent / "tables" / "leaderboard.json").read_text())
    assert table["columns"][:3] == ["rank", "candidate_id", "expression"]
    assert [row[2] for row in table["data"]][:2] == ["softplus(x) - 0.5", "sin(x) + relu(x)"]
    finals = json.loads((page.parent / "tables" / "finals.json").read_text())
    rows = [dict(zip(finals["columns"], row, strict=True)) for row in finals["data"]]
    assert [row["task"] for row in rows[::6]] == ["digits-mlp", "mnist1d-mlp", "digits-mlp@0.003"]
    assert rows[0]["low_relu"] < rows[0]["difference_relu"] < rows[0]["high_relu"]
    assert rows[0]["verdict"].startswith("better than ReLU")
    relu = next(row for row in rows if row["name"] == "relu")
    assert (relu["difference_relu"], relu["p_relu"]) == (None, None)
    seeds = json.loads((page.parent / "tables" / "finals-seeds.json").read_text())
    assert len(seeds["data"]) == 6 * 3 * SEEDS


def test_the_page_needs_nothing_from_elsewhere(write_campaign: WriteCampaign) -> None:
    page = render(read_findings(add_finals(write_campaign())))
    # Pictures are inside of it; nothing but its tables, which a click opens, lies beside it.
    beside = r"#|data:image/png;base64,|tables/[a-z-]+\.json[\"']"
    assert not re.findall(rf"""(?:src|href)=["'](?!{beside})""", page)
    identities = re.findall(r' id="([^"]*)"', page)
    assert len(identities) == len(set(identities))
    referred = set(re.findall(r"url\(#([^)]*)\)", page)) | set(re.findall(r'href="#([^"]*)"', page))
    assert referred <= set(identities)


def test_the_same_journal_gives_the_same_files(write_campaign: WriteCampaign) -> None:
    folder = add_finals(write_campaign())
    for place in ("a", "b"):
        write_report(folder, folder / place)
    written = sorted(path for path in (folder / "a").rglob("*") if path.is_file())
    assert len(written) > 20
    for path in written:
        assert path.read_bytes() == (folder / "b" / path.relative_to(folder / "a")).read_bytes()


def test_settings_from_the_command_line_are_repeated(
    runs_dir: Path, write_campaign: WriteCampaign
) -> None:
    # The journal of the fixture has a description that its campaign file lacks.
    text = text_of(render(read_findings(write_campaign())))
    assert (
        "actsearch launch demo.toml --set 'description=\"A campaign written by a test.\"'" in text
    )


def test_the_verb_writes_where_it_is_told_and_mirrors_what_lies_with_the_campaign(
    write_campaign: WriteCampaign, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_campaign()
    report_command("demo", output=tmp_path / "page", measure=False, runs_dir=folder.parent)
    assert capsys.readouterr().out == f"{tmp_path / 'page' / 'index.html'}\n"
    assert not (folder.parent / "mlartifacts").exists()
    report_command("demo", measure=False, runs_dir=folder.parent)
    with Store(folder.parent) as store:
        experiment = store.client.get_experiment_by_name("demo")
        (run,) = store.client.search_runs([experiment.experiment_id])
        names = {item.path for item in store.client.list_artifacts(run.info.run_id, "report")}
    assert names == {"report/index.html", "report/figures", "report/tables"}
    tables = json.loads(run.data.tags["mlflow.loggedArtifacts"])
    assert "report/tables/leaderboard.json" in [table["path"] for table in tables]


def test_a_broken_store_costs_no_report(
    write_campaign: WriteCampaign, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_campaign()
    (folder.parent / "mlflow.db").write_text("not a database, and longer than its header is" * 9)
    report_command("demo", measure=False, runs_dir=folder.parent)
    printed = capsys.readouterr()
    assert printed.out == f"{folder / 'report' / 'index.html'}\n"
    assert re.search(
        r"MLflow does not show the report yet .*sync demo --runs-dir .*` completes it", printed.err
    )


def test_a_record_holds_the_small_files_and_says_how_to_recompute_them(
    write_campaign: WriteCampaign, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = add_finals(write_campaign())
    for _ in range(2):
        record_command("demo", runs_dir=folder.parent)
    target = Path(capsys.readouterr().out.splitlines()[-1])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d-demo", target.name)
    kept = {path.name for path in target.iterdir()}
    assert kept == {"README.md", "finals.json.xz", "report"}
    readme = (target / "README.md").read_text()
    assert readme.startswith("# demo: Better than ReLU, Swish and GELU\n")
    assert "    actsearch launch campaign.toml --set name=demo" in readme
    assert "    actsearch finals demo --top 2 --seeds 10 --steps 800 --minutes 10" in readme
    assert " --tasks mnist1d-mlp,mnist-cnn --set half_width=0.2 --set first_seed=1000" in readme
    assert " --set 'learning_rates=[0.003]'" in readme
    assert "| `report/index.html` | the report | `actsearch report demo` |" in readme
    assert "It ended because 2 generations were done. The same settings" in readme


def test_a_record_is_of_one_piece_whatever_report_lies_with_the_campaign(
    write_campaign: WriteCampaign, tmp_path: Path
) -> None:
    folder = write_campaign()
    write_report(folder)
    stale = (folder / "report" / "index.html").read_bytes()
    add_finals(folder)  # as `Campaign.finals` leaves it: without a report
    (folder / "finals.json").write_text('{"claim": "of finals before"}\n')
    target = record(folder, tmp_path / "records")
    page = text_of((target / "report" / "index.html").read_text("utf-8"))
    document = json.loads(lzma.decompress((target / "finals.json.xz").read_bytes()))
    for told in (page, unescape((target / "README.md").read_text("utf-8"))):
        assert "Better than ReLU, Swish and GELU" in told
        assert document["claim"] in told.replace("\N{NO-BREAK SPACE}", " ")
        assert "the finals were not held" not in told
    assert (folder / "report" / "index.html").read_bytes() == stale, "nothing is written there"


def test_finals_that_have_not_ended_are_no_file_of_a_record(
    write_campaign: WriteCampaign, tmp_path: Path
) -> None:
    folder = add_finals(write_campaign(), is_scored=False)
    (folder / "finals.json").write_text('{"claim": "of finals before"}\n')
    target = record(folder, tmp_path / "records")
    assert {path.name for path in target.iterdir()} == {"README.md", "report"}


def test_all_tasks_of_a_search_are_named(write_campaign: WriteCampaign) -> None:
    found = read_findings(add_finals(write_campaign()))
    assert "on digits (" in readme(found, [])
    scoring = {
        **found.launch.settings["scoring"],
        "tasks": ["mnist-deep", found.launch.settings["task"]],
    }
    launch = replace(found.launch, settings={**found.launch.settings, "scoring": scoring})
    several = replace(found, launch=launch)
    both = f"{found.launch.trained_on} and mnist-deep"
    assert f" on {both}. It ended" in readme(several, [])
    assert "tasks 2" in text_of(render(several))


def test_every_figure_of_a_record_follows_from_the_runs_that_it_lists() -> None:
    for path in RECORDS.glob("*/finals.json*"):
        content = path.read_bytes()
        document = json.loads(lzma.decompress(content) if path.suffix == ".xz" else content)
        shown = unescape((path.parent / "README.md").read_text())
        assert shown.count(document["claim"]) == 1
        for card in [card for card in document["cards"] if card["state"] == "scored"]:
            values = {key_of(each): percents(each, card) for each in card["functions"]}
            is_by_loss = document["protocol"]["measure"] == "log test loss"
            gate = document["protocol"].get("gate")
            # Elsewhere test results have nothing of the luck that the leader is chosen by.
            is_apart = card["purpose"] in ("transfer", "resized")
            again = compare(
                {key_of(each): minus_log_losses(each) for each in card["functions"]}
                if is_by_loss
                else values,
                rivals=document["protocol"]["rivals"],
                looks=len(card["looks"]),
                error_rate=document["protocol"]["error_rate"],
                gate=next(
                    (key_of(f) for f in card["functions"] if f["candidate_id"] == gate), None
                ),
                choices=1 if is_apart else document["protocol"].get("choices", 1),
            )
            written = [pair for each in card["functions"] for pair in each["comparisons"]]
            assert [told(pair) for pair in again] == [
                {key: each[key] for key in TOLD} for each in written
            ]
            means = [each["mean_percent"] for each in card["functions"]]
            assert means == pytest.approx([fmean(row) for row in values.values()])


# Intervals were built for each comparison by itself then, and carry Holm's correction now.
TOLD = ("function", "rival", "seeds", "difference", "p", "p_adjusted", "effect_size", "finding")


def told(pair: Comparison) -> dict[str, Any]:
    return {key: getattr(pair, key) for key in TOLD}


def minus_log_losses(function: Mapping[str, Any]) -> list[float]:
    return [-math.log(run["test_loss"]) for run in function["runs"]]


def key_of(function: Mapping[str, Any]) -> str:
    name = function["name"]
    return name if name in CATALOGUE else function["candidate_id"]


def percents(function: Mapping[str, Any], card: Mapping[str, Any]) -> list[float]:
    guess = 1.0 / card["classes"] if card["classes"] else 0.0
    return [
        100.0 * (guess if run["outcome"] == "diverged" else run["test_accuracy"])
        for run in function["runs"]
    ]


def test_a_record_may_keep_the_journal_to_go_on_with(
    write_campaign: WriteCampaign, tmp_path: Path
) -> None:
    folder = add_finals(write_campaign())
    target = record(folder, tmp_path / "records", journal=True)
    assert "unpacked to `runs/demo/journal.sqlite`" in (target / "README.md").read_text("utf-8")
    elsewhere = tmp_path / "elsewhere" / "demo" / FILE_NAME
    elsewhere.parent.mkdir(parents=True)
    elsewhere.write_bytes(lzma.decompress((target / f"{FILE_NAME}.xz").read_bytes()))
    told = []
    for path in (folder / FILE_NAME, elsewhere):
        with Journal(path) as journal:
            told.append(list(journal.events()))
    assert told[0] == told[1]
    assert not (record(folder, tmp_path / "records") / f"{FILE_NAME}.xz").exists()


def test_a_record_refuses_files_that_nobody_wants_to_commit(write_campaign: WriteCampaign) -> None:
    folder = write_campaign()
    (folder / "hall_of_fame.csv").write_bytes(bytes(2_000_001))
    with pytest.raises(RecordError, match=r"fame\.csv has 2,000,001 bytes; at most 2,000,000"):
        record(folder, folder.parent / "records")


@pytest.mark.parametrize(
    ("expression", "markup"),
    [
        ("-(x + 1) * 2", "<mo>(</mo>"),
        ("x ** 2 / 3", "<mfrac>"),
        ("where(x >= 0, x, 0)", "<mtext>otherwise</mtext>"),
        ('param("alpha", 1) * x', "<mi>\N{GREEK SMALL LETTER ALPHA}</mi>"),
        ("1e-9 * x", "<msup><mn>10</mn><mn>-9</mn></msup>"),
        ("clip(x, -1, pi)", "<mi>&pi;</mi>"),
    ],
)
def test_formulas_are_well_formed(expression: str, markup: str) -> None:
    text = mathml(parse(expression))
    assert markup in text
    ElementTree.fromstring(re.sub("&(sigma|pi);", "", text))


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("-2 * x * (sigmoid(-x) - 0.17)", "-2*x*(sigmoid(-x)-0.17)"),
        ("-x * tanh(x)", "-x*tanh(x)"),
        ("1 + -2 * x", "1+(-2*x)"),
        ("-2 * x + 1", "-2*x+1"),
        ("1 - -2 * x * tanh(x)", "1-(-2*x*tanh(x))"),
        ("tanh(x) * (-2 * x)", "tanh(x)*(-2*x)"),
        ("(-2 * x) ** 3", "(-2*x)3"),
        ("-(-2 * x)", "-(-2*x)"),
    ],
)
def test_a_leading_minus_stands_without_parentheses(expression: str, shown: str) -> None:
    tree = ElementTree.fromstring(mathml(parse(expression)).replace("&sigma;", "sigmoid"))
    signs = {"\N{MINUS SIGN}": "-", "\N{DOT OPERATOR}": "*"}
    assert "".join(signs.get(each, each) for each in tree.itertext()) == shown


def test_numbers_are_written_as_people_write_them() -> None:
    assert percent(0.97456) == "97.46 %"
    assert [signed(0.204), signed(-0.204), signed(-0.001)] == [
        "+0.20",
        "\N{MINUS SIGN}0.20",
        "0.00",
    ]
    assert [duration(99), duration(840), duration(7200)] == ["99 s", "14 min", "2.0 h"]
    assert brief(parse("1.4216705742851254 * relu(x)")) == "1.422 * relu(x)"


def test_the_page_of_a_large_campaign_stays_small(write_campaign: WriteCampaign) -> None:
    found = read_findings(write_campaign())
    small = render(found)
    assert "data:image/png" not in small
    assert "prints all)" not in small
    crowd = [
        replace(standing, candidate=replace(standing.candidate, id=f"{number:06x}{place}"))
        for number in range(400)
        for place, standing in enumerate(found.standings)
        if standing.candidate.origin == "discovered"
    ]
    large = replace(found, attempts=found.attempts * 400, standings=(*found.standings, *crowd))
    page = render(large)
    assert page.count("data:image/png;base64,") == 1  # the dots of the progress
    assert len(page) < 1_000_000
    shown = len(large.standings)
    assert f"(the best 2,000 of {shown:,}; <code>actsearch leaderboard demo --json --top " in page
    rows = tables(large)["leaderboard"]
    assert [row["rank"] for row in rows[:2_000]] == list(range(1, 2_001))
    assert all(row["origin"] == "baseline" for row in rows[2_000:])
