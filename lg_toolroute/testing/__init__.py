"""Test your own graph: a chat model that follows a script, and a server that misbehaves on request.

Nothing here needs a key or a network, and no provider's client is imported. `docs/testing.md` shows how they are used.
"""

from __future__ import annotations

from lg_toolroute.testing import faults
from lg_toolroute.testing.expect import Expect
from lg_toolroute.testing.fault import Fault
from lg_toolroute.testing.fault_server import FaultServer, refusing_port
from lg_toolroute.testing.faults import random_faults
from lg_toolroute.testing.latch import Latch, Turnstile
from lg_toolroute.testing.providers import PROFILES, ProviderProfile
from lg_toolroute.testing.scripted_model import ScriptedModel
from lg_toolroute.testing.server_request import ServerRequest
from lg_toolroute.testing.steps import Call, Chunks, Eof, Fail, Hang, Say, by_tool
from lg_toolroute.testing.tape import ModelRequest, ScriptError
from lg_toolroute.testing.whole_model import ScriptedWholeModel

__all__ = [
    "PROFILES",
    "Call",
    "Chunks",
    "Eof",
    "Expect",
    "Fail",
    "Fault",
    "FaultServer",
    "Hang",
    "Latch",
    "ModelRequest",
    "ProviderProfile",
    "Say",
    "ScriptError",
    "ScriptedModel",
    "ScriptedWholeModel",
    "ServerRequest",
    "Turnstile",
    "by_tool",
    "faults",
    "random_faults",
    "refusing_port",
]
