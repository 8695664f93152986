"""One turn, from its beginning to the landed message, for every surface: `runner.TurnRunner` owns it.

`inputs` reads the history, `requests` says what a candidate is asked, `calling` asks it, `segments` and `landing` make the message, `refusals`
keeps the tool policy where tools run, `overrides` reads the runtime context, `events` are told to LangGraph's `custom` stream.
"""
