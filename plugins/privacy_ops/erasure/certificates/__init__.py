"""Certificates: what is signed about an erased case, and how anybody checks it."""
