"""A return checked on its sender's own machine: the same rules and verdict, nothing kept.

No warehouse, ledger, key or network is needed. What only the collection knows is not guessed:
the verdict says what could not be looked at.
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
from pipelines.intake.landing import clean_name, refusal, refused_at_the_door, said_on_the_cover
from pipelines.intake.take_in import judge_alone
from pipelines.lifecycle.ledger import Submission
from pipelines.quarters import Quarter
from pipelines.readers.casting import cast
from pipelines.readers.child_process import read_files
from pipelines.readers.content import FileContent, Unreadable
from pipelines.readers.layout import LaidOut, lay_out, raw_schema
from pipelines.verdict.details import Details, JudgedReturn, Problem, details
from pipelines.verdict.sent_returns import as_laid_out


class WrongEarlierFile(Exception):
    """A file given as an earlier one is none; the message says why, and names no file."""


@dataclass(frozen=True)
class Checked:
    """A checked file. ``content`` and ``laid_out`` are None where it could not be read."""

    path: Path
    submission: Submission
    problems: list[Problem]
    details: Details
    content: FileContent | None
    laid_out: LaidOut | None

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
) -> list[Checked]:
    """Check files as if each had come at ``now`` (with a time zone), in the order given.

    ``before`` are files that the same senders have sent: for the same quarter the version before,
    for the quarter before what this one is compared with. Raises WrongEarlierFile for one that
    cannot be read, says not whose it is, or belongs to none of ``paths``; FileNotFoundError.
    """
    read = [
        _Read.of(path, content, declarations, now)
        for path, content in zip((*paths, *before), read_files([*paths, *before]), strict=True)
    ]
    files, earlier = read[: len(paths)], read[len(paths) :]
    for one in earlier:
        _belongs_to_one_of(one, files)
    # Of earlier files only the rows that counted are wanted: polars says which, in less time.
    verdicts = {
        id(one): _judge(one, _in_quarter(earlier, one, -1), declarations, "polars")
        for one in earlier
    }
    return [
        _checked(
            file,
            _in_quarter(earlier, file, -1),
            _in_quarter(earlier, file, 0),
            verdicts,
            declarations,
            engine,
        )
        for file in files
    ]


@dataclass(frozen=True)
class _Read:
    """A file as far as it could be read, and what is known of it before any rule has run."""

    path: Path
    content: FileContent | Unreadable
    laid_out: LaidOut | None
    submission: Submission
    is_at_the_door: bool  # refused there: no rule can be chosen

    @classmethod
    def of(
        cls,
        path: Path,
        content: FileContent | Unreadable,
        declarations: Declarations,
        now: datetime,
    ) -> _Read:
        sha256 = sha256_of(path)
        submission = Submission(
            submission_id=f"CHECK-{sha256[:8]}",
            delivery_number=0,
            received_at=now,
            sha256=sha256,
            extension=path.suffix.lower(),
            name=clean_name(path.name),
        )
        about = {"submission_id": submission.submission_id}
        if isinstance(content, Unreadable):
            _note(submission, refusal(about, [content]))
            return cls(path, content, None, submission, True)
        laid_out = lay_out(content, declarations, submission.submission_id)
        _note(submission, said_on_the_cover(laid_out.cover, now))
        reasons = refused_at_the_door(laid_out.cover, now)
        if reasons:
            _note(submission, refusal(about, reasons))
        return cls(path, content, laid_out, submission, bool(reasons))

    @property
    def quarter(self) -> Quarter | None:
        return Quarter.parse(self.submission.quarter) if self.submission.quarter else None

    def typed(self, declarations: Declarations) -> dict[str, pl.DataFrame]:
        """A typed frame for every return that the file answers for; an empty one if it is nil."""
        quarter, laid_out = self.quarter, self.laid_out
        assert quarter is not None and laid_out is not None
        found = {}
        for name, declared in declarations.returns.items():
            frame = laid_out.frames.get(name)
            if frame is None or not frame.height:
                if name not in laid_out.cover.nil_returns:
                    continue
                frame = pl.DataFrame(schema=raw_schema(declared))
            found[name] = cast(frame, declared, quarter, declarations)
        return found


def _belongs_to_one_of(earlier: _Read, files: Sequence[_Read]) -> None:
    if earlier.is_at_the_door:
        raise WrongEarlierFile(
            f"the earlier file cannot be used: {earlier.submission.refusal_sentence_en}"
        )
    if not any(
        earlier in (_in_quarter([earlier], f, -1), _in_quarter([earlier], f, 0)) for f in files
    ):
        raise WrongEarlierFile(
            "the earlier file is of another sender, or neither of the same quarter nor of the one "
            "before"
        )


def _in_quarter(earlier: Sequence[_Read], file: _Read, offset: int) -> _Read | None:
    """The file of the same sender that many quarters away; of several the one given last."""
    if file.quarter is None or file.submission.sender_code is None:
        return None
    wanted = (file.submission.sender_code, file.quarter.plus(offset))
    found = [one for one in earlier if (one.submission.sender_code, one.quarter) == wanted]
    return found[-1] if found else None


def _judge(
    file: _Read, last: _Read | None, declarations: Declarations, engine: Engine
) -> JudgedReturn:
    """Run the rules, unless the file was refused at the door."""
    if file.is_at_the_door or file.laid_out is None:
        return JudgedReturn(file.submission, [], None)
    before = last.typed(declarations) if last else None
    judged = judge_alone(declarations, file.submission, file.laid_out, before=before, engine=engine)
    _note(file.submission, judged.event)
    assert file.quarter is not None
    sent = as_laid_out(file.laid_out, file.quarter, judged.typed, declarations)
    return JudgedReturn(file.submission, judged.problems, sent)


def _checked(
    file: _Read,
    last: _Read | None,
    same: _Read | None,
    verdicts: Mapping[int, JudgedReturn],
    declarations: Declarations,
    engine: Engine,
) -> Checked:
    judged = _judge(file, last, declarations, engine)
    earlier = verdicts[id(same)] if same else None
    return Checked(
        path=file.path,
        submission=file.submission,
        problems=list(judged.problems),
        details=details(
            judged,
            declarations,
            earlier=earlier,
            in_force_before=earlier,
            quarter_before=verdicts[id(last)] if last else None,
            is_check=True,
            not_known=_not_known(file, last),
        ),
        content=file.content if isinstance(file.content, FileContent) else None,
        laid_out=file.laid_out,
    )


def _not_known(file: _Read, last: _Read | None) -> list[str]:
    """What the collection may still say, as keys of the words of receipts."""
    if isinstance(file.content, Unreadable):
        return []
    if file.is_at_the_door:
        return ["only the door"]
    skipped = file.submission.rules.get("skipped") or {}
    found = ["is duplicate", "is sample collection", "is locked"]
    if last is None:
        found.append("needs earlier")
    if set(skipped) - {"NO_EARLIER_RETURN", "NOT_IN_FORCE"}:
        found.append("what others sent")
    return found


def _note(submission: Submission, event: Mapping[str, object]) -> None:
    """Fold an event into the submission, as the ledger does."""
    for name, value in event.items():
        if name in Submission.__dataclass_fields__:
            setattr(submission, name, value)
