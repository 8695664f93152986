"""A session of our own, in the form of the recorded ones: reads in parts, good and bad edits, a compaction and a formatter."""

from __future__ import annotations

from typing import Any

CONFIG = "LIMIT = 40\nRATE = 1.5\n"
PAY = "from config import LIMIT\n\n\ndef pay(hours):\n    return hours\n\n\ndef extra(hours):\n    return hours - LIMIT\n"


def numbered(text: str, first: int = 1, count: int | None = None) -> str:
    return "\n".join(f"{number:>6}→{line}" for number, line in enumerate(text.split("\n")[first - 1 :][:count], first))


class Recording:
    """Events as they are recorded, of files that really change."""

    def __init__(self, **files: str) -> None:
        self.files = files
        self.events: list[dict[str, Any]] = [{"user": "Go."}]

    def call(self, name: str, result: str, *, kind: str = "", **args: Any) -> dict[str, Any]:
        number = str(len(self.events))
        self.events.append({"call": number, "name": name, "args": args})
        event = {"result": number, "name": name, "error": bool(kind), "text": result, **({"kind": kind} if kind else {})}
        self.events.append(event)
        return event

    def read(self, file: str, **asked: int) -> None:
        self.call("Read", numbered(self.files[file], asked.get("offset", 1), asked.get("limit")), file_path=file, **asked)

    def edit(self, file: str, old: str, new: str) -> None:
        before = self.files[file]
        args = {"file_path": file, "old_string": old, "new_string": new}
        if before.count(old) == 1:
            self.files[file] = before.replace(old, new)
            self.call("Edit", f"The file {file} has been updated.", **args)["file_before"] = before
        else:
            kind, words = ("no_match", "String to replace not found in file.") if old not in before else ("multi_match", "Found 2 matches.")
            self.call("Edit", f"<tool_use_error>{words}</tool_use_error>", kind=kind, **args)


def our_session() -> list[dict[str, Any]]:
    """A session with reads in parts, good and bad edits, a compaction and a formatter."""
    of = Recording(config=CONFIG, pay=PAY)
    of.read("config")
    of.edit("config", "RATE = 1.5", "RATE = 2")
    of.edit("config", "RATE = 1.5", "RATE = 3")
    of.read("pay", offset=1, limit=6)
    of.edit("pay", "    return hours\n", "    return round(hours)\n")
    of.edit("pay", "def pay(hours):\n    return hours\n\n", "def pay(hours):\n    return 0\n\n")
    of.read("pay", offset=6, limit=9)
    of.edit("pay", "hours - LIMIT", "max(hours - LIMIT, 0)")
    of.call("Bash", "ok", command="black pay")
    of.files["pay"] = of.files["pay"].replace("\n\n\n", "\n\n")
    of.edit("pay", "from config import LIMIT\n\ndef", "from config import LIMIT, RATE\n\ndef")
    of.events.append({"user": "This session is being continued.", "compacted": True})
    of.edit("config", "LIMIT = 40", "LIMIT = 38")
    of.read("config")
    of.edit("config", "LIMIT = 38", "LIMIT = 35")
    return of.events
