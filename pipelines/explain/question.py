"""From what a person asked to what is meant: codes that exist, and a figure that is there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pipelines.explain.model import Basis, FigureExplained
from pipelines.quarters import Quarter
from pipelines.text.catalogue import Language
from pipelines.text.fuzzy_match import did_you_mean, plain_name
from pipelines.warehouse.published import WarehouseError

if TYPE_CHECKING:
    import duckdb


class NotExplained(Exception):
    """There is no such figure; the message says what was asked wrongly and what would be right.

    ``argument`` is the argument of ``adoption explain`` that is to be corrected.
    """

    def __init__(self, argument: str, message: str) -> None:
        super().__init__(message)
        self.argument = argument


_FIGURE = """
    select
        numerator, denominator, value, value_rounded, benchmark, benchmark_met,
        returns_expected, returns_accepted, quarters_in_window, quarters_covered, is_complete,
        estimate, estimate_method
    from marts.fct_indicator
    where indicator_id = $indicator and place_code = $place and quarter = $quarter
      and window_name = $window and membership_basis = $basis and breakdown = 'total'
"""


class Question:
    """A question in the warehouse's words.

    ``place`` is a code or a name in either language; ``window`` defaults to the quarter or, where
    the indicator has no quarterly figure, to its first window. Raises NotExplained where there is
    no such indicator, place, quarter or window, and WarehouseError when the warehouse was not built
    by this version.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        indicator: str,
        place: str,
        quarter: Quarter,
        window: str | None,
        basis: Basis,
        language: Language,
    ) -> None:
        self._connection = connection
        self.quarter = quarter.label
        self.basis: Basis = basis
        self.language: Language = language
        self._require_tables()
        self.indicator = self._indicator(indicator)
        self.subject: str = self.indicator["subject"]
        self.place_code, self.place_name = self._place(place)
        self._require_quarter()
        self.window = self._window(window)

    @property
    def values(self) -> dict[str, Any]:
        """What the queries of an explanation may name."""
        return {
            "indicator": self.indicator["indicator_id"],
            "place": self.place_code,
            "quarter": self.quarter,
            "window": self.window,
            "basis": self.basis,
            "subject": self.subject,
            # A stock is what there was on the last day, however long the window.
            "span": "quarter" if self.indicator["timing"] == "stock" else self.window,
            "numerator": self.indicator["numerator"],
            "denominator": self.indicator["denominator"],
        }

    def rows(
        self, sql: str, connection: duckdb.DuckDBPyConnection | None = None
    ) -> list[tuple[Any, ...]]:
        """Rows of a query that may name ``values``; asked of another connection where given."""
        named = set(re.findall(r"\$(\w+)", sql))  # DuckDB takes no others
        values = {name: value for name, value in self.values.items() if name in named}
        return (connection or self._connection).execute(sql, values).fetchall()

    def figure(self) -> FigureExplained:
        """The figure that is asked for. Raises NotExplained where there is none."""
        rows = self.rows(_FIGURE)
        if rows:
            return FigureExplained(*rows[0])
        if self._has_one_basis():
            raise NotExplained(
                "--basis",
                f"membership makes no difference to {self.place_name}: ask without --basis",
            )
        raise NotExplained(
            "INDICATOR",
            f"{self.indicator['indicator_id']} has no figure for {self.place_name} in "
            f"{self.quarter} ({self.window}, membership {self.basis}): no {self.subject} "
            "return is due from it or its members, or the indicator did not apply yet",
        )

    def _has_one_basis(self) -> bool:
        """Authorities and nations have no members that could change."""
        bases = self._connection.execute(
            "select distinct membership_basis from marts.dim_place_sender where place_code = ?",
            [self.place_code],
        ).fetchall()
        return bases != [] and (self.basis,) not in bases

    def _require_tables(self) -> None:
        columns = set(
            self._connection.execute(
                "select table_name, column_name from information_schema.columns"
                " where table_schema = 'marts'"
            ).fetchall()
        )
        needed = {
            ("fct_indicator", "membership_basis"),
            ("fct_explanation", "reason"),
            ("fct_indicator_break", "is_in_window"),
            ("dim_indicator_not_computed", "reason_en"),
        }
        if not needed <= columns:
            raise WarehouseError(
                "the published warehouse was built by an earlier version of this program: run "
                "`adoption build`"
            )

    def _indicator(self, wanted: str) -> dict[str, Any]:
        result = self._connection.execute("select * from marts.dim_indicator")
        names = [column[0] for column in result.description]
        indicators = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
        code = wanted.strip().upper()
        for indicator in indicators:
            if indicator["indicator_id"] == code:
                return indicator
        self._require_computed(code)
        titles = [
            (indicator["indicator_id"], indicator[title])
            for indicator in indicators
            for title in ("title_en", "title_cy")
        ]
        raise NotExplained(
            "INDICATOR",
            f"there is no indicator {wanted!r}{did_you_mean(wanted, titles)}; "
            "marts.dim_indicator lists them all",
        )

    def _require_computed(self, code: str) -> None:
        reason = self._connection.execute(
            f"select reason_{self.language} from marts.dim_indicator_not_computed"  # noqa: S608
            " where indicator_id = ?",
            [code],
        ).fetchone()
        if reason:
            raise NotExplained("INDICATOR", f"{code} is not computed. {reason[0]}")

    def _place(self, wanted: str) -> tuple[str, str]:
        """Code, and name in the language of the question."""
        places = self._connection.execute(
            "select place_code, name_en, name_cy, nation_code from marts.dim_place"
        ).fetchall()
        matching = [
            place
            for place in places
            if plain_name(wanted) in {plain_name(name) for name in place[:3]}
        ]
        if not matching:
            names = [(place[0], name) for place in places for name in place[1:3]]
            raise NotExplained(
                "PLACE", f"there is no place {wanted!r}{did_you_mean(wanted, names)}"
            )
        if len(matching) > 1:
            codes = ", ".join(f"{place[0]} ({place[1]})" for place in matching)
            raise NotExplained("PLACE", f"{wanted!r} is more than one place: {codes}")
        code, english, welsh, nation = matching[0]
        self._require_figures(code, english, nation)
        return code, welsh if self.language == "cy" else english

    def _require_figures(self, code: str, name: str, nation: str) -> None:
        """The indicator belongs to the place's nation, and the place has figures of its own."""
        nations = self._connection.execute(
            "select distinct nation_code from marts.fct_indicator"
            " join marts.dim_place using (place_code) where indicator_id = ?",
            [self.indicator["indicator_id"]],
        ).fetchall()
        nation_names = dict(
            self._connection.execute(
                "select place_code, name_en from marts.dim_place where kind = 'nation'"
            ).fetchall()
        )
        if nations and (nation,) not in nations:
            own_nations = " and ".join(nation_names[code] for (code,) in nations)
            raise NotExplained(
                "PLACE",
                f"{self.indicator['indicator_id']} is an indicator for {own_nations}, and {name} "
                f"is in {nation_names[nation]}",
            )
        if not self._connection.execute(
            "select 1 from marts.fct_indicator where place_code = ? limit 1", [code]
        ).fetchone():
            raise NotExplained(
                "PLACE",
                f"{name} has no figures of its own, since no return is made for it as a whole; ask "
                f"for its nation, {nation_names[nation]} ({nation}), or for a region or agency",
            )

    def _require_quarter(self) -> None:
        first, last = self._connection.execute(
            "select min(quarter), max(quarter) from marts.dim_quarter"
        ).fetchone() or (None, None)
        if first is None or last is None or not first <= self.quarter <= last:
            raise NotExplained(
                "QUARTER", f"the warehouse holds the quarters {first} to {last}, not {self.quarter}"
            )

    def _window(self, wanted: str | None) -> str:
        windows = [
            name
            for (name,) in self._connection.execute(
                "select window_name from marts.fct_indicator where indicator_id = ?"
                " group by window_name order by min(quarters_in_window), max(quarters_in_window)",
                [self.indicator["indicator_id"]],
            ).fetchall()
        ]
        if wanted is None:
            return "quarter" if "quarter" in windows or not windows else windows[0]
        if wanted not in windows:
            raise NotExplained(
                "--window",
                f"{self.indicator['indicator_id']} has no window {wanted!r}; it is given for "
                f"{', '.join(windows) or 'no window yet'}",
            )
        return wanted
