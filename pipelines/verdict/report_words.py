"""The words of a receipt and of the workbooks that go with it, in both languages.

The Welsh has not been checked by a translator yet.
"""

from __future__ import annotations

from typing import Any, Literal

from pipelines.declarations import Text

Language = Literal["en", "cy"]

WORDS: dict[str, Text] = {
    # --- what the receipt is about
    "file": Text(en="File", cy="Ffeil"),
    "from": Text(en="From", cy="Gan"),
    "received": Text(en="Received", cy="Daeth i law"),
    "checked": Text(en="Checked", cy="Gwiriwyd"),
    "fingerprint": Text(en="SHA-256", cy="SHA-256"),
    "receipt": Text(en="Receipt", cy="Derbynneb"),
    "verdict": Text(en="Verdict", cy="Dyfarniad"),
    "meaning": Text(en="What this means", cy="Beth mae hyn yn ei olygu"),
    "version": Text(en="version {}", cy="fersiwn {}"),
    "sender unknown": Text(en="sender not known", cy="anfonwr anhysbys"),
    "quarter unknown": Text(en="quarter not known", cy="chwarter anhysbys"),
    "late": Text(en="after the proposed deadline", cy="ar ôl y dyddiad cau arfaethedig"),
    "synthetic": Text(en="Synthetic data", cy="Data synthetig"),
    "is synthetic": Text(
        en="The cover says that this return is synthetic: it describes no real person.",
        cy="Dywed y clawr fod y ffurflen hon yn synthetig: nid yw'n disgrifio unrhyw berson go "
        "iawn.",
    ),
    # --- of the file
    "why": Text(en="Why it was refused", cy="Pam y'i gwrthodwyd"),
    "unused": Text(
        en="Nothing in this file is used. An earlier accepted file of the quarter stays in force.",
        cy="Ni ddefnyddir dim o'r ffeil hon. Mae ffeil gynharach o'r chwarter a dderbyniwyd yn "
        "parhau mewn grym.",
    ),
    "would be refused": Text(
        en="Sent as it is, this file would be refused. Correct what is listed as an error first.",
        cy="O'i hanfon fel y mae, câi'r ffeil hon ei gwrthod. Cywirwch yn gyntaf yr hyn a restrir "
        "fel gwall.",
    ),
    "whole": Text(en="The file as a whole", cy="Y ffeil gyfan"),
    "waiting": Text(
        en="There is no verdict yet: `adoption take-in` gives it.",
        cy="Nid oes dyfarniad eto: mae `adoption take-in` yn ei roi.",
    ),
    "same": Text(
        en="The bytes are those of {}, whose verdict holds.",
        cy="Mae'r beitiau yr un fath â rhai {}, a'i ddyfarniad sy'n cyfrif.",
    ),
    "none": Text(en="No problem was found.", cy="Ni chafwyd hyd i unrhyw broblem."),
    "gone": Text(
        en="{} problems of rows were counted, and their list is not on disk any more.",
        cy="Cyfrifwyd {} o broblemau mewn rhesi, ac nid yw'r rhestr ohonynt ar ddisg mwyach.",
    ),
    "nil": Text(en="nil return", cy="ffurflen ddim"),
    "used": Text(
        en="rows read {read}, accepted {accepted}, set aside {aside}; errors {errors}, "
        "queries {queries}",
        cy="rhesi a ddarllenwyd {read}, derbyniwyd {accepted}, o'r neilltu {aside}; "
        "gwallau {errors}, ymholiadau {queries}",
    ),
    "not used": Text(
        en="rows read {read}, none used; errors {errors}, queries {queries}",
        cy="rhesi a ddarllenwyd {read}, ni ddefnyddiwyd yr un; gwallau {errors}, "
        "ymholiadau {queries}",
    ),
    "cell": Text(en="cell {}", cy="cell {}"),
    "column": Text(en="column {}", cy="colofn {}"),
    "row": Text(en="row {}", cy="rhes {}"),
    "rows": Text(en="rows {}", cy="rhesi {}"),
    "more rows": Text(en="and {} more", cy="a {} arall"),
    "error": Text(en="error", cy="gwall"),
    "query": Text(en="query", cy="ymholiad"),
    "more": Text(
        en="… and {} more kinds of problem here. The file lists every one: --out REPORT.xlsx",
        cy="… a {} math arall o broblem yma. Mae'r ffeil yn rhestru pob un: --out REPORT.xlsx",
    ),
    "more repairs": Text(en="… and {} more.", cy="… a {} arall."),
    # --- a check
    "checked here": Text(
        en="This is a check on this machine. Nothing was sent, and nothing was kept.",
        cy="Gwiriad ar y peiriant hwn yw hwn. Ni anfonwyd dim, ac ni chadwyd dim.",
    ),
    "not known here": Text(en="Not known here", cy="Nid yw'n hysbys yma"),
    "is sample collection": Text(
        en="Whether the collection holds real returns or synthetic ones: a file of the other kind "
        "is refused there.",
        cy="A yw'r casgliad yn dal ffurflenni go iawn neu rai synthetig: gwrthodir ffeil o'r math "
        "arall yno.",
    ),
    "is duplicate": Text(
        en="Whether this very file was sent before: it would be a duplicate.",
        cy="A anfonwyd yr union ffeil hon o'r blaen: byddai'n ddyblyg.",
    ),
    "is locked": Text(
        en="Whether the quarter is locked: an accepted file would wait for the next revision.",
        cy="A yw'r chwarter wedi'i gloi: byddai ffeil a dderbynnir yn aros am y diwygiad nesaf.",
    ),
    "needs earlier": Text(
        en="What only the return of the quarter before shows: give it with --before FILE.",
        cy="Yr hyn y mae ffurflen y chwarter cynt yn unig yn ei ddangos: rhowch hi â --before "
        "FILE.",
    ),
    "what others sent": Text(
        en="What only other senders' returns show, such as the adopters of a match.",
        cy="Yr hyn y mae ffurflenni anfonwyr eraill yn unig yn ei ddangos, fel mabwysiadwyr paru.",
    ),
    "only the door": Text(
        en="The rows were not looked at: without a sender and a quarter no rule can be chosen.",
        cy="Nid edrychwyd ar y rhesi: heb anfonwr a chwarter ni ellir dewis unrhyw reol.",
    ),
    # --- repairs
    "repairs": Text(en="Read as it was meant", cy="Darllenwyd fel y bwriadwyd"),
    "repairs explained": Text(
        en="Nothing needs to be done about these. If one was not meant so, correct the file.",
        cy="Nid oes angen gwneud dim am y rhain. Os na fwriadwyd un felly, cywirwch y ffeil.",
    ),
    # --- headlines
    "headlines": Text(
        en="What this return gives for the headline indicators",
        cy="Yr hyn y mae'r ffurflen hon yn ei roi i'r prif ddangosyddion",
    ),
    "headlines explained": Text(
        en="From this return and this quarter alone; published figures add senders, and some add "
        "quarters. Definitions are provisional where the catalogue says so. Not disclosure "
        "controlled: for yourself, not to be passed on.",
        cy="O'r ffurflen hon a'r chwarter hwn yn unig; mae ffigurau a gyhoeddir yn adio anfonwyr, "
        "a rhai'n adio chwarteri. Mae diffiniadau'n rhai dros dro lle mae'r catalog yn dweud "
        "hynny. Heb reolaeth ddatgelu: i chi eich hun, nid i'w basio ymlaen.",
    ),
    "counted": Text(en="this return", cy="y ffurflen hon"),
    "as_sent": Text(en="with every row", cy="gyda phob rhes"),
    "version_before": Text(en="version before", cy="fersiwn o'r blaen"),
    "quarter_before": Text(en="quarter before", cy="y chwarter cynt"),
    "no headlines": Text(
        en="The effect on the headline indicators could not be worked out here: the dbt project is "
        "missing or asks for more than this program offers.",
        cy="Ni ellid cyfrifo'r effaith ar y prif ddangosyddion yma: mae'r prosiect dbt ar goll neu "
        "mae'n gofyn am fwy nag y mae'r rhaglen hon yn ei gynnig.",
    ),
    "nobody": Text(en="none", cy="dim"),
    "of": Text(en="of", cy="o"),
    "mean of": Text(en="n {}", cy="n {}"),
    "months": Text(en="months", cy="mis"),
    "days": Text(en="days", cy="diwrnod"),
    # --- changes
    "changes": Text(en="Compared with {}", cy="O'i gymharu â {}"),
    "rows changed": Text(
        en="rows added {added}, removed {removed}, changed {changed}, unchanged {unchanged}",
        cy="rhesi wedi'u hychwanegu {added}, wedi'u tynnu {removed}, wedi'u newid {changed}, heb "
        "eu newid {unchanged}",
    ),
    "problems changed": Text(
        en="problems fixed {fixed}, new {new}, still there {still_there}",
        cy="problemau wedi'u datrys {fixed}, newydd {new}, yno o hyd {still_there}",
    ),
    # --- the workbook
    "title": Text(en="Verdict on the adoption return", cy="Dyfarniad ar y ffurflen fabwysiadu"),
    "sheet summary": Text(en="Summary", cy="Crynodeb"),
    "sheet problems": Text(en="Problems", cy="Problemau"),
    "sheet repairs": Text(en="Repairs", cy="Cywiriadau"),
    "sheet headlines": Text(en="Headlines", cy="Prif ffigurau"),
    "sheet changes": Text(en="Changes", cy="Newidiadau"),
    "in problems": Text(
        en="every problem, by sheet and row: what is wrong, and what to do",
        cy="pob problem, yn ôl taflen a rhes: beth sydd o'i le, a beth i'w wneud",
    ),
    "in repairs": Text(
        en="what was read as it was meant, without troubling you",
        cy="yr hyn a ddarllenwyd fel y bwriadwyd, heb eich poeni",
    ),
    "in headlines": Text(
        en="what this return gives for the headline indicators",
        cy="yr hyn y mae'r ffurflen hon yn ei roi i'r prif ddangosyddion",
    ),
    "in changes": Text(
        en="what is different from the version you sent before",
        cy="yr hyn sy'n wahanol i'r fersiwn a anfonwyd gennych o'r blaen",
    ),
    "sheets": Text(en="In this workbook", cy="Yn y llyfr gwaith hwn"),
    "returns": Text(en="What was read", cy="Yr hyn a ddarllenwyd"),
    "most frequent": Text(en="Most frequent problems", cy="Y problemau mwyaf cyffredin"),
    "rules ran": Text(en="Rules", cy="Rheolau"),
    "times": Text(en="{} × {}", cy="{} × {}"),
    "keep": Text(en="Keep this safe", cy="Cadwch hwn yn ddiogel"),
    "keep explained": Text(
        en="This workbook holds your own references. Keep it where the return itself is kept, and "
        "never send it by e-mail. It holds nothing from any other authority or agency.",
        cy="Mae'r llyfr gwaith hwn yn cynnwys eich cyfeirnodau eich hun. Cadwch ef lle cedwir y "
        "ffurflen ei hun, a pheidiwch byth â'i anfon drwy e-bost. Nid oes dim ynddo gan unrhyw "
        "awdurdod nac asiantaeth arall.",
    ),
    "head severity": Text(en="Error or query", cy="Gwall neu ymholiad"),
    "head reference": Text(en="Your reference", cy="Eich cyfeirnod"),
    "head wrong": Text(en="What is wrong", cy="Beth sydd o'i le"),
    "head right": Text(en="What to do", cy="Beth i'w wneud"),
    "head sheet": Text(en="Sheet", cy="Taflen"),
    "head cell": Text(en="Cell", cy="Cell"),
    "head row": Text(en="Row", cy="Rhes"),
    "head column": Text(en="Column heading", cy="Pennawd y golofn"),
    "head rule": Text(en="Rule", cy="Rheol"),
    "head source": Text(en="Where the rule comes from", cy="O ble y daw'r rheol"),
    "head kind": Text(en="Kind", cy="Math"),
    "head count": Text(en="How often", cy="Sawl gwaith"),
    "head repair": Text(en="What was done", cy="Beth a wnaed"),
    "head indicator": Text(en="Indicator", cy="Dangosydd"),
    "head title": Text(en="What it measures", cy="Beth mae'n ei fesur"),
    "head status": Text(en="Definition", cy="Diffiniad"),
    "head change": Text(en="What changed", cy="Beth a newidiodd"),
    "head return": Text(en="Return", cy="Ffurflen"),
    "head row now": Text(en="Row now", cy="Rhes nawr"),
    "head row before": Text(en="Row before", cy="Rhes o'r blaen"),
    "head columns": Text(en="Columns that differ", cy="Colofnau sy'n wahanol"),
    "head became": Text(en="What became of it", cy="Beth ddaeth ohoni"),
    "no repairs": Text(
        en="Nothing had to be read otherwise than it was written.",
        cy="Nid oedd angen darllen dim yn wahanol i'r ffordd y'i hysgrifennwyd.",
    ),
    "no figures": Text(
        en="There are no figures: nothing of a return was read.",
        cy="Nid oes ffigurau: ni ddarllenwyd dim o ffurflen.",
    ),
    "every row explained": Text(
        en="“With every row” counts the rows that were set aside, as they stand: what correcting "
        "them may move. Where it differs there is a ≠.",
        cy="Mae “gyda phob rhes” yn cyfrif y rhesi a roddwyd o'r neilltu, fel y maent: yr hyn y "
        "gallai eu cywiro ei symud. Lle mae'n wahanol mae ≠.",
    ),
    "no earlier": Text(
        en="No earlier version of this return is known.",
        cy="Nid oes fersiwn gynharach o'r ffurflen hon yn hysbys.",
    ),
    "no earlier here": Text(
        en="No earlier version of this return was given: --before FILE compares with it.",
        cy="Ni roddwyd fersiwn gynharach o'r ffurflen hon: mae --before FILE yn cymharu â hi.",
    ),
    "nothing changed": Text(
        en="No row differs from the earlier version.",
        cy="Nid oes yr un rhes yn wahanol i'r fersiwn gynharach.",
    ),
    "added": Text(en="+ added", cy="+ ychwanegwyd"),
    "removed": Text(en="− removed", cy="− tynnwyd"),
    "changed": Text(en="≠ changed", cy="≠ newidiwyd"),
    "fixed": Text(en="✓ fixed", cy="✓ datryswyd"),
    "new": Text(en="! new", cy="! newydd"),
    "still_there": Text(en="= still there", cy="= yno o hyd"),
    "continued": Text(en="{} {}", cy="{} {}"),
    # --- the marked copy
    "sheet marks": Text(en="Marks", cy="Marciau"),
    "marks explained": Text(
        en="This is your return with the problem cells marked: a thick red border and a note for "
        "an error, a dashed amber one for a query. Only the cover and the sheets of the returns "
        "are here; a cell with an Excel error is left blank. Correct it and send it again, or "
        "correct your own file. This sheet is not read.",
        cy="Dyma'ch ffurflen â'r celloedd problemus wedi'u marcio: border coch trwchus a nodyn ar "
        "gyfer gwall, un melyn toredig ar gyfer ymholiad. Dim ond y clawr a thaflenni'r ffurflenni "
        "sydd yma; gadewir cell â gwall Excel yn wag. Cywirwch hi a'i hanfon eto, neu cywirwch "
        "eich ffeil eich hun. Ni ddarllenir y daflen hon.",
    ),
    "nothing to mark": Text(
        en="there is nothing to mark: the file could not be read",
        cy="nid oes dim i'w farcio: ni ellid darllen y ffeil",
    ),
}

STATUS: dict[str, Text] = {
    status: Text(en=status, cy=welsh)
    for status, welsh in {
        "received": "daeth i law",
        "refused": "gwrthodwyd",
        "duplicate": "dyblyg",
        "accepted": "derbyniwyd",
        "accepted with queries": "derbyniwyd gydag ymholiadau",
        "accepted with errors quarantined": "derbyniwyd, a rhesi â gwallau o'r neilltu",
    }.items()
}

MEANING: dict[str, Text] = {
    "refused": Text(
        en="Nothing in this file is used. An earlier accepted file of the quarter stays in force. "
        "Correct what is listed as an error and send the whole file again.",
        cy="Ni ddefnyddir dim o'r ffeil hon. Mae ffeil gynharach o'r chwarter a dderbyniwyd yn "
        "parhau mewn grym. Cywirwch yr hyn a restrir fel gwall ac anfonwch y ffeil gyfan eto.",
    ),
    "accepted with errors quarantined": Text(
        en="The rows with an error are set aside and are in no figure. Correct them and send the "
        "whole file again; it replaces this one.",
        cy="Mae'r rhesi â gwall o'r neilltu ac nid ydynt mewn unrhyw ffigur. Cywirwch nhw ac "
        "anfonwch y ffeil gyfan eto; mae'n disodli'r un hon.",
    ),
    "accepted with queries": Text(
        en="Every row counts. Look at the queries: correct what is wrong and send the whole file "
        "again, or confirm that it is right.",
        cy="Mae pob rhes yn cyfrif. Edrychwch ar yr ymholiadau: cywirwch yr hyn sy'n anghywir ac "
        "anfonwch y ffeil gyfan eto, neu cadarnhewch ei fod yn gywir.",
    ),
    "accepted": Text(
        en="Every row counts. There is nothing to do.",
        cy="Mae pob rhes yn cyfrif. Nid oes dim i'w wneud.",
    ),
}

# Kinds of repair (:data:`pipelines.readers.repairs.REPAIRS`), in a word or two.
REPAIR_KINDS: dict[str, Text] = {
    "headings": Text(en="headings lower down", cy="penawdau'n is i lawr"),
    "heading": Text(en="another heading", cy="pennawd arall"),
    "order": Text(en="order of columns", cy="trefn y colofnau"),
    "1904": Text(en="days from 1904", cy="diwrnodau o 1904"),
    "zeros": Text(en="leading noughts", cy="seroau ar y blaen"),
    "sheet": Text(en="name of the sheet", cy="enw'r daflen"),
    "cover": Text(en="name of the cover", cy="enw'r clawr"),
    "answer": Text(en="answer on the cover", cy="ateb ar y clawr"),
    "left out": Text(en="sheet left out", cy="taflen a adawyd allan"),
}

# What the source of a rule is where no catalogue names it: problems of files and of verdicts.
SOURCE_OF_FILES = Text(en="how files are read", cy="sut y darllenir ffeiliau")


DEFINITIONS: dict[str, Text] = {
    "published": Text(en="published", cy="cyhoeddwyd"),
    "partly published": Text(en="partly published", cy="cyhoeddwyd yn rhannol"),
    "proposed": Text(en="proposed", cy="arfaethedig"),
    "unverified": Text(en="unverified", cy="heb ei wirio"),
}


def said(text: Text, language: Language) -> str:
    return text.en if language == "en" else text.cy


def say(key: str, language: Language, *numbers: object, **named: object) -> str:
    """The words under ``key`` with numbers filled in."""
    return said(WORDS[key], language).format(*numbers, **named)


def wrong_and_right(sentence: str) -> tuple[str, str]:
    """A sentence of a rule in two: what is wrong, and what to do about it.

    They part at the first colon or, where there is none, at the first full stop; not inside
    quotation marks, where a title may have either. The second may be empty.
    """
    for mark in (": ", ". "):
        quoted = 0
        for position, letter in enumerate(sentence):
            quoted += {"“": 1, "”": -1}.get(letter, 0)
            if quoted == 0 and sentence.startswith(mark, position):
                first, rest = sentence[:position], sentence[position + len(mark) :]
                return f"{first}.", rest[:1].upper() + rest[1:]
    return sentence, ""


def shown_part(
    unit: str, rounding: int, part: Any, language: Language
) -> str:  # a pipelines.verdict.headlines.Part
    """``485 days (n 15)``, ``76.9 % (10 of 13)``, ``13``; "none" over a denominator of nought."""
    if part.denominator is None:
        return f"{part.value:,.0f}"
    if part.value is None:
        return say("nobody", language)
    number = f"{part.value:,.{rounding}f}"
    if unit == "percent":
        of = say("of", language)
        return f"{number} % ({part.numerator:,} {of} {part.denominator:,})"
    shown_unit = say(unit, language) if unit in WORDS else unit
    return f"{number} {shown_unit} ({say('mean of', language, f'{part.denominator:,}')})"
