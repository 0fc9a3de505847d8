"""One pass of a batch of examples through a network of any kind, as XLA compiles it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from evaluators.recipes.losses import Summed, fits_in_a_kernel
from evaluators.steps.activations import Activations, tied
from evaluators.steps.batches import Examples
from evaluators.steps.calls import Apply, trace
from evaluators.steps.compiling import one_kernel
from evaluators.steps.fitting import Fitted
from evaluators.steps.optimizers import Optimizer
from evaluators.steps.progress import (
    Learnt,
    Mode,
    Progress,
    Sums,
    UnitSums,
)
from evaluators.steps.route import Known, Route
from evaluators.steps.segments import Segment, memory_for, no_gradient, zeros_of
from evaluators.steps.stepping import shown, unchanged
from evaluators.steps.store import Carried, as_it_is, noted, observed, through
from evaluators.steps.store_layout import laid_out, of_call, padded


class GeneralStepper:
    """Passes examples forward, and back where the network is to learn.

    The network is cut at the calls of its activation. A loop runs from call to call: it computes
    the stretch before a call, then the activation. So that occurs in one place, whatever the
    network, and a candidate is compiled once. The way back needs f' only, and is no loop.
    """

    def __init__(
        self,
        fitted: Fitted,
        activations: Activations,
        optimizer: Optimizer,
        *,
        loss: Summed,
        made_of: tuple[Any, Any],
        batch: int,
    ) -> None:
        self._activations, self._optimizer, self._loss = activations, optimizer, loss
        self._batch, self._inputs = batch, fitted.inputs

        def route(apply: Apply, *, is_learning: bool) -> Route:
            traced = trace(
                apply,
                made_of,
                fitted.seen(batch),
                activations=activations,
                numbers=fitted.calls,
                channels=fitted.copies,
            )
            return Route(traced, is_learning=is_learning)

        self._route = route(fitted.apply, is_learning=True)
        self._judged = fitted.judged and route(fitted.judged, is_learning=False)
        self._block, self._places = laid_out([call for _, call in self._route.calls])
        # With a single call XLA ends the process (ir_emitter.cc) where these are kernels, without
        # them it does not: most likely an argument becomes a constant that a kernel cannot take.
        self._kernel: Callable[..., Any] = one_kernel if len(self._turns) > 1 else as_it_is
        self._numbers = self._block * sum(place.blocks for place in self._places)

    @property
    def _routes(self) -> tuple[Route, ...]:
        """As it learns, and as it is judged where that is another way."""
        return (self._route, self._judged) if self._judged else (self._route,)

    @property
    def _turns(self) -> list[int]:
        """Which call each block belongs to."""
        return [n for n, place in enumerate(self._places) for _ in range(place.blocks)]

    def run(
        self,
        functions: Array,
        progress: Progress,
        scopes: Array,
        examples: Examples,
        scale: Array,
        rates: Array,
        span: Array,
        mode: Array,
        keys: Array | None = None,
    ) -> tuple[Progress, Sums]:
        """See `evaluators.steps.stepping.Stepper.run`.

        `keys` are the data of each pass's random key, where the network is told of one.
        """

        def make_pass(number: Array, carried: Carried) -> Carried:
            x, labels, present = self._kernel(shown)(examples, number, scale)
            rate = lax.dynamic_index_in_dim(rates, number, keepdims=False)
            key = keys if keys is None else lax.dynamic_index_in_dim(keys, number, keepdims=False)
            seen = x.reshape(len(x), *self._inputs), key
            return self._pass(functions, carried, scopes, seen, labels, present, rate, mode=mode)

        begun = self._begun(progress)
        done: Carried = lax.fori_loop(span[0], span[1], make_pass, begun)
        return done.progress, done.sums

    def totals(self, sums: Sums) -> dict[str, Any]:
        """As `Stepper.totals` of `stepping`; by call, of those that see every example."""
        totals: dict[str, Any] = {
            name: np.asarray(part, np.float64).sum()
            for name, part in (("loss", sums.loss), ("hits", sums.hits))
        }
        for name, part in sums.units._asdict().items():
            flat = np.asarray(part, np.float64)
            calls = [
                flat[place.first : place.first + place.size].reshape(self._batch, -1).sum(axis=0)
                for place in self._places
                if not place.size % self._batch
            ]
            if name in ("outputs", "zeros"):
                totals[name] = np.array([call.sum() for call in calls])
            else:
                totals[name] = np.concatenate(calls) if calls else np.zeros(0)
        return totals

    @property
    def units(self) -> tuple[int, ...]:
        """Of each call in `totals`."""
        sizes = [place.size for place in self._places]
        return tuple(size // self._batch for size in sizes if not size % self._batch)

    def gradient_norms(self, gradient: Learnt) -> tuple[float, ...]:
        """Of the weights that come into play before each call, and after the last."""
        leaves = jax.tree.leaves(gradient.weights)
        variables = self._route.arguments[: len(leaves)]
        left, norms = dict(zip(variables, leaves, strict=True)), []
        for segment in (*self._route.before, self._route.last):
            own = [np.asarray(left.pop(v)) for v in segment.given if v in left]
            squares = [float(np.square(a, dtype=np.float64).sum()) for a in own if a.ndim > 1]
            if squares:
                norms.append(sum(squares) ** 0.5)
        return tuple(norms)

    def _begun(self, progress: Progress) -> Carried:
        flat, slots = jnp.zeros(self._numbers), self._activations.slots
        by_example = jnp.zeros(self._batch)
        return Carried(
            progress,
            Sums(by_example, by_example, UnitSums(flat, flat, flat, flat)),
            tuple(route.nothing_kept() for route in self._routes),
            jnp.zeros(max((place.blocks for place in self._places), default=0) * self._block),
            jnp.zeros(self._numbers, jnp.complex64),
            jnp.zeros((slots, self._numbers)),
        )

    def _pass(
        self,
        functions: Array,
        carried: Carried,
        scopes: Array,
        seen: tuple[Array, Array | None],
        labels: Array,
        present: Array,
        rate: Array,
        *,
        mode: Array,
    ) -> Carried:
        before, sums = carried.progress, carried.sums
        leaves = jax.tree.leaves((before.learnt.weights, before.state, seen))
        arguments = [*leaves, functions, before.learnt.parameters]
        kept, given, store, partials = self._forward(arguments, functions, carried, mode=mode)
        known, *known_to_judge = (
            route.passed(arguments, own, self._places, store)
            for route, own in zip(self._routes, kept, strict=True)
        )
        last = self._route.last.differentiated

        def learning_end(state: Any) -> tuple[Sequence[Any], Array, Any]:
            ends = last.forward(*(known[v] for v in self._route.last.given))
            return ends, *self._route.ended(known, ends, state)

        if self._judged is None:
            ends, outputs, state = learning_end(before.state)
        else:
            judged, (own,) = self._judged, known_to_judge

            def judged_end(state: Any) -> tuple[Sequence[Any], Array, Any]:
                ends = judged.last(*(own[v] for v in judged.last.given))
                return list(memory_for(last)), *judged.ended(own, ends, state)

            is_judged = mode == Mode.OBSERVE
            ends, outputs, state = lax.cond(is_judged, judged_end, learning_end, before.state)
        known |= zip(self._route.last.yields, ends, strict=False)
        loss_of = self._kernel(self._loss) if fits_in_a_kernel(self._loss, outputs) else self._loss
        loss, hits, by_outputs = loss_of(sums.loss, sums.hits, outputs, labels, present)

        def differentiate() -> Learnt:
            by = self._backward(known, kept[0], ends, store, partials, by_outputs)
            return self._gradient(before, by, scopes, functions)

        def nothing() -> Learnt:
            zeros: Learnt = jax.tree.map(jnp.zeros_like, before.learnt)
            return zeros

        def observe(units: UnitSums) -> UnitSums:
            sums: UnitSums = self._kernel(observed)(units, store, self._counting(present))
            return sums

        gradient: Learnt = lax.cond(mode != Mode.OBSERVE, differentiate, nothing)
        stepped = lax.cond(
            mode == Mode.LEARN,
            lambda p: p.stepped(self._optimizer, gradient=gradient, rate=rate)._replace(
                state=state
            ),
            unchanged,
            before,
        )
        learnt = lax.cond(mode == Mode.MEASURE, lambda _: gradient, unchanged, stepped.learnt)
        after = stepped._replace(learnt=learnt)
        units: UnitSums = lax.cond(mode == Mode.OBSERVE, observe, unchanged, sums.units)
        return Carried(after, Sums(loss, hits, units), kept, given, store, partials)

    def _forward(
        self, arguments: Sequence[Any], functions: Array, carried: Carried, *, mode: Array
    ) -> Any:
        """All calls, and what is kept of the stretches before them."""
        passing = carried.kept, carried.given, carried.store, carried.partials
        if not self._places:
            # All calls are inside loops of the network's own, and compiled where they are.
            return passing
        turns, block = self._turns, self._block
        firsts = {call: turns.index(call) for call in range(len(self._places))}
        numbers = [number for number, _ in self._route.calls]
        call_of_turn = jnp.asarray([numbers[call] for call in turns], jnp.int32)
        own_first = jnp.asarray([(n - firsts[c]) * block for n, c in enumerate(turns)], jnp.int32)
        spread = self._spread(carried.progress.learnt.parameters)

        def turn(number: Array, passing: Any) -> Any:
            kept, given, store, partials = passing
            kept = [list(own) for own in kept]
            for route, own in zip(self._routes, kept, strict=True):
                known = route.begun(arguments)
                for call, segment in enumerate(route.before):
                    own[call], given = lax.cond(
                        self._is_taken(route, mode, number == firsts[call]),
                        partial(self._stretch, route, call, known, store),
                        unchanged,
                        (own[call], given),
                    )
                    # As it is now: for one to read what it was, XLA would copy it every turn.
                    known = known | dict(zip(segment.yields, own[call], strict=False))
            function = functions[call_of_turn[number]]
            z = lax.dynamic_slice(given, (own_first[number],), (block,))
            at = number * block
            parameters = lax.dynamic_slice(spread, (0, at), (len(spread), block))
            activated = self._activations(function, z[None], parameters)
            store, partials = self._kernel(noted)(store, partials, activated, at)
            return tuple(map(tuple, kept)), given, store, partials

        return lax.fori_loop(0, len(turns), turn, passing)

    def _is_taken(self, route: Route, mode: Array, is_due: Array) -> Array:
        """Whether a stretch is to be computed: it is due, and the network goes this way."""
        if self._judged is None:
            return is_due
        return is_due & ((mode == Mode.OBSERVE) == (route is self._judged))

    def _stretch(
        self, route: Route, call: int, known: Known, store: Array, before: tuple[Any, Array]
    ) -> tuple[Any, Array]:
        """What a stretch keeps, and what it gives to the activation."""
        # Here, where it is read: outside of the choice it would be taken from the store every turn.
        kept, z = route.stretch(call, known, self._places, store)
        return kept, lax.dynamic_update_slice(before[1], z, (0,))

    def _backward(
        self,
        known: Known,
        kept: Sequence[Any],
        ends: Sequence[Any],
        store: Array,
        partials: Array,
        by_outputs: Array,
    ) -> Known:
        """Gradients by all variables, and by each call's parameters under its number."""
        by: Known = {self._route.outputs: by_outputs}

        def pull(segment: Segment, own: Sequence[Any]) -> None:
            gradients = [by[v] if v in by else no_gradient(v) for v in segment.yields]
            form = segment.differentiated
            given = [known[v] for v in segment.given]
            pulled = form.backward(given, own, gradients)
            for variable, part in zip(form.moving, pulled, strict=True):
                by[variable] = by[variable] + part if variable in by else part

        pull(self._route.last, ends)
        for number in reversed(range(len(self._route.before))):
            index, call = self._route.calls[number]
            by_result = by[call.result] if call.result in by else zeros_of(call.result)
            place = self._places[number]
            by[index] = [
                jnp.sum(
                    (by_result.reshape(-1) * of_call(place, row)).reshape(-1, call.channels), axis=0
                )
                for row in partials
            ]
            by_z = self._kernel(partial(through, place))(by_result, store)
            by[call.given] = by[call.given] + by_z if call.given in by else by_z
            pull(self._route.before[number], kept[number])
        return by

    def _gradient(
        self, progress: Progress, by: dict[Any, Any], scopes: Array, functions: Array
    ) -> Learnt:
        leaves, form = jax.tree.flatten(progress.learnt.weights)
        variables = self._route.arguments
        weights = [by[v] if v in by else zeros_of(v) for v in variables[: len(leaves)]]
        parameters = progress.learnt.parameters
        by_parameters = by.get(variables[-1], jnp.zeros_like(parameters))
        calls, slots, copies = parameters.shape
        if slots:
            rows = [
                by_parameters[n] + jnp.stack([padded(g, copies) for g in by[n]])
                if n in by
                else by_parameters[n]
                for n in range(calls)
            ]
            stacked = jnp.stack(rows)
            by_parameters = tied(stacked, scopes, functions, channels=(copies,) * calls)
        return Learnt(jax.tree.unflatten(form, weights), by_parameters)

    def _spread(self, parameters: Array) -> Array:
        """Every number's own copy of the parameters [slots, numbers]."""
        slots = parameters.shape[1]
        if not slots:
            return jnp.zeros((0, self._numbers))
        rows = []
        for (number, call), place in zip(self._route.calls, self._places, strict=True):
            own = parameters[number, :, None, : call.channels]
            times = place.size // call.channels
            spread = jnp.broadcast_to(own, (slots, times, call.channels)).reshape(slots, -1)
            rows.append(jnp.pad(spread, ((0, 0), (0, place.blocks * self._block - place.size))))
        return jnp.concatenate(rows, axis=1)

    def _counting(self, present: Array) -> Array:
        """Which of the numbers in the store are an example's [numbers]."""
        rows = [present[:0]] if not self._places else []
        for place in self._places:
            units = place.size // self._batch
            each = jnp.broadcast_to(present[:, None], (self._batch, units)).reshape(-1)
            rows.append(jnp.pad(each, (0, place.blocks * self._block - each.size)))
        return jnp.concatenate(rows)
