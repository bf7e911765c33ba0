"""A return checked on its sender's own machine: the same rules and status, nothing kept.

No warehouse, ledger, key or network is needed. What only the collection knows is not guessed:
the report says what could not be looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from expectations.suite import Engine
from pipelines.declarations import Declarations
from pipelines.files import sha256_of
from pipelines.intake.landing import clean_name, cover_answers, refusal, refused_on_arrival
from pipelines.intake.validated_alone import validate_alone
from pipelines.lifecycle.ledger import Submission
from pipelines.quarters import Quarter
from pipelines.readers.casting import cast, raw_schema
from pipelines.readers.child_process import read_files
from pipelines.readers.content import FileContent, Unreadable
from pipelines.readers.layout import LaidOut, lay_out
from pipelines.text.catalogue import N_
from pipelines.verdict.details import ReportDetails, ValidatedReturn, details
from pipelines.verdict.problems import Problem
from pipelines.verdict.sent_returns import as_laid_out


class WrongEarlierFile(Exception):
    """A file given as an earlier one is none; the message says why, and names no file."""


@dataclass(frozen=True)
class CheckedFile:
    """A checked file. ``content`` and ``laid_out`` are None where it could not be read."""

    path: Path
    submission: Submission
    problems: list[Problem]
    details: ReportDetails
    content: FileContent | None
    laid_out: LaidOut | None

    @property
    def needs_a_password(self) -> bool:
        return self.submission.refusal_code in ("F002", "F012")

    @property
    def is_refused(self) -> bool:
        return not self.submission.is_accepted


def check_files(
    paths: Sequence[Path],
    declarations: Declarations,
    now: datetime,
    *,
    before: Sequence[Path] = (),
    engine: Engine = "polars",
    password: str | None = None,
) -> list[CheckedFile]:
    """Check files as if each had come at ``now`` (with a time zone), in the order given.

    ``password`` opens workbooks that have one; it is kept nowhere.

    ``before`` are files that the same senders have sent: for the same quarter the previous version,
    for the quarter before what this one is compared with. Raises WrongEarlierFile for one that
    cannot be read, does not say whose it is, or belongs to none of ``paths``; FileNotFoundError.
    """
    read = [
        _FileRead.of(path, content, declarations, now)
        for path, content in zip(
            (*paths, *before), read_files([*paths, *before], password=password), strict=True
        )
    ]
    files, earlier_files = read[: len(paths)], read[len(paths) :]
    for earlier in earlier_files:
        _require_same_sender(earlier, files)
    # Of earlier files only the rows that counted are wanted: polars says which, in less time.
    validated = {
        id(earlier): _validated(
            earlier, _in_quarter(earlier_files, earlier, -1), declarations, "polars"
        )
        for earlier in earlier_files
    }
    return [
        _checked(
            file,
            _in_quarter(earlier_files, file, -1),
            _in_quarter(earlier_files, file, 0),
            validated,
            declarations,
            engine,
        )
        for file in files
    ]


@dataclass(frozen=True)
class _FileRead:
    """A file as far as it could be read, and what is known of it before any rule has run."""

    path: Path
    content: FileContent | Unreadable
    laid_out: LaidOut | None
    submission: Submission
    is_refused_on_arrival: bool  # so that no rule can be chosen

    @classmethod
    def of(
        cls,
        path: Path,
        content: FileContent | Unreadable,
        declarations: Declarations,
        now: datetime,
    ) -> _FileRead:
        sha256 = sha256_of(path)
        submission = Submission(
            # By content, so that checking the same file twice says the same; nothing is entered
            # anywhere.
            submission_id=f"CHECK-{sha256[:8]}",
            delivery_number=0,
            received_at=now,
            sha256=sha256,
            extension=path.suffix.lower(),
            name=clean_name(path.name),
        )
        event = {"submission_id": submission.submission_id}
        if isinstance(content, Unreadable):
            _fold(submission, refusal(event, [content]))
            return cls(path, content, None, submission, True)
        laid_out = lay_out(content, declarations, submission.submission_id)
        _fold(submission, cover_answers(laid_out.cover, declarations, now))
        reasons = refused_on_arrival(laid_out.cover, now)
        if reasons:
            _fold(submission, refusal(event, reasons))
        return cls(path, content, laid_out, submission, bool(reasons))

    @property
    def quarter(self) -> Quarter | None:
        return Quarter.parse(self.submission.quarter) if self.submission.quarter else None

    def typed(self, declarations: Declarations) -> dict[str, pl.DataFrame]:
        """A typed frame for every return that the file answers for; an empty one if it is nil."""
        quarter, laid_out = self.quarter, self.laid_out
        assert quarter is not None and laid_out is not None
        frames = {}
        for name, declared in declarations.returns.items():
            frame = laid_out.frames.get(name)
            if frame is None or not frame.height:
                if name not in laid_out.cover.nil_returns:
                    continue
                frame = pl.DataFrame(schema=raw_schema(declared))
            frames[name] = cast(frame, declared, quarter, declarations)
        return frames


def _require_same_sender(earlier: _FileRead, files: Sequence[_FileRead]) -> None:
    """Raises WrongEarlierFile for a file that none of ``files`` can be compared with."""
    if earlier.is_refused_on_arrival:
        raise WrongEarlierFile(
            f"the earlier file cannot be used: {earlier.submission.refusal_sentence_en}"
        )
    if not any(_in_quarter([earlier], file, offset) for file in files for offset in (-1, 0)):
        raise WrongEarlierFile(
            "the earlier file comes from another sender, or is for neither the same quarter nor "
            "the one before"
        )


def _in_quarter(
    earlier_files: Sequence[_FileRead], file: _FileRead, offset: int
) -> _FileRead | None:
    """The file of the same sender that many quarters away; of several the one given last."""
    if file.quarter is None or file.submission.sender_code is None:
        return None
    wanted = (file.submission.sender_code, file.quarter.plus(offset))
    matching = [
        earlier
        for earlier in earlier_files
        if (earlier.submission.sender_code, earlier.quarter) == wanted
    ]
    return matching[-1] if matching else None


def _validated(
    file: _FileRead, last: _FileRead | None, declarations: Declarations, engine: Engine
) -> ValidatedReturn:
    """Run the rules, unless the file was refused on arrival."""
    if file.is_refused_on_arrival or file.laid_out is None:
        return ValidatedReturn(file.submission, [], None)
    before = last.typed(declarations) if last else None
    result = validate_alone(
        declarations, file.submission, file.laid_out, prior_return=before, engine=engine
    )
    _fold(file.submission, result.event)
    assert file.quarter is not None
    sent = as_laid_out(file.laid_out, file.quarter, result.typed, declarations)
    return ValidatedReturn(file.submission, result.problems, sent)


def _checked(
    file: _FileRead,
    last_quarter: _FileRead | None,
    same_quarter: _FileRead | None,
    earlier_validated: Mapping[int, ValidatedReturn],
    declarations: Declarations,
    engine: Engine,
) -> CheckedFile:
    validated = _validated(file, last_quarter, declarations, engine)
    earlier = earlier_validated[id(same_quarter)] if same_quarter else None
    return CheckedFile(
        path=file.path,
        submission=file.submission,
        problems=list(validated.problems),
        details=details(
            validated,
            declarations,
            earlier=earlier,
            in_force_before=earlier,
            quarter_before=earlier_validated[id(last_quarter)] if last_quarter else None,
            is_check=True,
            not_known=_not_known(file, last_quarter),
        ),
        content=file.content if isinstance(file.content, FileContent) else None,
        laid_out=file.laid_out,
    )


def _not_known(file: _FileRead, last_quarter: _FileRead | None) -> list[str]:
    """What the collection may still say, as sentences of the catalogue."""
    if isinstance(file.content, Unreadable):
        return []
    if file.is_refused_on_arrival:
        return [
            N_(
                "The rows were not checked: which rules apply depends on the sender and the "
                "quarter, and these are not known."
            )
        ]
    sentences = [
        N_("Whether this same file has been sent before: it would be a duplicate."),
        N_(
            "Whether the collection takes real returns or synthetic ones: it refuses files of the "
            "other kind."
        ),
        N_("Whether the quarter is locked: an accepted file would be held for the next revision."),
    ]
    if last_quarter is None:
        sentences.append(
            N_(
                "Anything that depends on the return for the previous quarter: give it with "
                "--before FILE."
            )
        )
    skipped = file.submission.rules.get("skipped")
    if isinstance(skipped, dict) and set(skipped) - {"NO_EARLIER_RETURN", "NOT_IN_FORCE"}:
        sentences.append(
            N_("Anything that depends on other senders' returns, such as the adopters in a match.")
        )
    return sentences


def _fold(submission: Submission, event: Mapping[str, object]) -> None:
    """Fold an event into the submission, as the ledger does."""
    for name, value in event.items():
        if name in Submission.__dataclass_fields__:
            setattr(submission, name, value)
