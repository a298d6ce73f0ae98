"""Rows of a person inside objects that many people share: find them, write the objects without them, look again.

``lines`` and ``parquet`` know formats, ``identify`` knows whose a row is, ``find`` reads, ``forget`` writes.
"""
