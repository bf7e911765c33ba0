"""The whole page of a place in the publishable edition, of figures that a release shows."""

from __future__ import annotations

from pipelines.declarations import Declarations
from pipelines.pack.model import PackPlace
from pipelines.pack.published_figures import FLAG_WORDS, NOTE_WORDS
from pipelines.pack.published_release import PublishedRelease
from pipelines.pack.published_summary import returns_sentence, summary, tail
from pipelines.pack.published_tables import (
    breaks_section,
    missing_section,
    published_row,
    side_by_side,
)
from pipelines.pack.rendering import in_css, template
from pipelines.pack.wording import DEFINITIONS_HAVE_A_STATUS, Wording
from pipelines.release.content import FLAGS, NOTES
from pipelines.text.catalogue import N_, Language

# Besides the quarter itself: a year, and three years for places so small that a year is suppressed.
# The year to date stands for the year where four quarters are not released.
WINDOWS = ("quarter", "year_to_date", "rolling_4", "rolling_12")

HOW_TO_READ = (
    N_(
        "Whether a benchmark is met is decided by the rounded figure that is shown. Where the "
        "figure is suppressed, nothing is said about its benchmark."
    ),
    N_(
        "Differences, rankings, intervals and charts of numbers that are not shown could reveal"
        " something about them, so there are none."
    ),
    N_(
        "A difference between two means or percentages may be due to chance. The fewer the "
        "people, the greater the part that chance plays."
    ),
    DEFINITIONS_HAVE_A_STATUS,
    N_(
        "All figures, including other periods and breakdowns by age, sex and other "
        "characteristics, are in figures.csv of the release; provenance.json says what they are"
        " based on."
    ),
)


def published_page(
    release: PublishedRelease, declarations: Declarations, place: PackPlace, language: Language
) -> str:
    """The page as HTML, with no number on it but those of the release."""
    wording = Wording(language)
    _ = wording.gettext
    indicators = release.indicators_of(place)
    headlines = [indicator for indicator in indicators if indicator.is_headline]
    others = [indicator for indicator in indicators if not indicator.is_headline]
    windows = _windows(release, place)
    label = _("Disclosure controlled: {name}, version {version}").format(
        name=release.name, version=release.version
    )
    return template("published.html.jinja", language).render(
        language=language,
        wording=wording,
        release=release,
        place=place,
        name=place.name[language],
        quarter=release.quarter,
        title=wording.page_title(place, release.quarter),
        label=label,
        rules=_(
            "Every number on this page is a published figure from this release by the {body}. "
            "Small numbers are suppressed, and so are others from which they could be worked out. "
            "Rules used: {rules}. Status of the rules: {status}."
        ).format(
            body=release.body[language],
            rules=release.rules[language],
            status=wording.definition_status(release.rules_status),
        ),
        on_every_sheet=in_css(_on_every_sheet(wording, release, place, label)),
        region=release.region_of(place),
        returns=returns_sentence(wording, release, place),
        groups=summary(wording, release, place, headlines),
        tail=tail(wording, release, place, headlines),
        windows=windows,
        window_names=[wording.window(window) for window in windows],
        rows=[published_row(wording, release, place, headline, windows) for headline in headlines],
        others=[published_row(wording, release, place, headline, windows) for headline in others],
        has_trend=bool(release.earlier),
        lacks_adopters=place.kind == "authority"
        and not any(indicator.subject == "adopter" for indicator in indicators),
        sides=side_by_side(wording, release, place, headlines),
        missing=missing_section(wording, release, place, declarations),
        breaks=breaks_section(wording, release, place, indicators),
        signs="; ".join(f"[{code}]: {_(FLAG_WORDS[code])}" for code in FLAGS) + ".",
        flags={f"[{code}]": _(meaning) for code, meaning in FLAGS.items()},
        notes={_(NOTE_WORDS[code]): _(meaning) for code, meaning in NOTES.items()},
        how_to_read=[_(sentence) for sentence in HOW_TO_READ],
    )


def _windows(release: PublishedRelease, place: PackPlace) -> list[str]:
    """Those in which the place has a figure."""
    windows = [
        window
        for window in WINDOWS
        if any(
            release.get(place, indicator, window) is not None for indicator in release.indicators
        )
    ]
    if "rolling_4" in windows and "year_to_date" in windows:
        windows.remove("year_to_date")
    return windows


def _on_every_sheet(
    wording: Wording, release: PublishedRelease, place: PackPlace, label: str
) -> str:
    """What a printed sheet says once it is apart from the others."""
    sample = wording.synthetic_label() if release.is_synthetic else ""
    parts = [wording.page_title(place, release.quarter), label, sample]
    return " · ".join(part for part in parts if part)
