"""An explanation in words: sections for a terminal of 80 columns, in English and in Welsh."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from pipelines.pack.words import STATUS_CY, WINDOWS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from pipelines.explain.model import Definition, Explanation, Publication, ReturnBehind

WIDTH = 80
MOST_QUARTERS_LISTED = 4
MOST_RETURNS_LISTED = 24  # a screen; beyond it one line a sender (Wales over three years has 264)

# Reasons of fct_explanation, in the order in which they are told. {start} and {stop} are the
# clock's fields as the return calls them.
REASONS: dict[str, dict[str, str]] = {
    "start_not_known": {
        "en": "not counted: the return does not say when the clock starts ({start})",
        "cy": "heb eu cyfrif: nid yw'r ffurflen yn dweud pryd mae'r cloc yn dechrau ({start})",
    },
    "stop_not_known": {
        "en": "not counted: the return does not say when the clock stops ({stop})",
        "cy": "heb eu cyfrif: nid yw'r ffurflen yn dweud pryd mae'r cloc yn stopio ({stop})",
    },
    "by_consent": {
        "en": "not counted: there is a consent and no placement order",
        "cy": "heb eu cyfrif: mae caniatâd ac nid gorchymyn lleoli",
    },
    "start_after_stop": {
        "en": "not counted: the clock would stop before it starts",
        "cy": "heb eu cyfrif: byddai'r cloc yn stopio cyn dechrau",
    },
    "not_in_definition": {
        "en": "not counted: the event happened, and the definition asks for more than that",
        "cy": "heb eu cyfrif: bu'r digwyddiad, ac mae'r diffiniad yn gofyn am fwy na hynny",
    },
    "denominator_only": {
        "en": "in the denominator and not in the numerator of the same quarter",
        "cy": "yn yr enwadur ac nid yn rhifiadur yr un chwarter",
    },
    "numerator_only": {
        "en": "in the numerator and not in the denominator of the same quarter",
        "cy": "yn y rhifiadur ac nid yn enwadur yr un chwarter",
    },
    "joined": {
        "en": "counted as waiting, and not a quarter before",
        "cy": "wedi'u cyfrif yn aros, ac nid chwarter ynghynt",
    },
    "left_adopted": {
        "en": "no longer waiting: adopted",
        "cy": "heb fod yn aros mwyach: wedi'u mabwysiadu",
    },
    "left_placed": {
        "en": "no longer waiting: placed",
        "cy": "heb fod yn aros mwyach: wedi'u lleoli",
    },
    "left_matched": {
        "en": "no longer waiting: matched",
        "cy": "heb fod yn aros mwyach: wedi'u paru",
    },
    "left_plan_ended": {
        "en": "no longer waiting: the plan for adoption ended",
        "cy": "heb fod yn aros mwyach: daeth y cynllun mabwysiadu i ben",
    },
    "left_referral_withdrawn": {
        "en": "no longer waiting: the referral was withdrawn",
        "cy": "heb fod yn aros mwyach: tynnwyd y cyfeiriad yn ôl",
    },
    "left_approved": {
        "en": "no longer waiting: approved",
        "cy": "heb fod yn aros mwyach: wedi'u cymeradwyo",
    },
    "left_agency": {
        "en": "no longer waiting: the household left",
        "cy": "heb fod yn aros mwyach: gadawodd y cartref",
    },
    "left_return": {
        "en": "no longer waiting: not on this quarter's return; ask the sender why",
        "cy": "heb fod yn aros mwyach: nid ar ffurflen y chwarter hwn; gofynnwch i'r anfonwr pam",
    },
    "left_otherwise": {
        "en": "no longer counted: on the return, without a date of the quarter that says why",
        "cy": "heb eu cyfrif mwyach: ar y ffurflen, heb ddyddiad o'r chwarter sy'n dweud pam",
    },
}

FINANCIAL_YEAR = {"en": "Financial year", "cy": "Y flwyddyn ariannol"}

NO_DAYS = {
    "en": "in the denominator with 0 days, so they shorten the mean",
    "cy": "yn yr enwadur gyda 0 diwrnod, felly maent yn byrhau'r cymedr",
}

WORDS: dict[str, dict[str, str]] = {
    "internal": {
        "en": "Internal: not disclosure controlled.",
        "cy": "Mewnol: heb ei reoli ar gyfer datgelu.",
    },
    "synthetic": {
        "en": "Synthetic sample data: no real child or household.",
        "cy": "Data sampl synthetig: dim plentyn na chartref go iawn.",
    },
    "of": {"en": "of", "cy": "o"},
    "over": {"en": "over", "cy": "dros"},
    "days": {"en": "days", "cy": "diwrnod"},
    "months": {"en": "months", "cy": "mis"},
    "child": {"en": "children", "cy": "plant"},
    "adopter": {"en": "households", "cy": "cartrefi"},
    "requests": {"en": "requests", "cy": "cais"},
    "families": {"en": "families", "cy": "teulu"},
    "people": {"en": "people", "cy": "o bobl"},
    "assessments": {"en": "assessments", "cy": "asesiad"},
    "plans": {"en": "plans", "cy": "cynllun"},
    "arrangements": {"en": "arrangements", "cy": "trefniant"},
    "exchanges": {"en": "exchanges", "cy": "cyfnewid"},
    "no figure": {
        "en": "No figure: none of the returns due was accepted.",
        "cy": "Dim ffigur: ni dderbyniwyd yr un o'r ffurflenni a oedd yn ddyledus.",
    },
    "nobody": {
        "en": "No value: the denominator is 0.",
        "cy": "Dim gwerth: mae'r enwadur yn 0.",
    },
    "benchmark": {"en": "Benchmark", "cy": "Meincnod"},
    "no benchmark": {"en": "none in force", "cy": "dim mewn grym"},
    "met": {"en": "met", "cy": "cyrhaeddwyd"},
    "not met": {"en": "not met", "cy": "heb ei gyrraedd"},
    "coverage": {"en": "Coverage", "cy": "Cwmpas"},
    "covered": {
        "en": "{accepted} of {expected} returns due, {covered} of {window} quarters",
        "cy": "{accepted} o {expected} ffurflen ddyledus, {covered} o {window} chwarter",
    },
    "incomplete": {
        "en": "INCOMPLETE: a part of the whole",
        "cy": "ANGHYFLAWN: rhan o'r cyfan",
    },
    "estimate": {"en": "Estimate", "cy": "Amcangyfrif"},
    "own_mean": {
        "en": "{n} with the returns missing, each taken as its sender's mean of the four before "
        "(method proposed)",
        "cy": "{n} gyda'r ffurflenni sydd ar goll, pob un yn gymedr pedair flaenorol ei hanfonwr "
        "(dull arfaethedig)",
    },
    "own_or_nation_mean": {
        "en": "{n} with the returns missing, each taken as its sender's mean of the four before "
        "or else as the nation's mean (method proposed)",
        "cy": "{n} gyda'r ffurflenni sydd ar goll, pob un yn gymedr pedair flaenorol ei hanfonwr "
        "neu fel arall yn gymedr y genedl (dull arfaethedig)",
    },
    "proved": {"en": "Proved", "cy": "Profwyd"},
    "by returns": {
        "en": "the returns add up to it",
        "cy": "mae'r ffurflenni'n adio i fyny iddo",
    },
    "by cases": {
        "en": "the returns and the {n} {who} listed below add up to it",
        "cy": "mae'r ffurflenni a'r {n} {who} a restrir isod yn adio i fyny iddo",
    },
    "not proved": {
        "en": "NOT PROVED: DO NOT USE THIS FIGURE. What it is made of does not add up to it:",
        "cy": "HEB EI BROFI: PEIDIWCH Â DEFNYDDIO'R FFIGUR HWN. Nid yw ei rannau'n adio i fyny "
        "iddo:",
    },
    "measures": {"en": "What it measures", "cy": "Yr hyn y mae'n ei fesur"},
    "clock": {"en": "Clock", "cy": "Cloc"},
    "clock runs": {"en": "from “{start}” to “{stop}”", "cy": "o “{start}” hyd “{stop}”"},
    "numerator": {"en": "Numerator", "cy": "Rhifiadur"},
    "denominator": {"en": "Denominator", "cy": "Enwadur"},
    "status": {"en": "Definition", "cy": "Diffiniad"},
    "sources": {"en": "Sources", "cy": "Ffynonellau"},
    "quarters": {"en": "Quarters", "cy": "Chwarteri"},
    "stock": {
        "en": "{quarter}: a stock, as it stood on the last day",
        "cy": "{quarter}: stoc, fel yr oedd ar y diwrnod olaf",
    },
    "at_the_time": {
        "en": "membership at the time",
        "cy": "aelodaeth ar y pryd",
    },
    "today": {"en": "today's membership", "cy": "aelodaeth heddiw"},
    "reviewed": {"en": "Reviewed", "cy": "Adolygwyd"},
    "in it": {"en": "Returns in it", "cy": "Y ffurflenni sydd ynddo"},
    "not in it": {"en": "Returns not in it", "cy": "Y ffurflenni nad ydynt ynddo"},
    "all in": {
        "en": "Every return that was due is in it.",
        "cy": "Mae pob ffurflen a oedd yn ddyledus ynddo.",
    },
    "short": {
        "en": "Quarters of the window without any return: {n}.",
        "cy": "Chwarteri'r ffenestr heb yr un ffurflen: {n}.",
    },
    "not due": {"en": "came and was not due", "cy": "daeth heb fod yn ddyledus"},
    "refused again": {
        "en": "{n} other delivery refused as a whole; it replaced nothing",
        "cy": "gwrthodwyd {n} danfoniad arall yn gyfan; ni ddisodlodd ddim",
    },
    "sender": {"en": "Sender", "cy": "Anfonwr"},
    "quarter": {"en": "Quarter", "cy": "Chwarter"},
    "version": {"en": "Ver.", "cy": "Fers."},
    "received": {"en": "Received", "cy": "Derbyn"},
    "last received": {"en": "Last received", "cy": "Yr olaf"},
    "rows": {"en": "Rows", "cy": "Rhesi"},
    "aside": {"en": "Aside", "cy": "O'r neilltu"},
    "above": {"en": "Num.", "cy": "Rhif."},
    "below": {"en": "Den.", "cy": "Enw."},
    "late": {"en": "late", "cy": "hwyr"},
    "listed": {
        "en": "One line a sender; --json lists every return with its submission.",
        "cy": "Un llinell i bob anfonwr; mae --json yn rhestru pob ffurflen a'i chyflwyniad.",
    },
    "left out": {"en": "Left out, and why", "cy": "Wedi'u gadael allan, a pham"},
    "waiting": {"en": "Since the quarter before", "cy": "Ers y chwarter blaenorol"},
    "compared": {
        "en": "Of senders whose return of the quarter before was accepted as well:",
        "cy": "O anfonwyr y derbyniwyd eu ffurflen am y chwarter blaenorol hefyd:",
    },
    "run of quarters": {
        "en": "{first} to {last}: {n} quarters",
        "cy": "{first} hyd {last}: {n} chwarter",
    },
    "nothing left out": {
        "en": "Nothing: no row was set aside, and no event was left uncounted.",
        "cy": "Dim: ni neilltuwyd yr un rhes, ac ni adawyd yr un digwyddiad heb ei gyfrif.",
    },
    "set aside": {
        "en": "rows set aside for errors: {sender}, {quarter} ({rules}). See adoption report {id}",
        "cy": "o resi a neilltuwyd am wallau: {sender}, {quarter} ({rules}). Gweler adoption "
        "verdict {id}",
    },
    "breaks": {
        "en": "Breaks in series: a change here is no sign of performance",
        "cy": "Toriadau yn y gyfres: nid yw newid yma yn arwydd o berfformiad",
    },
    "in window": {
        "en": "It lies inside the window: the figure mixes what was before with what came after.",
        "cy": "Mae o fewn y ffenestr: mae'r ffigur yn cymysgu'r hyn a oedd o'r blaen â'r hyn a "
        "ddaeth wedyn.",
    },
    "since previous": {
        "en": "It lies between this figure and the one of a year before (three years, for the last "
        "twelve quarters): do not compare the two.",
        "cy": "Mae rhwng y ffigur hwn a'r un flwyddyn ynghynt (tair blynedd, ar gyfer y deuddeg "
        "chwarter diwethaf): peidiwch â'u cymharu.",
    },
    "published": {
        "en": "Against the last publication",
        "cy": "O'i gymharu â'r cyhoeddiad diwethaf",
    },
    "never": {"en": "Not published before.", "cy": "Heb ei gyhoeddi o'r blaen."},
    "same": {
        "en": "Version {version} has the same figure: {figure}.",
        "cy": "Mae gan fersiwn {version} yr un ffigur: {figure}.",
    },
    "moved": {
        "en": "Version {version} had {figure}; since then {change}.",
        "cy": "{figure} oedd gan fersiwn {version}; ers hynny {change}.",
    },
    "arrived": {
        "en": "Arrived since version {version}: {ids}.",
        "cy": "Wedi cyrraedd ers fersiwn {version}: {ids}.",
    },
    "cause elsewhere": {
        "en": "No return of {quarter} arrived since: an earlier quarter, or a definition, changed.",
        "cy": "Ni chyrhaeddodd yr un ffurflen am {quarter} ers hynny: newidiodd chwarter cynharach "
        "neu ddiffiniad.",
    },
    "cases": {
        "en": "The {n} {who} in it (pseudonyms: restricted, do not pass on)",
        "cy": "Y {n} {who} sydd ynddo (ffugenwau: cyfyngedig, peidiwch â'u rhannu)",
    },
    "cases left out": {
        "en": "The {who} told of above, by reason",
        "cy": "Y {who} y sonnir amdanynt uchod, yn ôl rheswm",
    },
    "no cases": {
        "en": "The support return is counts: there are no rows of people behind it.",
        "cy": "Cyfrifon yw'r ffurflen gymorth: nid oes rhesi am bobl y tu ôl iddi.",
    },
    "pseudonym": {"en": "Pseudonym", "cy": "Ffugenw"},
    "none": {"en": "None.", "cy": "Dim."},
}


def reason_sentence(definition: Definition, reason: str, language: str) -> str:
    """What a reason of ``fct_explanation`` means for this indicator."""
    if reason == "denominator_only" and definition.is_mean:
        return NO_DAYS[language]
    return REASONS[reason][language].format(
        start=definition.clock_start or "", stop=definition.clock_stop or ""
    )


def print_explanation(explanation: Explanation, console: Console, asked_for_cases: bool) -> None:
    """Print every section; nothing is wider than 80 columns."""
    _Page(explanation, console).print(asked_for_cases)


def terminal() -> Console:
    """Standard output, no wider than is easy to read."""
    from rich.console import Console

    return Console(width=min(Console().width, WIDTH), highlight=False, markup=False, emoji=False)


# English words for one of what is counted; Welsh counts with the singular as it is.
_ONE = {
    **{"children": "child", "households": "household", "families": "family", "people": "person"},
    **{word: word.removesuffix("s") for word in ("days", "requests", "assessments", "plans")},
    **{"arrangements": "arrangement", "exchanges": "exchange"},
}


def _of(number: float, words: str) -> str:
    return _ONE.get(words, words) if number == 1 else words


class _Page:
    """One explanation being written, in its language."""

    def __init__(self, explanation: Explanation, console: Console) -> None:
        self.it, self.console = explanation, console
        self.language = explanation.language
        self.definition = explanation.definition
        subject = explanation.definition.subject
        # Those whose cases are listed; the support return has none.
        self.who = self.say(subject) if subject in WORDS else ""

    def say(self, word: str, **values: Any) -> str:
        return WORDS[word][self.language].format(**values)

    def status(self, status: str) -> str:
        return STATUS_CY.get(status, status) if self.language == "cy" else status

    def print(self, asked_for_cases: bool) -> None:
        sections: list[Callable[[], None]] = [
            *(self._figure, self._measures, self._in_it, self._not_in_it),
            *(self._left_out, self._breaks, self._published),
        ]
        if asked_for_cases:
            sections.append(self._cases)
        for section in sections:
            section()
        self.console.print()
        self.console.print(self.say("internal"))
        if any(one.is_synthetic for one in self.it.in_it):
            self.console.print(self.say("synthetic"))

    # --- sections ---

    def _figure(self) -> None:
        it = self.it
        names = {"financial_year": FINANCIAL_YEAR} | WINDOWS
        window = names.get(it.window, {}).get(self.language, it.window.replace("_", " "))
        self.console.print(f"{self.definition.indicator_id}  {self.definition.title}", style="bold")
        self.console.print(f"{it.place}, {it.quarter}, {window.lower()}")
        self.console.print()
        figure = it.figure
        if figure.numerator is None:
            shown = self.say("no figure")
        elif figure.value is None:
            shown = self.say("nobody")
        else:
            shown = self.value(figure.numerator, figure.denominator, figure.value)
        self.console.print(f"  {shown}", style="bold")
        self.console.print()
        self._facts(self._figure_facts())
        if not it.is_proved:
            self.console.print()
            self.console.print(self.say("not proved"), style="bold red")
            for difference in it.differences:
                self.console.print(f"  {difference}", style="red")

    def _figure_facts(self) -> Iterator[tuple[str, str]]:
        it, figure = self.it, self.it.figure
        benchmark = self.say("no benchmark")
        if figure.benchmark is not None:
            met = f" ({self.say(figure.benchmark_met)})" if figure.benchmark_met else ""
            benchmark = f"{figure.benchmark:g} {self.unit}{met}"
        yield self.say("benchmark"), benchmark
        covered = self.say(
            "covered",
            accepted=figure.returns_accepted,
            expected=figure.returns_expected,
            covered=figure.quarters_covered,
            window=figure.quarters_in_window,
        )
        if not figure.is_complete:
            covered += f". {self.say('incomplete')}"
        yield self.say("coverage"), covered
        if figure.estimate is not None and figure.estimate_method in WORDS:
            shown = f"{figure.estimate:,.0f} {self.unit}"
            yield self.say("estimate"), self.say(figure.estimate_method, n=shown)
        if it.is_proved and figure.numerator is not None:
            by = self.say("by returns")
            if it.cases is not None:
                by = self.say("by cases", n=self.people(), who=self.who)
            yield self.say("proved"), by

    def _measures(self) -> None:
        self._heading("measures")
        self.console.print(self.definition.definition)
        self.console.print()
        self._facts(self._definition_facts())
        # On lines of their own: an address that is broken in two cannot be followed.
        self.console.print(self.say("sources"), style="dim")
        for source in self.definition.sources:
            self.console.print(f"  {source}")

    def _definition_facts(self) -> Iterator[tuple[str, str]]:
        it, one = self.it, self.definition
        if one.clock_start and one.clock_stop:
            runs = self.say("clock runs", start=one.clock_start, stop=one.clock_stop)
            yield self.say("clock"), runs
        yield self.say("numerator"), one.numerator.replace("_", " ")
        if one.denominator:
            yield self.say("denominator"), one.denominator.replace("_", " ")
        yield self.say("status"), f"{self.status(one.definition_status)}. {one.status_note}"
        if one.reviewed_on:
            yield self.say("reviewed"), one.reviewed_on.isoformat()
        quarters = ", ".join(it.quarters)
        if len(it.quarters) > MOST_QUARTERS_LISTED:
            quarters = self.say(
                "run of quarters", first=it.quarters[0], last=it.quarters[-1], n=len(it.quarters)
            )
        if one.timing == "stock":
            quarters = self.say("stock", quarter=it.quarter)
        yield self.say("quarters"), f"{quarters} ({self.say(it.membership_basis)})"

    def _in_it(self) -> None:
        self._heading("in it")
        used = self.it.in_it
        if not used:
            self.console.print(self.say("none"))
        elif len(used) <= MOST_RETURNS_LISTED:
            self.console.print(self._returns_table(used))
        else:
            self.console.print(self._senders_table(used))
            self.console.print(self.say("listed"), style="dim")

    def _returns_table(self, used: list[ReturnBehind]) -> Table:
        table = self._table("sender", "quarter", "version", "received", "rows", "aside")
        for one in used:
            late = f" {self.say('late')}" if one.is_late else ""
            table.add_row(
                *(one.sender, one.quarter, str(one.version or "")),
                f"{one.received_at:%Y-%m-%d}{late}" if one.received_at else "",
                self.status("nil") if one.status == "nil" else _count(one.rows_used),
                *(_count(one.rows_set_aside), *self._sides(one.numerator, one.denominator)),
            )
        return table

    def _senders_table(self, used: list[ReturnBehind]) -> Table:
        table = self._table("sender", "quarters", "version", "last received", "rows", "aside")
        for sender in dict.fromkeys(one.sender for one in used):
            mine = [one for one in used if one.sender == sender]
            versions = sorted({one.version or 1 for one in mine})
            table.add_row(
                *(sender, str(len(mine))),
                str(versions[0]) if len(versions) == 1 else f"{versions[0]}–{versions[-1]}",
                f"{max(one.received_at for one in mine if one.received_at):%Y-%m-%d}",
                _count(sum(one.rows_used or 0 for one in mine)),
                _count(sum(one.rows_set_aside or 0 for one in mine)),
                *self._sides(
                    sum(one.numerator for one in mine), sum(one.denominator for one in mine)
                ),
            )
        return table

    def _not_in_it(self) -> None:
        self._heading("not in it")
        it = self.it
        missing = [
            (one, self.status(one.status) if one.is_due else self.say("not due"))
            for one in it.not_in_it
        ]
        for one, what in missing:
            self.console.print(f"  {one.sender}, {one.quarter}: {what}")
        for one in it.in_it:
            if one.refused_deliveries:
                again = self.say("refused again", n=one.refused_deliveries)
                self.console.print(f"  {one.sender}, {one.quarter}: {again}")
        gap = it.figure.quarters_in_window - it.figure.quarters_covered
        if gap:
            self.console.print("  " + self.say("short", n=gap))
        if not gap and not any(one.is_due for one, _ in missing):
            self.console.print(self.say("all in"))

    def _left_out(self) -> None:
        reasons = [one for one in self.it.left_out if not _of_waiting(one.reason)]
        moves = [one for one in self.it.left_out if _of_waiting(one.reason)]
        self._heading("left out")
        lines = [(one.cases, one.sentence) for one in reasons]
        lines += [
            (
                one.rows,
                self.say(
                    "set aside",
                    sender=one.sender,
                    quarter=one.quarter,
                    rules=", ".join(f"{rule} × {n}" for rule, n in one.rules.items()) or "–",
                    id=one.submission_id,
                ),
            )
            for one in self.it.set_aside
        ]
        self._counted(lines or [(0, self.say("nothing left out"))])
        if moves:
            self._heading("waiting")
            self.console.print(self.say("compared"))
            self._counted([(one.cases, one.sentence) for one in moves])

    def _breaks(self) -> None:
        if not self.it.breaks:
            return
        self._heading("breaks")
        for one in self.it.breaks:
            where = self.say("in window" if one.is_in_window else "since previous")
            self.console.print(f"{one.since}: {one.title}. {one.explanation} {where}")

    def _published(self) -> None:
        self._heading("published")
        if not self.it.publications:
            self.console.print(self.say("never"))
            return
        latest, *earlier = self.it.publications
        self._one_publication(latest)
        if latest.is_same:
            changed = next((one for one in earlier if not one.is_same), None)
            if changed:
                self._one_publication(changed)

    def _one_publication(self, one: Publication) -> None:
        figure = self.value(one.numerator, one.denominator, one.value)
        if one.is_same:
            self.console.print(self.say("same", version=one.version, figure=figure))
            return
        self.console.print(
            self.say("moved", version=one.version, figure=figure, change=self._change(one))
        )
        if one.arrived_since:
            ids = ", ".join(one.arrived_since)
            self.console.print(self.say("arrived", version=one.version, ids=ids))
        else:
            self.console.print(self.say("cause elsewhere", quarter=self.it.quarter))

    def _change(self, one: Publication) -> str:
        figure, sides = self.it.figure, []
        for side in ("numerator", "denominator"):
            now, then = getattr(figure, side), getattr(one, side)
            if side == "numerator" or self.definition.denominator:
                sides.append(f"{self.say(side).lower()} {(now or 0) - (then or 0):+,d}")
        if self.definition.denominator and figure.value is not None and one.value is not None:
            change = figure.value - one.value
            sides.append(f"{change:+,.{self.definition.rounding}f} {self.unit}")
        return ", ".join(sides)

    def _cases(self) -> None:
        cases, left_out = self.it.cases, self.it.cases_left_out
        if cases is None:
            self.console.print()
            self.console.print(self.say("no cases"))
            return
        self._heading("cases", n=self.people(), who=self.who)
        if cases:
            table = self._table("pseudonym", "sender", "quarter", numbers=0)
            for one in cases:
                table.add_row(
                    *(one.pseudonym, one.sender, one.quarter),
                    *self._sides(one.numerator, one.denominator),
                )
            self.console.print(table)
        if left_out:
            self._heading("cases left out", who=self.who)
            for reason in dict.fromkeys(one.reason for one in left_out):
                self.console.print(reason_sentence(self.definition, reason, self.language))
                table = self._table("pseudonym", "sender", "quarter", numbers=0, sides=False)
                for one in left_out:
                    if one.reason == reason:
                        table.add_row(one.pseudonym, one.sender, one.quarter)
                self.console.print(table)

    # --- pieces ---

    @property
    def unit(self) -> str:
        unit = self.definition.unit
        if unit == "percent":
            return "%"
        if unit in WORDS:
            return self.say(unit)
        people = {"children": "child", "households": "adopter"}.get(unit)
        return self.say(people) if people else unit

    def people(self) -> int:
        return len({(one.sender_code, one.pseudonym) for one in self.it.cases or []})

    def value(self, numerator: Any, denominator: Any, value: Any) -> str:
        """``80.6 % = 79 of 98 children``; a plain count is its number."""
        if value is None:
            return "–"
        if not self.definition.denominator:
            return f"{value:,.{self.definition.rounding}f} {_of(value, self.unit)}"
        number = f"{_half_up(value, self.definition.rounding)} {self.unit}"
        if self.definition.is_mean:
            return (
                f"{number} = {numerator:,d} {_of(numerator, self.say('days'))} "
                f"{self.say('over')} {denominator:,d} {_of(denominator, self.who)}"
            )
        who = _of(denominator, self.who)
        return f"{number} = {numerator:,d} {self.say('of')} {denominator:,d} {who}".rstrip()

    def _heading(self, word: str, **values: Any) -> None:
        self.console.print()
        self.console.print(self.say(word, **values).upper(), style="bold")

    def _facts(self, facts: Iterator[tuple[str, str]]) -> None:
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True, style="dim")
        table.add_column(overflow="fold")
        for name, value in facts:
            table.add_row(name, value)
        self.console.print(table)

    def _counted(self, lines: list[tuple[int, str]]) -> None:
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        table.add_column(justify="right", no_wrap=True)
        table.add_column(overflow="fold")
        for number, sentence in lines:
            table.add_row(f"{number:,d}" if number else "", sentence)
        self.console.print(table)

    def _table(self, *words: str, numbers: int = 2, sides: bool = True) -> Table:
        """Columns of these words, the last ``numbers`` of them numbers, then the two sides."""
        from rich.table import Table

        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
        for position, word in enumerate(words):
            is_number = position >= len(words) - numbers or word == "quarters"
            table.add_column(
                self.say(word),
                justify="right" if is_number else "left",
                no_wrap=word != "sender",
                overflow="fold",
            )
        if sides:
            for word in ("above", "below") if self.definition.denominator else ("above",):
                table.add_column(self.say(word), justify="right", no_wrap=True)
        return table

    def _sides(self, numerator: int, denominator: int) -> list[str]:
        days = f" {self.say('days')}" if self.definition.is_mean else ""
        sides = [f"{numerator:,d}{days}"]
        return [*sides, f"{denominator:,d}"] if self.definition.denominator else sides


def _of_waiting(reason: str) -> bool:
    return reason == "joined" or reason.startswith("left_")


def _count(number: int | None) -> str:
    return f"{number:,d}" if number else "–"


def _half_up(value: float, places: int) -> str:
    """Rounded as the warehouse rounds, halves up: Python's own rounding takes halves to even."""
    import math

    return f"{math.floor(value * 10**places + 0.5) / 10**places:,.{places}f}"
