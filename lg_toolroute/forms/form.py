"""`ToolForm`: the form in which a model is shown a tool of the application, and how its calls become the application's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from lg_toolroute.files.known import KnownFile
from lg_toolroute.files.tools import FileTool

Known = Callable[[str], KnownFile | None]
"""What is known of a file, by the name that a call gives it."""


@dataclass(frozen=True, slots=True)
class FormTool:
    """A tool of the application, as a form sees it.

    Attributes:
        name: Its name. The model is shown the other form under the same name.
        description: What it tells models of itself.
        schema: The JSON Schema of its arguments, an object.
        file: What its arguments mean, if it is a file tool.
        fixed: Arguments that are settled already: the model must keep them.
    """

    name: str
    description: str
    schema: Mapping[str, Any]
    file: FileTool | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class ToolForm(Protocol):
    """The form in which a model is shown a tool. Hand yours in as `ToolRouter(…, forms={"name": form})`, and name it in a rule's `form`.

    All three methods are pure: the same arguments give the same answer, in every turn, so that a provider's prompt cache keeps hitting. A form with
    an attribute `counts_lines` that is true is shown files with line numbers in a brief.
    """

    def shown(self, *, tool: FormTool) -> Mapping[str, Any] | None:
        """What the model is shown in the place of the tool.

        Args:
            tool: The tool of the application.

        Returns:
            `{"description": …, "parameters": <JSON Schema of an object>}`; `None` if the tool has this form already.

        Raises:
            FormRefused: The tool cannot take this form.
        """
        ...

    def calls(self, *, tool: FormTool, arguments: Mapping[str, Any], known: Known) -> Sequence[Mapping[str, Any]]:
        """A call of the model's as calls of the application's tool.

        Args:
            tool: The tool of the application.
            arguments: What the model wrote; they fit the `parameters` that it was shown.
            known: Gives what is known of a file.

        Returns:
            The arguments of one call or of several, in order; they are checked against the tool's own schema.

        Raises:
            FormRefused: It cannot be expressed. The model is told why, and writes the call again.
        """
        ...

    def arguments(self, *, tool: FormTool, arguments: Mapping[str, Any], known: Known) -> Mapping[str, Any]:
        """An earlier call of the application's tool as the model would have written it.

        Args:
            tool: The tool of the application.
            arguments: What it was called with.
            known: Gives what was known of a file before that call.

        Raises:
            FormRefused: It cannot be expressed: the model is shown the call as it is.
        """
        ...
