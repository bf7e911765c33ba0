"""Extracts on the public schemas, made for tests. Everybody in them is invented.

The columns and codes are those of the public specifications, written down here once more: what
``sources/extracts`` says of them is under test.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

# In an agency since 2019: it owes the return of children alone.
BATH = "E06000022"
HEADER = ("CHILD", "SEX", "DOB", "ETHNIC", "UPN", "MOTHER", "MC_DOB")
EPISODES = ("CHILD", "DECOM", "RNE", "LS", "CIN", "PLACE", "PLACE_PROVIDER", "DEC", "REC",
            "REASON_PLACE_CHANGE", "HOME_POST", "PL_POST", "URN")  # fmt: skip
AD1 = ("CHILD", "DOB", "DATE_INT", "DATE_MATCH", "FOSTER_CARE", "NB_ADOPTR", "SEX_ADOPTR",
       "LS_ADOPTR")  # fmt: skip
PLACED_ADOPTION = ("CHILD", "DOB", "DATE_PLACED", "DATE_PLACED_CEASED", "REASON_PLACED_CEASED")
LIST_10 = (
    "Child Unique ID", "Family identifier", "Gender", "Ethnicity", "Date of Birth",
    "Age of Child (Years)", "Does the Child have a Disability", "Date the Child Entered Care",
    "Date of Decision that Child Should be Placed for Adoption", "Date of Placement Order",
    "Date of Matching Child and Prospective Adopters", "Date Placed for Adoption",
    "Date of Adoption Order",
    "Date of Decision that Child Should No Longer be Placed for Adoption",
    "Reason Why Child No Longer Placed for Adoption",
    "Date the child was placed for fostering in FFA or concurrent planning placement",
)  # fmt: skip

Story = Mapping[str, Any]


def day(text: str) -> date:
    """``01/05/2022``"""
    number, month, year = text.split("/")
    return date(int(year), int(month), int(number))


def uk(value: date | None) -> str:
    return "" if value is None else value.strftime("%d/%m/%Y")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


# An episode: first day, RNE, LS, PLACE, and of the last one also its last day and REC.
STORIES: dict[str, Story] = {
    "A": {  # adopted by new carers
        "header": ("2", "11/03/2022", "WBRI"),
        "decision": ("05/12/2022", "", ""),
        "ad1": ("05/12/2022", "01/03/2023", "0"),
        "episodes": [("01/05/2022", "S", "C1", "U6"), ("10/01/2023", "L", "E1", "U6"),
                     ("20/03/2023", "P", "E1", "A6", "15/12/2023", "E12")],
    },
    "B": {  # adopted by the foster carers
        "header": ("1", "02/02/2022", "MWBC"),
        "decision": ("15/01/2023", "", ""),
        "ad1": ("15/01/2023", "20/06/2023", "1"),
        "episodes": [("10/06/2022", "S", "V2", "U6"), ("01/02/2023", "L", "E1", "U6"),
                     ("01/07/2023", "T", "E1", "A5", "20/02/2024", "E11")],
    },
    "C": {  # fostering for adoption or concurrent planning, still placed
        "header": ("2", "20/03/2023", "AIND"),
        "decision": ("01/08/2023", "", ""),
        "episodes": [("03/04/2023", "S", "C1", "U5"), ("04/09/2023", "U", "E1", "A6")],
    },
    "D": {  # a placement that disrupted
        "header": ("1", "14/11/2020", "NOBT"),
        "decision": ("01/02/2023", "", ""),
        "episodes": [("01/07/2022", "S", "C1", "U6"), ("15/02/2023", "L", "E1", "U6"),
                     ("01/06/2023", "P", "E1", "A6"), ("01/10/2023", "P", "E1", "U6")],
    },
    "E": {  # the decision was reversed
        "header": ("2", "09/09/2019", "BCRB"),
        "decision": ("10/03/2023", "12/11/2023", "RD3"),
        "episodes": [("02/08/2022", "S", "C1", "U6")],
    },
    "F": {  # left to relatives; nobody recorded that the plan ended
        "header": ("1", "30/06/2021", "WOTH"),
        "decision": ("20/03/2023", "", ""),
        "episodes": [("05/09/2022", "S", "C1", "U6"),
                     ("01/04/2023", "L", "E1", "U6", "30/06/2023", "E46")],
    },
    "G": {  # by consent, whose day no file holds
        "header": ("2", "01/01/2024", "CHNE"),
        "decision": ("01/05/2024", "", ""),
        "episodes": [("01/02/2024", "S", "V2", "U6"), ("10/06/2024", "P", "V2", "A4")],
    },
    "H": {  # in care, with no plan for adoption
        "header": ("1", "01/01/2015", "WBRI"),
        "episodes": [("01/02/2023", "S", "C2", "U4")],
    },
    "I": {  # order and care began before the first file
        "header": ("2", "01/02/2020", "WBRI"),
        "decision": ("01/09/2021", "", ""),
        "ad1": ("01/09/2021", "10/04/2022", "0"),
        "episodes": [("01/03/2022", "P", "E1", "U6"),
                     ("05/05/2022", "P", "E1", "A6", "01/09/2022", "E12")],
    },
}  # fmt: skip


def write_ssda903(folder: Path, years: Sequence[int], stories: Mapping[str, Story]) -> Path:
    """A folder for each year with what its return holds: the episodes that went on in it.

    ``years`` are those in which they begin. A later day than the year's last is not in its files.
    """
    for year in years:
        first, last = date(year, 4, 1), date(year + 1, 3, 31)
        tables: dict[str, list[dict[str, str]]] = {
            name: [] for name in ("header", "episodes", "placed_adoption", "ad1")
        }
        for child, story in stories.items():
            episodes = _episodes_of(child, story["episodes"], first, last)
            if not episodes:
                continue
            sex, born, ethnic = story["header"]
            tables["header"].append({"CHILD": child, "SEX": sex, "DOB": born, "ETHNIC": ethnic})
            tables["episodes"] += episodes
            decided, ceased, reason = story.get("decision", ("", "", ""))
            if decided and day(decided) <= last:
                is_over = bool(ceased) and day(ceased) <= last
                tables["placed_adoption"].append(
                    {
                        "CHILD": child,
                        "DOB": born,
                        "DATE_PLACED": decided,
                        "DATE_PLACED_CEASED": ceased if is_over else "",
                        "REASON_PLACED_CEASED": reason if is_over else "",
                    }
                )
            if "ad1" in story and episodes[-1]["REC"] in ("E11", "E12"):
                decided, matched, foster = story["ad1"]
                tables["ad1"].append(
                    {"CHILD": child, "DOB": born, "DATE_INT": decided, "DATE_MATCH": matched,
                     "FOSTER_CARE": foster, "NB_ADOPTR": "2"}
                )  # fmt: skip
        for name, header in (("header", HEADER), ("episodes", EPISODES), ("ad1", AD1),
                             ("placed_adoption", PLACED_ADOPTION)):  # fmt: skip
            write_csv(folder / str(year + 1) / f"{name}.csv", header, tables[name])
    return folder


def _episodes_of(
    child: str, episodes: Sequence[Sequence[str]], first: date, last: date
) -> list[dict[str, str]]:
    rows = []
    for at, (began, why, status, place, *rest) in enumerate(episodes):
        ended, reason = rest or (
            (episodes[at + 1][0], "X1") if at + 1 < len(episodes) else ("", "")
        )
        if day(began) > last or (ended and day(ended) < first):
            continue
        goes_on = not ended or day(ended) > last
        rows.append(
            {"CHILD": child, "DECOM": began, "RNE": why, "LS": status, "CIN": "N1", "PLACE": place,
             "PLACE_PROVIDER": "PR1", "DEC": "" if goes_on else ended,
             "REC": "" if goes_on else reason}
        )  # fmt: skip
    return rows


# --- a sample return cut to what an extract holds --------------------------------------------

_GENDER = {"female": "b) Female", "male": "a) Male", "unknown": "c) Not stated/recorded"}
_YES_NO = {"yes": "a) Yes", "no": "b) No", "unknown": "c) Unknown"}
_ETHNIC = {"white": "a) WBRI", "mixed": "f) MWBC", "asian": "j) AIND", "black": "n) BCRB",
           "other": "r) OOTH", "not_stated": "s) REFU", "unknown": "t) NOBT"}  # fmt: skip


def list_10(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of a child return as list 10 of Annex A."""
    return [
        dict(
            zip(
                LIST_10,
                (
                    row["child_reference"],
                    row.get("adopter_household_reference"),
                    _GENDER[row["sex"]],
                    _ETHNIC[row["ethnicity_group"]],
                    uk(row["date_of_birth"]),
                    "",
                    _YES_NO[row["is_disabled"]],
                    *(
                        uk(row.get(name))
                        for name in (
                            "entered_care_on", "should_be_placed_decision_on",
                            "placement_order_on", "matched_on", "placed_on",
                            "adoption_order_on", "plan_ended_on",
                        )
                    ),
                    row.get("plan_ended_reason"),
                    uk(row.get("early_permanence_placed_on")),
                ),
                strict=True,
            )
        )
        for row in rows
    ]  # fmt: skip


def write_ssd(folder: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Rows of a child return as tables of the Standard Safeguarding Dataset."""
    permanence, person, episodes, disability = [], [], [], []
    for number, row in enumerate(rows):
        reference = row["child_reference"]
        adopted = row.get("adoption_order_on")
        days = {
            "perm_adm_decision_date": "should_be_placed_decision_on",
            "perm_placement_order_date": "placement_order_on",
            "perm_matched_date": "matched_on",
            "perm_placed_for_adoption_date": "placed_on",
            "perm_decision_reversed_date": "plan_ended_on",
            "perm_placed_ffa_cp_date": "early_permanence_placed_on",
        }
        permanence.append(
            {column: row[name].isoformat() for column, name in days.items() if row.get(name)}
            | {
                "perm_table_id": number,
                "perm_person_id": reference,
                "perm_permanence_order_date": adopted.isoformat() if adopted else "",
                "perm_permanence_order_type": "Adoption" if adopted else "",
                "perm_decision_reversed_reason": row.get("plan_ended_reason"),
                "perm_siblings_placed_together": row.get("siblings_placed_together"),
                "perm_siblings_placed_apart": row.get("siblings_placed_apart"),
                "perm_adopted_by_carer_flag": {"yes": "Y", "no": "N"}.get(
                    row.get("is_foster_carer_adoption", "")
                ),
                # As the extracts for System C write it until it is worked out.
                "perm_placed_foster_carer_date": "1900-01-01",
            }
        )
        person.append(
            {
                "pers_person_id": reference,
                "pers_sex": {"female": "F", "male": "M"}.get(row["sex"], "U"),
                "pers_ethnicity": _ETHNIC[row["ethnicity_group"]][3:],
                "pers_dob": row["date_of_birth"].isoformat(),
            }
        )
        entered = row["entered_care_on"].isoformat()
        episodes.append({"clae_person_id": reference, "clae_entered_care_date": entered})
        if row["is_disabled"] != "unknown":
            code = "LD" if row["is_disabled"] == "yes" else "NONE"
            disability.append({"disa_person_id": reference, "disa_disability_code": code})
    columns = (
        "perm_table_id", "perm_person_id", "perm_adm_decision_date", "perm_placement_order_date",
        "perm_matched_date", "perm_placed_for_adoption_date", "perm_adopted_by_carer_flag",
        "perm_placed_foster_carer_date", "perm_placed_ffa_cp_date", "perm_decision_reversed_date",
        "perm_decision_reversed_reason", "perm_permanence_order_date",
        "perm_permanence_order_type", "perm_siblings_placed_together",
        "perm_siblings_placed_apart",
    )  # fmt: skip
    write_csv(folder / "ssd_permanence.csv", columns, permanence)
    write_csv(folder / "ssd_person.csv", tuple(person[0]), person)
    write_csv(folder / "ssd_cla_episodes.csv", tuple(episodes[0]), episodes)
    write_csv(folder / "ssd_disability.csv", ("disa_person_id", "disa_disability_code"), disability)
    return folder
