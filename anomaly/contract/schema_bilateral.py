"""The contracts of both sides of a route put together: bilateral, and the HS families that it was put together with.

`schema` holds them together with the others, and is where others import them from.
"""

from __future__ import annotations

import dataframely as dy

from anomaly.contract.schema_reported import GOOD, ISO3, grams, text, usd


class Bilateral(dy.Schema):
    """Both sides' reports of a route side by side, in one currency and one edition of the HS."""

    freq_code = text("A annual, M monthly, Q quarterly", primary_key=True, regex="^[AMQ]$")
    good = text("HS family: a six-digit code, with + where it stands for several", primary_key=True, regex=GOOD)
    exporter_iso = text("exporter", primary_key=True, regex=ISO3)
    importer_iso = text("importer", primary_key=True, regex=ISO3)
    ref_date = dy.Date(description="first day of the period", primary_key=True)
    source = text("publisher chosen for this route")
    dataset = text("dataset chosen for this route")
    value_usd = usd(
        "the value that windows use: the exporter's report where it ever reports, else the importer's",
        nullable=True,
        min=0,
    )
    value_basis = text("export FOB, import CIF or reconciled by the publisher", regex="^(export|import|reconciled)$")
    export_value_fob_usd = usd("as the exporter reports it", nullable=True, min=0)
    import_value_cif_usd = usd("as the importer reports it", nullable=True, min=0)
    reexport_value_fob_usd = usd("re-exports, contained in the export value", nullable=True, min=0)
    net_wgt_g = grams("net weight on the value's side")


class Families(dy.Schema):
    """The HS families that the run used: which good a code of an edition belongs to, where that is not itself."""

    edition = dy.Int8(description="number of the HS edition: 5 is H5", primary_key=True)
    cmd_code = text("code of that edition, six digits", primary_key=True)
    good = text("HS family", regex=GOOD)


class Broken(dy.Schema):
    """Changes of HS edition across which a good of the run is never compared."""

    good = text("HS family", primary_key=True, regex=GOOD)
    newer_edition = dy.Int8(description="number of the newer HS edition: 6 is H6", primary_key=True)
