"""Files of the publishable edition: made with a release, and copied from one that was made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shutil import copyfile

from pipelines.declarations import Declarations
from pipelines.files import CHECKSUMS, changed_files, sha256_of
from pipelines.pack.model import PackPlace
from pipelines.pack.places import file_name, place_among
from pipelines.pack.published_pages import published_page
from pipelines.pack.published_release import PublishedRelease, earlier_releases, read_release
from pipelines.release.content import ReleaseError
from pipelines.release.versions import Version, folder_of
from pipelines.settings import Settings
from pipelines.text.catalogue import LANGUAGES, Language


def write_published_packs(
    folder: Path, declarations: Declarations, earlier: Sequence[Path] = ()
) -> list[Path]:
    """Write the packs of the release in ``folder`` beside its other files, two pages a place.

    ``earlier`` are folders of releases of the quarters before it. Raises ReleaseError where there
    is no release.
    """
    release = read_release(folder, declarations, earlier)
    return [
        _write(folder, release, declarations, place, language)
        for place in release.places_with_a_pack()
        for language in LANGUAGES
    ]


def copy_released_packs(
    settings: Settings,
    declarations: Declarations,
    version: Version,
    wanted: str | None,
    languages: Sequence[Language],
    folder: Path,
) -> list[Path]:
    """Put the packs of a released version into ``folder``: those of one place, or all of them.

    Pages are the version's own, byte for byte; one from before packs were part of a release is made
    from its figures. Raises ReleaseError where the version is not as it was released, PackError
    where it has no such place.
    """
    home = folder_of(settings, version)
    if changed_files(home) or sha256_of(home / CHECKSUMS) != version.checksums:
        raise ReleaseError(f"{home} is not as it was released: restore it from a copy")
    earlier = earlier_releases(settings, version.body, version.quarter, version.ledger_length)
    release = read_release(home, declarations, earlier)
    places = release.places_with_a_pack()
    if wanted is not None:
        places = [place_among(places, wanted, f"{version.name} has no figures of {wanted!r}")]
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for place in places:
        for language in languages:
            released = home / file_name(release, place, language)
            if released.is_file():
                written.append(Path(copyfile(released, folder / released.name)))
            else:
                written.append(_write(folder, release, declarations, place, language))
    return written


def _write(
    folder: Path,
    release: PublishedRelease,
    declarations: Declarations,
    place: PackPlace,
    language: Language,
) -> Path:
    path = folder / file_name(release, place, language)
    text = published_page(release, declarations, place, language)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path
