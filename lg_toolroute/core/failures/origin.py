"""What an error means when neither provider nor client said it: that depends on whose code raised it, as its traceback shows."""

from __future__ import annotations

import re
import sys
from typing import Final, Literal

from lg_toolroute.core.failures.evidence import class_names, words_of
from lg_toolroute.core.failures.failure import FailureClass
from lg_toolroute.core.failures.spellings import words

PROGRAMMING: Final = words(
    """TypeError AttributeError NameError LookupError AssertionError NotImplementedError ImportError RecursionError
    ArithmeticError SyntaxError MemoryError StopIteration StopAsyncIteration ToolException"""
)
"""Classes that mean a mistake in a program, unless a client raised them while it read an answer."""

# What a client raises when an answer does not have the shape that it expects ...
_MISREAD: Final = words("LookupError TypeError AttributeError")
# ... unless it was called wrongly: with a setting that it does not know, with a value that cannot be sent.
_MISUSED: Final = re.compile(r"unexpected keyword argument|positional argument|not (?:json )?serializable|not supported between", re.IGNORECASE)

# How the framework's functions begin that put the chunks of an answer together.
_MERGING: Final = ("merge_", "add_ai_message")
# Where the framework takes the first answer out of what a client returned; an `IndexError` there means that there was none.
_ASKING: Final = "langchain_core.language_models"

_FRAMEWORK: Final = words("langchain langchain_core langchain_classic langgraph langsmith")
# Roots of the modules that speak to providers. LangChain's integrations (`langchain_openai`, ...) count too.
_CLIENTS: Final = words(
    """aiohttp anthropic anyio azure boto3 botocore cohere fireworks google grpc groq h11 h2 httpcore httpcore2 httpx httpx2 httpx_sse
    huggingface_hub ibm_watsonx_ai jiter litellm mistralai ollama openai pydantic pydantic_core requests together urllib3 websockets"""
)


def class_by_origin(error: Exception) -> FailureClass:
    """The class of an error that says nothing itself.

    A `KeyError` that a client raised while it read an answer is a malformed answer; from anywhere else it is a mistake in a program,
    which another model would only hide. A `ValueError` refuses this very request, unless the framework raised it: then the caller's
    input is wrong for every model. Anything else that a model raises counts as a failure of its server.
    """
    names, frames = class_names(error), _frames(error)
    owner = _owner([module for module, _ in frames])
    module, function = frames[-1] if frames else ("", "")
    if owner == "this package" or type(error).__module__.partition(".")[0] == "langgraph":
        return "bug"
    if "NotImplementedError" in names and function == "bind_tools":
        return "no_tool_support"
    if owner == "framework" and function.startswith(_MERGING):
        return "server_error"
    if "IndexError" in names and module.startswith(_ASKING):
        return "empty_response"
    if names & PROGRAMMING:
        misread = owner == "client" and names & _MISREAD and not _MISUSED.search(words_of(error))
        return "server_error" if misread else "bug"
    if "ValueError" not in names:
        return "server_error"
    return "bug" if owner == "framework" else "invalid_request"


def _owner(modules: list[str]) -> Literal["client", "framework", "this package", "another program", "unknown"]:
    """Whose code the innermost frame outside the standard library is."""
    for name in reversed(modules):
        root = name.partition(".")[0]
        if root == "lg_toolroute":
            # A scripted model stands for a model: what it raises is the model's error, not this package's.
            return "another program" if name.startswith("lg_toolroute.testing") else "this package"
        if root in _FRAMEWORK:
            return "framework"
        if root in _CLIENTS or root.startswith("langchain_"):
            return "client"
        if root not in sys.stdlib_module_names or root == "__main__":
            return "another program"
    return "unknown"


def _frames(error: BaseException) -> list[tuple[str, str]]:
    """The module and the function of each frame of the traceback, outermost first."""
    frames, trace = [], error.__traceback__
    while trace is not None:
        frames.append((str(trace.tb_frame.f_globals.get("__name__", "")), trace.tb_frame.f_code.co_name))
        trace = trace.tb_next
    return frames
