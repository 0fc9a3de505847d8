"""The smallest function that does as well as a given one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from evaluators.evaluation.evaluation import Evaluation
from grammars import Expression, Grammar, expression_id
from search.polishing.expecting import Expecting
from search.polishing.simpler_forms import complexity, simpler_forms
from search.polishing.trials import is_no_worse

# Trained together before one of them is chosen.
_TOGETHER: Final = 4


def simplified(
    function: Expression,
    reference: Evaluation,
    *,
    grammar: Grammar,
    expecting: Expecting,
    trials: Callable[[Sequence[Expression]], Sequence[Evaluation]],
    trainings: int,
    may_be: Callable[[Expression], bool],
) -> list[tuple[Expression, Evaluation]]:
    """Goes down from form to simpler form, as long as one does as well.

    Every form is compared with the function at the top, so that small losses don't add up.

    Args:
        function: The function at the top.
        reference: Its evaluation on the last rung.
        grammar: What may be written.
        expecting: Says which forms are trained first.
        trials: Train them.
        trainings: At most.
        may_be: Whether a function may take its place at all.

    Returns:
        The forms on the way, the simplest last; empty if none does as well.
    """
    path: list[tuple[Expression, Evaluation]] = []
    tried = {expression_id(function)}
    while trainings > 0:
        top = path[-1][0] if path else function
        forms = {
            key: form
            for form in simpler_forms(top, grammar)
            if (key := expression_id(form)) not in tried and may_be(form)
        }
        promising = expecting.promising(list(forms.values()), like=function)
        chosen = promising[: min(_TOGETHER, trainings)]
        if not chosen:
            break
        trainings -= len(chosen)
        tried.update(expression_id(form) for form in chosen)
        equal = [
            (form, evaluation)
            for form, evaluation in zip(chosen, trials(chosen), strict=True)
            if is_no_worse(evaluation, reference)
        ]
        if equal:
            path.append(min(equal, key=lambda each: (complexity(each[0]), str(each[0]))))
    return path
