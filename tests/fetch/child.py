"""A fetch in a process of its own, so that it can be killed: `python -m tests.fetch.child ADDRESS RAW`."""

import sys
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr

from anomaly.contract.errors import AnomalyError
from anomaly.fetch import comtrade, run
from anomaly.fetch.base import Publisher
from anomaly.store.lock import Lock
from tests.fetch.comtrade_service import KEY, need


def quick(publisher: Publisher) -> Publisher:
    """A publisher without a pace."""
    service = publisher.service
    return replace(
        publisher, service=replace(service, limits=replace(service.limits, least_seconds=0.0, calls_a_day=None))
    )


if __name__ == "__main__":
    try:
        with Lock(Path(sys.argv[2])).held():
            run.fetch(quick(comtrade.PUBLISHER), need(), Path(sys.argv[2]), SecretStr(KEY), address=sys.argv[1])
    except AnomalyError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
