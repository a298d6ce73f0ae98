"""Watching the jobs: what operators are told, what is late, the figures they watch, and what a deployment lacks."""
