"""What can go wrong, as sentences: what was expected, what came, how many, a few examples, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any


class AnomalyError(Exception):
    """An error a person can act on.

    `str(error)` is the whole message, several lines long; `exit_code` is what a command ends with.

    Parameters
    ----------
    expected : str
        What was expected, as the end of a sentence.
    came : str
        What came instead.
    hint : str
        What to do about it.
    count : int, optional
        How often it came.
    examples : sequence
        At most three are shown, however many there are.

    Examples
    --------
    >>> print(AnomalyError("a year", "'22'", hint="write the year with four digits"))
    expected a year
    came     '22'
    do       write the year with four digits
    """

    exit_code = 70

    def __init__(
        self,
        expected: str,
        came: str,
        *,
        hint: str = "",
        count: int | None = None,
        examples: Sequence[object] = (),
    ) -> None:
        self.expected = expected
        self.came = came
        self.hint = hint
        self.count = count
        self.examples = tuple(examples)
        super().__init__(self._message())

    def __reduce__(self) -> tuple[Any, ...]:
        """An error of a worker process reaches the one that waits for it whole."""
        remake = partial(type(self), hint=self.hint, count=self.count, examples=self.examples)
        return remake, (self.expected, self.came)

    def _message(self) -> str:
        lines = [f"expected {self.expected}", f"came     {self.came}"]
        if self.count is not None:
            lines.append(f"how many {self.count:,}")
        if self.examples:
            shown = "; ".join(str(example) for example in self.examples[:3])
            remaining = len(self.examples) - 3
            lines.append(f"such as  {shown}" + (f" (and {remaining} more)" if remaining > 0 else ""))
        if self.hint:
            lines.append(f"do       {self.hint}")
        return "\n".join(lines)


class BadRequest(AnomalyError):
    """A question that cannot be understood: a wrong code, country, period or option."""

    exit_code = 2


class DataRejected(AnomalyError):
    """Data that are not what their publisher says they are; nothing was committed."""

    exit_code = 65


class SourceUnavailable(AnomalyError):
    """A publisher's data are not there: no file, no answer."""

    exit_code = 69


class StoreFailure(AnomalyError):
    """A table could not be read or written; the version before is untouched."""

    exit_code = 74


class Locked(AnomalyError):
    """Another run holds the store."""

    exit_code = 75


class TryLater(AnomalyError):
    """What is read is being changed meanwhile; nothing was committed."""

    exit_code = 75


class KeyRefused(AnomalyError):
    """A publisher's key is missing or was refused."""

    exit_code = 77


class SettingsWrong(AnomalyError):
    """A scenario or settings file that cannot be used; every fault of it is listed at once."""

    exit_code = 78


class ContractBroken(AnomalyError):
    """A table does not keep its contract: a fault of this program, not of the data."""

    exit_code = 70
