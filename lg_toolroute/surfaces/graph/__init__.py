"""The routed graph: its nodes (`nodes`), the edges between them (`edges`), its tools (`tool_node`), and how it is built (`build`)."""

from lg_toolroute.langchain_hooks import check_hooks

check_hooks("surfaces.graph")
