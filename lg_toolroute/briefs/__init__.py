"""What the model that writes a call is told: what is known of a file from the messages, and the part of the thread it needs."""
