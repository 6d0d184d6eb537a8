"""How an answer goes onto the connection: whole, packed, in chunks; or not as it should."""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler

from loopback.wire import HTML, JSON, Answer

CHUNK_BYTES = 16_384
HANG_SECONDS = 3_600.0
SLOW_BYTES, SLOW_SECONDS = 16, 1.0
SORRY = (
    b"<!DOCTYPE html><html><head><title>Service notice</title></head><body><h1>We will be back soon</h1></body></html>"
)


def send(handler: BaseHTTPRequestHandler, answer: Answer, fault: str | None, stopping: threading.Event | None) -> None:
    """Send an answer, with what goes wrong on the way.

    Parameters
    ----------
    handler : http.server.BaseHTTPRequestHandler
        Of the request.
    answer : Answer
        What the publisher says.
    fault : str or None
        One of `faults.KINDS`; those of a status are in the answer already.
    stopping : threading.Event or None
        Ends what hangs.
    """
    if fault in ("reset", "hang"):
        _give_nothing(handler, fault, stopping)
        return
    answer = _spoilt(answer, fault)
    packs = not answer.is_file and "gzip" in handler.headers.get("Accept-Encoding", "") and len(answer.body) > 0
    body = gzip.compress(answer.body, compresslevel=4, mtime=0) if packs else answer.body
    headers = dict(answer.headers)
    if packs:
        headers["Content-Encoding"] = "gzip"
    if fault == "cut_gzip":
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(answer.body, compresslevel=4, mtime=0)
        body = body[: max(len(body) * 2 // 3, 11)]
    in_chunks = fault == "cut_chunk" or (answer.content_type == JSON and answer.status == 200 and not answer.is_file)
    handler.send_response(answer.status)
    handler.send_header("Content-Type", answer.content_type)
    for name, value in headers.items():
        handler.send_header(name, value)
    if answer.status == 304 or answer.status == 204:
        handler.end_headers()
        return
    if in_chunks:
        handler.send_header("Transfer-Encoding", "chunked")
    else:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if handler.command != "HEAD":
        _write(handler, body, fault, in_chunks, stopping)


def _give_nothing(handler: BaseHTTPRequestHandler, fault: str, stopping: threading.Event | None) -> None:
    if fault == "hang" and stopping is not None:
        stopping.wait(HANG_SECONDS)
    else:  # close with what is not read thrown away: the client gets a reset
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def _spoilt(answer: Answer, fault: str | None) -> Answer:
    """The answer with a fault of its content."""
    if fault == "html":
        return Answer(SORRY, HTML)
    if fault == "broken_json":
        return replace(answer, body=answer.body[: max(len(answer.body) * 3 // 4, 1)])
    if fault == "wrong_count" and answer.content_type == JSON and not answer.is_file:
        content = json.loads(answer.body)
        if isinstance(content, dict) and isinstance(content.get("count"), int):
            return replace(answer, body=json.dumps({**content, "count": content["count"] + 1}).encode())
    return answer


def _write(
    handler: BaseHTTPRequestHandler, body: bytes, fault: str | None, in_chunks: bool, stopping: threading.Event | None
) -> None:
    write = handler.wfile.write
    if fault == "slow":
        for start in range(0, len(body), SLOW_BYTES):
            piece = body[start : start + SLOW_BYTES]
            write(b"%x\r\n%b\r\n" % (len(piece), piece) if in_chunks else piece)
            if stopping is None or stopping.wait(SLOW_SECONDS):
                break
        handler.close_connection = True
        return
    if in_chunks:
        _write_chunks(handler, body, is_cut=fault in ("cut_chunk", "short_body", "half"))
        return
    if fault in ("short_body", "half"):
        kept = len(body) // 2 if fault == "half" else max(len(body) - 7, 0)
        write(body[:kept])
        handler.close_connection = True
        return
    write(body)


def _write_chunks(handler: BaseHTTPRequestHandler, body: bytes, is_cut: bool) -> None:
    """In chunks; the last one cut in its middle, and no end."""
    starts = range(0, len(body), CHUNK_BYTES)
    for number, start in enumerate(starts, start=1):
        piece = body[start : start + CHUNK_BYTES]
        if is_cut and number == len(starts):
            handler.wfile.write(b"%x\r\n%b" % (len(piece), piece[: len(piece) // 2]))
            handler.close_connection = True
            return
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
    handler.wfile.write(b"0\r\n\r\n")
