"""One history, any provider: messages as the next model's client and API accept them.

`adapt` is called for each request, just before the model, with the messages that the request would carry. It returns
copies where something had to change and the caller's own list where nothing had; what is stored is never touched. It is
a pure function of (messages, target): the same history gives the same bytes, so a provider's prompt cache keeps hitting.

`api_rules` is the table of what each API takes; `target` finds the reader's row, `provenance` the writer of a message. `adapting` runs
the steps: `assistant`, `own_blocks`, `content` and `media` give each message its form, `pairing` brings calls and results together
under the ids of `ids`, `order` puts the messages in order. `threads` runs them for a thread that grows, only where it is new. `settings` and
`reasoning` treat what travels beside the messages.
"""

from lg_toolroute.history.adapting import adapt, adapt_with_notes
from lg_toolroute.history.notes import HistoryError, Note
from lg_toolroute.history.reasoning import replay_reasoning
from lg_toolroute.history.settings import sanitize_settings
from lg_toolroute.history.target import Target, model_name, target_of

__all__ = [
    "HistoryError",
    "Note",
    "Target",
    "adapt",
    "adapt_with_notes",
    "model_name",
    "replay_reasoning",
    "sanitize_settings",
    "target_of",
]
