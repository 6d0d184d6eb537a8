"""How far a packed file may grow: what grows more is a bomb and no statistics."""

from __future__ import annotations

from dataclasses import dataclass

FREE_BYTES = 2**26  # up to here no ratio is asked: one row many times over packs well


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a packed file may grow, by the bytes that come out; sizes that an archive states are not believed.

    Parameters
    ----------
    unpacked_bytes : int
        Most bytes unpacked.
    unpacked_ratio : int
        Most bytes unpacked for one packed; published tables have 5 to 60, a bomb a thousand.
    """

    unpacked_bytes: int = 8 * 2**30
    unpacked_ratio: int = 200

    def fault(self, written_bytes: int, packed_bytes: int) -> str:
        """What is wrong with a file of which so much was unpacked.

        Parameters
        ----------
        written_bytes : int
            That came out so far.
        packed_bytes : int
            That were read for it.

        Returns
        -------
        str
            In words; empty where it may go on.

        Examples
        --------
        >>> Limits().fault(2**30, 2**20)
        '1,024 bytes for each packed one'
        >>> Limits().fault(2**30, 2**26)
        ''
        """
        if written_bytes > self.unpacked_bytes:
            return "more than that"
        if written_bytes > max(FREE_BYTES, self.unpacked_ratio * packed_bytes):
            return f"{written_bytes // max(packed_bytes, 1):,} bytes for each packed one"
        return ""

    def __str__(self) -> str:
        """The limits as the end of a sentence."""
        return f"at most {self.unpacked_bytes:,} bytes unpacked, and at most {self.unpacked_ratio} for each packed one"


HINT = "it is not what it says it is; if it is, raise unpacked_bytes_limit or unpacked_ratio_limit in a scenario of your own"
