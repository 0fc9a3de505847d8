"""Lineage: shared ancestors are told once, circles and crowds end."""

from __future__ import annotations

from collections.abc import Mapping

from search.candidates.candidate import Candidate
from search.standings.lineage import DEEPEST, MOST_ANCESTORS, Ancestor, lineages


def family(parents: Mapping[str, tuple[str, ...]]) -> dict[str, Candidate]:
    """Candidates by name, each with the parents given."""
    return {
        name: Candidate(name, "relu(x)", "discovered", 0, above, "crossover")
        for name, above in parents.items()
    }


def lineage(candidate_id: str, candidates: Mapping[str, Candidate]) -> Ancestor:
    (tree,) = lineages([candidate_id], candidates, {})
    return tree


def names(tree: Ancestor) -> list[str]:
    return [ancestor.candidate.id for ancestor in tree.walk()]


def test_ancestors_are_followed_branch_by_branch() -> None:
    tree = lineage("d", family({"d": ("b", "c"), "b": ("a",), "c": (), "a": ()}))
    assert names(tree) == ["d", "b", "a", "c"]
    assert tree.standing is None


def test_a_shared_ancestor_is_expanded_once() -> None:
    tree = lineage("d", family({"d": ("b", "c"), "b": ("a",), "c": ("b",), "a": ()}))
    assert names(tree) == ["d", "b", "a", "c", "b"]
    assert [ancestor.is_repeated for ancestor in tree.walk()] == [False] * 4 + [True]


def test_a_circle_ends_and_an_unknown_parent_is_left_out() -> None:
    tree = lineage("a", family({"a": ("b", "unknown"), "b": ("a",)}))
    assert names(tree) == ["a", "b", "a"]


def test_long_and_broad_trees_are_cut_and_say_so() -> None:
    long = {str(n): (str(n + 1),) for n in range(50)} | {"50": ()}
    tree = lineage("0", family(long))
    assert len(names(tree)) == DEEPEST + 1
    assert [ancestor.hidden for ancestor in tree.walk()][-1] == 1
    broad = {"child": tuple(str(n) for n in range(200))} | {str(n): () for n in range(200)}
    tree = lineage("child", family(broad))
    assert len(names(tree)) == MOST_ANCESTORS
    assert tree.hidden == 200 - (MOST_ANCESTORS - 1)


def test_trees_share_what_was_expanded_and_each_has_its_full_size() -> None:
    shared = {"d": ("b",), "e": ("b", "c"), "b": ("a",), "c": (), "a": ()}
    first, second = lineages(["d", "e"], family(shared), {})
    assert (names(first), names(second)) == (["d", "b", "a"], ["e", "b", "c"])
    assert [ancestor.is_repeated for ancestor in second.walk()] == [False, True, False]
    broad = {"x": tuple(f"x{n}" for n in range(99)), "y": tuple(f"y{n}" for n in range(99))}
    parentless = dict.fromkeys([*broad["x"], *broad["y"]], ())
    trees = lineages(["x", "y"], family({**broad, **parentless}), {})
    assert [len(names(tree)) for tree in trees] == [MOST_ANCESTORS] * 2


def test_who_was_cut_off_in_one_place_is_expanded_where_there_is_room() -> None:
    # "deep" is met at the greatest depth first, then as a parent of the root.
    chain = {str(n): (str(n + 1),) for n in range(1, DEEPEST - 1)}
    deep = {"0": ("1", "deep"), **chain, str(DEEPEST - 1): ("deep",), "deep": ("last",), "last": ()}
    tree = lineage("0", family(deep))
    first, second = [each for each in tree.walk() if each.candidate.id == "deep"]
    assert (first.hidden, first.is_repeated) == (1, False)
    assert [parent.candidate.id for parent in second.parents] == ["last"]
    crowd = {"child": tuple(str(n) for n in range(200)), **{str(n): () for n in range(200)}}
    _, again = lineages(["child", "child"], family(crowd), {})
    assert not again.is_repeated
