"""llama.cpp inside this process: LangChain's `ChatLlamaCpp`, made fit for agents.

What is different from `langchain_community`'s class:

- One generation at a time. A `Llama` is not thread-safe, and agents call tools and models in parallel.
- With tools the answer comes in one piece: the engine raises "Automatic streaming tool choice is not supported". Answers without tools are streamed.
- Tools without a choice are sent with `tool_choice="auto"`; `chatml-function-calling` ignores tools that come without one.
- A tool that is forced by name is forced in the engine, by a grammar made from the tool's schema.
- Calls that the model wrote into its text, as most chat templates ask for, become tool calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from langchain_community.chat_models import llamacpp
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import model_validator

from lg_toolroute.clients.local.call_text import message_of
from lg_toolroute.clients.local.generation_thread import GenerationThread
from lg_toolroute.core.rules.facts import ModelFacts
from lg_toolroute.errors import ConfigError, Problem

PER_CALL = frozenset({
    "max_tokens", "temperature", "top_p", "top_k", "min_p", "typical_p", "logprobs", "stop", "repeat_penalty", "presence_penalty",
    "frequency_penalty", "tfs_z", "mirostat_mode", "mirostat_tau", "mirostat_eta", "logit_bias", "response_format",
})  # fmt: skip
"""Settings that the engine takes with each call; all others belong to the loaded model."""


class ChatLlamaCpp(llamacpp.ChatLlamaCpp):
    """LangChain's `ChatLlamaCpp`; the module's docstring says what is different."""

    model_name: str = ""
    """The name in the spec, for traces."""
    disable_streaming: bool | Literal["tool_calling"] = "tool_calling"
    streaming: bool = False
    verbose: bool = False
    max_tokens: int = -1
    """Tokens of one answer; -1: as many as the context has room for."""

    @model_validator(mode="after")
    def _one_generation_at_a_time(self) -> ChatLlamaCpp:
        self.client = _SerialEngine(self.client)
        return self

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: Any = None,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools to this model.

        Args:
            tools: Whatever `convert_to_openai_tool` takes.
            tool_choice: A tool's name, or OpenAI's form of it, is enforced. `"any"` is enforced if there is one tool; the engine has no such
                choice among several, so it is then `"auto"`. `"none"` binds no tool.
            strict: Written into the tools.
            kwargs: Further settings of each call; the engine raises `TypeError` for one that it does not know.
        """
        bound = [convert_to_openai_tool(tool, strict=strict) for tool in tools]
        if not bound or tool_choice == "none":
            return self.bind(**kwargs)
        return self.bind(tools=bound, tool_choice=_engine_choice(tool_choice, [tool["function"]["name"] for tool in bound]), **kwargs)

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> ChatResult:
        result = super()._generate(messages, stop, run_manager, **kwargs)
        if not kwargs.get("tools"):
            return result
        return ChatResult(generations=[_with_calls(found) for found in result.generations], llm_output=result.llm_output)


def check(where: str, params: Mapping[str, Any]) -> None:
    """Check the settings that the model file is loaded with.

    Raises:
        ConfigError: No model file is named, or it does not exist.
    """
    path = params.get("model_path")
    if path is None:
        problem = Problem(where, "has no model file", 'write params: {"model_path": "/path/to/model.gguf"} in its entry under models')
    elif not Path(path).expanduser().is_file():
        problem = Problem(where, f"its model file {str(path)!r} does not exist", "write the path of a GGUF file")
    else:
        return
    raise ConfigError([problem], source="models")


def build(model: str, params: Mapping[str, Any], facts: ModelFacts) -> ChatLlamaCpp:
    """Load the model file.

    Args:
        model: The name in the spec.
        params: Fields of `ChatLlamaCpp`: `model_path`, `n_ctx`, `n_gpu_layers`, …; `model_kwargs` for further arguments of `llama_cpp.Llama`.
        facts: The configured `contextWindow` is the default of `n_ctx`, and `maxTokens` that of `max_tokens`.
    """
    fields: dict[str, Any] = {"model_name": model, **params, "model_path": str(Path(params["model_path"]).expanduser())}
    if facts.context_window is not None:
        fields.setdefault("n_ctx", facts.context_window)
    if facts.max_output is not None:
        fields.setdefault("max_tokens", facts.max_output)
    built = ChatLlamaCpp(**fields)
    built.profile = built.profile or {"max_input_tokens": built.n_ctx}
    return built


class _SerialEngine:
    """The part of `llama_cpp.Llama` that `ChatLlamaCpp` calls, one call at a time."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._thread = GenerationThread()

    def create_chat_completion(self, **request: Any) -> Any:
        def call() -> Any:
            return self._engine.create_chat_completion(**request)

        return self._thread.stream(call) if request.get("stream") else self._thread.run(call)


def _engine_choice(choice: Any, names: list[str]) -> Any:
    """The choice as the engine takes it: OpenAI's form for one tool, or `"auto"`."""
    if isinstance(choice, Mapping):
        choice = choice["function"]["name"]
    if choice in {True, "any", "required"}:
        choice = names[0] if len(names) == 1 else None
    if choice in {None, False, "auto"}:
        return "auto"
    if choice not in names:
        raise ValueError(f"tool_choice {choice!r} is none of the bound tools: {', '.join(names)}")
    return {"type": "function", "function": {"name": choice}}


def _with_calls(found: ChatGeneration) -> ChatGeneration:
    message = found.message
    if not isinstance(message, AIMessage) or message.tool_calls or message.invalid_tool_calls or not isinstance(message.content, str):
        return found
    read = message_of(message.content)
    return ChatGeneration(message=read, generation_info=found.generation_info)
