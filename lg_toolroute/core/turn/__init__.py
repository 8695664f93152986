"""One turn: what it is (`turn`), what it reads (`inputs`), how its data changes (`changes`), who is asked (`selection`), how it goes (`flow`)."""
