"""The table of providers as `docs/testing.md` prints it: what a choice leads to is asked of a server."""

from __future__ import annotations

from typing import Any

from lg_toolroute.testing import PROFILES, FaultServer, ProviderProfile
from tests.support.provider_rules.asking_raw import CHAT, MESSAGES, OLLAMA, RESPONSES, Answer, first_request, post

NAMED: dict[str, Any] = {MESSAGES: {"type": "tool", "name": "edit"}, RESPONSES: {"type": "function", "name": "edit"}}
API = {CHAT: "chat completions", RESPONSES: "Responses", MESSAGES: "Messages", OLLAMA: "Ollama's own"}


def choices_table() -> str:
    """What each profile makes of a choice, and how it writes."""
    with FaultServer(profile={name: name for name in PROFILES}) as server:
        rows = [_row(server, profile) for profile in PROFILES.values()]
    head = "| profile | stands for | a name | `required` | `auto` | none sent | sends | a call's id |"
    return "\n".join([head, "|---" * 8 + "|", *rows])


def _row(server: FaultServer, profile: ProviderProfile) -> str:
    (path, *_) = profile.apis
    any_one = {"type": "any"} if path == MESSAGES else "required"
    auto = {"type": "auto"} if path == MESSAGES else "auto"
    named = NAMED.get(path, {"type": "function", "function": {"name": "edit"}})
    two = first_request(profile.name, path)["tools"]
    asked = [_forced(server, profile.name, path, choice, two) for choice in (named, any_one)]
    free = [post(server, path, first_request(profile.name, path) | ({"tool_choice": auto} if sent else {})) for sent in (True, False)]
    answer = next((one for one in (*free, *(each for each in asked if each.status == 200)) if one.status == 200), free[0])
    cells = [*(_taken(one) for one in asked), *("taken" if one.status == 200 else str(one.status) for one in free)]
    return f"| `{profile.name}` | {profile.about} | {' | '.join(cells)} | {_sends(answer.body, path)} | {_id(answer.body, path)} |"


def _forced(server: FaultServer, name: str, path: str, choice: Any, tools: list[Any]) -> Answer:
    """The answer to a choice for which nothing else speaks: there are two tools, and the last word is not an instruction to call one."""
    other = [{**tool, "name": "write"} if "name" in tool else {**tool, "function": {**tool["function"], "name": "write"}} for tool in tools]
    return post(server, path, {**first_request(name, path), "tools": [*tools, *other], "tool_choice": choice})


def _taken(answer: Answer) -> str:
    if answer.status != 200:
        return str(answer.status)
    return "taken" if _called(answer.body) else "dropped"


def _called(body: dict[str, Any]) -> bool:
    return '"edit"' in repr(body).replace("'", '"')


def _sends(body: Any, path: str) -> str:
    """Its thinking, under its name; a signature beside it."""
    if path == MESSAGES:
        found = [block for block in body["content"] if block["type"] == "thinking"]
        return "–" if not found else "a signed `thinking` block" + ("" if found[0]["thinking"] else ", its text empty")
    if path == RESPONSES:
        return "a `reasoning` item" if any(one["type"] == "reasoning" for one in body["output"]) else "–"
    if path == OLLAMA:
        return "`thinking`, where `think` says so"
    message = body["choices"][0]["message"]
    names = [f"`{name}`" for name in ("reasoning_content", "reasoning", "reasoning_details") if message.get(name)]
    names += ["a signature on its calls" for call in message.get("tool_calls", ())[:1] if "extra_content" in call]
    return ", ".join(names) or "–"


def _id(body: Any, path: str) -> str:
    if path == MESSAGES:
        return f"`{body['content'][-1]['id']}`"
    if path == RESPONSES:
        return f"`{body['output'][-1]['call_id']}`"
    return "none" if path == OLLAMA else f"`{body['choices'][0]['message']['tool_calls'][0]['id']}`"


def rules_table() -> str:
    """What profiles refuse beside their APIs' histories, with sources."""
    profiles: dict[tuple[str, str], list[str]] = {}
    for profile in PROFILES.values():
        for rule in profile.rules:
            profiles.setdefault((rule.name, rule.source), []).append(f"`{profile.name}`")
    rows = [f"| {rule} | {', '.join(names)} | {source} |" for (rule, source), names in profiles.items()]
    return "\n".join(["| rule | profiles | source |", "|---|---|---|", *rows])


def histories_table() -> str:
    """What each API takes as a history."""
    profiles: dict[tuple[str, str], list[str]] = {}
    for profile in PROFILES.values():
        for path, api in profile.apis.items():
            profiles.setdefault((API[path], "; ".join(api.rules)), []).append(f"`{profile.name}`")
    rows = [f"| {api} | {', '.join(names)} | {rules} |" for (api, rules), names in profiles.items()]
    return "\n".join(["| API | profiles | what a history must be |", "|---|---|---|", *rows])
