"""What the tests of this project share: agents and their tools, servers, each provider's rules, measured tables, samples of large matrices."""
