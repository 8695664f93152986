"""What a server is when it stands for a provider: the rules that it enforces, and how it writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lg_toolroute.testing.providers import bodies
from lg_toolroute.testing.providers.minted import Minted
from lg_toolroute.testing.providers.prefix import prefix_of
from lg_toolroute.testing.providers.rule import Body, Refusal, Rule
from lg_toolroute.testing.providers.thinks import always, never
from lg_toolroute.testing.server_request import ServerRequest
from lg_toolroute.testing.signatures import digest
from lg_toolroute.testing.voice import NewId, Voice

THOUGHT = "The last message says what is to be done, so that comes next."
"""What every model thinks, where a script does not say."""

Writes = Literal["reasoning_content", "reasoning", "reasoning_details"]


@dataclass(frozen=True, slots=True)
class History:
    """What an API takes as the messages of a request.

    Attributes:
        check: Gives a refusal for every rule that is broken, in order.
        rules: The rules by name, with their sources.
    """

    check: Callable[[dict[str, Any], Minted], list[Refusal]]
    rules: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ProviderProfile:
    """One provider, or one family of its models.

    Make one of your own with `dataclasses.replace(PROFILES["kimi-k2.6"], rules=…)`.

    Attributes:
        name: What it is called in the table.
        about: Whose models these are, in a few words.
        models: Names of such models, as examples.
        apis: The paths that it answers, each with what it takes as messages.
        rules: What it refuses beside that, in the order in which it looks.
        body: Writes refusals.
        thinks: Whether its model thinks about a request.
        thinking_as: The field of OpenAI's format in which thoughts are sent.
        shows_thinking: Whether the thoughts about a request can be read.
        signs_calls: Its calls are signed, as Gemini's are.
        binds_thinking: Its thinking blocks mean something only behind the system prompt, tools and messages that they were written behind.
        between_calls: Words and thoughts between two calls are thinking blocks.
        obeys: It does what `tool_choice` says; otherwise it drops it without a word.
        new_id: Gives the ids of its calls.
    """

    name: str
    about: str
    models: tuple[str, ...] = ()
    apis: Mapping[str, History] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    body: Body = bodies.openai
    thinks: Callable[[ServerRequest], bool] = never
    thinking_as: Writes = "reasoning_content"
    shows_thinking: Callable[[ServerRequest], bool] = always
    signs_calls: bool = False
    binds_thinking: bool = False
    between_calls: bool = False
    obeys: bool = True
    new_id: NewId | None = None

    def refusal(self, request: ServerRequest, minted: Minted) -> Refusal | None:
        """The first rule that a request breaks, with what the provider says; `None` if it takes the request.

        Args:
            request: The request.
            minted: What this server issued so far.
        """
        for rule in self.rules:
            if (refusal := rule.broken_by(request)) is not None:
                return refusal
        broken = self.apis[request.path.rstrip("/")].check(dict(request.body), minted)
        return broken[0] if broken else None

    @property
    def sources(self) -> dict[str, str]:
        """All its rules by name, with their sources."""
        return {rule.name: rule.source for rule in self.rules} | {name: source for api in self.apis.values() for name, source in api.rules.items()}

    def voice(self, request: ServerRequest) -> Voice:
        """How it answers a request."""
        in_tool_loop = bool(request.messages) and not request.ends_with_instruction
        return Voice(
            model=request.model,
            thinking=THOUGHT if self.thinks(request) else "",
            thinking_as=self.thinking_as,
            shows_thinking=self.shows_thinking(request),
            signs_calls=self.signs_calls,
            thinks_between_calls=self.between_calls,
            hides_text=self.between_calls and in_tool_loop,
            obeys=self.obeys,
            new_id=self.new_id,
            seed=digest([request.index, request.body]),
            calls_before=sum(len(message.get("tool_calls") or ()) for message in request.messages),
            prefix=tuple(sorted(prefix_of(request.body).items())) if self.binds_thinking else (),
        )
