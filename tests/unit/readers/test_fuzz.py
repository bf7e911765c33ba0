"""A small, seeded part of what ``benchmarks/fuzz_readers.py`` does with thousands of mutants."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from pipelines.readers.refusals import REFUSALS

MUTANTS = 160
SEED = 2024


def test_damaged_returns_are_read_or_refused_with_a_code(fuzzing: ModuleType) -> None:
    tally = fuzzing.fuzz(MUTANTS, SEED)
    outcomes = {code for counts in tally.outcomes.values() for code in counts}
    assert sum(counts.total() for counts in tally.outcomes.values()) == MUTANTS
    assert "read" in outcomes and outcomes - {"read"}  # some of each, or it tests nothing
    assert outcomes - {"read"} <= REFUSALS.keys()
    assert (tally.slow, tally.changed, tally.failures) == (0, 0, [])


def test_the_same_seed_gives_the_same_mutants(fuzzing: ModuleType, tmp_path: Path) -> None:
    files = fuzzing.sound_files(tmp_path)
    once, again, other = (
        [mutant.content for mutant in fuzzing.mutants(files, 20, seed)] for seed in (1, 1, 2)
    )
    assert once == again != other


def test_a_change_that_slips_through_is_counted(fuzzing: ModuleType, tmp_path: Path) -> None:
    """The bar can be missed: rows that are not those of the sound file."""
    from pipelines.declarations import Declarations
    from pipelines.readers.child_process import read
    from pipelines.settings import SOURCES

    files = fuzzing.sound_files(tmp_path)
    other = read(files[2])
    tally = fuzzing.Tally()
    mutant = fuzzing.Mutant("flipped", b"", 1)
    sound = read(files[1])
    expected = [("workbook", []), (sound.form, sound.sheets)]
    fuzzing._look(mutant, other, expected, Declarations(SOURCES), tally)
    assert tally.changed == 1
