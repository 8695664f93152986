"""A great many random turns on whole surfaces, and laws that are judged from what models were sent and what tools received.

`configurations` draws what an agent is built with and reads it without the engine; `models` are chat models that answer from a script; `world` builds
the agents and plays runs; `laws` judge a run.
"""
