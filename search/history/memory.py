"""The journal as a memory: what was measured once is read, and not measured again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from evaluators.evaluation.evaluation import Evaluation
from grammars import Activation, activation_id
from search.history.documents import find_measurement, write
from search.history.events import Measured
from search.journal.journal import Journal


def remembered(
    journal: Journal,
    functions: Sequence[Activation],
    *,
    key: Callable[[str], str],
    evaluate: Callable[[list[Activation]], Iterable[list[Evaluation]]],
) -> dict[str, Evaluation]:
    """One evaluation of each function by its id, durable by then.

    Args:
        journal: Of the campaign.
        functions: Equal ones count once.
        key: Under which the evaluation of an id is in the journal.
        evaluate: Yields those of functions that it does not hold, batch by batch; it is not called
            where there are none.
    """
    distinct = {activation_id(each): each for each in functions}
    found = {each: find_measurement(journal, key(each)) for each in distinct}
    missing = [function for identity, function in distinct.items() if found[identity] is None]
    for batch in evaluate(missing) if missing else ():
        write(journal, (Measured(key(each.candidate_id), each) for each in batch))
        found |= {each.candidate_id: each for each in batch}
    return {identity: each for identity, each in found.items() if each is not None}
