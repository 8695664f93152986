"""The demo on models of your own: the same agent and the same tools, on your configuration, folder and task."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lg_toolroute import ToolRouter, create_toolroute_agent, load_config
from lg_toolroute.cli import OK, PROBLEMS
from lg_toolroute.config import RoutingConfig
from lg_toolroute.demo.comparison import show_tallies
from lg_toolroute.demo.folder import UNITTEST, Folder
from lg_toolroute.demo.folder_tools import folder_tools
from lg_toolroute.demo.project import PROMPT, TASK, project_copy
from lg_toolroute.demo.screen import Screen, short
from lg_toolroute.demo.session import Session, Tally
from lg_toolroute.errors import ConfigError, Problem

_LEFT_OUT = (".git", ".venv", "venv", "node_modules", "__pycache__", ".tox", ".mypy_cache")


class OwnModels:
    """Sessions on the models of a configuration.

    Args:
        config: The configuration's file.
        folder: Where the agent works and changes files; `None` for a copy of the demo's project.
        task: What it is to do; `None` to mend what makes the tests fail.
        tests: The command that runs the tests; `None` for unittest.
        max_turns: After so many turns a session has failed.

    Raises:
        ConfigError: The configuration is wrong or names no primary, or a model that can be reached cannot be built.
    """

    def __init__(self, config: str, *, folder: str | None, task: str | None, tests: Sequence[str] | None, max_turns: int) -> None:
        self.router = ToolRouter(load_config(Path(config)))
        self.alone = ToolRouter(without_rules(self.router.config))
        chain = self.router.book.reasoning_chain()
        if not chain:
            hint = 'write "model": {"primary": "provider/model"}'
            raise ConfigError([Problem("agents.defaults.model.primary", "no primary is configured", hint)], source=config)
        self.primary = chain[0]
        self.router.check_models()
        self.folder = None if folder is None else Path(folder)
        self.task = task or TASK
        self.tests = UNITTEST if tests is None else tuple(tests)
        self.max_turns = max_turns

    def run(self, screen: Screen, *, compare: bool) -> int:
        """Runs the sessions.

        Args:
            screen: Where they are shown.
            compare: Let the primary work alone first, on a copy.
        """
        tallies: dict[str, Tally] = {}
        if compare:
            with self._copy() as folder:
                screen.title(f"primary alone: {short(self.primary)} writes every call, in a copy of the project")
                tallies["primary alone"] = self._session(self.alone, folder, screen)
        with self._workplace() as folder:
            screen.title(f"routed: {short(self.primary)} reasons, in {folder.root}")
            tallies["routed"] = self._session(self.router, folder, screen)
        show_tallies(screen, tallies)
        tests = tallies["routed"].tests
        return OK if tests is not None and tests.green else PROBLEMS

    def _session(self, router: ToolRouter, folder: Folder, screen: Screen) -> Tally:
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            agent = create_toolroute_agent(router, folder_tools(lambda: folder), system_prompt=PROMPT)
        for warning in found:
            screen.line("warning", str(warning.message), style="yellow")
        return Session(agent, folder, screen, primary=self.primary, max_turns=self.max_turns).ask(self.task)

    @contextmanager
    def _workplace(self) -> Iterator[Folder]:
        if self.folder is not None:
            yield Folder(self.folder, self.tests)
            return
        with project_copy() as folder:
            yield Folder(folder.root, self.tests)

    @contextmanager
    def _copy(self) -> Iterator[Folder]:
        if self.folder is None:
            with self._workplace() as folder:
                yield folder
            return
        with tempfile.TemporaryDirectory(prefix="toolroute-") as name:
            target = Path(name) / self.folder.resolve().name
            # Links are copied as links: what they lead to is outside, where no tool reaches.
            shutil.copytree(self.folder, target, symlinks=True, ignore=shutil.ignore_patterns(*_LEFT_OUT))
            yield Folder(target, self.tests)


def without_rules(config: RoutingConfig) -> RoutingConfig:
    """The same configuration, in which every model writes its calls itself.

    Args:
        config: The configuration.
    """
    defaults = config.agents.defaults
    model = defaults.model.model_copy(update={"tool_routing": {}})
    agents = config.agents.model_copy(update={"defaults": defaults.model_copy(update={"model": model})})
    return config.model_copy(update={"agents": agents})
