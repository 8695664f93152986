"""The clients whose requests are checked against what each provider's API refuses, and how their servers answer.

The rules are those of `lg_toolroute.testing.providers`, with two that stand here: Gemini's own API, which no server of ours speaks, and what a test
knows and a server cannot.
"""
