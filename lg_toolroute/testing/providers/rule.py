"""A rule of a provider, what it says when the rule is broken, and in which format it says it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from lg_toolroute.testing.server_request import ServerRequest


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a provider answers to a request that it does not take.

    Attributes:
        says: Its words.
        param: The parameter that it names.
        status: The HTTP status.
        kind: The body's `type`; empty takes the provider's usual one.
        code: The body's `code`; `None` takes the provider's usual one.
        rule: The rule that was broken.
    """

    says: str
    param: str | None = None
    status: int = 400
    kind: str = ""
    code: str | int | None = None
    rule: str = ""


Check = Callable[[ServerRequest], Refusal | str | None]
"""Looks at a request: the words in which it is refused, the whole refusal, or `None`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a provider.

    Attributes:
        name: As it stands in the table.
        source: Where it is documented or was reported: a document, or a repository and a number.
        check: What it looks at.
        refusal: Status, type and code of the answer, where they are not the usual ones; its words are the check's.
    """

    name: str
    source: str
    check: Check
    refusal: Refusal = Refusal("")

    def broken_by(self, request: ServerRequest) -> Refusal | None:
        """The refusal, if a request breaks this rule."""
        found = self.check(request)
        if found is None:
            return None
        refusal = replace(self.refusal, says=found) if isinstance(found, str) else found
        return replace(refusal, rule=self.name)


Body = Callable[[Refusal], Any]
"""Writes a refusal in a provider's format."""
