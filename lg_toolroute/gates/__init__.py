"""Gates stand in the stream of a chat model and decide what may be shown of it."""

from lg_toolroute.langchain_hooks import check_hooks

check_hooks("gates")
