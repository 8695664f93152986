"""For each rule of each provider, a legal request and one thing that breaks the rule."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from lg_toolroute.testing.signatures import sign
from tests.support.provider_rules.asking_raw import CHAT, MESSAGES, OLLAMA, RESPONSES

Body = dict[str, Any]
Change = Callable[[Body], Any]
NAMED = {"type": "function", "function": {"name": "edit"}}
OTHER = {"type": "function", "function": {"name": "write"}}
OFF = {"type": "disabled"}


def setting(**parameters: Any) -> Change:
    """Gives parameters of the request."""
    return lambda body: body.update(parameters)


def message(place: int, **keys: Any) -> Change:
    """Gives keys of a message."""
    return lambda body: body["messages"][place].update(keys)


def without(place: int, key: str) -> Change:
    """Takes a key from a message."""
    return lambda body: body["messages"][place].pop(key)


def adding(*messages: Body) -> Change:
    """Puts messages behind the last one."""
    return lambda body: body["messages"].extend(copy.deepcopy(list(messages)))


def call(**keys: Any) -> Change:
    """Gives keys of the first call."""
    return lambda body: body["messages"][1]["tool_calls"][0].update(keys)


def function(**keys: Any) -> Change:
    """Gives keys of the first call's function."""
    return lambda body: body["messages"][1]["tool_calls"][0]["function"].update(keys)


def both(*changes: Change) -> Change:
    """One change after the other."""
    return lambda body: [change(body) for change in changes]


def again(body: Body) -> None:
    """The same call and its result once more."""
    body["messages"] += copy.deepcopy(body["messages"][1:])


def item(place: int, **keys: Any) -> Change:
    """Gives keys of an item."""
    return lambda body: body["input"][place].update(keys)


def block(place: int, **keys: Any) -> Change:
    """Gives keys of a message's first block."""
    return lambda body: body["messages"][place]["content"][0].update(keys)


def opening(place: int, *blocks: Body) -> Change:
    """Puts blocks before the others of a message."""
    return lambda body: body["messages"][place]["content"].__setitem__(slice(0, 0), copy.deepcopy(list(blocks)))


USER = {"role": "user", "content": "Go on."}
SAID = {"role": "assistant", "content": "Done."}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}
FOUND = {"type": "web_search_result", "url": "https://example.com", "title": "t", "encrypted_content": "stolen"}

CHAT_RULES: Mapping[str, Change] = {
    "there are messages": setting(messages=[]),
    "roles exist": message(0, role="boss"),
    "keys exist": message(0, mood="good"),
    "content is there": adding({"role": "assistant", "content": None}),
    "content is text or parts": message(0, content=7),
    "content is a string": message(2, content=[{"type": "text", "text": "edited"}]),
    "parts fit the role": message(2, content=[IMAGE]),
    "names are plain": message(0, name="a b"),
    "ids have 1 to 40 characters": both(call(id="x" * 41), message(2, tool_call_id="x" * 41)),
    "ids are 9 letters and digits": both(call(id="call_1"), message(2, tool_call_id="call_1")),
    "names of functions are plain": function(name="edit file"),
    "arguments are a string": function(arguments=7),
    "an assistant says something": adding({"role": "assistant", "content": ""}, USER),
    "roles follow their order": adding(USER),
    "the last role is user or tool": adding(SAID),
    "text or calls, not both": message(1, content="Let me see."),
    "calls are answered": lambda body: body["messages"].pop(),
    "results answer a call": message(2, tool_call_id="abcdefgh2"),
    "call ids are unique": again,
}
OLLAMA_RULES: Mapping[str, Change] = {
    "there are messages": setting(messages=[]),
    "fields have their types": message(0, content=[{"type": "text", "text": "Hi."}]),
    "roles exist": message(0, role="boss"),
    "images are base64": message(0, images=["https://example.com/a.png"]),
    "calls are whole": function(arguments='{"path": "a.py"}'),
}
RESPONSES_RULES: Mapping[str, Change] = {
    "there are messages": setting(input=[]),
    "item types exist": item(0, type="mood"),
    "keys exist": item(0, mood="good"),
    "item ids have their prefix": item(1, id="toolu_1"),
    "call ids have 1 to 64 characters": both(item(1, call_id="x" * 65), item(2, call_id="x" * 65)),
    "arguments are a string": item(1, arguments={}),
    "outputs are text or parts": item(2, output=7),
    "roles exist": item(0, role="tool"),
    "content is there": item(0, content=[]),
    "parts fit the role": item(0, content=[{"type": "output_text", "text": "Hi."}]),
    "call ids are unique": lambda body: body["input"].insert(2, copy.deepcopy(body["input"][1])),
    "calls are answered": lambda body: body["input"].pop(),
    "results answer a call": item(2, call_id="call_2"),
    "items are its own": item(1, id="fc_somebody_elses"),
}
MESSAGES_RULES: Mapping[str, Change] = {
    "there are messages": setting(messages=[]),
    "the user begins": lambda body: body["messages"].insert(0, {"role": "assistant", "content": "Hi."}),
    "the user ends": adding({"role": "assistant", "content": "The file"}),
    "content is there": message(0, content=[]),
    "text is not empty": message(0, content=" "),
    "blocks fit the role": message(0, content=[{"type": "tool_use", "id": "toolu_0", "name": "edit", "input": {}}]),
    "keys exist": block(1, index=0),
    "ids are plain": both(block(1, id="functions.edit:0"), block(2, tool_use_id="functions.edit:0")),
    "names of functions are plain": block(1, name="edit file"),
    "input is an object": block(1, input='{"path": "a.py"}'),
    "images have a source": message(0, content=[{"type": "image", "source": {"type": "base65"}}]),
    "call ids are unique": again,
    "calls are answered": message(2, content="Go on."),
    "results answer a call": block(2, tool_use_id="toolu_2"),
    "results come first": opening(2, {"type": "text", "text": "Here:"}),
    "server tools come in pairs": opening(1, SEARCH),
    "thinking is signed": opening(1, {"type": "thinking", "thinking": "Hm."}),
    "signatures are its own": opening(1, {"type": "thinking", "thinking": "Hm.", "signature": sign("another-model")}),
    "results of server tools are its own": opening(1, SEARCH, {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [FOUND]}),
    "thinking opens the tool loop": setting(thinking={"type": "enabled", "budget_tokens": 1024}),
}
BY_PATH: Mapping[str, Mapping[str, Change]] = {CHAT: CHAT_RULES, OLLAMA: OLLAMA_RULES, RESPONSES: RESPONSES_RULES, MESSAGES: MESSAGES_RULES}

SPECIAL: Mapping[tuple[str, str], Change] = {
    ("groq", "content is a string"): message(0, role="system", content=[{"type": "text", "text": "Edit a.py."}]),
    ("groq", "parts fit the role"): message(0, content=[{"type": "text", "text": "Edit a.py.", "id": "lc_1"}]),
    ("groq", "keys exist"): message(1, reasoning_content="Hm."),
    ("mistral", "parts fit the role"): message(0, content=[{"type": "reference", "reference_ids": [1]}]),
    ("mistral", "calls are answered"): lambda body: body["messages"][1]["tool_calls"].append(
        {"id": "abcdefgh9", "type": "function", "function": {"name": "edit", "arguments": "{}"}}
    ),
    ("cerebras", "keys exist"): message(1, reasoning_content="Hm."),
}
"""Where a provider's own way of breaking a rule of that name is another one."""

Pair = tuple[Change, Change]
THINKS_OFF = setting(thinking=OFF)
FORCED: Change = setting(tool_choice=NAMED)
BARE: Pair = (setting(tool_choice="edit"), FORCED)
NO_TOOLS: Pair = (both(setting(tool_choice="auto"), lambda body: body.pop("tools")), lambda body: body.pop("tools"))
UNBOUND: Pair = (setting(tool_choice=OTHER), FORCED)
NOTHING: Change = setting()

OWN_RULES: Mapping[str, Pair] = {
    "a choice is no bare name": BARE,
    "a choice needs tools": NO_TOOLS,
    "the tool that is chosen is bound": UNBOUND,
    "no choice while it thinks, not even auto": (setting(tool_choice="auto"), both(FORCED, THINKS_OFF)),
    "its reasoning comes back": (without(1, "reasoning_content"), message(1, reasoning_content="")),
    "its reasoning comes back, not empty": (message(1, reasoning_content=""), message(1, reasoning_content=" ")),
    "no forced choice while it thinks": (FORCED, both(FORCED, THINKS_OFF)),
    "no forced choice": (setting(tool_choice="required"), setting(tool_choice="auto")),
    "temperature is 1 while it thinks, otherwise 0.6": (setting(temperature=0.6), both(setting(temperature=0.6), THINKS_OFF)),
    "temperature is 1": (setting(temperature=0.6), setting(temperature=1)),
    "thinking or reasoning_effort, not both": (setting(thinking={"type": "enabled"}, reasoning_effort="low"), setting(reasoning_effort="low")),
    "thinking cannot be switched off": (THINKS_OFF, setting(thinking={"type": "adaptive"})),
    "no named choice": (FORCED, setting(tool_choice="required")),
    "auto is the only choice": (setting(tool_choice="required"), setting(tool_choice="auto")),
    "its reasoning_details come back": (
        without(1, "reasoning_details"),
        message(1, reasoning_details=[{"type": "reasoning.encrypted", "data": "skip_thought_signature_validator"}]),
    ),
    "its signatures come back": (
        call(extra_content={}),
        call(extra_content={"google": {"thought_signature": "skip_thought_signature_validator"}}),
    ),
    "parameters exist": (setting(enable_thinking=False), NOTHING),
    "a model that reasons takes max_completion_tokens": (setting(model="gpt-5.4", max_tokens=9), setting(model="gpt-5.4", max_completion_tokens=9)),
    "no logprobs and no logit_bias": (setting(logprobs=True), NOTHING),
    "no presence_penalty": (setting(presence_penalty=0), NOTHING),
    "no frequency_penalty": (setting(frequency_penalty=0), NOTHING),
    "no stop": (setting(stop=["\n"]), NOTHING),
    "a choice is a word": (FORCED, setting(tool_choice="required")),
    "no choice of its own": (setting(tool_choice="auto"), FORCED),
}
CLAUDE_FORCED: Change = setting(tool_choice={"type": "tool", "name": "edit"})
ENABLED: Change = setting(thinking={"type": "enabled", "budget_tokens": 1024})
SPECIAL_OWN: Mapping[tuple[str, str], Pair] = {
    ("deepseek-v4", "a choice is no bare name"): (both(THINKS_OFF, BARE[0]), both(THINKS_OFF, FORCED)),
    ("deepseek-v4", "a choice needs tools"): (both(THINKS_OFF, NO_TOOLS[0]), both(THINKS_OFF, NO_TOOLS[1])),
    ("deepseek-v4", "the tool that is chosen is bound"): (both(THINKS_OFF, UNBOUND[0]), both(THINKS_OFF, FORCED)),
    ("kimi-k2.6", "a choice is no bare name"): (both(THINKS_OFF, BARE[0]), both(THINKS_OFF, FORCED)),
    ("kimi-k2.6", "the tool that is chosen is bound"): (both(THINKS_OFF, UNBOUND[0]), both(THINKS_OFF, FORCED)),
    ("qwen-thinking", "no forced choice while it thinks"): (FORCED, both(FORCED, setting(enable_thinking=False))),
    ("qwen-thinking", "a choice is no bare name"): (setting(enable_thinking=False, tool_choice="edit"), both(setting(enable_thinking=False), FORCED)),
    ("qwen-thinking", "the tool that is chosen is bound"): (
        setting(enable_thinking=False, tool_choice=OTHER),
        both(setting(enable_thinking=False), FORCED),
    ),
    ("mistral", "parameters exist"): (setting(max_completion_tokens=9), setting(max_tokens=9)),
    ("vllm-without-parser", "a choice needs tools"): (
        lambda body: body.pop("tools"),
        both(lambda body: body.pop("tools"), lambda body: body.pop("tool_choice")),
    ),
    ("claude-5.5", "no forced choice"): (setting(tool_choice={"type": "any"}), setting(tool_choice={"type": "auto"})),
    ("claude-4.5", "no forced choice while it thinks"): (both(CLAUDE_FORCED, ENABLED), CLAUDE_FORCED),
    ("claude-4.5", "the tool that is chosen is bound"): (setting(tool_choice={"type": "tool", "name": "write"}), CLAUDE_FORCED),
    ("claude-4.5", "temperature is 1 while it thinks"): (both(ENABLED, setting(temperature=0.2)), setting(temperature=0.2)),
    ("openai-responses", "a choice is no bare name"): (setting(tool_choice="edit"), setting(tool_choice={"type": "function", "name": "edit"})),
    ("openai-responses", "the tool that is chosen is bound"): (
        setting(tool_choice={"type": "function", "name": "write"}),
        setting(tool_choice={"type": "function", "name": "edit"}),
    ),
}
"""Where a provider's own rule of that name is broken, or mended, in another way."""
