"""Disclosure control of linked tables: frame, true table, primary rules, protection, publication, attacker. Pure.

frame    what everybody knows: dimensions, measures, the row set, and how cells hang together
table    the true counts on a frame, and who may never see them
rules    the public rules of a release
primary  which counts the rules withhold, and how well each must be protected
protect  which further counts are withheld so that none can be computed back
publish  from mask to published cells: rounding, bands, one mark for all that is withheld
audit    the attacker: knows published cells, frame and rules, nothing else
compare  the attacker who kept every earlier file
"""
