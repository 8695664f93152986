"""What each model can read of a history: described once for a model, and anew when its settings have changed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableBinding

from lg_toolroute.clients.wrappers import LanguageModel
from lg_toolroute.core.rules.facts import ModelFacts
from lg_toolroute.history import Target, target_of

_MOST = 256  # applications may make models anew for every run: remembering must have an end


class ReaderCache:
    """Describes models as the readers of a history.

    Args:
        facts: What the configuration says of a model: its word on images and PDFs goes before LangChain's profile.
    """

    def __init__(self, facts: Callable[[str], ModelFacts]) -> None:
        self._facts = facts
        self._known: OrderedDict[tuple[int, str, bool], tuple[Target, LanguageModel, Mapping[str, Any]]] = OrderedDict()

    def reader(self, spec: str, model: LanguageModel, leaf: BaseChatModel, *, addressed: bool = False) -> Target:
        """The reader that a model is.

        Args:
            spec: Its spec.
            model: The model, or a runnable around it.
            leaf: The chat model that is asked first.
            addressed: The application writes its messages for this model.
        """
        # A binding says more than the model in it: `thinking` may be bound, and tools that run at the provider.
        described = model if isinstance(model, RunnableBinding) else leaf
        key = (id(described), spec, addressed)
        known = self._known.get(key)
        if known is not None and known[1] is described and known[2] == leaf.__dict__:
            return known[0]
        target = replace(target_of(described, self._profile(spec, leaf), spec=spec), addressed=addressed)
        self._known[key] = (target, described, dict(leaf.__dict__))  # the entry keeps the model alive, so that no other object gets its id
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        return target

    def _profile(self, spec: str, leaf: BaseChatModel) -> Mapping[str, Any]:
        inputs = self._facts(spec).inputs
        profile: Mapping[str, Any] = leaf.profile or {}
        return profile if inputs is None else {**profile, "image_inputs": "image" in inputs, "pdf_inputs": "pdf" in inputs}
