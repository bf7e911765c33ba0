"""Everything in ``sources/``, read when it is asked for, and checked against the rest."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from pipelines.declarations.breakdowns import Breakdown, Breakdowns, Category
from pipelines.declarations.glossary import Term
from pipelines.declarations.indicators import BreakInSeries, Indicator, NotComputed
from pipelines.declarations.limits import RuleLimit, Ssda903Rule, WarningLimit
from pipelines.declarations.loading import no_duplicates, no_overlaps, read_csv, read_yaml
from pipelines.declarations.model import EVERY, DeclarationError
from pipelines.declarations.places import Membership, Place, ReturnDue
from pipelines.declarations.policies import Policy
from pipelines.declarations.returns import Code, Cover, Return, Spelling
from pipelines.quarters import Quarter


class Declarations:
    """Everything in ``sources/``, loaded when first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def returns(self) -> dict[str, Return]:
        """``child``, ``adopter``, ``support``, in that order."""
        found = {
            name: read_yaml(self.folder / "returns" / f"{name}.yaml", Return)
            for name in ("child", "adopter", "support")
        }
        for declared in found.values():
            for field in declared.fields:
                if field.code_list and field.code_list not in self.code_lists:
                    raise DeclarationError(
                        f"{declared.name}.{field.name}: no code list called {field.code_list}"
                    )
        return found

    @cached_property
    def cover(self) -> Cover:
        return read_yaml(self.folder / "returns" / "cover.yaml", Cover)

    @cached_property
    def code_lists(self) -> dict[str, tuple[Code, ...]]:
        found = {}
        for path in sorted((self.folder / "code_lists").glob("*.csv")):
            codes = read_csv(path, Code)
            no_duplicates((code.code for code in codes), f"code_lists/{path.name}")
            found[path.stem] = codes
        return found

    @cached_property
    def spellings(self) -> dict[str, tuple[Spelling, ...]]:
        """Other spellings of codes by code list; none for a list that has no file."""
        found: dict[str, tuple[Spelling, ...]] = dict.fromkeys(self.code_lists, ())
        for path in sorted((self.folder / "spellings").glob("*.csv")):
            where = f"spellings/{path.name}"
            if path.stem not in self.code_lists:
                raise DeclarationError(f"{where}: no code list called {path.stem}")
            rows = read_csv(path, Spelling)
            no_duplicates((row.spelling.casefold() for row in rows), where)
            codes = {code.code for code in self.code_lists[path.stem]}
            for row in rows:
                if row.code not in codes:
                    raise DeclarationError(f"{where}: {row.spelling}: no code {row.code}")
            found[path.stem] = rows
        return found

    def codes(self, code_list: str, quarter: Quarter) -> tuple[str, ...]:
        return tuple(code.code for code in self.code_lists[code_list] if code.in_force(quarter))

    @cached_property
    def places(self) -> dict[str, Place]:
        rows = read_csv(self.folder / "places" / "agencies.csv", Place)
        no_duplicates((row.place_code for row in rows), "places/agencies.csv")
        nations = {row.place_code for row in rows if row.kind == "nation"}
        for row in rows:
            if row.nation_code not in nations:
                raise DeclarationError(
                    f"places/agencies.csv: {row.place_code}: {row.nation_code} is no nation there"
                )
        return {row.place_code: row for row in rows}

    @cached_property
    def memberships(self) -> tuple[Membership, ...]:
        rows = read_csv(self.folder / "places" / "memberships.csv", Membership)
        for row in rows:
            for code in (row.member_code, row.parent_code):
                if code not in self.places:
                    raise DeclarationError(f"places/memberships.csv: {code} is not in agencies.csv")
        no_overlaps(
            rows,
            lambda row: f"{row.member_code} as {row.role} of {row.parent_code}",
            "places/memberships.csv",
        )
        return rows

    @cached_property
    def returns_due(self) -> tuple[ReturnDue, ...]:
        rows = read_csv(self.folder / "places" / "returns_due.csv", ReturnDue)
        for row in rows:
            if row.sender_code not in self.places:
                raise DeclarationError(
                    f"places/returns_due.csv: {row.sender_code} is not in agencies.csv"
                )
        no_overlaps(
            rows, lambda row: f"{row.sender_code} {row.return_name}", "places/returns_due.csv"
        )
        return rows

    def due_from(self, sender_code: str, quarter: Quarter) -> tuple[str, ...]:
        """Names of the returns ``sender_code`` owes for ``quarter``."""
        return tuple(
            due.return_name
            for due in self.returns_due
            if due.sender_code == sender_code and due.in_force(quarter)
        )

    @cached_property
    def senders(self) -> tuple[str, ...]:
        """Place codes of everybody who owes any return, in the order declared."""
        return tuple(dict.fromkeys(due.sender_code for due in self.returns_due))

    @cached_property
    def indicators(self) -> dict[str, Indicator]:
        rows = [
            read_yaml(path, Indicator)
            for path in sorted((self.folder / "indicators").glob("*.yaml"))
        ]
        no_duplicates((row.id for row in rows), "indicators/")
        return {row.id: row for row in rows}

    @cached_property
    def breakdowns(self) -> dict[str, Breakdown]:
        """Breakdowns by id, in the order declared, each with all its categories."""
        where = "breakdowns.yaml"
        declared = read_yaml(self.folder / where, Breakdowns).breakdowns
        no_duplicates((breakdown.id for breakdown in declared), where)
        found = {breakdown.id: self._with_codes(breakdown, where) for breakdown in declared}
        for breakdown in found.values():
            codes = [category.code for category in breakdown.categories]
            no_duplicates((f"{breakdown.id}.{code}" for code in codes), where)
            # Without it the parts would not add up to the total.
            if breakdown.subject != "all" and "unknown" not in codes:
                raise DeclarationError(f"{where}: {breakdown.id}: no category called unknown")
        return found

    def _with_codes(self, breakdown: Breakdown, where: str) -> Breakdown:
        if breakdown.code_list is None:
            return breakdown
        if breakdown.code_list not in self.code_lists:
            raise DeclarationError(
                f"{where}: {breakdown.id}: no code list called {breakdown.code_list}"
            )
        codes = tuple(
            Category(code=code.code, en=code.label_en, cy=code.label_cy)
            for code in self.code_lists[breakdown.code_list]
        )
        return breakdown.model_copy(update={"categories": codes + breakdown.categories})

    @cached_property
    def not_computed(self) -> dict[str, NotComputed]:
        """Indicators the catalogue knows and does not compute, by id."""
        where = "indicators_not_computed.csv"
        rows = read_csv(self.folder / where, NotComputed)
        no_duplicates((row.indicator_id for row in rows), where)
        for row in rows:
            if row.indicator_id in self.indicators:
                raise DeclarationError(f"{where}: {row.indicator_id} is computed: indicators/")
            self._check_nation(row.nation_code, f"{where}: {row.indicator_id}")
        return {row.indicator_id: row for row in rows}

    @cached_property
    def breaks_in_series(self) -> tuple[BreakInSeries, ...]:
        where = "breaks_in_series.csv"
        rows = read_csv(self.folder / where, BreakInSeries)
        no_duplicates((row.break_id for row in rows), where)
        for row in rows:
            for names, known, kind in (
                (row.indicator_ids, self.indicators, "indicator"),
                (row.place_codes, self.places, "place"),
            ):
                no_duplicates(names, f"{where}: {row.break_id}")
                for name in names:
                    if name != EVERY and name not in known:
                        raise DeclarationError(f"{where}: {row.break_id}: no {kind} called {name}")
        return rows

    @cached_property
    def rule_limits(self) -> tuple[RuleLimit, ...]:
        where = "rule_limits.csv"
        rows = read_csv(self.folder / where, RuleLimit)
        no_overlaps(rows, lambda row: row.limit, where)
        return rows

    def rule_limit(self, limit: str, quarter: Quarter) -> RuleLimit:
        """The limit of that name in force. Raises KeyError where there is none."""
        for row in self.rule_limits:
            if row.limit == limit and row.in_force(quarter):
                return row
        raise KeyError(limit)

    @cached_property
    def ssda903_rules(self) -> dict[str, Ssda903Rule]:
        """Published adoption rules of SSDA903 by number, as listed."""
        where = "ssda903_rules.csv"
        rows = read_csv(self.folder / where, Ssda903Rule)
        no_duplicates((row.rule_no for row in rows), where)
        return {row.rule_no: row for row in rows}

    @cached_property
    def warning_limits(self) -> dict[str, WarningLimit]:
        """Limits of the early warning, by the indicator that counts who has passed them."""
        where = "warning_limits.csv"
        rows = read_csv(self.folder / where, WarningLimit)
        no_duplicates((row.indicator_id for row in rows), where)
        for row in rows:
            indicator = self.indicators.get(row.indicator_id)
            if indicator is None or indicator.subject != "child":
                raise DeclarationError(
                    f"{where}: no indicator on children called {row.indicator_id}"
                )
            if row.months is None and not indicator.benchmarks:
                raise DeclarationError(
                    f"{where}: {row.indicator_id} has no benchmark: say after how many months"
                )
        return {row.indicator_id: row for row in rows}

    @cached_property
    def glossary(self) -> tuple[Term, ...]:
        """One Welsh word for each term of the field, and the words that are wrong for it."""
        where = "glossary.csv"
        terms = read_csv(self.folder / where, Term)
        no_duplicates((term.term_en for term in terms), where)
        return terms

    def _check_nation(self, nation_code: str, where: str) -> None:
        place = self.places.get(nation_code)
        if place is None or place.kind != "nation":
            raise DeclarationError(f"{where}: {nation_code} is no nation in agencies.csv")

    @cached_property
    def policies(self) -> dict[str, Policy]:
        """Policy of each nation, by nation code."""
        rows = [
            read_yaml(path, Policy) for path in sorted((self.folder / "policies").glob("*.yaml"))
        ]
        no_duplicates((row.nation_code for row in rows), "policies/")
        return {row.nation_code: row for row in rows}

    def policy_for(self, sender_code: str) -> Policy:
        nation_code = self.places[sender_code].nation_code
        if nation_code not in self.policies:
            raise DeclarationError(f"policies/: none for {nation_code}, nation of {sender_code}")
        return self.policies[nation_code]
