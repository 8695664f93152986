"""The middleware for `create_agent`: its hooks (`middleware`), one model call as a turn (`turn`), the agent's own model (`agent_model`), the order
in which middlewares work together (`order`).
"""

from lg_toolroute.langchain_hooks import check_hooks

check_hooks("surfaces.middleware")
