"""The lock of what a run needs, without the tools of development: `python -m release.run_lock`, for an image or a server."""

from __future__ import annotations

from collections.abc import Iterable

from release.packages import LOCK, Package, run_time


def lock(packages: Iterable[Package]) -> str:
    """The packages in the form of requirements.lock.

    Parameters
    ----------
    packages : iterable of Package
        Those of a run.

    Returns
    -------
    str
        For `pip install --require-hashes --no-deps --requirement`.
    """
    return "".join(
        f"{package.name}=={package.version}"
        + "".join(f" \\\n    --hash=sha256:{sha256}" for sha256 in package.sha256)
        + "\n"
        for package in packages
    )


if __name__ == "__main__":
    print(lock(run_time(LOCK.read_text(encoding="utf-8"))[1].values()), end="")
