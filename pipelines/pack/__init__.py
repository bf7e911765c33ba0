"""The performance pack: one self-contained page per place, quarter and language.

Two editions, of which the second cannot see what the first does.
Internal: ``edition`` has the warehouse's figures, ``nation_quarter`` reads what belongs to a
nation's quarter, ``headlines`` and ``sections`` turn it into sentences, rows and pictures,
``pages`` writes.
Publishable: ``published_release`` reads the files of a release, ``published_summary`` and
``published_tables`` turn them into sentences and rows, ``released_packs`` writes.
Both: ``model`` has the rows, ``wording`` sentences and numbers, ``page_parts`` parts of pages.
"""
