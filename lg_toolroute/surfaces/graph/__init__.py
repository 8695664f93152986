"""The routed graph: its nodes (`nodes`), the edges between them (`edges`), its tools (`tool_node`), and how it is built (`build`)."""
