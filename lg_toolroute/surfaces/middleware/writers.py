"""Which model answers behind a gate: the candidate that was asked, or one that a middleware further in put in its place.

All models of one request share its gate, since only one of their answers counts. What differs from model to model is the name under which the
answer is recorded, the tools at which the model is stopped, and the tools it is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import is_
from typing import Any, NoReturn

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables.config import ensure_config

from lg_toolroute.clients.bindings import Bound
from lg_toolroute.clients.wrappers import first_leaf, is_configurable, leaves
from lg_toolroute.core.rules.spec import canonical
from lg_toolroute.core.rules.tools import named_tools, tool_name
from lg_toolroute.core.turn.inputs import TurnInputs
from lg_toolroute.errors import AnswerRejected
from lg_toolroute.gates.gate import Gate, Prepare, gate_of, gated
from lg_toolroute.gates.reasoning import ReasonGate
from lg_toolroute.gates.writing import WriteGate
from lg_toolroute.history.target import model_name
from lg_toolroute.router import ToolRouter
from lg_toolroute.runner.request_parts import Request
from lg_toolroute.surfaces.middleware.agent_model import WrappedModel, plain, spec_of


class Writers:
    """The models that may answer one request, each behind the request's gate.

    Args:
        router: Rules and models.
        inputs: What the turn reads.
        request: What is asked.
        sync: It is asked plainly.
    """

    def __init__(self, router: ToolRouter, inputs: TurnInputs, request: Request, *, sync: bool) -> None:
        self._router = router
        self._inputs = inputs
        self._request = request
        self._sync = sync
        self._tools = list(request.tools)

    def asked(self, *, its_own: bool, known: bool) -> tuple[Any, dict[str, Any]]:
        """The model that is asked, gated, and the settings bound to it.

        Args:
            its_own: It is the agent's own model.
            known: The router was handed this very model, with all that stands inside it, under its spec. Otherwise what stands in for the agent's
                model inside (its fallbacks) goes by names of its own.
        """
        model, spec = self._request.model, self._request.spec
        first = None if is_configurable(model) else first_leaf(model)
        by_itself = its_own and first is not None and not known
        return self._gated(model, lambda leaf: self._spec(leaf) if by_itself and leaf is not first else spec, given=its_own)

    def put_in(self, model: Any, tools: Sequence[Any]) -> Mapping[str, Any]:
        """What changes in a request into which a middleware further in put a model or tools: the model gets the gate."""
        self._tools.extend(tools)
        inside = [] if is_configurable(model) else leaves(model)
        if isinstance(model, (WrappedModel, BarredModel)) or (inside and all(gate_of(leaf) is not None for leaf in inside)):
            return {}
        known = self._router.models.spec_of(model)
        others = {known or self._spec(leaf) for leaf in inside if gate_of(leaf) is None} or {known or spec_of(model)}
        if (outsider := next((spec for spec in others if self._is_barred(spec)), None)) is not None:
            return {"model": BarredModel(self._barred(outsider))}
        return {"model": self._gated(model, lambda leaf: known or self._spec(leaf), given=True)[0]}

    def take_late(self, message: AIMessage) -> None:
        """Take a message that did not come through the gate: the gate names the model that the message says it is from.

        Raises:
            AnswerRejected: It writes a call behind a boundary, and nothing shows that it is from the model that may.
        """
        gate, spec = self._request.gate, self._request.spec
        if message.id == gate.message_id:
            return
        gate.model = _told_writer(message, spec)
        if gate.saw_chunk:
            return  # made of an answer that the gate has seen
        if self._is_barred(None):
            raise self._barred("another answer")
        if isinstance(gate, ReasonGate):
            gate.gates = {**gate.gates, **self._boundaries(None)}

    def _spec(self, leaf: BaseChatModel) -> str:
        return self._router.models.spec_of(leaf) or spec_of(leaf)

    def _gated(self, model: Any, spec: Any, *, given: bool) -> tuple[Any, dict[str, Any]]:
        def change(leaf: BaseChatModel) -> BaseChatModel:
            return leaf if gate_of(leaf) is not None else self._behind_gate(leaf, spec(leaf), given=given)

        found = plain(model)
        if found is None:
            return WrappedModel(model, change, ensure_config()), {}
        leaf, settings = found
        return change(leaf), settings

    def _behind_gate(self, leaf: BaseChatModel, spec: str, *, given: bool) -> BaseChatModel:
        models, agent = self._router.models, self._inputs.agent

        def binder(model: BaseChatModel, tools: Sequence[Any], tool_choice: Any = None, **settings: Any) -> Bound:
            if tools and spec == self._request.spec and len(tools) == len(self._request.tools) and all(map(is_, tools, self._request.tools)):
                return models.bound(model, tools, tool_choice, **settings)  # as they were picked for this very model
            # A tool of a response format, which the agent adds last, is nothing that a policy could deny.
            known = {tool_name(tool) for tool in self._tools}
            named = named_tools([tool for tool in tools if tool_name(tool) in known])
            allowed = self._router.book.toolsets.allowed(spec, named, agent=agent)
            bound: Sequence[Any] = [tool for tool in tools if tool_name(tool) in allowed or tool_name(tool) not in known]
            if not bound:
                return Bound(model, dict(settings))
            chosen = tool_choice if len(bound) == len(tools) or tool_choice not in known or tool_choice in allowed else None
            if spec != self._request.spec and self._request.job.calls:
                health = self._router.health
                wanted = self._request.job.tools
                bound, chosen = models.ways.stand_in(spec, model, bound, chosen, wanted, health.known(spec).refuses(health.now()))
            return models.bound(model, bound, chosen, **settings)

        limits = models.limits(spec, sync=self._sync, given=given)
        stream_always, prepare = self._request.stream_always, self._request.prepare(leaf)
        if self._is_barred(spec):  # a fallback inside the model that was asked: nothing is sent to it
            prepare = self._refusing(spec)
        return gated(leaf, self._view(spec, leaf), stream_always=stream_always, limits=limits, binder=binder, prepare=prepare)

    def _refusing(self, spec: str) -> Prepare:
        def refuse(model: BaseChatModel, messages: list[BaseMessage], settings: dict[str, Any]) -> NoReturn:
            raise self._barred(spec)

        return refuse

    def _view(self, spec: str, leaf: BaseChatModel) -> Gate:
        """The request's gate for one of its models.

        The view shares the gate's `__dict__`, so there is one state. Its `restart` runs when this model's stream begins, and writes this model's
        names and stops into that state.
        """
        gate = self._request.gate
        if isinstance(gate, WriteGate):
            writes = object.__new__(_WriteView)
            writes.__dict__ = gate.__dict__
            writes.spec = spec
            return writes
        reasons = object.__new__(_ReasonView)
        reasons.__dict__ = gate.__dict__
        reasons.spec, reasons.name, reasons.stops = spec, model_name(leaf), gate.gates
        if spec != self._request.spec:  # `gate.gates` was made for the model that was asked
            reasons.stops = {**gate.gates, **self._boundaries(spec)}
        return reasons

    def _boundaries(self, spec: str | None) -> Mapping[str, str]:
        """The tools behind a boundary that this model (`None`: an unknown one) stands outside of, with `cut` or `drain`."""
        decided = ((name, self._inputs.decision(name, "intercepted")) for name in self._inputs.routed)
        return {name: decision.options.on_intercept for name, decision in decided if decision.options.boundary and spec not in decision.chain}

    def _is_barred(self, spec: str | None) -> bool:
        """Whether the call that is to be written stands behind a boundary, and this model (`None`: an unknown one) outside of it."""
        job = self._request.job
        return bool(job.calls) and job.decision is not None and job.decision.options.boundary and spec not in job.decision.chain

    def _barred(self, spec: str) -> AnswerRejected:
        detail = f"{spec} was put in its place, and the rule lets no other model write this call"
        return AnswerRejected(self._request.spec, "invalid_tool_call", detail)


class BarredModel:
    """Stands in for a model that may not write the call: nothing is sent to it."""

    def __init__(self, error: AnswerRejected) -> None:
        self._error = error

    def _refuse(self, *args: Any, **settings: Any) -> NoReturn:
        raise self._error

    bind = bind_tools = invoke = ainvoke = stream = astream = _refuse


class _ReasonView(ReasonGate):
    """The gate of a reasoning model, for one of the models that may answer."""

    __slots__ = ("name", "spec", "stops")
    spec: str
    name: str
    stops: Mapping[str, str]

    def restart(self) -> None:
        super().restart()
        self.model, self.named, self.gates = self.spec, self.name, self.stops
        self.bound = frozenset(self.bound) | frozenset(self.stops)


class _WriteView(WriteGate):
    """The gate of a model that writes a call, for one of the models that may answer."""

    __slots__ = ("spec",)
    spec: str

    def restart(self) -> None:
        super().restart()
        self.model = self.spec


def _told_writer(message: AIMessage, asked: str) -> str:
    """The model that a message says it is from; the one that was asked, where it does not say, or says that very model's name."""
    metadata = message.response_metadata
    provider, name = metadata.get("model_provider"), metadata.get("model_name") or metadata.get("model")
    if not isinstance(name, str) or not name or name == asked.partition("/")[2]:
        return asked
    return canonical(f"{provider if isinstance(provider, str) and provider else 'unknown'}/{name}")
