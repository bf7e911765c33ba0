"""Somebody who opens the published warehouse again and again and writes down what it says.

Printed: a line for each answer that differs from the one before, or for an error. Ends when its
standard input does.
"""

from __future__ import annotations

import select
import sys

import duckdb

WHAT_IT_SAYS = """
select
    (select bit_xor(hash(figure)) from marts.fct_indicator as figure),
    (select count(*) from duckdb_tables() where table_name like '%\\_\\_dbt%' escape '\\')
"""


def answer(path: str) -> str:
    """What a warehouse says, in one line; an error likewise."""
    try:
        with duckdb.connect(path, read_only=True) as connection:
            return str(connection.execute(WHAT_IT_SAYS).fetchone())
    except duckdb.Error as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]


if __name__ == "__main__":
    last = None
    while not select.select([sys.stdin], [], [], 0.05)[0]:
        now = answer(sys.argv[1])
        if now != last:
            print(now, flush=True)
            last = now
