"""The files that a supporter or an author receives, made of protected rows and of nothing else.

``build`` turns a ``PackContent`` into bytes; ``read`` turns bytes back into rows and says what is wrong with them.
Everything here is pure: bytes in, bytes out; no database, no object store, no clock.
"""
