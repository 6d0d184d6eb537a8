"""A doubt about the data is a caveat of the flags it touches, and of no other."""

import polars as pl

from anomaly.flags.doubted import with_doubts
from anomaly.sources.base import DOUBT_COLUMNS

MEMBERS = pl.DataFrame({"cmd_code": ["851712", "851713"], "good": ["851712+", "851712+"]})
FLAGS = pl.DataFrame(
    {
        "flag_id": ["phones", "chips", "other"],
        "good": ["851712+", "854231", "854231"],
        "exporter_iso": ["KAZ", "KAZ", "ARM"],
        "importer_iso": ["RUS", "RUS", "RUS"],
        "caveats": [["a"], [], []],
    },
    schema_overrides={"caveats": pl.List(pl.String)},
)


def caveats(**place: str | None) -> dict[str, int]:
    row = {**dict.fromkeys(DOUBT_COLUMNS, "x"), "reporter_iso": "KAZ", "partner_iso": None, "cmd_code": None, **place}
    doubted = with_doubts(FLAGS, pl.DataFrame([row], schema=DOUBT_COLUMNS), MEMBERS)
    assert doubted["flag_id"].to_list() == FLAGS["flag_id"].to_list()
    return dict(zip(doubted["flag_id"], doubted["caveats"].list.len(), strict=True))


def test_a_doubt_of_a_reporter_touches_all_its_flags() -> None:
    assert caveats() == {"phones": 2, "chips": 1, "other": 0}


def test_a_doubt_of_a_code_touches_the_family_it_is_in() -> None:
    assert caveats(cmd_code="851713", partner_iso="RUS") == {"phones": 2, "chips": 0, "other": 0}


def test_a_doubt_of_an_importer_touches_what_it_reports() -> None:
    assert caveats(reporter_iso="RUS", partner_iso="ARM") == {"phones": 1, "chips": 0, "other": 1}


def test_a_doubt_of_another_partner_touches_nothing() -> None:
    assert caveats(partner_iso="UZB") == {"phones": 1, "chips": 0, "other": 0}
