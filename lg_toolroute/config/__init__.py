"""Configuration: files and dialects in, a validated `RoutingConfig` out.

The way of a document: `reading` makes plain data of a text, `nodes` remembers where everything stood, `arrange` gives every shape the
one shape of the schema, `fit` compares keys and types, `check` what no single value shows; `agents`, `tools`, `models` and `running` are
the schema, `document` is the whole.
"""

from __future__ import annotations

from lg_toolroute.config.agents import (
    AgentConfig,
    AgentsConfig,
    ChainConfig,
    EscalateConfig,
    HeartbeatConfig,
    ModelConfig,
    ModelSettings,
    RoleConfig,
    RuleConfig,
)
from lg_toolroute.config.document import RoutingConfig
from lg_toolroute.config.load import load_config
from lg_toolroute.config.models import CompatConfig, CostConfig, ModelEntry, ModelsConfig, ProviderConfig, ProviderSettings, SecretRefConfig
from lg_toolroute.config.running import HandoffConfig, HealthConfig, TimeoutsConfig
from lg_toolroute.config.tools import PolicyConfig, ToolsConfig

__all__ = [
    "AgentConfig",
    "AgentsConfig",
    "ChainConfig",
    "CompatConfig",
    "CostConfig",
    "EscalateConfig",
    "HandoffConfig",
    "HealthConfig",
    "HeartbeatConfig",
    "ModelConfig",
    "ModelEntry",
    "ModelSettings",
    "ModelsConfig",
    "PolicyConfig",
    "ProviderConfig",
    "ProviderSettings",
    "RoleConfig",
    "RoutingConfig",
    "RuleConfig",
    "SecretRefConfig",
    "TimeoutsConfig",
    "ToolsConfig",
    "load_config",
]
