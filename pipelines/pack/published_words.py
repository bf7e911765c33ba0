"""What a publishable pack says beside the words that it shares with the internal one."""

from __future__ import annotations

from markupsafe import Markup

from pipelines.pack.words import Tongue

_WORDS: dict[str, tuple[str, str]] = {
    "label": (
        "Disclosure controlled: {name}, version {version}",
        "Dan reolaeth datgelu: {name}, fersiwn {version}",
    ),
    "rules": (
        "Every number on this page is a published figure of this release of the {body}. Small "
        "numbers are kept back, and others with them so that none can be worked out. Rules used: "
        "{rules}. Status of the rules: {status}.",
        "Mae pob rhif ar y dudalen hon yn ffigur cyhoeddedig o'r datganiad hwn gan y corff: "
        "{body}. Cedwir niferoedd bach yn ôl, ac eraill gyda hwy fel na ellir cyfrifo'r un. Y "
        "rheolau a ddefnyddiwyd: {rules}. Statws y rheolau: {status}.",
    ),
    "welsh_wording": (
        "The Welsh wording awaits a translator's review.",
        "Mae'r geiriad Cymraeg yn aros am adolygiad cyfieithydd.",
    ),
    "returns_in_all": (
        "Every return that was due for the quarter is in these figures.",
        "Mae pob ffurflen a oedd yn ddyledus am y chwarter yn y ffigurau hyn.",
    ),
    "returns_lacking": (
        "Returns that were due for the quarter are not in these figures: do not read a change as a "
        "change in performance.",
        "Nid yw rhai ffurflenni a oedd yn ddyledus am y chwarter yn y ffigurau hyn: peidiwch â "
        "darllen newid fel newid mewn perfformiad.",
    ),
    "open_returns": (
        "Returns are in the figures that the national team has not accepted yet: not signed off, "
        "with open queries, or with rows set aside.",
        "Mae ffurflenni yn y ffigurau nad yw'r tîm cenedlaethol wedi'u derbyn eto: heb eu "
        "cymeradwyo, ag ymholiadau agored, neu â rhesi o'r neilltu.",
    ),
    "in_figures": ("The period in figures", "Y cyfnod mewn ffigurau"),
    "said_flow": ("{title}: {value} {when}", "{title}: {value} {when}"),
    "said_flow_quarter": (
        "{title}: {value} {when}, {quarter} of them in the quarter",
        "{title}: {value} {when}, {quarter} ohonynt yn y chwarter",
    ),
    "said_benchmark": (
        "{title}: {value} {when}; benchmark {benchmark}.",
        "{title}: {value} {when}; meincnod {benchmark}.",
    ),
    "a_year_before": ("A year before", "Flwyddyn ynghynt"),
    "said_before": (
        "{title}: {value} {when}; in {quarter} {previous}.",
        "{title}: {value} {when}; yn {quarter} {previous}.",
    ),
    "no_year_before": (
        "The same quarter of the year before was never released, so nothing is set beside it.",
        "Ni ryddhawyd yr un chwarter o'r flwyddyn gynt erioed, felly ni osodir dim wrth ei ochr.",
    ),
    "as_released": (
        "Figures of earlier quarters are as they were released: {names}.",
        "Mae ffigurau chwarteri cynharach fel y'u rhyddhawyd: {names}.",
    ),
    "kept_back_here": (
        "Kept back to protect people: {titles}.",
        "Wedi'u cadw'n ôl i ddiogelu pobl: {titles}.",
    ),
    "no_main_shown": (
        "No main figure of this place may be shown for the quarter.",
        "Ni ellir dangos unrhyw brif ffigur o'r lle hwn am y chwarter.",
    ),
    "under_values": (
        "Under a value stands what it is taken over, where that may be shown. {flags}",
        "O dan werth saif yr hyn y cymerir ef drosto, lle gellir ei ddangos. {flags}",
    ),
    "small": (
        "Numbers are small: one child can move a mean or a percentage. Figures of few children are "
        "no sign of good or bad performance.",
        "Mae'r niferoedd yn fach: gall un plentyn symud cymedr neu ganran. Nid yw ffigurau o "
        "ychydig o blant yn arwydd o berfformiad da na gwael.",
    ),
    "flag_c": ("kept back", "wedi'i gadw'n ôl"),
    "flag_x": ("not available", "ddim ar gael"),
    "flag_z": ("nobody to take it over", "neb i'w gymryd drosto"),
    "flag_low": ("rounds to nought", "yn talgrynnu i ddim"),
    "note_p": ("provisional", "dros dro"),
    "note_r": ("revised", "diwygiwyd"),
    "note_b": ("break in series", "toriad yn y gyfres"),
    "so_far": ("Year to date", "Blwyddyn hyd yma"),
    "three_years": ("Last twelve quarters", "Deuddeg chwarter diwethaf"),
    "trend_is": (
        "The line is of the four quarters up to each quarter, or of single quarters where those "
        "were released more often, and of a stock as it stood; all as they were released then.",
        "Mae'r llinell yn dangos y pedwar chwarter hyd at bob chwarter, neu chwarteri unigol lle "
        "rhyddhawyd y rheini'n amlach, a stoc fel yr oedd; i gyd fel y'u rhyddhawyd ar y pryd.",
    ),
    "trend": ("As released, quarter by quarter", "Fel y'i rhyddhawyd, fesul chwarter"),
    "side_by_side_intro": (
        "Each figure is that of the window it has in the table above. Places stand in the order of "
        "their kind and name, whatever their figures.",
        "Mae pob ffigur yn perthyn i'r cyfnod sydd iddo yn y tabl uchod. Saif lleoedd yn nhrefn eu "
        "math a'u henw, beth bynnag eu ffigurau.",
    ),
    "missing": (
        "Returns that are not in these figures",
        "Ffurflenni nad ydynt yn y ffigurau hyn",
    ),
    "missing_intro": (
        "Of the quarters that the figures of this page cover.",
        "O'r chwarteri y mae ffigurau'r dudalen hon yn eu cwmpasu.",
    ),
    "flags": ("In place of a number", "Yn lle rhif"),
    "notes": ("Beside a number", "Wrth ymyl rhif"),
}

_HOW_TO_READ: tuple[tuple[str, str], ...] = (
    (
        "A benchmark is called met or not by the figure that is shown, rounded as it is. Where the "
        "figure is kept back nothing is said of its benchmark.",
        "Dywedir bod meincnod wedi'i gyrraedd neu beidio yn ôl y ffigur a ddangosir, wedi'i "
        "dalgrynnu fel y mae. Lle cedwir y ffigur yn ôl ni ddywedir dim am ei feincnod.",
    ),
    (
        "Differences, rankings, intervals and charts of numbers that are not shown would tell "
        "something of them, so there are none.",
        "Byddai gwahaniaethau, safleoedd, cyfyngau a siartiau o rifau nas dangosir yn dweud "
        "rhywbeth amdanynt, felly nid oes yr un yma.",
    ),
    (
        "A mean or percentage that differs from another may do so by chance. Fewer people, more "
        "chance.",
        "Gall cymedr neu ganran fod yn wahanol i un arall ar siawns. Po leiaf o bobl, mwyaf o "
        "siawns.",
    ),
    (
        "Every indicator says how far its definition is public: published, partly published, "
        "proposed by this project, or unverified.",
        "Mae pob dangosydd yn dweud pa mor bell y mae ei ddiffiniad yn gyhoeddus: cyhoeddwyd, "
        "cyhoeddwyd yn rhannol, arfaethedig gan y prosiect hwn, neu heb ei wirio.",
    ),
    (
        "All figures, with other periods and by age, sex and other parts, are in figures.csv of "
        "the release; provenance.json says what they rest on.",
        "Mae'r holl ffigurau, gyda chyfnodau eraill ac yn ôl oedran, rhyw a rhannau eraill, yn "
        "figures.csv y datganiad; mae provenance.json yn dweud ar beth y maent yn seiliedig.",
    ),
)


class PublishedTongue(Tongue):
    """Words of a publishable pack; sentences may hold figures that are marked as such."""

    def __call__(self, word: str, **values: object) -> Markup:
        if word in _WORDS:
            return Markup(_WORDS[word][self._at]).format(**values)
        return Markup(
            super().__call__(word, **{name: Markup.escape(value) for name, value in values.items()})
        )

    def how_to_read(self) -> list[str]:
        return [said[self._at] for said in _HOW_TO_READ]
