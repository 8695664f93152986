"""One model call of an agent, taken as a turn: the same flow as in the graph, each segment sent through the agent's own `handler`.

So whatever middleware stands further in wraps every segment, and what the agent adds to a call (tools of a response format, its name) is
added to each.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from langchain.agents.middleware.types import ExtendedModelResponse, ModelRequest, ModelResponse
from langchain.agents.structured_output import StructuredOutputValidationError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.runnables.config import ensure_config
from langgraph.types import Command

from lg_toolroute.clients.wrappers import first_leaf
from lg_toolroute.core.turn.flow import Flow, ask, begin, hand_off, select
from lg_toolroute.core.turn.selection import Scene
from lg_toolroute.core.turn.turn import Turn, advance
from lg_toolroute.errors import AnswerRejected, ChainExhausted
from lg_toolroute.gates.gate import Gate, gate_of, gated
from lg_toolroute.gates.reasoning import ReasonGate
from lg_toolroute.router import tool_name
from lg_toolroute.runner import events
from lg_toolroute.runner.drivers import adrive, drive
from lg_toolroute.runner.landing import Part, land
from lg_toolroute.runner.request import Request
from lg_toolroute.state import context_value
from lg_toolroute.surfaces.graph.nodes import new_call_id, new_message_id
from lg_toolroute.surfaces.middleware.answer import parsed
from lg_toolroute.surfaces.middleware.model import WrappedModel, plain, spec_of
from lg_toolroute.surfaces.middleware.performer import SegmentPerformer, exhausted
from lg_toolroute.surfaces.middleware.request_fit import fit_settings, fit_system, fit_tools
from lg_toolroute.surfaces.middleware.segment import Segment, segment_of
from lg_toolroute.surfaces.middleware.stage import Primary, Terms, forced_tool, stage_of

Handler = Callable[[ModelRequest[Any]], ModelResponse[Any]]
AHandler = Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
Result = ModelResponse[Any] | ExtendedModelResponse[Any]


class AgentTurn:
    """One turn of an agent.

    Args:
        terms: What holds for all turns.
        request: The agent's request.
        primary: The agent's own model.
    """

    def __init__(self, terms: Terms, request: ModelRequest[Any], primary: Primary) -> None:
        self._terms = terms
        self._request = request
        self._primary = primary
        runtime = request.runtime
        self._context = runtime.context if runtime is not None else None
        self._emit: events.Emit = runtime.stream_writer if runtime is not None else events.silent
        self._expected: str | None = request.state.get("expected_tool")  # type: ignore[assignment]  # a key of our own in the state
        self._structured: Any = None
        self._extras: list[BaseMessage] = []
        self._json_cut = False
        self.stage = stage_of(terms, request, primary, self._expected)

    @property
    def scene(self) -> Scene:
        return self.stage.scene

    @property
    def idle(self) -> bool:
        """The configuration names no other model and takes away no tool: there is nothing to decide."""
        if not self._primary.used or not set(self._terms.router.book.specs()) <= {self._primary.spec} or context_value(self._context, "model"):
            return False
        return len(self.scene.bound_for(self._primary.spec)) == len(self.scene.tools)

    # -- from beginning to end --------------------------------------------------------------------------------------------------------

    def run(self, handler: Handler) -> Result:
        """The agent's answer.

        Raises:
            ChainExhausted: No model is left that could go on.
        """
        if self.idle:
            return self._untouched(handler(self._request))
        turn, parts = self._begun()

        def send(request: Request) -> AIMessage:
            try:
                return self._message(request, handler(self._segment(request, sync=True)))
            except StructuredOutputValidationError as error:
                return self._cut_short(request, error)

        performer = SegmentPerformer(self.stage, parts, send=send, emit=self._emit)
        try:
            turn = drive(self._flow(turn), performer.perform)
        except ChainExhausted as error:
            raise exhausted(self._terms.router.with_causes(error, turn.id)) from None
        return self._result(turn, performer.parts)

    async def arun(self, handler: AHandler) -> Result:
        """The agent's answer, awaited.

        Raises:
            ChainExhausted: No model is left that could go on.
        """
        if self.idle:
            return self._untouched(await handler(self._request))
        turn, parts = self._begun()

        async def asend(request: Request) -> AIMessage:
            try:
                return self._message(request, await handler(self._segment(request, sync=False)))
            except StructuredOutputValidationError as error:
                return self._cut_short(request, error)

        performer = SegmentPerformer(self.stage, parts, asend=asend, emit=self._emit)
        try:
            turn = await adrive(self._flow(turn), performer.aperform)
        except ChainExhausted as error:
            raise exhausted(self._terms.router.with_causes(error, turn.id)) from None
        return self._result(turn, performer.parts)

    def _untouched(self, response: ModelResponse[Any]) -> Result:
        if not self._expected:
            return response
        return ExtendedModelResponse(response, Command(update={"expected_tool": None}))

    def _begun(self) -> tuple[Turn, list[Part]]:
        parked = parked_turn(self._request.state) if self._terms.parks else None
        if parked is not None:
            data = self._request.state["toolroute"]  # type: ignore[typeddict-item]  # a key of our own in the state
            self._extras, self._structured = list(data.get("extras", ())), data.get("structured")
            return parked, [Part.from_dict(part) for part in data["parts"]]
        return begin(new_message_id(), _base_of(self._request.state), self.scene, new_call_id), []

    def _flow(self, turn: Turn) -> Flow:
        resumed = turn.phase == "hand_off"
        while turn.phase != "done":
            if turn.phase == "select":
                turn = yield from select(turn, self.scene)
            elif turn.phase == "ask":
                turn = yield from ask(turn)
            elif turn.phase == "advance":
                turn = advance(turn)
            elif self._terms.parks and not resumed and not self._needs_drafts(turn):
                return turn
            else:
                turn = hand_off(turn, self.scene)
                for event in events.handed_off(turn):
                    self._emit(event)
        return turn

    def _needs_drafts(self, turn: Turn) -> bool:
        """A draft is never written into the state, where a consumer could see it."""
        return any(self.scene.decide(call.tool, "intercepted")[0].options.handoff == "draft" for call in turn.pending)

    # -- one segment -------------------------------------------------------------------------------------------------------------------

    def _segment(self, request: Request, *, sync: bool) -> Segment:
        given = self.stage.given.get(request.spec)
        leaf = first_leaf(request.model)

        def behind_gate(model: BaseChatModel, spec: str = request.spec) -> BaseChatModel:
            models = self._terms.router.models
            limits = models.limits(spec, sync=sync, given=given is not None or spec != request.spec)
            return gated(model, request.gate, stream_always=request.stream_always, limits=limits, binder=models.bound)

        def regate(model: Any, tools: list[Any]) -> Mapping[str, Any]:
            if isinstance(model, WrappedModel) or gate_of(first_leaf(model)) is not None:
                return {}
            request.gate.model = spec = self._terms.router.models.spec_of(model) or spec_of(model)
            allowed = self._terms.router.tools_for(spec, tools, agent=self.scene.agent)
            return {"model": self._agent_model(model, lambda each: behind_gate(each, spec))[0], "tools": allowed}

        model, settings = self._agent_model(request.model, behind_gate)
        its_own = given is not None
        names = {tool_name(tool) for tool in request.tools}
        forced = forced_tool(request.tool_choice, {*names, *self.scene.names})
        return segment_of(
            self._request,
            regate,
            model=model,
            messages=request.messages,
            system_message=request.system if its_own else fit_system(request.system, leaf),
            tools=fit_tools(request.tools, its_own=its_own, writes=bool(request.job.tools)),
            tool_choice=request.tool_choice if forced is None or forced in names else None,
            # A routed call is no answer; and text that goes on where JSON was cut off is none that a provider could check.
            response_format=None if request.job.tools or self._json_cut else self._request.response_format,
            model_settings={**settings, **(self._request.model_settings if its_own else fit_settings(self._request.model_settings, leaf))},
        )

    def _agent_model(self, model: Any, change: Callable[[BaseChatModel], BaseChatModel]) -> tuple[Any, dict[str, Any]]:
        found = plain(model)
        if found is None:
            return WrappedModel(model, change, ensure_config()), {}
        leaf, settings = found
        return change(leaf), settings

    def _message(self, request: Request, response: ModelResponse[Any]) -> AIMessage:
        message = next((each for each in response.result if isinstance(each, AIMessage)), None)
        if message is None:
            raise AnswerRejected(request.spec, "empty_response", "no message came back through the middleware further in")
        if not request.job.tools:
            self._structured = response.structured_response
            self._extras.extend(each for each in response.result if each is not message)
        return message

    def _cut_short(self, request: Request, error: StructuredOutputValidationError) -> AIMessage:
        """The text of an answer that was stopped or broke off: it was never meant to be parsed."""
        gate: Gate = request.gate
        if not isinstance(gate, ReasonGate) or not (gate.hit or gate.error or gate.rejected):
            raise error
        self._json_cut = self._json_cut or gate.hit is None
        return error.ai_message

    # -- what the agent gets -----------------------------------------------------------------------------------------------------------

    def _result(self, turn: Turn, parts: list[Part]) -> Result:
        update: dict[str, Any] = {"expected_tool": None} if self._expected else {}
        if turn.phase != "done":
            parked = {"turn": turn.to_dict(), "parts": [part.to_dict() for part in parts], "extras": self._extras}
            if self._structured is not None:
                parked["structured"] = self._structured
            return ExtendedModelResponse(ModelResponse(result=[]), Command(update={**update, "toolroute": parked}))
        message = land(turn, parts)
        record = message.response_metadata["toolroute"]
        self._emit(events.landed(turn, record))
        structured = self._structured
        if self._json_cut and not message.tool_calls:
            structured = parsed(message, self._request.response_format)
        ids = {call["id"] for call in message.tool_calls}
        extras = [each for each in self._extras if not isinstance(each, ToolMessage) or each.tool_call_id in ids]
        response = ModelResponse(result=[message, *extras], structured_response=structured)
        return ExtendedModelResponse(response, Command(update={**update, "toolroute": {"record": record}}))


def _base_of(state: Mapping[str, Any]) -> str | None:
    """The id of the thread's last message. Not of the request's: a middleware may add words of its own to that."""
    messages = state.get("messages") or []
    return messages[-1].id if messages else None


def parked_turn(state: Mapping[str, Any]) -> Turn | None:
    """The turn whose routed call is still to be written; `None` if there is none, or if the thread has gone on without it."""
    data = state.get("toolroute")
    if not data or "turn" not in data:
        return None
    turn = Turn.from_dict(data["turn"])
    return turn if turn.base == _base_of(state) else None
