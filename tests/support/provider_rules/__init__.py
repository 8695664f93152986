"""What each provider's API refuses, written down as checks of a request body, and the clients whose requests are checked.

Each rules module names its sources and knows nothing of `lg_toolroute`: it is the other side of the bargain.
"""
