"""What is raised where a form cannot express something."""

from __future__ import annotations

from lg_toolroute.errors import ToolRouteError


class FormRefused(ToolRouteError):
    """A call that cannot be expressed in another form without loss; the model that wrote it is told why, and what to write instead.

    Args:
        reason: What is wrong, in a few words, for a model.
        remedy: What to write instead, as an instruction; empty if no other call in this form could do it.
        own: Only the tool's own form can do it, so the model is shown that one when it writes the call again.
    """

    def __init__(self, reason: str, remedy: str = "", *, own: bool = False) -> None:
        self.reason, self.remedy, self.own = reason, remedy, own
        super().__init__(f"{reason}; {remedy}" if remedy else reason)
