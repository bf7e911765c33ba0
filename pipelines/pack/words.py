"""The words of a pack, in English and Welsh, and numbers as a reader sees them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from pipelines.quarters import Quarter

if TYPE_CHECKING:
    from pipelines.pack.book import Figure, Indicator
    from pipelines.pack.edition import Language

WINDOWS = {
    "quarter": {"en": "Quarter", "cy": "Chwarter"},
    "year_to_date": {"en": "Year to date", "cy": "Y flwyddyn hyd yma"},
    "rolling_4": {"en": "Last four quarters", "cy": "Pedwar chwarter diwethaf"},
    "rolling_12": {"en": "Last twelve quarters", "cy": "Deuddeg chwarter diwethaf"},
}

STATUS_CY = {
    "published": "cyhoeddwyd",
    "partly published": "cyhoeddwyd yn rhannol",
    "proposed": "arfaethedig",
    "unverified": "heb ei wirio",
    "sourced": "â ffynhonnell",
    "accepted": "derbyniwyd",
    "nil": "dim i'w adrodd",
    "refused": "gwrthodwyd",
    "received": "derbyniwyd y ffeil, heb ei barnu eto",
    "missing": "ar goll",
    "held": "cadwyd at y diwygiad nesaf",
}

# Of the units that a benchmark can be in.
UNITS = {
    "months": {"en": "months", "cy": "mis"},
    "days": {"en": "days", "cy": "diwrnod"},
    "percent": {"en": "%", "cy": "%"},
    "children": {"en": "children", "cy": "plentyn"},
    "households": {"en": "households", "cy": "aelwyd"},
    "families": {"en": "families", "cy": "teulu"},
    "people": {"en": "people", "cy": "unigolyn"},
    "requests": {"en": "requests", "cy": "cais"},
    "assessments": {"en": "assessments", "cy": "asesiad"},
    "plans": {"en": "plans", "cy": "cynllun"},
    "arrangements": {"en": "arrangements", "cy": "trefniant"},
    "exchanges": {"en": "exchanges", "cy": "cyfnewidiad"},
}

_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "cy": "Ionawr Chwefror Mawrth Ebrill Mai Mehefin Gorffennaf Awst Medi Hydref Tachwedd Rhagfyr",
}

_WORDS: dict[str, tuple[str, str]] = {
    # --- the frame of the page
    "title": ("Adoption performance", "Perfformiad mabwysiadu"),
    "skip": ("Skip to the figures", "Neidio i'r ffigurau"),
    "contents": ("On this page", "Ar y dudalen hon"),
    "synthetic": (
        "Synthetic sample data. No figure on this page describes a real person or service.",
        "Data sampl synthetig. Nid yw unrhyw ffigur ar y dudalen hon yn disgrifio person na "
        "gwasanaeth go iawn.",
    ),
    "part_of": ("Region or agency: {place}.", "Rhanbarth neu asiantaeth: {place}."),
    # --- headlines
    "in_short": ("In short", "Yn gryno"),
    "returns_all": (
        "All {due} returns that were due for the quarter are in these figures.",
        "Mae pob un o'r {due} ffurflen a oedd yn ddyledus am y chwarter yn y ffigurau hyn.",
    ),
    "returns_one": (
        "The one return that was due for the quarter is in these figures.",
        "Mae'r un ffurflen a oedd yn ddyledus am y chwarter yn y ffigurau hyn.",
    ),
    "returns_some": (
        "{lacking} of the {due} returns that were due for the quarter are not in these figures: "
        "do not read a change as a change in performance.",
        "Nid yw {lacking} o'r {due} ffurflen a oedd yn ddyledus am y chwarter yn y ffigurau hyn: "
        "peidiwch â darllen newid fel newid mewn perfformiad.",
    ),
    "few_children": (
        "Numbers here are very small. One child can move every mean and percentage on this page.",
        "Mae'r niferoedd yma'n fach iawn. Gall un plentyn symud pob cymedr a chanran ar y dudalen "
        "hon.",
    ),
    "small": (
        "Numbers are small: one child can move a mean or a percentage. Figures of fewer than about "
        "ten children are no sign of good or bad performance.",
        "Mae'r niferoedd yn fach: gall un plentyn symud cymedr neu ganran. Nid yw ffigurau o lai "
        "na thua deg o blant yn arwydd o berfformiad da na gwael.",
    ),
    "moved": (
        "Moved by more than chance would explain",
        "Wedi symud mwy nag y byddai siawns yn ei esbonio",
    ),
    "moved_nothing": (
        "No figure moved by more than chance would explain.",
        "Ni symudodd unrhyw ffigur fwy nag y byddai siawns yn ei esbonio.",
    ),
    "against_benchmarks": ("Against the benchmarks", "O'u cymharu â'r meincnodau"),
    "differs": (
        "Differs from others by more than chance would explain",
        "Yn wahanol i eraill o fwy nag y byddai siawns yn ei esbonio",
    ),
    "waiting_now": ("Children waiting", "Plant sy'n aros"),
    "signals": (
        "Signals in the latest quarter's run of figures",
        "Arwyddion yng nghyfres ffigurau'r chwarter diweddaraf",
    ),
    "as_before": (
        "No different from a year before, as far as can be told: {titles}.",
        "Dim gwahaniaeth ers blwyddyn yn ôl, hyd y gellir dweud: {titles}.",
    ),
    "too_few": (
        "Too few cases to tell: {titles}.",
        "Rhy ychydig o achosion i ddweud: {titles}.",
    ),
    "said_before": (
        "{title}: {value}; {before} {previous}.",
        "{title}: {value}; {before} {previous}.",
    ),
    "said_quarter": (
        "{title}: {value} in the quarter; {previous} over the four quarters before.",
        "{title}: {value} yn y chwarter; {previous} dros y pedwar chwarter blaenorol.",
    ),
    "said_benchmark": (
        "{title}: {value} {when}; benchmark {benchmark}.",
        "{title}: {value} {when}; meincnod {benchmark}.",
    ),
    "said_other": (
        "{title}: {value} {when}; {other} {theirs}.",
        "{title}: {value} {when}; {other} {theirs}.",
    ),
    "said_waiting": (
        "{title}: {waiting} on this clock on {day}, {past} of them past {limit}. {soon} more will "
        "pass it within 90 days unless matched or placed.",
        "{title}: {waiting} ar y cloc hwn ar {day}, {past} ohonynt dros {limit}. Bydd {soon} arall "
        "yn mynd drosto o fewn 90 diwrnod oni bai eu bod yn cael eu paru neu eu lleoli.",
    ),
    "said_waiting_no_more": (
        "{title}: {waiting} on this clock on {day}, {past} of them past {limit}. No one else will "
        "pass it within 90 days.",
        "{title}: {waiting} ar y cloc hwn ar {day}, {past} ohonynt dros {limit}. Ni fydd neb arall "
        "yn mynd drosto o fewn 90 diwrnod.",
    ),
    "none_of": ("none", "dim un"),
    "said_none_waiting": (
        "No child is waiting on any of the clocks.",
        "Nid oes unrhyw blentyn yn aros ar yr un o'r clociau.",
    ),
    "in_quarter": ("in the quarter", "yn y chwarter"),
    "in_rolling_4": ("over the last four quarters", "dros y pedwar chwarter diwethaf"),
    "in_rolling_12": ("over the last twelve quarters", "dros y deuddeg chwarter diwethaf"),
    "in_year_to_date": ("in the year to date", "yn y flwyddyn hyd yma"),
    "on_day": ("on {day}", "ar {day}"),
    "year_before": ("a year before", "flwyddyn ynghynt"),
    "three_years_before": ("three years before", "dair blynedd ynghynt"),
    # --- words that stand beside a shape
    "better": ("better", "gwell"),
    "worse": ("worse", "gwaeth"),
    "no different": ("no different", "dim gwahaniaeth"),
    "too few to tell": ("too few to tell", "rhy ychydig i ddweud"),
    "break in series": ("break in series", "toriad yn y gyfres"),
    "met": ("met", "cyrhaeddwyd"),
    "not met": ("not met", "heb ei gyrraedd"),
    "clear": ("beyond chance", "y tu hwnt i siawns"),
    "chance": ("could be chance", "gallai fod yn siawns"),
    "signal_better": ("better than usual", "gwell na'r arfer"),
    "signal_worse": ("worse than usual", "gwaeth na'r arfer"),
    # --- the table of indicators
    "indicators": ("Indicators", "Dangosyddion"),
    "headline_table": (
        "Headline indicators of {place}, {quarter}",
        "Prif ddangosyddion {place}, {quarter}",
    ),
    "other_table": (
        "All other indicators of {place}, {quarter}",
        "Pob dangosydd arall {place}, {quarter}",
    ),
    "others": ("All other indicators", "Pob dangosydd arall"),
    "indicator": ("Indicator", "Dangosydd"),
    "this_quarter": ("Quarter", "Chwarter"),
    "year": ("Last four quarters", "Pedwar chwarter diwethaf"),
    "compared": ("Compared", "Cymhariaeth"),
    "benchmark": ("Benchmark", "Meincnod"),
    "trend": ("Trend: {count} quarters", "Tuedd: {count} chwarter"),
    "trend_three_years": ("each over three years", "pob un dros dair blynedd"),
    "definition_is": ("definition", "diffiniad"),
    "interval_short": ("{low} to {high}", "{low} i {high}"),
    "of": ("{numerator} of {denominator}", "{numerator} o {denominator}"),
    "mean_of": ("mean of {count}", "cymedr o {count}"),
    "not_known": ("not known", "ddim yn hysbys"),
    "no_case": ("no case", "dim achos"),
    "under_values": (
        "Under a value stands what it rests on and then, of a mean or a share, its 95% interval.",
        "O dan werth saif yr hyn y mae'n seiliedig arno ac yna, ar gyfer cymedr neu gyfran, ei "
        "gyfwng 95%.",
    ),
    "region": ("the region", "y rhanbarth"),
    "at_most": ("{value} at most", "{value} ar y mwyaf"),
    "at_least": ("{value} at least", "{value} o leiaf"),
    "returns_in": ("{accepted} of {expected} returns", "{accepted} o {expected} ffurflen"),
    "quarters_in": ("{covered} of {all} quarters", "{covered} o {all} chwarter"),
    "estimate": ("estimate for all: {value}", "amcangyfrif i bawb: {value}"),
    "fewer_than_ten": ("fewer than ten cases", "llai na deg achos"),
    "break_since": ("break in series {quarter}", "toriad yn y gyfres {quarter}"),
    "no_headlines": (
        "No headline indicator has a figure here for this quarter.",
        "Nid oes gan unrhyw brif ddangosydd ffigur yma ar gyfer y chwarter hwn.",
    ),
    "adopters_elsewhere": (
        "Figures on adopters and adoption support are returned by the region or agency and are in "
        "its pack.",
        "Y rhanbarth neu'r asiantaeth sy'n dychwelyd ffigurau am fabwysiadwyr a chymorth "
        "mabwysiadu, ac yn ei becyn ef y maent.",
    ),
    # --- waiting
    "waiting": (
        "Children waiting: clocks and early warning",
        "Plant sy'n aros: clociau a rhybudd cynnar",
    ),
    "waiting_intro": (
        "Public figures on waiting over six months use different clocks. Each clock below is an "
        "indicator of its own; do not compare one with another. The early warning counts children "
        "on the quarter's last day: who is past the limit, and who will be unless matched or "
        "placed.",
        "Mae ffigurau cyhoeddus am aros dros chwe mis yn defnyddio clociau gwahanol. Mae pob cloc "
        "isod yn ddangosydd ar ei ben ei hun; peidiwch â chymharu un ag un arall. Mae'r rhybudd "
        "cynnar yn cyfrif plant ar ddiwrnod olaf y chwarter: pwy sydd dros y terfyn, a phwy fydd "
        "drosto oni bai eu bod yn cael eu paru neu eu lleoli.",
    ),
    "waiting_proposed": (
        "That a benchmark of a mean is watched as a limit for each child is proposed by this "
        "project.",
        "Cynnig y prosiect hwn yw gwylio meincnod cymedr fel terfyn i bob plentyn.",
    ),
    "clock": ("Clock", "Cloc"),
    "limit": ("Limit", "Terfyn"),
    "waiting_count": ("Waiting", "Yn aros"),
    "past": ("Past the limit", "Dros y terfyn"),
    "within": ("Within {days} days", "O fewn {days} diwrnod"),
    "next_30": ("next 30 days", "30 diwrnod nesaf"),
    "next_60": ("31 to 60 days", "31 i 60 diwrnod"),
    "next_90": ("61 to 90 days", "61 i 90 diwrnod"),
    "later": ("later", "wedyn"),
    "waiting_alt": (
        "Bars of children waiting on each clock, by when the limit passes. {facts}",
        "Barrau o blant sy'n aros ar bob cloc, yn ôl pryd y daw'r terfyn. {facts}",
    ),
    "waiting_fact": (
        "{code}: {waiting} waiting, {past} past {limit}, {soon} more within 90 days.",
        "{code}: {waiting} yn aros, {past} dros {limit}, {soon} arall o fewn 90 diwrnod.",
    ),
    "waiting_table": (
        "Early warning on {day}",
        "Rhybudd cynnar ar {day}",
    ),
    "cumulative": (
        "The horizons add up: within 60 days includes within 30.",
        "Mae'r cyfnodau'n cronni: mae o fewn 60 diwrnod yn cynnwys o fewn 30.",
    ),
    # --- charts over time
    "over_time": ("How figures moved", "Sut y symudodd y ffigurau"),
    "over_time_intro": (
        "A control chart (XmR) shows the mean and the limits between which a steady process goes "
        "up and down by itself. A shape that stands out marks a quarter that is more than that. "
        "Where limits would mean nothing the chart is a plain run chart with the median, and says "
        "why.",
        "Mae siart rheoli (XmR) yn dangos y cymedr a'r terfynau y mae proses sefydlog yn codi ac "
        "yn gostwng rhyngddynt ohoni ei hun. Mae siâp sy'n sefyll allan yn nodi chwarter sy'n fwy "
        "na hynny. Lle na fyddai terfynau'n golygu dim, siart rhediad syml yw'r siart, gyda'r "
        "canolrif, ac mae'n dweud pam.",
    ),
    "no_charts": (
        "Too few cases for a chart over time; the values are in the table of indicators.",
        "Rhy ychydig o achosion am siart dros amser; mae'r gwerthoedd yn nhabl y dangosyddion.",
    ),
    "no_chart_for": (
        "Too few cases for a chart over time: {titles}. The values are in the table of indicators.",
        "Rhy ychydig o achosion am siart dros amser: {titles}. Mae'r gwerthoedd yn nhabl y "
        "dangosyddion.",
    ),
    "control_caption": (
        "Mean {mean}; limits {lower} to {upper}.",
        "Cymedr {mean}; terfynau {lower} i {upper}.",
    ),
    "run_caption": (
        "Median {median}. Plain run chart: {why}.",
        "Canolrif {median}. Siart rhediad syml: {why}.",
    ),
    "why_few_quarters": (
        "{count} quarters have a value, and limits need {needed}",
        "mae gan {count} chwarter werth, ac mae angen {needed} ar derfynau",
    ),
    "why_break": (
        "{count} quarters since the break in series of {quarter}, and limits need {needed}",
        "{count} chwarter ers y toriad yng nghyfres {quarter}, ac mae angen {needed} ar derfynau",
    ),
    "why_gap": (
        "returns or cases are missing in {quarters}, and limits need an unbroken series",
        "mae ffurflenni neu achosion ar goll yn {quarters}, ac mae angen cyfres ddi-dor ar "
        "derfynau",
    ),
    "why_small": (
        "fewer than five cases a quarter on average",
        "llai na phum achos y chwarter ar gyfartaledd",
    ),
    "why_overlap": (
        "each value covers three years, so that neighbours share most of their cases",
        "mae pob gwerth yn cwmpasu tair blynedd, felly mae cymdogion yn rhannu'r rhan fwyaf o'u "
        "hachosion",
    ),
    "no_signal": (
        "No signal: it varies as it did before.",
        "Dim arwydd: mae'n amrywio fel o'r blaen.",
    ),
    "rule_outside": ("outside the limits in {quarters}", "y tu allan i'r terfynau yn {quarters}"),
    "rule_shift": (
        "seven or more in a row on one side of the mean, {quarters}",
        "saith neu fwy yn olynol ar un ochr i'r cymedr, {quarters}",
    ),
    "rule_trend": (
        "seven or more in a row rising or falling, {quarters}",
        "saith neu fwy yn olynol yn codi neu'n gostwng, {quarters}",
    ),
    "rule_near_limit": (
        "two of three close to a limit, {quarters}",
        "dau o dri yn agos at derfyn, {quarters}",
    ),
    "signal": ("Signal: {rules}.", "Arwydd: {rules}."),
    "stock_caution": (
        "Many of the children waiting are the same from one quarter to the next, so that the "
        "limits are too narrow.",
        "Yr un plant sy'n aros yw llawer ohonynt o un chwarter i'r nesaf, felly mae'r terfynau'n "
        "rhy gul.",
    ),
    "chart_alt": (
        "Line of {title}, {unit}, {first} to {last}: {values}.",
        "Llinell {title}, {unit}, {first} i {last}: {values}.",
    ),
    "values_behind": ("Values", "Gwerthoedd"),
    "values_of": ("Values of {title}", "Gwerthoedd {title}"),
    "quarter": ("Quarter", "Chwarter"),
    "value": ("Value", "Gwerth"),
    "cases": ("Cases", "Achosion"),
    "marked": ("Marked", "Nodwyd"),
    "key": ("Key", "Allwedd"),
    "key_common": ("as usual", "fel arfer"),
    "key_better": ("signal, better", "arwydd, gwell"),
    "key_worse": ("signal, worse", "arwydd, gwaeth"),
    "key_incomplete": ("returns missing", "ffurflenni ar goll"),
    "key_mean": ("mean, or median in a run chart", "cymedr, neu ganolrif mewn siart rhediad"),
    "key_limits": ("limits", "terfynau"),
    "key_break": ("break in series", "toriad yn y gyfres"),
    "incomplete": ("returns missing", "ffurflenni ar goll"),
    # --- beside others
    "side_by_side": ("Side by side", "Ochr yn ochr"),
    "side_by_side_intro": (
        "Flows over four quarters (three years where an indicator has no other window), stocks as "
        "they stood on {day}. A word beside a figure says that it differs from {nation} by more "
        "than chance would explain.",
        "Llifoedd dros bedwar chwarter (tair blynedd lle nad oes cyfnod arall gan ddangosydd), "
        "stociau fel yr oeddent ar {day}. Mae gair wrth ffigur yn dweud ei fod yn wahanol i ffigur "
        "{nation} o fwy nag y byddai siawns yn ei esbonio.",
    ),
    "funnels": (
        "Shares among peers: funnel plots",
        "Cyfrannau ymhlith cymheiriaid: plotiau twndis",
    ),
    "funnels_intro": (
        "Each point is one of the {peers}, over the last four quarters. Inside the funnel a place "
        "differs from the average by no more than its size explains; among many places one in "
        "twenty lies outside the inner lines by chance alone. Places with fewer than ten cases are "
        "hollow and not judged.",
        "Un o'r {peers} yw pob pwynt, dros y pedwar chwarter diwethaf. Y tu mewn i'r twndis nid "
        "yw lle'n wahanol i'r cyfartaledd o fwy nag y mae ei faint yn ei esbonio; ymhlith llawer "
        "o leoedd mae un o bob ugain y tu allan i'r llinellau mewnol drwy siawns yn unig. Mae "
        "lleoedd â llai na deg achos yn wag ac ni chânt eu barnu.",
    ),
    "peers_authority": ("authorities of {nation}", "awdurdodau {nation}"),
    "peers_region": ("regions and agencies of {nation}", "rhanbarthau ac asiantaethau {nation}"),
    "funnel_average": (
        "Average of all {average}.",
        "Cyfartaledd pawb {average}.",
    ),
    "funnel_own": (
        "{place}: {value} ({of}), {position}.",
        "{place}: {value} ({of}), {position}.",
    ),
    "funnel_outside": ("Outside the funnel: {places}.", "Y tu allan i'r twndis: {places}."),
    "funnel_outside_none": (
        "No other place lies outside the funnel.",
        "Nid oes unrhyw le arall y tu allan i'r twndis.",
    ),
    "funnel_nobody_outside": (
        "No place lies outside the funnel.",
        "Nid oes unrhyw le y tu allan i'r twndis.",
    ),
    "position_inside": ("inside the funnel", "y tu mewn i'r twndis"),
    "position_low": ("below the 95% limit", "islaw'r terfyn 95%"),
    "position_high": ("above the 95% limit", "uwchlaw'r terfyn 95%"),
    "position_very low": ("below the 99.8% limit", "islaw'r terfyn 99.8%"),
    "position_very high": ("above the 99.8% limit", "uwchlaw'r terfyn 99.8%"),
    "position_few": ("fewer than ten cases, not judged", "llai na deg achos, heb ei farnu"),
    "position_nothing": ("no case", "dim achos"),
    "funnel_alt": (
        "Funnel plot of {title}: share against number of cases for {count} places. {facts}",
        "Plot twndis {title}: cyfran yn erbyn nifer yr achosion ar gyfer {count} lle. {facts}",
    ),
    "funnel_axis": (
        "Across: number of cases. Up: share in %.",
        "Ar draws: nifer yr achosion. I fyny: cyfran mewn %.",
    ),
    "funnel_key": (
        "dashed: 95% limits; dotted: 99.8% limits; square: this place",
        "llinellau toredig: terfynau 95%; dotiau: terfynau 99.8%; sgwâr: y lle hwn",
    ),
    "funnel_key_all": (
        "dashed: 95% limits; dotted: 99.8% limits",
        "llinellau toredig: terfynau 95%; dotiau: terfynau 99.8%",
    ),
    "place": ("Place", "Lle"),
    "share": ("Share", "Cyfran"),
    "position": ("Position", "Safle"),
    # --- journey
    "journey": ("From placement order to match", "O orchymyn lleoli i baru"),
    "journey_intro": (
        "Of the children whose placement order was granted in the twelve quarters to {quarter}, "
        "the share not matched yet after so many days, with the children still waiting counted "
        "for as long as they were watched (Kaplan-Meier). The definition is proposed by this "
        "project.",
        "O'r plant y rhoddwyd eu gorchymyn lleoli yn y deuddeg chwarter hyd at {quarter}, y "
        "gyfran heb eu paru eto ar ôl cynifer o ddyddiau, gan gyfrif y plant sy'n dal i aros am "
        "gyhyd ag y cawsant eu gwylio (Kaplan-Meier). Cynnig y prosiect hwn yw'r diffiniad.",
    ),
    "journey_of_region": (
        "An authority has too few orders for a curve of its own: this is {place}.",
        "Mae gan awdurdod rhy ychydig o orchmynion i gael ei gromlin ei hun: dyma {place}.",
    ),
    "journey_few": (
        "Fewer than ten orders in {place} in the twelve quarters: no curve is drawn.",
        "Llai na deg gorchymyn yn y deuddeg chwarter ({place}): ni thynnir cromlin.",
    ),
    "journey_none": (
        "No placement order was granted in {place} in the twelve quarters.",
        "Ni roddwyd gorchymyn lleoli yn y deuddeg chwarter ({place}).",
    ),
    "journey_median": (
        "Half were matched within {median} days (95% interval {low} to {high}).",
        "Cafodd hanner eu paru o fewn {median} diwrnod (cyfwng 95% {low} i {high}).",
    ),
    "journey_median_open": (
        "Half were matched within {median} days (95% interval from {low}, no upper bound yet).",
        "Cafodd hanner eu paru o fewn {median} diwrnod (cyfwng 95% o {low}, dim terfyn uchaf eto).",
    ),
    "journey_median_bare": (
        "Half were matched within {median} days.",
        "Cafodd hanner eu paru o fewn {median} diwrnod.",
    ),
    "journey_no_median": (
        "Fewer than half are matched so far.",
        "Mae llai na hanner wedi'u paru hyd yma.",
    ),
    "journey_facts": (
        "{children} children. After a year {waiting} were not matched; {left} had left without a "
        "match by the end.",
        "{children} plentyn. Ar ôl blwyddyn nid oedd {waiting} wedi'u paru; roedd {left} wedi "
        "gadael heb eu paru erbyn y diwedd.",
    ),
    "journey_returns": (
        "{accepted} of the {expected} returns of these quarters are in the curve.",
        "Mae {accepted} o'r {expected} ffurflen ar gyfer y chwarteri hyn yn y gromlin.",
    ),
    "journey_alt": (
        "Curve of the share of children not matched against days since the placement order, in "
        "{place}. {facts}",
        "Cromlin y gyfran o blant heb eu paru yn erbyn dyddiau ers y gorchymyn lleoli ({place}). "
        "{facts}",
    ),
    "journey_axis": (
        "Across: days since the placement order. Up: share not matched, %. Band: 95% interval.",
        "Ar draws: dyddiau ers y gorchymyn lleoli. I fyny: cyfran heb ei pharu, %. Band: cyfwng "
        "95%.",
    ),
    "journey_other": ("dashed: {place}", "llinell doredig: {place}"),
    "days": ("Days", "Dyddiau"),
    "at_risk": ("Still waiting then", "Yn dal i aros bryd hynny"),
    "not_matched": ("Not matched", "Heb eu paru"),
    "interval_head": ("95% interval", "Cyfwng 95%"),
    "journey_table": ("Children waiting, {place}", "Plant sy'n aros, {place}"),
    # --- distribution
    "distribution": ("How long it took", "Faint o amser a gymerodd"),
    "distribution_intro": (
        "Completed waits only. The box holds the middle half of the waits, the line in it is the "
        "median, the diamond the mean. A mean far above the median is made by a few long waits.",
        "Cyfnodau aros a ddaeth i ben yn unig. Mae'r blwch yn dal hanner canol y cyfnodau, y "
        "llinell ynddo yw'r canolrif, y diemwnt yw'r cymedr. Ychydig o gyfnodau hir sy'n gwneud "
        "cymedr ymhell uwchlaw'r canolrif.",
    ),
    "distribution_alt": (
        "Boxes of {title}, {unit}. {facts}",
        "Blychau {title}, {unit}. {facts}",
    ),
    "distribution_fact": (
        "{who}: median {median}, middle half {low} to {high}, mean {mean}, {cases} cases.",
        "{who}: canolrif {median}, hanner canol {low} i {high}, cymedr {mean}, {cases} achos.",
    ),
    "distribution_few": (
        "A box of fewer than ten cases says little; how many is in brackets.",
        "Nid yw blwch o lai na deg achos yn dweud llawer; mae'r nifer mewn cromfachau.",
    ),
    "distribution_none": (
        "No wait came to an end here in the quarters covered.",
        "Ni ddaeth unrhyw gyfnod aros i ben yma yn y chwarteri dan sylw.",
    ),
    "who": ("Who and when", "Pwy a phryd"),
    "median": ("Median", "Canolrif"),
    "middle_half": ("Middle half", "Hanner canol"),
    "mean": ("Mean", "Cymedr"),
    "benchmark_line": (
        "dashed line: benchmark {benchmark}",
        "llinell doredig: meincnod {benchmark}",
    ),
    # --- returns
    "returns": ("Who returned what", "Pwy ddychwelodd beth"),
    "returns_table": ("Returns due for {quarter}", "Ffurflenni sy'n ddyledus ar gyfer {quarter}"),
    "not_in_table": (
        "Returns of {quarter} that are not in the figures",
        "Ffurflenni {quarter} nad ydynt yn y ffigurau",
    ),
    "no_returns": ("No return was due from here.", "Nid oedd ffurflen yn ddyledus oddi yma."),
    "sender": ("Authority or agency", "Awdurdod neu asiantaeth"),
    "return": ("Return", "Ffurflen"),
    "status": ("Status", "Statws"),
    "late": ("late", "hwyr"),
    "rows": ("Rows accepted", "Rhesi a dderbyniwyd"),
    "aside": ("Rows set aside", "Rhesi a neilltuwyd"),
    "queries": ("Queries", "Ymholiadau"),
    "set_aside_note": (
        "Rows set aside have an error and are in no figure until they are corrected.",
        "Mae gwall mewn rhesi a neilltuwyd ac nid ydynt mewn unrhyw ffigur nes eu cywiro.",
    ),
    # --- breaks
    "breaks": ("Breaks in series", "Toriadau yn y gyfres"),
    "breaks_intro": (
        "From these quarters on figures are not comparable with earlier ones.",
        "O'r chwarteri hyn ymlaen nid yw'r ffigurau'n gymaradwy â rhai cynharach.",
    ),
    "no_breaks": (
        "No break is known within the quarters shown.",
        "Nid oes toriad hysbys o fewn y chwarteri a ddangosir.",
    ),
    "since": ("From", "O"),
    "concerns": ("Concerns", "Yn ymwneud â"),
    "what": ("What changed", "Beth a newidiodd"),
    "whole_place": ("all indicators", "pob dangosydd"),
    # --- definitions
    "definitions": ("How far each definition is public", "Pa mor gyhoeddus yw pob diffiniad"),
    # --- how to read
    "how_to_read": ("How to read these figures", "Sut i ddarllen y ffigurau hyn"),
}

_HOW_TO_READ: tuple[tuple[str, str], ...] = (
    (
        "A figure with a warning lacks returns that were due, or quarters of its window. It is "
        "then a figure of those who returned.",
        "Mae ffigur â rhybudd yn brin o ffurflenni a oedd yn ddyledus, neu o chwarteri ei gyfnod. "
        "Ffigur y rhai a ddychwelodd ydyw felly.",
    ),
    (
        "A 95% interval shows how much chance there is in a figure: made over and over, 95 of 100 "
        "such intervals would hold the underlying value. Wilson for shares, Student's t for "
        "means, Poisson (exact up to 9, Byar above) for comparing counts. Brothers and sisters "
        "count as independent, which they are not: intervals are rather too narrow.",
        "Mae cyfwng 95% yn dangos faint o siawns sydd mewn ffigur: o'i wneud drosodd a throsodd, "
        "byddai 95 o bob 100 cyfwng o'r fath yn dal y gwerth sylfaenol. Wilson ar gyfer "
        "cyfrannau, t Student ar gyfer cymedrau, Poisson (union hyd at 9, Byar uwchlaw) ar gyfer "
        "cymharu cyfrifon. Mae brodyr a chwiorydd yn cyfrif yn annibynnol, ac nid ydynt: braidd "
        "yn rhy gul yw'r cyfyngau.",
    ),
    (
        "Better and worse are said only where the two 95% intervals do not touch, or the benchmark "
        "lies outside the interval; below ten cases nothing is said. Both rules are proposed by "
        "this project. A benchmark is met or not by the bare value, chance or no chance.",
        "Dim ond lle nad yw'r ddau gyfwng 95% yn cyffwrdd, neu lle mae'r meincnod y tu allan i'r "
        "cyfwng, y dywedir gwell a gwaeth; islaw deg achos ni ddywedir dim. Cynnig y prosiect hwn "
        "yw'r ddwy reol. Y gwerth moel sy'n cyrraedd meincnod neu beidio, siawns neu beidio.",
    ),
    (
        "Control charts follow NHS England's Making Data Count: limits are the mean plus and "
        "minus 2.66 times the mean moving range. Signals are a point outside the limits, seven "
        "points in a row on one side of the mean, seven rising or falling, or two of three in the "
        "outer third towards a limit. Limits need twelve quarters without a gap and five cases a "
        "quarter on average (the five is proposed by this project).",
        "Mae siartiau rheoli'n dilyn Making Data Count NHS England: y terfynau yw'r cymedr plws a "
        "minws 2.66 gwaith yr amrediad symudol cymedrig. Arwyddion yw pwynt y tu allan i'r "
        "terfynau, saith pwynt yn olynol ar un ochr i'r cymedr, saith yn codi neu'n gostwng, neu "
        "ddau o dri yn y traean allanol tuag at derfyn. Mae angen deuddeg chwarter heb fwlch a "
        "phum achos y chwarter ar gyfartaledd ar derfynau (cynnig y prosiect hwn yw'r pump).",
    ),
    (
        "Funnel limits are those of Fingertips: 95% and 99.8% around the average of all places "
        "shown.",
        "Terfynau twndis Fingertips a ddefnyddir: 95% a 99.8% o gwmpas cyfartaledd yr holl leoedd "
        "a ddangosir.",
    ),
    (
        "Every indicator says how far its definition is public: published, partly published, "
        "proposed by this project, or unverified.",
        "Mae pob dangosydd yn dweud pa mor bell y mae ei ddiffiniad yn gyhoeddus: cyhoeddwyd, "
        "cyhoeddwyd yn rhannol, arfaethedig gan y prosiect hwn, neu heb ei wirio.",
    ),
)


class Tongue:
    """Words and numbers in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._at = 1 if language == "cy" else 0

    def __call__(self, word: str, **values: object) -> str:
        return _WORDS[word][self._at].format(**values)

    def how_to_read(self) -> list[str]:
        return [said[self._at] for said in _HOW_TO_READ]

    def status(self, status: str) -> str:
        return STATUS_CY.get(status, status) if self.language == "cy" else status

    def window(self, window_name: str) -> str:
        return WINDOWS[window_name][self.language]

    def when(self, indicator: Indicator, figure: Figure) -> str:
        if indicator.is_stock:
            return self("on_day", day=self.day(Quarter.parse(figure.quarter).last_day))
        return self(f"in_{figure.window_name}")

    def day(self, day: date) -> str:
        return f"{day.day} {_MONTHS[self.language].split()[day.month - 1]} {day.year}"

    def months(self, quarter: Quarter) -> str:
        """``January to March 2021``."""
        names = _MONTHS[self.language].split()
        first, last = quarter.first_day, quarter.last_day
        to = "i" if self.language == "cy" else "to"
        return f"{names[first.month - 1]} {to} {names[last.month - 1]} {last.year}"

    def number(self, indicator: Indicator, value: float) -> str:
        """``9.1`` in the indicator's decimals, without its unit; ``59.8%`` of a share."""
        shown = f"{value:,.{indicator.rounding}f}"
        if shown.startswith("-") and not shown.strip("-0.,"):
            shown = shown[1:]  # the rounded mean of a chart may be a hair below nought
        return f"{shown}%" if indicator.is_share else shown

    def amount(self, indicator: Indicator, value: float) -> str:
        """``9.1 months``, ``59.8%``, ``23``: what a count counts is in its title."""
        if indicator.unit in ("months", "days"):
            return f"{self.number(indicator, value)} {UNITS[indicator.unit][self.language]}"
        return self.number(indicator, value)

    def line(self, indicator: Indicator, value: float) -> str:
        """A mean, median or limit of a chart: counts too get a decimal, which tells on which side
        of a limit a point lies."""
        if indicator.rounding or value >= 100:
            return self.number(indicator, value)
        shown = f"{value:,.1f}"
        return f"{shown}%" if indicator.is_share else shown

    def limit(self, value: float, unit: str) -> str:
        return f"{value:g} {UNITS[unit][self.language]}"

    def benchmark(self, indicator: Indicator, value: float) -> str:
        shown = f"{value:g}%" if indicator.is_share else self.limit(value, indicator.unit)
        return self("at_least" if indicator.direction == "higher" else "at_most", value=shown)

    def shown(self, indicator: Indicator, figure: Figure) -> str:
        """The value, or why there is none."""
        if figure.value is not None:
            return self.amount(indicator, figure.value)
        return self("no_case") if figure.denominator == 0 else self("not_known")

    def rests_on(self, indicator: Indicator, figure: Figure) -> str:
        """``52 of 87``, ``mean of 23``; nothing for a count, which rests on itself."""
        if figure.denominator is None or figure.numerator is None or not figure.denominator:
            return ""
        count = f"{figure.denominator:,.0f}"
        if indicator.is_share:
            return self("of", numerator=f"{figure.numerator:,.0f}", denominator=count)
        return self("mean_of", count=count)

    def full(self, indicator: Indicator, figure: Figure) -> str:
        """``59.8% (52 of 87)``."""
        rests_on = self.rests_on(indicator, figure)
        return self.shown(indicator, figure) + (f" ({rests_on})" if rests_on else "")

    def lacks(self, figure: Figure) -> str:
        """What is not in the figure; empty when all is."""
        if figure.is_complete:
            return ""
        if figure.returns_accepted < figure.returns_expected:
            return self(
                "returns_in", accepted=figure.returns_accepted, expected=figure.returns_expected
            )
        return self("quarters_in", covered=figure.quarters_covered, all=figure.quarters_in_window)

    def unit(self, indicator: Indicator) -> str:
        return UNITS[indicator.unit][self.language]

    def title(self, indicator: Indicator) -> str:
        return indicator.title[self.language]

    def titles(self, indicators: Sequence[Indicator]) -> str:
        """Titles in a sentence: without capitals, parted by semicolons since some hold commas."""
        return "; ".join(_uncapital(self.title(one)) for one in indicators)

    def interval(self, indicator: Indicator, low: float, high: float) -> str:
        return self(
            "interval_short",
            low=self.number(indicator, low),
            high=self.number(indicator, high),
        )


def _uncapital(title: str) -> str:
    """``Children matched`` within a sentence; an abbreviation keeps its capitals."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]
