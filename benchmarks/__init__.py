"""What routing costs and what it saves, measured here and now: `python -m benchmarks`."""
