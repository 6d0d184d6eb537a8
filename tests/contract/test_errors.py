"""Errors are sentences, and stay so on their way."""

import pickle

import pytest

from anomaly.contract import errors

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.AnomalyError)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_of_a_worker_process_arrives_whole(kind: type[errors.AnomalyError]) -> None:
    sent = kind("a code", "'85x'", hint="write 8517.12", count=7, examples=("85x", "a"))
    came = pickle.loads(pickle.dumps(sent))  # noqa: S301 - our own bytes
    assert type(came) is kind
    assert str(came) == str(sent)
    assert (came.exit_code, came.count, came.examples) == (sent.exit_code, 7, ("85x", "a"))
