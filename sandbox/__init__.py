"""The embedded runtime and the made-up publisher: what production brings itself, and a laptop does not have."""
