"""What no single value shows: rules against rules, groups against groups, and what may surprise although it is no mistake.

The data are checked before pydantic sees them, so that these mistakes are reported together with all others; whatever has the wrong type
is pydantic's to report and is passed over here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic.alias_generators import to_camel

from lg_toolroute.config.environment import masked
from lg_toolroute.config.fit import KEY
from lg_toolroute.config.foreign import RESTRICTING_TOOLS
from lg_toolroute.config.nodes import Location, shown
from lg_toolroute.config.places import Places
from lg_toolroute.config.providers import KNOWN_PROVIDERS, known
from lg_toolroute.core.rules.glob import is_glob
from lg_toolroute.core.rules.groups import BUILT_IN_TOOLS, GROUP, TAG, all_groups, group_name, members
from lg_toolroute.core.rules.handoff import SIZES
from lg_toolroute.core.rules.match import kind_of
from lg_toolroute.core.rules.nearest import did_you_mean, nearest
from lg_toolroute.core.rules.spec import ModelSpec, parse_spec
from lg_toolroute.errors import Problem

Data = Mapping[str, Any]


@dataclass(slots=True)
class Checker:
    """Looks at the whole document.

    Attributes:
        places: Where the author wrote what.
        problems: Mistakes.
        warnings: What may surprise, one sentence each.
        aliases: Model specs by their short names.
    """

    places: Places
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    _groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _routed: dict[str, None] = field(default_factory=dict)
    _provider_ids: tuple[str, ...] = ()
    _file_tools: tuple[str, ...] = ()
    _described: dict[str, set[str]] = field(default_factory=dict)

    def document(self, data: Data) -> None:
        """Checks the whole document, given in the schema's names."""
        agents = list(_agents(_mapping(data, "agents")))
        for loc, agent in agents:
            self._collect_aliases(_mapping(agent, "models"), (*loc, "models"))
        tools = _mapping(data, "tools")
        self._own_groups(_mapping(tools, "groups"))
        self._file_tools = tuple(_mapping(tools, "files"))
        shared = _mapping(agents[0][1], "model", "tool_routing")
        for loc, agent in agents:
            # A role inherits from its agent, an agent from the defaults, and the defaults have nothing to inherit.
            above = shared if loc != agents[0][0] else {}
            for place, model in _models(agent, loc):
                own = {} if place == (*loc, "model") else {**shared, **_mapping(agent, "model", "tool_routing")}
                self._rules(_mapping(model, "tool_routing"), (*place, "tool_routing"), {**above, **own})
            if "tools" in agent:
                self._tools(_mapping(agent, "tools"), (*loc, "tools"), tools)
        self._tools(tools, ("tools",), None)
        self._providers(_mapping(data, "models", "providers"))
        for _, agent in agents:
            for text in _specs(agent):
                self._provider_name(text)

    def _problem(self, loc: Location, message: str, hint: str = "") -> None:
        self.problems.append(Problem(self.places.nearest(*loc), message, hint))

    def _warn(self, loc: Location, sentence: str) -> None:
        self.warnings.append(f"{self.places.of(*loc)}: {sentence}")

    # Models

    def _collect_aliases(self, settings: Data, loc: Location) -> None:
        for spec, entry in settings.items():
            place = (*loc, spec)
            try:
                model = str(parse_spec(spec))
            except ValueError as error:
                message, _, hint = str(error).partition("; ")
                self._problem(place, message, hint)
                continue
            alias = entry.get("alias") if isinstance(entry, Mapping) else None
            if not isinstance(alias, str):
                continue
            if "/" in alias:
                self._problem((*place, "alias"), f"{alias!r} cannot be told from a model spec", "write the alias without '/'")
                continue
            if is_glob(spec):
                self._problem((*place, "alias"), f"{alias!r} stands for one model, and {spec!r} is a pattern", "give a single model the alias")
                continue
            other = self.aliases.setdefault(alias.strip(), model)
            if other != model:
                self._problem((*place, "alias"), f"{alias!r} is already the alias of {other!r}", "give one of them another")

    def _model(self, text: Any) -> ModelSpec | None:
        """The model that a text of the document means; `None` if it is no spec, which is pydantic's to report."""
        try:
            return parse_spec(self.aliases.get(text.strip(), text)) if isinstance(text, str) else None
        except ValueError:
            return None

    def _provider_name(self, text: str) -> None:
        spec = self._model(text)
        if spec is None:
            return
        described = self._described.get(spec.provider, ())
        if described and spec.model not in described and (near := nearest(spec.model, described)) is not None:
            self.warnings.append(f"the model {text!r} is not among the models of {spec.provider!r}; did you mean '{spec.provider}/{near}'?")
        if known(spec.provider) is not None or spec.provider in self._provider_ids:
            return
        meant = nearest(spec.provider, [*KNOWN_PROVIDERS, *self._provider_ids])
        if meant is not None:
            self.warnings.append(f"the model {text!r}: the provider {spec.provider!r} is not known; did you mean {meant!r}?")
        elif "/" not in text:
            read = f"is read as model {spec.model!r} of the provider {spec.provider!r}"
            self.warnings.append(f"the model {text!r} {read}; did you mean 'ollama/{text}'?")

    def _providers(self, providers: Data) -> None:
        self._provider_ids = tuple(name.lower() for name in providers)
        seen: dict[str, str] = {}
        for name, provider in providers.items():
            loc: Location = ("models", "providers", name)
            if not name.strip() or any(mark in name for mark in "/: "):
                self._problem(loc, f"{shown(name)} cannot be a provider's id", "write it without '/', ':' and spaces")
            if seen.setdefault(name.lower(), name) != name:
                self._problem(loc, f"the provider {name!r} is defined twice, also as {seen[name.lower()]!r}", "merge the two")
            if not isinstance(provider, Mapping):
                continue
            if isinstance(key := provider.get("api_key"), str) and masked(key) != key:
                self._warn((*loc, "api_key"), 'the key itself stands in the configuration; write "${NAME}" and set the environment variable')
            ids = self._described.setdefault(name.lower(), set())
            for number, model in enumerate(_items(provider, "models")):
                model_id = model.get("id") if isinstance(model, Mapping) else None
                if not isinstance(model_id, str):
                    continue
                if model_id in ids:
                    self._problem((*loc, "models", number, "id"), f"the model {model_id!r} is described twice", "merge the two")
                ids.add(model_id)

    # Rules

    def _rules(self, rules: Data, loc: Location, inherited: Data) -> None:
        for pattern, rule in rules.items():
            place = (*loc, pattern)
            self._pattern(pattern, key if (key := (*place, KEY)) in self.places.written else place)
            if rule is None:
                if pattern not in inherited:
                    self._warn(place, f"there is no inherited rule for {pattern!r} to remove; {did_you_mean(pattern, inherited, 'leave it out')}")
                continue
            self._routed[pattern] = None
            if not isinstance(rule, Mapping):
                continue
            if rule.get("primary") is None:
                self._without_model(rule, pattern, place)
            self._look(rule, pattern, place)
            handoff = _mapping(rule, "handoff")
            if handoff.get("brief") is not None and handoff.get("mode") not in (None, "brief"):
                hint = f"leave `mode` out, or leave `brief` out: a handoff that is {shown(handoff['mode'])} has no size"
                self._problem((*place, "handoff", "brief"), "a size of the brief stands beside another mode", hint)
            if handoff.get("mode") == "draft" and rule.get("on_intercept") == "cut":
                hint = 'write "onIntercept": "drain", or leave it out'
                self._problem((*place, "on_intercept"), "a draft needs the primary's whole message, which 'cut' does not read", hint)
            if rule.get("form") and rule.get("stream_args") == "live":
                hint = 'leave "streamArgs": "live" out, or leave `form` out'
                self._problem((*place, "form"), "arguments in another form can be shown when they are complete, not as they come", hint)
            self._cut_at(rule, (*place, "cut_at"))
            self._unknown_file(rule, (*place, "handoff"))
            to, fallbacks = _mapping(rule, "escalate").get("to"), rule.get("fallbacks")
            if isinstance(to, str) and isinstance(fallbacks, (list, tuple)) and not fallbacks and self._model(to) != self._model(rule.get("primary")):
                hint = f"name {to!r} among the fallbacks, or leave `to` out"
                self._problem((*place, "escalate", "to"), f"'fallbacks: []' lets no other model write the call, and {to!r} is another", hint)

    def _look(self, rule: Data, pattern: str, place: Location) -> None:
        if rule.get("look") in (None, False):
            return
        if rule.get("stream_args") == "live":
            hint = 'leave "streamArgs": "live" out, or leave `look` out'
            self._problem((*place, "look"), "arguments that are shown as they come cannot be looked at before they are shown", hint)
        if rule["look"] is True and pattern in BUILT_IN_TOOLS and pattern not in {"edit", *self._file_tools}:
            hint = "say under tools.files what its arguments mean, or name a look of your own: ToolRouter(…, looks={name: fn})"
            self._problem((*place, "look"), f"{pattern!r} is not known as a tool that edits files", hint)

    def _without_model(self, rule: Data, pattern: str, place: Location) -> None:
        """A rule with a look and no model has its calls looked at; everything else that a rule says is about its model."""
        if rule.get("look") in (None, False):
            hint = 'write "model": "provider/model" in it, or "look": true to have the calls of the primary looked at'
            self._problem(place, f"the rule for {pattern!r} names no model", hint)
            return
        for name in rule:
            if name not in ("look", "primary") and rule[name] is not None:
                hint = 'write "model": "provider/model" beside it, or leave it out'
                self._problem((*place, name), f"the rule for {pattern!r} has a look and no model, and this is about its model", hint)

    def _unknown_file(self, rule: Data, loc: Location) -> None:
        """A brief of a file where the cut comes before the file's name."""
        handoff = _mapping(rule, "handoff")
        size = handoff.get("brief")
        of_a_file = size in SIZES or isinstance(size, int) or (size is None and handoff.get("mode") == "brief")
        early = next((key for key, value in (("cut_at", "name"), ("stream_args", "live")) if rule.get(key) == value), None)
        if of_a_file and early is not None:
            sentence = "an edit that is cut at its name does not tell which file a brief would have to show, so its writer is sent the whole history"
            self._warn(loc, f"{sentence}; leave \"{to_camel(early)}\": \"{rule[early]}\" out")

    def _cut_at(self, rule: Data, loc: Location) -> None:
        where = rule.get("cut_at")
        if where is not None and rule.get("on_intercept") == "drain":
            self._problem(loc, "'drain' reads the primary's whole message, so its call is cut nowhere", "leave `cutAt` or `onIntercept` out")
        elif where not in (None, "name") and _mapping(rule, "handoff").get("mode") == "draft":
            self._problem(loc, "a draft holds all arguments, so none is cut off", "leave `cutAt` out, or write another handoff")
        elif where not in (None, "name") and rule.get("stream_args") == "live":
            hint = 'write "streamArgs": "checked", or "cutAt": "name"'
            self._problem(loc, "arguments that two models write are shown when both are checked, and 'live' shows them as they come", hint)

    def _pattern(self, pattern: str, loc: Location) -> None:
        kind = kind_of(pattern)
        if pattern.strip() not in ("", pattern):
            self._warn(loc, f"{pattern!r} begins or ends with a blank, as hardly a tool's name does; did you mean {pattern.strip()!r}?")
        if not pattern.strip():
            self._problem(loc, "a tool pattern is empty", "write a tool's name")
        elif kind == "group" and group_name(pattern) not in self._groups:
            name = nearest(group_name(pattern), self._groups)
            hint = f"did you mean {GROUP + name!r}?" if name else f"known are {', '.join(GROUP + known_group for known_group in self._groups)}"
            self._problem(loc, f"there is no group {pattern!r}", hint)
        elif kind == "tag" and not pattern[len(TAG) :].strip():
            self._problem(loc, f"{pattern!r} names no tag", "write for instance tag:mcp")
        elif kind == "exact" and "," in pattern:
            self._warn(loc, f"{pattern!r} is one name with a comma in it; several tools are a list")

    def _own_groups(self, groups: Data) -> None:
        self._groups = all_groups({name: tuple(entry) for name, entry in groups.items() if isinstance(entry, (list, tuple))})
        for name in groups:
            loc: Location = ("tools", "groups", name)
            if not group_name(name):
                self._problem(loc, "a group has no name", "write group:name")
            wrong = len(self.problems)
            for number, entry in _texts(groups, name):
                self._pattern(entry, (*loc, number))
            if wrong == len(self.problems):
                try:
                    members(name, self._groups)
                except ValueError as error:
                    self._problem(loc, f"the group contains itself: {error}", "take one of them out")
                    self._groups[group_name(name)] = ()
                except (KeyError, AttributeError):
                    # A member's own members are wrong, which is reported where they stand.
                    self._groups[group_name(name)] = ()

    # Policies

    def _tools(self, tools: Data, loc: Location, outer: Data | None) -> None:
        base = tools.get("profile") or (outer or {}).get("profile")
        self._policy(tools, loc, base)
        for layer in ("by_provider", "by_model"):
            for name, policy in _mapping(tools, layer).items():
                place = (*loc, layer, name)
                if not name.strip():
                    self._problem(place, "the name of a policy is empty", "write a provider, a model or a pattern")
                if isinstance(policy, Mapping):
                    self._policy(policy, place, policy.get("profile"))
        if outer is not None and _mapping(tools, "groups"):
            self._problem((*loc, "groups"), "groups are the same for all agents", "write them under tools.groups")
        if outer is not None and _mapping(tools, "files"):
            self._problem((*loc, "files"), "what the arguments of a tool mean is the same for all agents", "write it under tools.files")

    def _policy(self, policy: Data, loc: Location, profile: object) -> None:
        allow, also = policy.get("allow"), policy.get("also_allow")
        if allow and also:
            hint = "put all into allow, or drop allow and use profile and alsoAllow"
            self._problem((*loc, "also_allow"), "allow and alsoAllow stand in one policy", hint)
        elif also and not profile:
            self._warn((*loc, "also_allow"), "alsoAllow adds to a profile and there is none, so it changes nothing")
        if isinstance(allow, (list, tuple)) and not allow:
            self._warn((*loc, "allow"), "an empty list allows no tools; OpenClaw takes it for no list at all. Leave it out to allow all")
        for name in ("allow", "also_allow", "deny"):
            for number, entry in _texts(policy, name):
                self._pattern(entry, (*loc, name, number))
                self._known_tool(entry, (*loc, name, number))

    def _known_tool(self, entry: str, loc: Location) -> None:
        words = [*BUILT_IN_TOOLS, *self._routed]
        if kind_of(entry) != "exact" or entry.lower() in {word.lower() for word in words}:
            return
        if entry.lower() in self._groups:
            self._warn(loc, f"{entry!r} is the name of a tool here; did you mean {GROUP + entry.lower()!r}?")
        elif meant := nearest(entry, [word for word in words if abs(len(word) - len(entry)) <= 2 and len(word) > 4]):
            self._warn(loc, f"no tool called {entry!r} is known; {did_you_mean(entry, [meant])}")

    def unenforced(self, ignored: list[str]) -> None:
        """Warns of those among the sections left alone that would take tools away in OpenClaw."""
        for path in ignored:
            head, _, name = path.rpartition(".")
            if (head == "tools" or head.endswith(".tools")) and name in RESTRICTING_TOOLS:
                self.warnings.append(f"{path}: takes no tools away here: {RESTRICTING_TOOLS[name]}")


def _mapping(data: Data, *names: str) -> Data:
    for name in names:
        found = data.get(name)
        data = found if isinstance(found, Mapping) else {}
    return data


def _items(data: Data, name: str) -> Sequence[Any]:
    found = data.get(name)
    return found if isinstance(found, (list, tuple)) else ()


def _texts(data: Data, name: str) -> Iterator[tuple[int, str]]:
    return ((number, text) for number, text in enumerate(_items(data, name)) if isinstance(text, str))


def _agents(agents: Data) -> Iterator[tuple[Location, Data]]:
    yield ("agents", "defaults"), _mapping(agents, "defaults")
    entries = _mapping(agents, "entries")
    for name in entries:
        yield ("agents", "entries", name), _mapping(entries, name)


def _models(agent: Data, loc: Location) -> Iterator[tuple[Location, Data]]:
    yield (*loc, "model"), _mapping(agent, "model")
    yield (*loc, "heartbeat", "model"), _mapping(agent, "heartbeat", "model")
    roles = _mapping(agent, "roles")
    for name in roles:
        yield (*loc, "roles", name, "model"), _mapping(roles, name, "model")


def _specs(agent: Data) -> Iterator[str]:
    chains = [*(model for _, model in _models(agent, ())), _mapping(agent, "image_model"), _mapping(agent, "pdf_model")]
    chains += [rule for chain in chains for rule in _mapping(chain, "tool_routing").values() if isinstance(rule, Mapping)]
    for chain in chains:
        for text in (chain.get("primary"), *_items(chain, "fallbacks"), _mapping(chain, "escalate").get("to")):
            if isinstance(text, str):
                yield text

