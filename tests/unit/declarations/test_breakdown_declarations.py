"""``sources/breakdowns.yaml``: what is read of it, and every way in which it is refused."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines.declarations import DeclarationError, Declarations
from pipelines.settings import Settings
from pipelines.warehouse.tables import write_tables

SEX = """\
code,label_en,label_cy,since,until,status,source
female,Female,Benyw,,,proposed,
unknown,Not known,Ddim yn hysbys,,,proposed,
"""

SOUND = """\
breakdowns:
- id: total
  subject: all
  title: {en: Total, cy: Cyfanswm}
  definition: {en: Everybody., cy: Pawb.}
  categories:
  - {code: total, en: Total, cy: Cyfanswm}
  status: proposed
  source: invented for the test
- id: sex
  subject: child
  title: {en: Sex, cy: Rhyw}
  definition: {en: As recorded., cy: Fel y'i cofnodwyd.}
  code_list: sex
  categories:
  - {code: other, en: Other, cy: Arall}
  status: proposed
  source: invented for the test
"""


def declared(folder: Path, breakdowns: str = SOUND) -> Declarations:
    (folder / "code_lists").mkdir(exist_ok=True)
    (folder / "code_lists" / "sex.csv").write_text(SEX, encoding="utf-8")
    (folder / "breakdowns.yaml").write_text(breakdowns, encoding="utf-8")
    return Declarations(folder)


def test_the_parts_are_the_codes_of_the_list_and_then_those_declared_beside_it(
    tmp_path: Path,
) -> None:
    found = declared(tmp_path).breakdowns
    assert list(found) == ["total", "sex"]
    assert [category.code for category in found["sex"].categories] == ["female", "unknown", "other"]
    assert found["sex"].categories[0].cy == "Benyw"


@pytest.mark.parametrize(
    ("sound", "broken", "told"),
    [
        ("id: sex", "id: total", "total is declared twice"),
        (
            "code_list: sex",
            "code_list: gender",
            "line 14: breakdowns.1.code_list: no code list",
        ),
        ("code: other", "code: female", "sex.female is declared twice"),
        ("  code_list: sex\n", "", "sex has no category called unknown"),
        ("subject: child", "subject: support", "breakdowns.1.subject"),
        ("cy: Rhyw", "cy: ' '", "breakdowns.1.title.cy"),
        ("status: proposed\n  source", "source", "breakdowns.0.status"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, sound: str, broken: str, told: str) -> None:
    assert sound in SOUND
    with pytest.raises(DeclarationError) as refused:
        _ = declared(tmp_path, SOUND.replace(sound, broken)).breakdowns
    assert "breakdowns.yaml" in str(refused.value)
    assert told in str(refused.value)


def test_the_table_has_a_row_for_each_part_in_the_order_declared(
    settings: Settings, declarations: Declarations
) -> None:
    write_tables(settings, declarations)
    table = pl.read_parquet(settings.validated / "declarations" / "breakdowns.parquet")
    assert table.columns == [
        "breakdown",
        "subject",
        "title_en",
        "title_cy",
        "definition_en",
        "definition_cy",
        "status",
        "source",
        "position",
        "breakdown_value",
        "label_en",
        "label_cy",
    ]
    of_sex = table.filter(pl.col("breakdown") == "sex")
    assert of_sex["breakdown_value"].to_list() == ["female", "male", "unknown"]
    assert of_sex["position"].to_list() == [1, 2, 3]
    assert table.null_count().sum_horizontal().item() == 0
