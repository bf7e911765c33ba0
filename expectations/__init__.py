"""What we refuse, and how we say so.

- ``rules/``: one entry per cross-field rule, with its sentence in both languages
- ``fields.py``: the rules a return's declaration implies for each of its fields
- ``suite.py``: runs both over a quarter with Great Expectations, one batch per return
- ``verdicts.py``: what becomes of a submission

Importing this package imports neither Great Expectations nor pandas (about
3 CPU s); ``suite.validate_quarter`` does so when it has rows to check.
"""
