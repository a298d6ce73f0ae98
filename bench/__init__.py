"""Measurements and proofs. No test depends on a time measured here."""
