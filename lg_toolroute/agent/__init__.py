"""The middleware from the inside: one model call of an agent is one turn, each segment sent through the agent's own handler.

`lg_toolroute.middleware` is what it is used through.
"""
