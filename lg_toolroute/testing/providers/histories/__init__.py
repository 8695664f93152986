"""What each API takes as a history: checks of a request's messages, each rule with its source.

Every module has `check`, which gives a refusal for each rule that is broken, and `RULES`, its rules by name with their sources. They know nothing of
how `lg_toolroute` writes a request: they are the other side of the bargain.
"""
