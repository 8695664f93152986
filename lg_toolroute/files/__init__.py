"""What is known of a file from the calls and results of a thread. Pure: no LangChain, no disk, no clock.

A file is whatever a file tool names: a file on a disk, in a state, a page of a wiki. What a tool's arguments mean is `tools.py`.
"""
