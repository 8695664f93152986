"""What is shipped: the wheel, built and installed somewhere else, routes a call without the source tree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

SMOKE = """
import json
from pathlib import Path

import lg_toolroute
from langchain_core.tools import tool
from lg_toolroute import ToolRouter, create_toolroute_agent
from lg_toolroute.testing import Call, Say, ScriptedModel

@tool
def edit(path: str) -> str:
    "Edit a file."
    return "edited " + path

primary = ScriptedModel([Say("Let me fix that.", [Call("edit", {"path": "wrong"})]), Say("Done.")], name="kimi/kimi-for-coding")
writer = ScriptedModel([Say(calls=[Call("edit", {"path": "a.py"})])], name="deepseek/deepseek-v4-pro")
config = {"model": {"primary": "kimi/kimi-for-coding"}, "toolRouting": {"edit": {"primary": "deepseek/deepseek-v4-pro"}}}
router = ToolRouter(config, models={"kimi/kimi-for-coding": primary, "deepseek/deepseek-v4-pro": writer})
messages = create_toolroute_agent(router, [edit]).invoke({"messages": [("user", "Fix a.py")]})["messages"]
print(json.dumps({
    "from": str(Path(lg_toolroute.__file__).parent),
    "wrote": messages[1].response_metadata["toolroute"]["model"],
    "result": messages[2].content,
    "last": messages[3].text,
}))
"""


def run(*command: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built by the backend that is installed here, without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory) -> Path:
    """A Python that has the wheel, and of everything else what this one has."""
    home = tmp_path_factory.mktemp("elsewhere") / "venv"
    venv.create(home, system_site_packages=False, with_pip=False, symlinks=True)
    run(sys.executable, "-m", "pip", "--python", home, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=home)
    (packages,) = home.glob("lib/python*/site-packages")
    # The dependencies are borrowed behind the wheel, without this environment's own `.pth` files: one of them leads to the source tree.
    borrowed = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "borrowed.pth").write_text("\n".join(borrowed) + "\n", encoding="utf-8")
    return home / "bin" / "python"


def test_an_installed_wheel_routes_a_call(python, tmp_path):
    found = json.loads(run(python, "-c", SMOKE, cwd=tmp_path))
    assert Path(found["from"]).is_relative_to(python.parent.parent)
    assert found["wrote"] == "deepseek/deepseek-v4-pro"
    assert found["result"] == "edited a.py"
    assert found["last"] == "Done."


def test_the_command_is_installed(python, tmp_path):
    (tmp_path / "routes.toml").write_text('[model]\nprimary = "ollama/big"\n[toolRouting.edit]\nprimary = "ollama/writer"\n', encoding="utf-8")
    said = run(python.parent / "lg-toolroute", "explain", "edit", "--config", "routes.toml", cwd=tmp_path)
    assert "ollama/writer" in said


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(next(name for name in names if name.endswith("METADATA"))).decode()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"lg_toolroute"}
    assert {"lg_toolroute/py.typed", "lg_toolroute/core/turn/turn.py", "lg_toolroute/testing/fault_server.py"} <= set(names)
    committed = {str(path.relative_to(ROOT)) for path in (ROOT / "lg_toolroute").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {name for name in names if name.startswith("lg_toolroute/")} == committed
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "License-Expression: MIT" in metadata
