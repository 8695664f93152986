"""Configuration: files and dialects in, a validated `RoutingConfig` out.

The way of a document: `reading` makes plain data of a text, `nodes` remembers where everything stood, `fit` compares keys and types and
has `arrange` give every section the shape of the schema, `check` finds what no single value shows. `agents`, `tools`, `models` and `running`
are the schema, `document` is the whole.
"""

from __future__ import annotations

from lg_toolroute.config.document import RoutingConfig
from lg_toolroute.config.load import load_config

__all__ = ["RoutingConfig", "load_config"]
