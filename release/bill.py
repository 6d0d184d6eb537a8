"""The software bill of materials of a release: `python -m release.bill FOLDER`, CycloneDX 1.5 from the lock, part of `make dist`."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot5
from packageurl import PackageURL

from release.licences import licence
from release.packages import LOCK, Package, run_time


def bill(version: str, direct: tuple[str, ...], packages: Mapping[str, Package], made_at: datetime) -> str:
    """Write what a release is made of: each package with licence, hashes and what it needs.

    Parameters
    ----------
    version : str
        Of the project.
    direct : tuple of str
        Packages that the project itself requires.
    packages : mapping of str to Package
        Every package of a run, by name.
    made_at : datetime.datetime
        When the release was made; the same moment gives the same bytes.

    Returns
    -------
    str
        JSON of CycloneDX 1.5.
    """
    components = {package.name: _component(package) for package in packages.values()}
    project = Component(
        name="anomaly",
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref=f"anomaly=={version}",
        licenses=[LicenseFactory().make_from_string("Apache-2.0")],
    )
    contents = " ".join(f"{name}=={packages[name].version}:{packages[name].sha256}" for name in sorted(packages))
    serial = uuid.uuid5(uuid.NAMESPACE_URL, f"anomaly=={version} {made_at.isoformat()} {contents}")
    document = Bom(
        components=components.values(),
        serial_number=serial,
        metadata=BomMetaData(component=project, timestamp=made_at),
    )
    document.register_dependency(project, [components[name] for name in direct])
    for package in packages.values():
        document.register_dependency(components[package.name], [components[name] for name in package.needs])
    return JsonV1Dot5(document).output_as_string(indent=1) + "\n"


def _component(package: Package) -> Component:
    return Component(
        name=package.name,
        version=package.version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{package.name}=={package.version}",
        purl=PackageURL("pypi", name=package.name, version=package.version),
        licenses=[LicenseFactory().make_from_string(licence(package))],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in package.sha256],
    )


def main(folder: str) -> None:
    """Write anomaly-VERSION.cdx.json of this checkout, dated SOURCE_DATE_EPOCH where that is set.

    Parameters
    ----------
    folder : str
        Where to.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    made_at = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC).replace(microsecond=0)
    direct, packages = run_time(LOCK.read_text(encoding="utf-8"))
    version = metadata.version("anomaly")
    file = Path(folder) / f"anomaly-{version}.cdx.json"
    file.write_text(bill(version, direct, packages, made_at), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
