"""An answer packed by gzip, unpacked as it comes: never more than is allowed, and no end that is none."""

from __future__ import annotations

import zlib

from anomaly.contract.errors import DataRejected
from anomaly.fetch.faults import Transient


class Unpacker:
    """Takes the pieces of a body and gives its content.

    Parameters
    ----------
    encoding : str
        Of the header Content-Encoding.
    most_bytes : int
        That may come out.
    """

    def __init__(self, encoding: str, most_bytes: int) -> None:
        if encoding.lower() not in ("", "identity", "gzip", "x-gzip"):
            raise Transient(f"an answer packed as {encoding[:20]}, which was not asked for")
        self._gzip = zlib.decompressobj(wbits=31) if "gzip" in encoding.lower() else None
        self._most_bytes, self._came = most_bytes, 0

    def add(self, chunk: bytes) -> bytes:
        """What a piece unpacks to.

        Parameters
        ----------
        chunk : bytes
            As sent.

        Returns
        -------
        bytes
            May be empty.

        Raises
        ------
        Transient
            It is damaged.
        DataRejected
            More came out than is allowed.
        """
        if self._gzip is None:
            content = chunk
        else:
            try:
                content = self._gzip.decompress(chunk, self._most_bytes - self._came + 1)
            except zlib.error as error:
                raise Transient(f"damaged gzip ({error})") from None
        self._came += len(content)
        if self._came > self._most_bytes:
            raise DataRejected(
                f"an answer of at most {self._most_bytes:,} bytes",
                "more, while it was unpacked",
                hint="nothing of it was kept",
            )
        return content

    def end(self) -> None:
        """Hold that the body was whole.

        Raises
        ------
        Transient
            The gzip stream has no end.
        """
        if self._gzip is not None and not self._gzip.eof:
            raise Transient("gzip that is cut off")
