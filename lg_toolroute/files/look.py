"""A look before an edit runs: is the old text in the file as it must be now, once?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lg_toolroute.files.known import KnownFile
from lg_toolroute.files.tools import FileTool, replacements


def look(tool: FileTool, arguments: Mapping[str, Any], known: KnownFile | None) -> str | None:
    """What is wrong with an edit, as far as the file is known.

    Args:
        tool: What the arguments mean.
        arguments: Of the finished call.
        known: What is known of the file that it names.

    Returns:
        One sentence with the nearest real text, for the model that is to mend the call; `None` where the edit fits, or where the file is not known
        well enough to tell.
    """
    meant = tool.called(arguments)
    if meant is None or meant.kind != "edit" or known is None or known.text is None:
        return None
    for each in replacements(meant, arguments) or ():
        count = known.count(each.old)
        if count == 0:
            return f"{meant.old!r} is not in {known.name} as it is now."
        if count > 1 and not each.every:
            return f"{meant.old!r} occurs {count} times in {known.name}; give more of the lines around it."
    return None
