"""Traces of people in what the orchestrator keeps of itself."""
