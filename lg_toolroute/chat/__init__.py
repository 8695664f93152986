"""The routed chat model from the inside: one call of it is one turn, whose models' answers go out as one stream.

`lg_toolroute.chat_model` is what it is used through.
"""
