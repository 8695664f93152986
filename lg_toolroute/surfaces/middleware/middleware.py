"""`ToolRouteMiddleware`: routing for `create_agent` and deepagents, in one line.

```python
agent = create_agent(model, tools, middleware=[ToolRouteMiddleware(router)])
```

`docs/middleware.md` says which order with other middlewares works. What happens in one model call is in `turn.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import lru_cache
from inspect import signature
from typing import Annotated, Any, NotRequired, Self, cast

from langchain.agents.middleware.types import (
    AgentMiddleware,
    AgentState,
    ModelRequest,
    ModelResponse,
    OmitFromOutput,
    PrivateStateAttr,
    ToolCallRequest,
    TracePolicy,
    hook_config,
    omit_payload,
)
from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool
from langgraph.types import Command

from lg_toolroute.clients.bound_names import refuse_duplicate_names
from lg_toolroute.clients.tools import as_tools
from lg_toolroute.config import RoutingConfig
from lg_toolroute.config.agents import RuleConfig
from lg_toolroute.core.rules.tools import Tools, named_tools, tool_name
from lg_toolroute.core.warned import warn
from lg_toolroute.router import ToolRouter
from lg_toolroute.runner.inputs import IsFailure, has_error_status
from lg_toolroute.runner.one_at_a_time import EditTurns
from lg_toolroute.runner.overrides import read_overrides
from lg_toolroute.runner.refusals import refusal, refused_just_now
from lg_toolroute.runner.runner import is_parked
from lg_toolroute.surfaces.middleware.agent_model import check_agent_model, refuse, spec_of
from lg_toolroute.surfaces.middleware.order import RoutesToolCalls, order_problems, under_construction
from lg_toolroute.surfaces.middleware.turn import AgentModel, AgentTurn, Response


class RoutedAgentState(AgentState[Any]):
    """What the middleware keeps in an agent's state.

    Attributes:
        toolroute: The record of the last turn that was routed; with `durable=True` the turn that is under way. Private.
        expected_tool: A tool that is known to come next, written by a caller, another middleware or a `Command`. Used once.
    """

    toolroute: NotRequired[Annotated[dict[str, Any] | None, PrivateStateAttr]]
    expected_tool: NotRequired[Annotated[str | None, OmitFromOutput]]


class ToolRouteMiddleware(RoutesToolCalls, AgentMiddleware[RoutedAgentState, Any, Any]):
    """Hands each tool call of an agent to the model that its rules name.

    The agent's own model is the primary, as an outer middleware left it, so the configuration may leave `model.primary` out. If it names
    another model, the configuration wins and a warning says so once.

    Args:
        router: Rules, models, health.
        name: Names of middlewares must be unique in an agent; unset: the name of the class.
        agent: An id under `agents`, for the agent's own rules and tool policy; unset: the runtime context's `agent`, or the defaults.
        durable: A checkpoint lies between the model that reasons and the one that writes the routed call, so that a run which was interrupted
            there repeats only the second. It costs another pass through the agent's loop in each routed turn.
        prefer_agent_model: The agent's own model is the primary, whatever the configuration says.
        is_failure: Says whether a tool's result counts as a failure for `escalate`; unset: `status == "error"`.

    Raises:
        ConfigError: When the agent is built: a model that cannot be used, or an order of middlewares that cannot work; with
            `ToolRouter(strict=True)` also a rule that matches no tool, or a model that cannot be built.

    Example:
        ```python
        from langchain.agents import create_agent
        from lg_toolroute import ToolRouter, ToolRouteMiddleware

        router = ToolRouter({"toolRouting": {"edit": {"primary": "deepseek/deepseek-v4-pro"}}})
        agent = create_agent("openai:gpt-5", [read, edit], middleware=[ToolRouteMiddleware(router)])
        ```
    """

    state_schema = RoutedAgentState
    trace_policy = TracePolicy(process_inputs=omit_payload)
    durable: bool = False
    guards: bool = False

    def __new__(cls, router: ToolRouter, *, durable: bool = False, **settings: Any) -> Self:
        # `create_agent` asks a class, not an object, which hooks it has, and each hook has a price: a node, or LangChain's own check of
        # unknown tools. So an object has the class with the hooks that it needs.
        if not isinstance(router, ToolRouter):
            raise TypeError(f"ToolRouteMiddleware takes a ToolRouter, not a {type(router).__name__}; write ToolRouteMiddleware(ToolRouter(…))")
        enforces = has_policy(router.config) or has_boundary(router.config) or router.forms.used
        hooks = tuple(hook for hook, wanted in ((Guarding, enforces), (Parking, durable)) if wanted)
        return cast("Self", object.__new__(_with_hooks(cls, hooks)))  # type: ignore[arg-type]  # a class is hashable

    def __init__(
        self,
        router: ToolRouter,
        *,
        name: str | None = None,
        agent: str | None = None,
        durable: bool = False,
        prefer_agent_model: bool = False,
        is_failure: IsFailure = has_error_status,
    ) -> None:
        super().__init__()
        self.router = router
        self._name = name
        self._agent = agent
        self._is_failure = is_failure
        self._parks = durable
        self._prefer_agent_model = prefer_agent_model
        self.guards = has_policy(router.config)
        self._routes = bool(list(rules_of(router.config)))
        self._specs = frozenset(router.book.specs())
        self._named: tuple[tuple[Any, ...], Tools] = ((), ())
        self._tool_names: frozenset[str] = frozenset()
        self._own: list[tuple[Any, str]] = []
        self._turns = EditTurns(router)
        self._checked = False
        self._warned = False

    @property
    def name(self) -> str:
        return self._name or type(self).__name__

    # -- when the agent is built -------------------------------------------------------------------------------------------------------

    @property
    def tools(self) -> Sequence[BaseTool]:  # type: ignore[override]  # read once, when the agent is built
        """No tools; but the moment at which `create_agent` reads them is the one at which the agent is checked."""
        agent = under_construction()
        if agent is not None and any(each is self for each in agent.middleware):
            refuse(order_problems(agent.middleware), "middleware")
            others = [tool for each in agent.middleware if not isinstance(each, ToolRouteMiddleware) for tool in getattr(each, "tools", ())]
            as_tools(agent.tools)
            refuse_duplicate_names(agent.tools)
            self._check(agent.model, [*agent.tools, *others])
            if isinstance(self, Guarding) and any(isinstance(tool, BaseTool) and tool.return_direct for tool in (*agent.tools, *others)):
                self.__class__ = _with_hooks(type(self), (Continuing,))  # type: ignore[arg-type]  # a class is hashable
            self._own.append((agent.model, self._spec(agent.model)))
            self._warn_of_two_primaries(agent.model)
        return ()

    def _check(self, model: Any, tools: Sequence[Any]) -> None:
        self._tool_names = frozenset(map(tool_name, tools))
        refuse(check_agent_model(model, "model", needs_tools=bool(tools)), "create_agent")
        # A tool of the agent may take the place of a middleware's of the same name.
        self.router.check_tools(list({tool_name(tool): tool for tool in reversed(tools)}.values())[::-1], agent=self._agent)
        self._checked = True

    def _warn_of_two_primaries(self, model: Any) -> None:
        configured = self.router.book.primary(agent=self._agent)
        spec = self._spec(model)
        if configured is None or configured == spec or self._prefer_agent_model or self._warned:
            return
        self._warned = True
        text = (
            f"the agent's model is {spec!r} and the configuration's primary is {configured!r}: the configuration wins; "
            "leave `model.primary` out of it to reason on the agent's own model"
        )
        warn(text)

    # -- when a model is called --------------------------------------------------------------------------------------------------------

    def wrap_model_call(self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]) -> Response:
        turn = self._turn(request)
        return handler(request) if turn is None else turn.run(handler)

    async def awrap_model_call(self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]) -> Response:
        turn = self._turn(request)
        return await handler(request) if turn is None else await turn.arun(handler)

    def _turn(self, request: ModelRequest[Any]) -> AgentTurn | None:
        """The turn that a model call is; `None` if the configuration has nothing to say about it."""
        if not self._checked:
            self._check(request.model, request.tools)
        context = request.runtime.context if request.runtime is not None else None
        overrides = read_overrides(self.router.book, context, agent=self._agent)
        self.router.check_run(overrides.agent, overrides.role)
        own = self._own_model(request.model, overrides.agent)
        if own.used and overrides.model is None and not request.state.get("expected_tool") and self._has_nothing_to_do(own.spec):
            return None
        named = self._names_of(request.tools)
        return AgentTurn(self.router, request, own, overrides, named=named, is_failure=self._is_failure, parks=self._parks)

    def _names_of(self, tools: Sequence[Any]) -> Tools:
        """The name and the tags of each tool; read once, since an agent binds the same tools in nearly every turn."""
        known, named = self._named
        if len(known) != len(tools) or any(one is not other for one, other in zip(known, tools, strict=True)):
            self._named = (tuple(tools), named := named_tools(tools))
            self._tool_names = self._tool_names.union(name for name, _ in named)
        return named

    def _has_nothing_to_do(self, spec: str) -> bool:
        """The configuration has no rule, names no other model than the agent's own, and takes no tool away from any model.

        Then there is nothing to hold a model to that a middleware further in puts in its place.
        """
        return not self.guards and not self._routes and self._specs <= {spec}

    def _own_model(self, model: Any, agent: str | None) -> AgentModel:
        """Whether the model of this call takes part in the turn.

        It is the primary where the configuration names none, or names it. It stands before the configured primary with `prefer_agent_model`, and
        where an outer middleware put it in the place of an agent's model that is the configured primary. Otherwise it takes no part.
        """
        spec = self._spec(model)
        configured = self.router.book.primary(agent=agent)
        if configured is None or configured == spec:
            return AgentModel(spec, model, used=True)
        built = {own_spec: own for own, own_spec in self._own}
        swapped = bool(self._own) and all(own is not model for own, _ in self._own)
        if self._prefer_agent_model or (swapped and any(own == configured for _, own in self._own)):
            return AgentModel(spec, model, used=True, first=True, built=built)
        self._warn_of_two_primaries(model)
        return AgentModel(spec, model, used=False)

    def _spec(self, model: Any) -> str:
        return self.router.models.spec_of(model) or spec_of(model)


class Guarding(AgentMiddleware[RoutedAgentState, Any, Any]):
    """Refuses calls of tools that the model which wrote them may not run (hiding is not enforcement), and lets edits of one file take turns."""

    router: ToolRouter
    _turns: EditTurns
    _agent: str | None
    _own: list[tuple[Any, str]]
    _tool_names: frozenset[str]

    def wrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], ToolMessage | Command[Any]]
    ) -> ToolMessage | Command[Any]:
        if (refused := self._refusal(request)) is not None:
            return refused
        with self._turns.turn(request):
            return handler(request)

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[Any]]]
    ) -> ToolMessage | Command[Any]:
        if (refused := self._refusal(request)) is not None:
            return refused
        async with self._turns.aturn(request):
            return await handler(request)

    def _refusal(self, request: ToolCallRequest) -> ToolMessage | None:
        own = self._own[0][1] if self._own else None
        return refusal(self.router, request, agent=self._agent, own_model=own, bound=self._tool_names)


class Continuing(AgentMiddleware[RoutedAgentState, Any, Any]):
    """Leads a run that is about to end back to the model, which has not read yet that a call of a tool that answers for the agent was refused."""

    @hook_config(can_jump_to=["model"])
    def after_agent(self, state: RoutedAgentState, runtime: Any) -> dict[str, Any] | None:
        return {"jump_to": "model"} if refused_just_now(state["messages"]) else None

    @hook_config(can_jump_to=["model"])
    async def aafter_agent(self, state: RoutedAgentState, runtime: Any) -> dict[str, Any] | None:
        return self.after_agent(state, runtime)


class Parking(AgentMiddleware[RoutedAgentState, Any, Any]):
    """Leads the agent's loop back to the model while a routed call is still to be written."""

    durable = True

    @hook_config(can_jump_to=["model"])
    def after_model(self, state: RoutedAgentState, runtime: Any) -> dict[str, Any] | None:
        return {"jump_to": "model"} if is_parked(state.get("toolroute"), state["messages"]) else None

    @hook_config(can_jump_to=["model"])
    async def aafter_model(self, state: RoutedAgentState, runtime: Any) -> dict[str, Any] | None:
        return self.after_model(state, runtime)


def has_policy(config: RoutingConfig) -> bool:
    """Does any layer of the configuration take a tool away from a model?"""
    layers = [config.tools, *(agent.tools for agent in config.agents.entries.values()), config.agents.defaults.tools]
    if any(layer is not None and bool(layer.model_fields_set - {"groups"}) for layer in layers) or config.browser or config.cron:
        return True
    entries = (entry for provider in config.models.providers.values() for entry in provider.models)
    return any(entry.compat is not None and entry.compat.supports_tools is False for entry in entries)


def rules_of(config: RoutingConfig) -> Iterator[RuleConfig]:
    """The rules of all agents in all roles."""
    for agent in (config.agents.defaults, *config.agents.entries.values()):
        heartbeat = agent.heartbeat.model if agent.heartbeat is not None else None
        for model in (agent.model, heartbeat, *(role.model for role in agent.roles.values())):
            if model is not None:
                yield from (rule for rule in model.tool_routing.values() if rule is not None)


def has_boundary(config: RoutingConfig) -> bool:
    """Does any rule let no other model than its own write a call?"""
    return any(rule.fallbacks is not None and not rule.fallbacks for rule in rules_of(config))


# `create_agent` wraps these in LangSmith's `traceable`, which asks for the signature in every call, traced or not: it is read once.
for _cls, _names in ((ToolRouteMiddleware, ("wrap_model_call", "awrap_model_call")), (Guarding, ("wrap_tool_call", "awrap_tool_call"))):
    for _hook in map(vars(_cls).__getitem__, _names):
        _hook.__signature__ = signature(_hook)


@lru_cache(maxsize=64)
def _with_hooks(cls: type[Any], hooks: tuple[type[Any], ...]) -> type[Any]:
    new = tuple(hook for hook in hooks if not issubclass(cls, hook))
    body = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    return type(cls.__name__, (*new, cls), body) if new else cls


__all__ = ["RoutedAgentState", "ToolRouteMiddleware"]
