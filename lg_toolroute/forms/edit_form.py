"""`EditForm`: an edit tool, shown to a model in another notation than its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lg_toolroute.files.known import KnownFile
from lg_toolroute.files.names import ends_with, plain
from lg_toolroute.forms.exact import Exact
from lg_toolroute.forms.form import FormTool, Known
from lg_toolroute.forms.lines import Lines
from lg_toolroute.forms.notation import Notation, Part, read_back
from lg_toolroute.forms.refused import FormRefused
from lg_toolroute.forms.text import FileText, Gap, split
from lg_toolroute.forms.v4a import V4A
from lg_toolroute.forms.whole import Whole

NOT_KNOWN = "{file} was not read in this conversation"


@dataclass(frozen=True, slots=True)
class EditForm:
    """An edit tool in one notation. Its calls are believed only if they make the same file of what is known of it as the model's own call does.

    Attributes:
        notation: Makes the notation of the model, given the argument that names the file.
        counts_lines: The model names lines by their numbers, so a brief shows it the file with numbers.
    """

    notation: Callable[[str], Notation]
    counts_lines: bool = False

    def shown(self, *, tool: FormTool) -> Mapping[str, Any] | None:
        own, model = self._both(tool)
        if type(own) is type(model):
            return None
        carried, required = _carried(tool, own)
        parameters = {
            "type": "object",
            "properties": {**model.properties, **carried},
            "required": [*model.properties, *(name for name in required if name not in model.properties)],
            **{key: tool.schema[key] for key in ("$defs", "definitions") if key in tool.schema},
        }
        return {"description": model.tells, "parameters": parameters}

    def calls(self, *, tool: FormTool, arguments: Mapping[str, Any], known: Known) -> list[dict[str, Any]]:
        own, model = self._both(tool)
        carried = {name: arguments[name] for name in _carried(tool, own)[0] if name in arguments and name not in model.uses}
        settled = {name: value for name, value in tool.fixed.items() if name in own.uses and name not in model.uses and not _names_file(tool, name)}
        texts: dict[str, FileText] = {}
        calls: list[dict[str, Any]] = []
        for part in model.parts(arguments):
            name = _kept(tool, part)
            before = texts.get(name) or _known_text(known(name))
            after = texts[name] = _carried_out(model, part, name, before)
            if not isinstance(own, (Exact, Whole)) and not (_is_plain(before) and _is_plain(after)):
                raise FormRefused("of an empty file, CRLF or a missing final newline it is not known what this tool makes", own=True)
            written = [{**call, **settled} for call in own.write(name, before, after)]
            if settled and read_back(own, written, before or FileText(())) != after:
                raise FormRefused(f"with {', '.join(f'`{each}`' for each in settled)} as settled it changes more, or something else", own=True)
            calls += [{**carried, **call} for call in written]
        return calls

    def arguments(self, *, tool: FormTool, arguments: Mapping[str, Any], known: Known) -> dict[str, Any]:
        own, model = self._both(tool)
        parts = own.parts(arguments)
        if len(parts) != 1:
            raise FormRefused("the call changes several files")
        name = parts[0].file
        before = _known_text(known(name))
        written = model.write(name, before, _carried_out(own, parts[0], name, before))
        if len(written) != 1:
            raise FormRefused("the call is several calls in that form")
        return {**{name: value for name, value in arguments.items() if name not in own.uses}, **written[0]}

    def _both(self, tool: FormTool) -> tuple[Notation, Notation]:
        """The tool's own notation, and the model's."""
        own = notation_of(tool)
        return own, self.notation(tool.file.file if tool.file is not None else "file_path")


def _carried_out(notation: Notation, part: Part, name: str, before: FileText | None) -> FileText:
    """A file's text with what a call says of it carried out."""
    if before is None and not part.new:
        raise FormRefused(NOT_KNOWN.format(file=name), "name a file that was read, exactly as it was named there", own=True)
    after = notation.apply(part, before or FileText(()))
    if after == before:
        raise FormRefused("it changes nothing", "write what is to stand there instead")
    return after


def notation_of(tool: FormTool) -> Notation:
    """The notation that a tool of the application takes.

    Raises:
        FormRefused: It is no tool that changes files, or none that can be told.
    """
    meant = tool.file
    if meant is not None and meant.command is None:
        if meant.kind == "write" and meant.text is not None:
            return Whole(meant.file, meant.text, literal=True)
        if meant.kind == "edit" and meant.old is not None and meant.new is not None:
            return Exact(meant.file, meant.old, meant.new, meant.every, meant.edits, literal=True)
        if meant.kind == "edit" and meant.start is not None and meant.end is not None and (text := meant.new or meant.text) is not None:
            return Lines(meant.file, meant.start, meant.end, text)
    if "patch" in tool.name.lower():
        texts = [name for name, schema in _properties(tool).items() if isinstance(schema, Mapping) and schema.get("type") == "string"]
        if len(texts) == 1:
            return V4A(texts[0])
    raise FormRefused(
        f"{tool.name!r} is no tool of which it is known how it changes files",
        f'describe it as tools.files: {{"{tool.name}": {{kind: "edit", file: "…", old: "…", new: "…"}}}}, or leave `form` out',
    )


def _is_plain(text: FileText | None) -> bool:
    """Whether all tools that work on lines make the same of a text: it has some, and each ends in a line feed alone."""
    lines = () if text is None else text.lines
    return bool(lines) and all(isinstance(line, Gap) or (line.endswith("\n") and not line.endswith("\r\n")) for line in lines)


def _carried(tool: FormTool, own: Notation) -> tuple[dict[str, Any], list[str]]:
    """The arguments that have nothing to do with the notation, which the model writes as they are; and those of them that are required."""
    carried = {name: schema for name, schema in _properties(tool).items() if name not in own.uses}
    return carried, [name for name in tool.schema.get("required", ()) if name in carried]


def _names_file(tool: FormTool, argument: str) -> bool:
    return tool.file is not None and argument == tool.file.file


def _properties(tool: FormTool) -> Mapping[str, Any]:
    found = tool.schema.get("properties")
    return found if isinstance(found, Mapping) else {}


def _kept(tool: FormTool, part: Part) -> str:
    """The file that a part is for. If one is settled it must be that one, which a patch may name by the end of its path."""
    settled = None if tool.file is None else tool.fixed.get(tool.file.file)
    if settled is None:
        return part.file
    if ends_with(plain(str(settled)), plain(part.file)):
        return str(settled)
    raise FormRefused(f"it changes {part.file}, and the file is {settled}", f"write the change for {settled}, under this name")


def _known_text(file: KnownFile | None) -> FileText | None:
    """What is known of a file, with its gaps; `None` if nothing is."""
    if file is None or (file.text is None and not file.pieces):
        return None
    if file.text is not None:
        return FileText(split(file.text), open_end=not file.ending)
    lines: list[str | Gap] = []
    number = 1
    for place, piece in enumerate(file.pieces):
        start, text = piece.start, piece.text
        if start is None:  # it stands somewhere; two gaps of unknown length keep it apart from the others
            lines.append(Gap(-place - 1, None))
        elif start > number:
            lines.append(Gap(number, start - number))
        lines += split(f"{text}\n" if place < len(file.pieces) - 1 or not text.endswith("\n") else text)
        number = (start or number) + piece.count
    return FileText((*lines, Gap(number, None)))
