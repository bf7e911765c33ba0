"""The performance pack: one self-contained page per place, quarter and language.

Two editions, of which the second cannot see what the first does.
Internal: ``edition`` has the warehouse's figures, ``book`` reads what belongs to a nation's
quarter, ``sections`` and ``headlines`` turn it into rows, pictures and sentences, ``pages`` writes.
Publishable: ``published`` reads the files of a release, ``published_pages`` writes.
"""
