"""What `import lg_toolroute` costs beside LangGraph itself, and what it does not load. Each import runs in a Python of its own."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

import lg_toolroute
from benchmarks.report import Promise, Report, Table

STATEMENTS = {
    "import langgraph.graph": "import langgraph.graph",
    "import lg_toolroute": "import lg_toolroute",
    "… import ToolRouter": "from lg_toolroute import ToolRouter",
    "… import create_toolroute_agent": "from lg_toolroute import create_toolroute_agent",
    "… import ToolRoutedChatModel": "from lg_toolroute import ToolRoutedChatModel",
    "… import ToolRouteMiddleware": "from lg_toolroute import ToolRouteMiddleware",
    "from langchain.agents import create_agent": "from langchain.agents import create_agent",
    "from langchain_openai import ChatOpenAI": "from langchain_openai import ChatOpenAI",
}
BASELINE = "import langgraph.graph"
PROVIDERS = (
    "openai", "anthropic", "google.genai", "mistralai", "groq", "ollama", "langchain_openai", "langchain_anthropic", "langchain_google_genai",
    "langchain_mistralai", "langchain_groq", "langchain_ollama", "langchain_deepseek",
)  # fmt: skip
WATCHED = (*PROVIDERS, "langchain.agents", "langchain_community")
ROUNDS = 7

_PROGRAM = """
import json, sys, time
wall, busy = time.perf_counter(), time.process_time()
{statement}
taken = time.perf_counter() - wall, time.process_time() - busy
print(json.dumps([*taken, len(sys.modules), [name for name in {watched!r} if name in sys.modules]]))
"""


def measure(statement: str) -> tuple[float, float, int, list[str]]:
    """Runs one import in a new Python.

    Args:
        statement: The import.

    Returns:
        Seconds on the wall, seconds of processor time, the number of modules that are loaded then, and which of `WATCHED` are.
    """
    program = _PROGRAM.format(statement=statement, watched=WATCHED)
    root = Path(lg_toolroute.__file__).resolve().parent.parent
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root)
    wall, busy, modules, found = json.loads(done.stdout)
    return wall, busy, modules, found


def run(quick: bool) -> Report:
    """Times the imports.

    Args:
        quick: LangGraph's and ours, once each.
    """
    names = [name for name, statement in STATEMENTS.items() if not quick or name == BASELINE or "lg_toolroute" in statement]
    taken: dict[str, list[tuple[float, float, int, list[str]]]] = {name: [] for name in names}
    for _ in range(1 if quick else ROUNDS):
        for name in names:
            taken[name].append(measure(STATEMENTS[name]))
    busy = {name: statistics.median(one[1] for one in runs) for name, runs in taken.items()}
    wall = {name: statistics.median(one[0] for one in runs) for name, runs in taken.items()}
    loaded = {name: runs[-1][3] for name, runs in taken.items()}
    rows = tuple((name, wall[name], busy[name], busy[name] / busy[BASELINE], taken[name][-1][2], ", ".join(loaded[name])) for name in names)
    columns = ("import", "wall s", "processor s", "× langgraph.graph", "modules", "of the watched")
    own = [name for name in names if "lg_toolroute" in STATEMENTS[name]]
    providers = sorted({found for name in own for found in loaded[name] if found in PROVIDERS})
    agents = "langchain.agents" in loaded["import lg_toolroute"]
    return Report(
        "imports",
        "what does importing cost, and what does it load?",
        [Table("Each in a new Python, medians", columns, rows)],
        {f"ratio: {name}": busy[name] / busy[BASELINE] for name in names},
        [
            Promise("no import of lg_toolroute loads a provider", ", ".join(providers) or "none", not providers),
            Promise("import lg_toolroute loads no langchain.agents", "loaded" if agents else "not loaded", not agents),
        ],
    )
