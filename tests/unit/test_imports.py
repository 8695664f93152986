"""What an import costs: no provider's client, no `langchain.agents`; and the core knows nothing of LangChain."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lg_toolroute

ROOT = Path(lg_toolroute.__file__).parent.parent
PROVIDERS = ("langchain_openai", "langchain_anthropic", "langchain_ollama", "langchain_google_genai", "langchain_community", "openai", "anthropic")


def loaded(code: str) -> set[str]:
    """The modules that are there after `code` has run in a fresh interpreter."""
    script = f"import sys, json\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_package_imports_neither_langchain_nor_a_provider():
    modules = loaded("import lg_toolroute")
    assert not [name for name in modules if name.split(".")[0] in {*PROVIDERS, "langchain", "langchain_core", "langgraph"}]


@pytest.mark.parametrize("name", ["ToolRouter", "create_toolroute_agent", "add_toolroute", "ToolRouteState", "ToolRoutedChatModel", "load_config"])
def test_no_surface_but_the_middleware_needs_langchains_agents_or_a_provider(name: str):
    modules = loaded(f"from lg_toolroute import {name}")
    assert "langchain.agents" not in modules
    assert not [module for module in modules if module.split(".")[0] in PROVIDERS]


def test_making_and_asking_a_router_builds_no_model_and_imports_no_provider():
    config = '{"model": "openai/gpt-5", "toolRouting": {"edit": "anthropic/claude-sonnet-4-5"}}'
    modules = loaded(
        f"from lg_toolroute import ToolRouter\nr = ToolRouter({config})\nr.decide('edit'); r.explain('edit')\nr.tools_for('openai/gpt-5', ['a'])"
    )
    assert not [module for module in modules if module.split(".")[0] in PROVIDERS]


def test_the_core_is_pure():
    modules = loaded("import lg_toolroute.core.turn.flow, lg_toolroute.rulebook.book, lg_toolroute.core.failures.classify")
    assert not [module for module in modules if module.split(".")[0] in {"langchain", "langchain_core", "langgraph", "httpx"}]


ROUTED_RUN = """
from langchain_core.tools import tool
from lg_toolroute import ToolRouter, create_toolroute_agent
from lg_toolroute.testing import Call, Say, ScriptedModel

@tool
def edit(path: str) -> str:
    "Edit a file."
    return "edited " + path

primary = ScriptedModel([Say("I fix it.", [Call("edit", {"path": "wrong"})]), Say("Done.")], name="kimi/k2")
writer = ScriptedModel([Say(calls=[Call("edit", {"path": "a.py"})])], name="deepseek/v4")
router = ToolRouter({"model": "kimi/k2", "toolRouting": {"edit": "deepseek/v4"}}, models={"kimi/k2": primary, "deepseek/v4": writer})
assert create_toolroute_agent(router, [edit]).invoke({"messages": [("user", "Fix a.py")]})["messages"][2].content == "edited a.py"
"""


def test_a_routed_run_does_not_import_langchain_community():
    modules = loaded(ROUTED_RUN + "\nrouter.models.check()")
    assert not [module for module in modules if module.split(".")[0] in {"langchain_community", "sqlalchemy", "aiohttp"}]


def test_a_routed_run_works_without_the_community_extra_and_names_it_when_a_model_needs_it():
    modules = loaded(
        "import sys\nclass Absent:\n    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'langchain_community': raise ModuleNotFoundError(name)\n"
        f"sys.meta_path.insert(0, Absent())\n{ROUTED_RUN}"
    )
    assert "langchain_community" not in modules


def test_the_import_contract_holds():
    """The same as `lint-imports` on the command line: `core/` imports no clock, no dice, no I/O and no LangChain."""
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert command is not None, "import-linter, which the extra `test` installs, is not beside this Python"
    done = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
