"""One model call of an agent, taken as a turn; each request is sent through the agent's own `handler`.

So every middleware further in wraps every request, and what the agent adds to a call (tools of a response format, its name) is added to each.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain.agents.middleware.types import ExtendedModelResponse, ModelRequest, ModelResponse
from langchain.agents.structured_output import StructuredOutputValidationError
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langgraph.types import Command

from lg_toolroute.clients.wrappers import first_leaf
from lg_toolroute.core.rules.tools import Tools, tool_name
from lg_toolroute.core.turn.turn import PHASES
from lg_toolroute.errors import AnswerRejected, ChainExhausted
from lg_toolroute.gates.reasoning import ReasonGate
from lg_toolroute.router import ToolRouter
from lg_toolroute.runner import events
from lg_toolroute.runner.inputs import IsFailure, read_inputs
from lg_toolroute.runner.overrides import Overrides, read_expected
from lg_toolroute.runner.request_parts import Request
from lg_toolroute.runner.requests import RequestBuilder
from lg_toolroute.runner.runner import TurnRunner, resumed
from lg_toolroute.surfaces.middleware.gated_request import GatedModelRequest, gated_request
from lg_toolroute.surfaces.middleware.request_fit import fit_settings, fit_system, fit_tools
from lg_toolroute.surfaces.middleware.structured import parsed
from lg_toolroute.surfaces.middleware.writers import Writers

Handler = Callable[[ModelRequest[Any]], ModelResponse[Any]]
AHandler = Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
Response = ModelResponse[Any] | ExtendedModelResponse[Any]


@dataclass(frozen=True, slots=True)
class AgentModel:
    """The agent's own model, as an outer middleware left it, and what it is in this turn.

    Attributes:
        spec: Its spec.
        model: The model.
        used: It is one of the models of this turn; otherwise the configuration names another primary.
        first: It stands in front of the configured primary.
        built: The models that the agent was built with, by spec, where an outer middleware put this one in their place.
    """

    spec: str
    model: Any
    used: bool
    first: bool = False
    built: Mapping[str, Any] = field(default_factory=dict)


class AgentTurn:
    """One turn of an agent; the `Surface` of its runner.

    Args:
        router: Rules, models, health.
        request: The agent's request.
        own: The agent's own model.
        overrides: The run's agent, role and model.
        named: The name and the tags of each tool of the request.
        is_failure: Says whether a tool's result is a failure.
        parks: The turn is parked in the state once a routed call was named, before that call is written.
    """

    others_between = True

    def __init__(
        self,
        router: ToolRouter,
        request: ModelRequest[Any],
        own: AgentModel,
        overrides: Overrides,
        *,
        named: Tools,
        is_failure: IsFailure,
        parks: bool,
    ) -> None:
        self._router = router
        self._request = request
        self._own = own
        self._expected: str | None = request.state.get("expected_tool")  # type: ignore[assignment]  # a key of our own in the state
        self._structured: Any = None
        self._extras: list[BaseMessage] = []
        self._json_cut = False
        if own.first and overrides.model is None:
            overrides = Overrides(overrides.agent, overrides.role, own.spec)
        models = {**own.built, own.spec: own.model} if own.used else {}
        inputs = read_inputs(
            router,
            request.messages,
            request.tools,
            overrides,
            forced=read_expected(self._expected, named) or forced_tool(request.tool_choice, dict(named)),
            agent_model=own.spec if own.used and router.book.primary(agent=overrides.agent) is None else None,
            agent_models=models,
            is_failure=is_failure,
            named=named,
        )
        self._builder = RequestBuilder(
            router,
            inputs,
            request.messages,
            request.tools,
            system=request.system_message,
            tool_choice=request.tool_choice,
            agent_models=models,
            keep_ids=True,
            settings=lambda spec: request.model_settings if own.used and spec == own.spec else {},
        )
        self._runner = self._begun(parks)
        self._handler: Any = None

    def _begun(self, parks: bool) -> TurnRunner:
        state, runtime = self._request.state, self._request.runtime
        thread = state.get("messages") or []
        parked: Mapping[str, Any] = (state.get("toolroute") or {}) if parks else {}  # type: ignore[assignment]  # a key of our own in the state
        turn, segments = resumed(parked, thread, self._builder) or (None, ())
        if turn is not None:
            self._extras, self._structured = list(parked.get("extras", ())), parked.get("structured")
        return TurnRunner(
            self._builder,
            self,
            emit=runtime.stream_writer if runtime is not None else events.silent,
            turn=turn,
            segments=segments,
            thread=thread,
            # Not parked again if the thread changed under a parked turn: a `before_model` hook may change it in every pass of the loop.
            phases=PHASES if "turn" in parked or not parks else PHASES - {"hand_off"},
        )

    # -- from beginning to end --------------------------------------------------------------------------------------------------------

    def run(self, handler: Handler) -> Response:
        """The agent's answer.

        Raises:
            ChainExhausted: No model is left that could go on.
        """
        self._handler = handler
        try:
            self._runner.run()
        except ChainExhausted as error:
            known = _as_the_agent_knows_it(error)
            raise known from known.__cause__
        return self._response()

    async def arun(self, handler: AHandler) -> Response:
        """The agent's answer, awaited.

        Raises:
            ChainExhausted: No model is left that could go on.
        """
        self._handler = handler
        try:
            await self._runner.arun()
        except ChainExhausted as error:
            known = _as_the_agent_knows_it(error)
            raise known from known.__cause__
        return self._response()

    def _response(self) -> Response:
        update: dict[str, Any] = {"expected_tool": None} if self._expected else {}
        if not self._runner.done:
            parked = {**self._runner.parked(), "extras": self._extras}
            if self._structured is not None:
                parked["structured"] = self._structured
            return ExtendedModelResponse(ModelResponse(result=[]), Command(update={**update, "toolroute": parked}))
        message = self._runner.landed()
        structured = self._structured
        if self._json_cut and not message.tool_calls:
            structured = parsed(message, self._request.response_format)
        ids = {call["id"] for call in message.tool_calls}
        extras = [each for each in self._extras if not isinstance(each, ToolMessage) or each.tool_call_id in ids]
        response = ModelResponse(result=[message, *extras], structured_response=structured)
        return ExtendedModelResponse(response, Command(update={**update, "toolroute": {"record": message.response_metadata["toolroute"]}}))

    # -- one request -------------------------------------------------------------------------------------------------------------------

    def send(self, request: Request) -> AIMessage:
        """The model's message, by way of the agent's handler."""
        writers = Writers(self._router, self._builder.inputs, request, sync=True)
        try:
            return self._message(request, self._handler(self._gated(request, writers)), writers)
        except StructuredOutputValidationError as error:
            return self._cut_short(request, error)
        except AnswerRejected as error:
            raise request.gate.raised or error from None  # a model that was put in after a failure may have been refused

    async def asend(self, request: Request) -> AIMessage:
        """The model's message, by way of the agent's handler, awaited."""
        writers = Writers(self._router, self._builder.inputs, request, sync=False)
        try:
            return self._message(request, await self._handler(self._gated(request, writers)), writers)
        except StructuredOutputValidationError as error:
            return self._cut_short(request, error)
        except AnswerRejected as error:
            raise request.gate.raised or error from None  # a model that was put in after a failure may have been refused

    def _gated(self, request: Request, writers: Writers) -> GatedModelRequest:
        its_own = self._own.used and request.spec == self._own.spec
        leaf = first_leaf(request.model)
        model, settings = writers.asked(its_own=its_own, known=self._router.models.spec_of(self._own.model) is not None)
        said = request.without_thinking(self._request.model_settings)
        return gated_request(
            self._request,
            writers.put_in,
            model=model,
            messages=request.messages,
            system_message=request.system if its_own else fit_system(request.system, leaf),
            tools=fit_tools(request.tools, its_own=its_own, writes=bool(request.job.calls)),
            tool_choice=self._choice(request),
            # A routed call is no answer; and text that goes on where JSON was cut off is none that a provider could check.
            response_format=None if request.job.calls or self._json_cut else self._request.response_format,
            model_settings={**settings, **(said if its_own else fit_settings(said, leaf))},
        )

    def _choice(self, request: Request) -> Any:
        """The tool choice; none if it names a tool that this model does not see."""
        choice = request.tool_choice
        if choice is None or forced_tool(choice, self._builder.inputs.tags) is None:
            return choice
        return choice if forced_tool(choice, {tool_name(tool) for tool in request.tools}) else None

    def _message(self, request: Request, response: ModelResponse[Any], writers: Writers) -> AIMessage:
        message = next((each for each in response.result if isinstance(each, AIMessage)), None)
        if message is None:
            raise AnswerRejected(request.spec, "empty_response", "no message came back through the middleware further in")
        writers.take_late(message)
        if not request.job.calls:
            self._structured = response.structured_response
            self._extras.extend(each for each in response.result if each is not message)
        return message

    def _cut_short(self, request: Request, error: StructuredOutputValidationError) -> AIMessage:
        """The text of an answer that was stopped or broke off: it was never meant to be parsed."""
        gate = request.gate
        if not isinstance(gate, ReasonGate) or not (gate.hit or gate.error or gate.rejected):
            raise error
        self._json_cut = self._json_cut or gate.hit is None
        return error.ai_message


def _as_the_agent_knows_it(error: ChainExhausted) -> Exception:
    """What the agent is told when no model is left.

    Where there was only one model to reason, and it was asked once, that is its client's own exception: code around the agent (a retry, a handler
    of the caller's) knows it by its class.
    """
    cause = error.exceptions[0].__cause__ if len(error.exceptions) == 1 and error.tool is None else None
    return cause if isinstance(cause, Exception) and not isinstance(cause, AnswerRejected) else error


def forced_tool(choice: Any, names: Mapping[str, Any] | set[str]) -> str | None:
    """The tool that a tool choice names, in any client's spelling; `None` if it names none of these."""
    if choice is None:
        return None
    if isinstance(choice, Mapping):
        function = choice.get("function")
        choice = function.get("name") if isinstance(function, Mapping) else choice.get("name")
    return choice if isinstance(choice, str) and choice in names else None
