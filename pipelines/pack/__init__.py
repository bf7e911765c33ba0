"""The performance pack: one self-contained page per place, quarter and language.

``edition`` says which figures a page may show, ``book`` reads what belongs to a nation's quarter,
``sections`` and ``headlines`` turn it into rows, pictures and sentences, ``pages`` writes.
"""
