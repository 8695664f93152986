"""A routed turn as a chat model: the model (`chat_model`), one call as a turn (`turn`), how it calls the inner models (`inner_calls`), the run they
are part of (`outer_run`), and the chunks it shows (`outer_chunks`).
"""

from lg_toolroute.langchain_hooks import check_hooks

check_hooks("surfaces.chat")
