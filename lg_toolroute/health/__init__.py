"""The books of health: in this process, and shared by many workers through a LangGraph store.

`lg_toolroute.health.book` is what they are used through; what a failure does to a circuit is in `lg_toolroute.core.failures.health`.
"""
