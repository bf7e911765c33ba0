"""Whether a finished warehouse holds every row that the ledger accepted, as it says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.warehouse.published import WarehouseError

if TYPE_CHECKING:
    import duckdb

TABLE = "fct_reconciliation"


def refuse_unless_reconciled(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise WarehouseError unless every return in force is in ``marts.fct_reconciliation``, and
    agrees there. A warehouse built before there was such a table is refused, too."""
    tables = connection.execute(
        "select 1 from duckdb_tables() where schema_name = 'marts' and table_name = ?", [TABLE]
    ).fetchone()
    if tables is None:
        raise WarehouseError(
            "the warehouse does not say whether it holds every row (it has no table "
            f"marts.{TABLE}): run `adoption build` first"
        )
    wrong = connection.execute(
        f"""
        select submission_id, sender_code, quarter, return_name, rows_in_ledger, rows_measured
        from marts.{TABLE} where not is_reconciled
        union all
        select submission_id, sender_code, quarter, return_name, rows_accepted, 0
        from marts.fct_return as returned
        where status in ('accepted', 'nil') and not exists (
            from marts.{TABLE} as reconciled
            where reconciled.sender_code = returned.sender_code
            and reconciled.quarter = returned.quarter
            and reconciled.return_name = returned.return_name
        )
        order by all
        """  # noqa: S608 - a constant
    ).fetchall()
    if wrong:
        submission_id, sender_code, quarter, return_name, in_ledger, measured = wrong[0]
        others = f" ({len(wrong) - 1} more like it)" if len(wrong) > 1 else ""
        raise WarehouseError(
            f"the warehouse has {measured} of {in_ledger} {return_name} rows of "
            f"{submission_id or 'no submission'} ({sender_code}, {quarter}){others}: run "
            "`adoption verify`, mend what it names, and `adoption build`"
        )
