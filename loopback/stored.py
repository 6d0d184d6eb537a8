"""How a stored file is handed out: the whole, a part of it, or that it has not changed."""

from __future__ import annotations

import re
from dataclasses import replace

from loopback.wire import Answer, Request

_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


def handed_out(answer: Answer, request: Request) -> Answer:
    """A file's answer as this request gets it.

    Parameters
    ----------
    answer : Answer
        The whole file.
    request : Request
        With or without If-None-Match, Range and If-Range.

    Returns
    -------
    Answer
        200 with the whole, 206 with the part asked for, 304 where the client has it, 416 for a part beyond the end.
    """
    headers = {**answer.headers, "ETag": answer.etag}
    if answer.etag in request.headers.get("if-none-match", ""):
        return replace(answer, body=b"", status=304, headers=headers)
    if not answer.takes_ranges:
        return replace(answer, headers=headers)
    headers["Accept-Ranges"] = "bytes"
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    same = request.headers.get("if-range", answer.etag) in (answer.etag, answer.headers.get("Last-Modified"))
    if not asked or not same or asked.group(0) == "bytes=-":
        return replace(answer, headers=headers)
    size = len(answer.body)
    first, last = _bounds(asked[1], asked[2], size)
    if first >= size or first > last:
        return replace(answer, body=b"", status=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return replace(answer, body=answer.body[first : last + 1], status=206, headers=headers)


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """First and last byte, both inside; "-500" means the last 500."""
    if not first:
        return max(size - int(last), 0), size - 1
    return int(first), min(int(last), size - 1) if last else size - 1
