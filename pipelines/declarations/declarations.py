"""Everything in ``sources/``, read when it is asked for, and checked against the rest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from pathlib import Path

from pipelines.declarations.breakdowns import Breakdown, Breakdowns, Category
from pipelines.declarations.cross_checks import (
    CrossChecks,
    column_of,
    measure_name,
    named_after,
)
from pipelines.declarations.disclosure import (
    DisclosurePolicy,
    Subset,
    SubsetRelations,
)
from pipelines.declarations.extracts import EpisodeCodes, Extract
from pipelines.declarations.glossary import Term
from pipelines.declarations.indicators import BreakInSeries, Indicator, NotComputed
from pipelines.declarations.limits import (
    BankHoliday,
    NotData,
    RuleLimit,
    Ssda903Rule,
    WarningLimit,
)
from pipelines.declarations.loading import (
    CsvFile,
    Location,
    YamlFile,
    no_duplicates,
    no_overlaps,
)
from pipelines.declarations.measures import Measure, MeasuresOfSubject
from pipelines.declarations.model import EVERY, DeclarationError
from pipelines.declarations.place_files import PlaceDeclarations, file_stem, read_places
from pipelines.declarations.places import Membership, OpenDataCode, Place, ReturnDue
from pipelines.declarations.policies import Policy
from pipelines.declarations.returns import Code, Cover, Return, Spelling
from pipelines.declarations.welsh import WelshReview, read_reviews
from pipelines.quarters import Quarter
from pipelines.text.fuzzy_match import place_key, plain_name

RETURN_NAMES = ("child", "adopter", "support")
RELATIONS = "subset_relations.yaml"


class Declarations:
    """Everything in ``sources/``, loaded when first asked for.

    What is asked for is checked against whatever it names, so every property raises
    DeclarationError, with file and line, where something does not fit. :meth:`check_all` asks for
    everything.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._checks = CrossChecks(self)

    def check_all(self) -> None:
        """Load all of ``sources/``: about 0.1 CPU s. Raises DeclarationError for the first file
        that does not fit."""
        for name, declared in vars(type(self)).items():
            if isinstance(declared, cached_property):
                getattr(self, name)

    # --- returns -------------------------------------------------------------

    @cached_property
    def returns(self) -> dict[str, Return]:
        """``child``, ``adopter``, ``support``, in that order."""
        returns = {}
        for name in RETURN_NAMES:
            file = self._yaml("returns", f"{name}.yaml")
            declared = file.read(Return)
            named_after(file, declared.name, ("name",))
            for position, field in enumerate(declared.fields):
                if field.code_list and field.code_list not in self.code_lists:
                    raise file.mistake(
                        ("fields", position, "code_list"),
                        f"no code list called {field.code_list}; add code_lists/"
                        f"{field.code_list}.csv, or correct the name",
                    )
            returns[name] = declared
        return returns

    @cached_property
    def cover(self) -> Cover:
        """The sheet on which a sender says who sends what."""
        return self._yaml("returns", "cover.yaml").read(Cover)

    @cached_property
    def code_lists(self) -> dict[str, tuple[Code, ...]]:
        """The codes a field may have, by name of the list."""
        lists = {}
        for path in sorted((self.folder / "code_lists").glob("*.csv")):
            file = CsvFile(path)
            lists[path.stem] = codes = file.read(Code)
            no_duplicates(file, (code.code for code in codes), column_of("code"))
        return lists

    @cached_property
    def spellings(self) -> dict[str, tuple[Spelling, ...]]:
        """Other spellings of codes by code list; none for a list that has no file."""
        spellings: dict[str, tuple[Spelling, ...]] = dict.fromkeys(self.code_lists, ())
        for path in sorted((self.folder / "spellings").glob("*.csv")):
            file = CsvFile(path)
            if path.stem not in self.code_lists:
                raise file.mistake(
                    (), f"no code list called {path.stem}; name the file after the list"
                )
            rows = file.read(Spelling)
            no_duplicates(file, (row.spelling.casefold() for row in rows), column_of("spelling"))
            codes = {code.code for code in self.code_lists[path.stem]}
            for position, row in enumerate(rows):
                if row.code not in codes:
                    raise file.mistake(
                        (position, "code"),
                        f"no code {row.code} in code_lists/{path.name}; known are "
                        f"{', '.join(sorted(codes))}",
                    )
            spellings[path.stem] = rows
        return spellings

    def codes(self, code_list: str, quarter: Quarter) -> tuple[str, ...]:
        """The codes of a list that are in force in ``quarter``."""
        return tuple(code.code for code in self.code_lists[code_list] if code.in_force(quarter))

    # --- extracts ------------------------------------------------------------

    @cached_property
    def extracts(self) -> dict[str, Extract]:
        """What can be converted into a return, by name, in the order of the files."""
        extracts = {}
        for path in sorted((self.folder / "extracts").glob("*.yaml")):
            file = YamlFile(path)
            extract = file.read(Extract)
            named_after(file, extract.name, ("name",))
            extracts[extract.name] = extract
            self._checks.extract(file, extract)
        for extract in extracts.values():
            other = extract.episode_codes_of
            if other is not None and (other not in extracts or not extracts[other].episode_codes):
                file = YamlFile(self.folder / "extracts" / f"{extract.name}.yaml")
                raise file.mistake(
                    ("episode_codes_of",), f"{other} is no extract with codes of episodes"
                )
        return extracts

    def episode_codes(self, extract: Extract) -> EpisodeCodes | None:
        """The codes of the extract's episodes, its own or another's; None where it has none."""
        if extract.episode_codes_of is not None:
            return self.extracts[extract.episode_codes_of].episode_codes
        return extract.episode_codes

    # --- places --------------------------------------------------------------

    @cached_property
    def _places(self) -> PlaceDeclarations:
        return read_places(self.folder / "places")

    @property
    def places(self) -> dict[str, Place]:
        """Nations, authorities, regions, agencies and services by code, in the order declared."""
        return self._places.places

    def names_of(self, place_code: str) -> tuple[str, ...]:
        """The code, the names in English and Welsh, and what else people call the place."""
        place = self.places[place_code]
        return (place_code, place.name_en, place.name_cy, *self._places.also_called[place_code])

    def places_called(self, wanted: str) -> list[Place]:
        """Places whose code or name that is, as people write names: RCT, "Cardiff Council".

        A name written out in full comes before one that needs words left out.
        """
        for key in (plain_name, place_key):
            said = key(wanted)
            matching = [
                place
                for code, place in self.places.items()
                if said and said in map(key, self.names_of(code))
            ]
            if matching:
                return matching
        return []

    @property
    def memberships(self) -> tuple[Membership, ...]:
        """Who belonged to what, and from when to when; by what they belonged to."""
        return self._places.memberships

    @property
    def returns_due(self) -> tuple[ReturnDue, ...]:
        """Who owes which return; those of children first in each nation."""
        return self._places.returns_due

    @property
    def open_data_codes(self) -> dict[str, OpenDataCode]:
        """How England's open-data format knows an authority, by place code."""
        return self._places.open_data_codes

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
    def nations(self) -> frozenset[str]:
        """Codes of the nations."""
        return frozenset(code for code, place in self.places.items() if place.kind == "nation")

    # --- measures and indicators ---------------------------------------------

    @cached_property
    def measures(self) -> dict[str, Measure]:
        """Measures by name, in the order declared: of children, adopters, support."""
        measures: dict[str, Measure] = {}
        for subject in RETURN_NAMES:
            file = self._yaml("measures", f"{subject}.yaml")
            declared = file.read(MeasuresOfSubject)
            named_after(file, declared.subject, ("subject",))
            names = [measure.name for measure in declared.measures]
            no_duplicates(file, names, measure_name)
            for position, measure in enumerate(declared.measures):
                if measure.name in measures:
                    raise file.mistake(
                        measure_name(position),
                        f"{measure.name} is a measure of another return, too",
                    )
            for position, measure in enumerate(declared.measures):
                self._checks.measure(file, position, measure, names)
            measures |= {measure.name: measure for measure in declared.measures}
            for position, name in enumerate(names):
                if name in _wholes(name, measures):
                    raise file.mistake(
                        ("measures", position, "part_of"), f"{name} would be part of itself"
                    )
        return measures

    def is_part_of(self, part: str, whole: str) -> bool:
        """Whether measure ``whole`` counts, by the definitions, everyone ``part`` counts."""
        return whole in _wholes(part, self.measures)

    def figures_of(self, return_name: str, field_name: str, nation_code: str) -> tuple[str, ...]:
        """Indicators of a nation that are counted from a field, in the order declared."""
        return self._figures_by_field.get((return_name, field_name, nation_code), ())

    @cached_property
    def _figures_by_field(self) -> dict[tuple[str, str, str], tuple[str, ...]]:
        figures: dict[tuple[str, str, str], list[str]] = {}
        for indicator in self.indicators.values():
            names = filter(None, (indicator.numerator, indicator.denominator))
            fields = {field for name in names for field in self.measures[name].fields}
            for field in fields:
                for nation_code in indicator.nations:
                    key = (indicator.subject, field, nation_code)
                    figures.setdefault(key, []).append(indicator.id)
        return {key: tuple(ids) for key, ids in figures.items()}

    def nation_of(self, sender_code: str | None) -> str | None:
        """Code of the nation a place lies in; None for no declared place."""
        place = self.places.get(sender_code or "")
        return place.nation_code if place else None

    @cached_property
    def indicators(self) -> dict[str, Indicator]:
        """The catalogue by id, in the order of the ids."""
        indicators = {}
        for path in sorted((self.folder / "indicators").glob("*.yaml")):
            file = YamlFile(path)
            indicator = file.read(Indicator)
            named_after(file, indicator.id, ("id",))
            self._checks.indicator(file, indicator)
            indicators[indicator.id] = indicator
        return indicators

    @cached_property
    def breakdowns(self) -> dict[str, Breakdown]:
        """Breakdowns by id, in the order declared, each with all its categories."""
        file = self._yaml("breakdowns.yaml")
        declared = file.read(Breakdowns).breakdowns
        no_duplicates(
            file, (breakdown.id for breakdown in declared), lambda n: ("breakdowns", n, "id")
        )
        breakdowns = {}
        for position, written in enumerate(declared):
            at: Location = ("breakdowns", position)
            if written.code_list is not None and written.code_list not in self.code_lists:
                raise file.mistake(
                    (*at, "code_list"),
                    f"no code list called {written.code_list}; name one of code_lists/",
                )
            breakdown = self._with_codes(written)
            codes = [category.code for category in breakdown.categories]
            for code in codes:
                if codes.count(code) > 1:
                    raise file.mistake(at, f"{breakdown.id}.{code} is declared twice; keep one")
            # Without it the parts would not add up to the total.
            if breakdown.subject != "all" and "unknown" not in codes:
                raise file.mistake(at, f"{breakdown.id} has no category called unknown; add it")
            breakdowns[breakdown.id] = breakdown
        return breakdowns

    def _with_codes(self, breakdown: Breakdown) -> Breakdown:
        if breakdown.code_list is None:
            return breakdown
        codes = tuple(
            Category(code=code.code, en=code.label_en, cy=code.label_cy)
            for code in self.code_lists[breakdown.code_list]
        )
        return breakdown.model_copy(update={"categories": codes + breakdown.categories})

    @cached_property
    def not_computed(self) -> dict[str, NotComputed]:
        """Indicators the catalogue knows and does not compute, by id."""
        file = self._csv("indicators_not_computed.csv")
        rows = file.read(NotComputed)
        no_duplicates(file, (row.indicator_id for row in rows), column_of("indicator_id"))
        for position, row in enumerate(rows):
            if row.indicator_id in self.indicators:
                raise file.mistake(
                    (position, "indicator_id"),
                    f"{row.indicator_id} is computed, by indicators/{row.indicator_id}.yaml; "
                    "delete one of the two",
                )
            self._checks.nation(file, (position, "nation_code"), row.nation_code)
        return {row.indicator_id: row for row in rows}

    @cached_property
    def breaks_in_series(self) -> tuple[BreakInSeries, ...]:
        """From when on figures are not comparable with earlier ones, in the order declared."""
        file = self._csv("breaks_in_series.csv")
        rows = file.read(BreakInSeries)
        no_duplicates(file, (row.break_id for row in rows), column_of("break_id"))
        for position, row in enumerate(rows):
            for column, names, known, kind in (
                ("indicator_ids", row.indicator_ids, self.indicators, "indicator"),
                ("place_codes", row.place_codes, self.places, "place"),
            ):
                for name in names:
                    if names.count(name) > 1:
                        raise file.mistake((position, column), f"{name} is declared twice")
                    if name != EVERY and name not in known:
                        raise file.mistake((position, column), f"no {kind} called {name}")
        return rows

    # --- limits and rules ----------------------------------------------------

    @cached_property
    def rule_limits(self) -> tuple[RuleLimit, ...]:
        """Numbers that the rules of the returns compare with."""
        file = self._csv("rule_limits.csv")
        rows = file.read(RuleLimit)
        no_overlaps(file, rows, lambda row: row.limit, column_of("since"))
        return rows

    def rule_limit(self, limit: str, quarter: Quarter) -> RuleLimit:
        """The limit of that name in force. Raises KeyError where there is none."""
        for row in self.rule_limits:
            if row.limit == limit and row.in_force(quarter):
                return row
        raise KeyError(limit)

    @cached_property
    def not_data(self) -> dict[str, frozenset[str]]:
        """Texts in lower case that are no data, by what they mean."""
        file = self._csv("not_data.csv")
        rows = file.read(NotData)
        no_duplicates(
            file, (f"{row.text.casefold()} ({row.means})" for row in rows), column_of("text")
        )
        texts: dict[str, set[str]] = {"nothing": set(), "total": set(), "hint": set()}
        for row in rows:
            texts[row.means].add(row.text.casefold())
        return {means: frozenset(each) for means, each in texts.items()}

    @cached_property
    def bank_holidays(self) -> frozenset[date]:
        """Bank holidays in England and Wales."""
        file = self._csv("bank_holidays.csv")
        rows = file.read(BankHoliday)
        no_duplicates(file, (row.day.isoformat() for row in rows), column_of("day"))
        return frozenset(row.day for row in rows)

    @cached_property
    def ssda903_rules(self) -> dict[str, Ssda903Rule]:
        """Published adoption rules of SSDA903 by number, as listed."""
        file = self._csv("ssda903_rules.csv")
        rows = file.read(Ssda903Rule)
        no_duplicates(file, (row.rule_no for row in rows), column_of("rule_no"))
        for position, row in enumerate(rows):
            for rule in row.our_rules:  # DATE:child.matched_on, or the code of a rule: CH206
                return_name, _, field = rule.partition(":")[2].partition(".")
                declared = self.returns.get(return_name)
                known = {each.name for each in declared.fields} if declared else ()
                if ":" in rule and field not in known:
                    raise file.mistake(
                        (position, "our_rules"),
                        f"{rule}: no field {field} of a return {return_name}",
                    )
        return {row.rule_no: row for row in rows}

    @cached_property
    def warning_limits(self) -> dict[str, WarningLimit]:
        """Limits of the early warning, by the indicator that counts who has passed them."""
        file = self._csv("warning_limits.csv")
        rows = file.read(WarningLimit)
        no_duplicates(file, (row.indicator_id for row in rows), column_of("indicator_id"))
        for position, row in enumerate(rows):
            indicator = self.indicators.get(row.indicator_id)
            if indicator is None or indicator.subject != "child":
                raise file.mistake(
                    (position, "indicator_id"),
                    f"no indicator on children called {row.indicator_id}",
                )
            if row.months is None and not indicator.benchmarks:
                raise file.mistake(
                    (position, "months"),
                    f"{row.indicator_id} has no benchmark; say after how many months",
                )
        return {row.indicator_id: row for row in rows}

    # --- policies and disclosure ---------------------------------------------

    @cached_property
    def policies(self) -> dict[str, Policy]:
        """Policy of each nation, by nation code."""
        policies = {}
        for path in sorted((self.folder / "policies").glob("*.yaml")):
            file = YamlFile(path)
            policy = file.read(Policy)
            self._checks.nation(file, ("nation_code",), policy.nation_code)
            named_after(file, file_stem(self.places[policy.nation_code].name_en))
            policies[policy.nation_code] = policy
        return policies

    def policy_for(self, sender_code: str) -> Policy:
        """Policy of the sender's nation. Raises DeclarationError where there is none."""
        nation_code = self.places[sender_code].nation_code
        if nation_code not in self.policies:
            raise DeclarationError(
                f"{self.folder / 'policies'}: none for {nation_code}, nation of {sender_code}"
            )
        return self.policies[nation_code]

    @cached_property
    def disclosure_policies(self) -> dict[str, DisclosurePolicy]:
        """What each body asks of published numbers, by its name."""
        policies = {}
        for path in sorted((self.folder / "disclosure").glob("*.yaml")):
            if path.name == RELATIONS:
                continue
            file = YamlFile(path)
            policy = file.read(DisclosurePolicy)
            self._checks.nation(file, ("nation_code",), policy.nation_code)
            nation = file_stem(self.places[policy.nation_code].name_en)
            named_after(file, f"{nation}-{file_stem(policy.body)}")
            self._checks.disclosure_policy(file, policy)
            policies[policy.body] = policy
        return policies

    def disclosure_policy_of(self, body: str) -> DisclosurePolicy:
        """The policy of a body. Raises DeclarationError where there is none."""
        if body not in self.disclosure_policies:
            known = ", ".join(self.disclosure_policies)
            raise DeclarationError(
                f"{self.folder / 'disclosure'}: no policy of {body}; there are {known}"
            )
        return self.disclosure_policies[body]

    @cached_property
    def subset_relations(self) -> SubsetRelations:
        """What follows from the definitions. Raises DeclarationError for a percentage of which
        nobody has said whether its numerator counts part of what its denominator counts."""
        file = self._yaml("disclosure", RELATIONS)
        relations = file.read(SubsetRelations)
        self._checks.subset_relations(file, relations)
        divided = {(part, r.whole) for r in relations.partitions for part in r.parts}
        for indicator in self.indicators.values():
            self._check_share(indicator, divided)
        subsets = tuple(
            Subset(part=measure.name, whole=measure.part_of)
            for measure in self.measures.values()
            if measure.part_of is not None
        )
        return relations.model_copy(update={"subsets": (*subsets, *relations.subsets)})

    def _check_share(self, indicator: Indicator, divided: set[tuple[str, str]]) -> None:
        part, whole = indicator.numerator, indicator.denominator
        if whole is None or indicator.unit != "percent":
            return
        if not indicator.numerator_within_denominator:
            return
        if (part, whole) not in divided and not self.is_part_of(part, whole):
            raise self._yaml("indicators", f"{indicator.id}.yaml").mistake(
                ("numerator",),
                f"say whether {part} is part of {whole}: by part_of in "
                f"measures/{indicator.subject}.yaml, or here by numerator_within_denominator: "
                "false",
            )

    # --- language ------------------------------------------------------------

    @cached_property
    def glossary(self) -> tuple[Term, ...]:
        """One Welsh word for each term of the field, and the words that are wrong for it."""
        file = self._csv("glossary.csv")
        terms = file.read(Term)
        no_duplicates(file, (term.term_en for term in terms), column_of("term_en"))
        return terms

    @cached_property
    def welsh_reviews(self) -> tuple[WelshReview, ...]:
        """Which declared Welsh a translator has reviewed."""
        return read_reviews(self.folder)

    # --- what the checks share -----------------------------------------------

    def _yaml(self, *path: str) -> YamlFile:
        return YamlFile(self.folder.joinpath(*path))

    def _csv(self, name: str) -> CsvFile:
        return CsvFile(self.folder / name)


def _wholes(name: str, measures: Mapping[str, Measure]) -> list[str]:
    """Measures that ``name`` is part of, the nearest first; ends where a circle closes."""
    wholes: list[str] = []
    whole = measures[name].part_of
    while whole is not None and whole not in wholes:
        wholes.append(whole)
        whole = measures[whole].part_of
    return wholes
