"""Every decision says when it was taken, whether it still holds, and what it took the place of; both ends agree."""

import re
from datetime import date
from pathlib import Path

import pytest

from tests import ROOT

FOLDER = ROOT / "docs" / "decisions"
DECISIONS = {path.name[:4]: path for path in sorted(FOLDER.glob("*.md"))}
HEAD = re.compile(
    r"# (?P<title>.+)\n\n\* Date: (?P<date>.+)\n\* Status: (?P<status>.+)\n\* Supersedes: (?P<supersedes>.+)\n\n"
)
LINK = r"\[\d{4}\]\(\d{4}-[a-z0-9-]+\.md\)"
STATUS = re.compile(rf"accepted|superseded by {LINK}|accepted, in part superseded by {LINK}")


def head(path: Path) -> dict[str, str]:
    """Title, date, status and what is superseded, as they stand above the text."""
    match = HEAD.match(path.read_text(encoding="utf-8"))
    assert match, f"{path.name}: a title, then * Date: …, * Status: …, * Supersedes: …"
    return match.groupdict()


def numbers(text: str) -> set[str]:
    return set(re.findall(r"\[(\d{4})\]", text))


def test_every_decision_has_a_number_of_its_own() -> None:
    assert len(DECISIONS) == len(list(FOLDER.glob("*.md")))
    assert all(re.fullmatch(r"\d{4}", number) for number in DECISIONS)


@pytest.mark.parametrize("number", DECISIONS)
def test_a_decision_has_a_date_a_status_and_what_it_supersedes(number: str) -> None:
    fields = head(DECISIONS[number])
    assert date(2026, 11, 24) <= date.fromisoformat(fields["date"])
    assert STATUS.fullmatch(fields["status"])
    assert fields["supersedes"] == "nothing" or numbers(fields["supersedes"])


@pytest.mark.parametrize("number", DECISIONS)
def test_what_supersedes_and_what_is_superseded_name_each_other(number: str) -> None:
    fields = head(DECISIONS[number])
    for older in numbers(fields["supersedes"]):
        assert number in numbers(head(DECISIONS[older])["status"]), f"{older} does not say that {number} supersedes it"
    for newer in numbers(fields["status"]):
        assert number in numbers(head(DECISIONS[newer])["supersedes"]), (
            f"{newer} does not say that it supersedes {number}"
        )
        assert newer > number


@pytest.mark.parametrize("number", DECISIONS)
def test_links_of_a_decision_to_others_lead_somewhere(number: str) -> None:
    text = DECISIONS[number].read_text(encoding="utf-8")
    for label, target in re.findall(r"\[(\d{4})\]\((\d{4}[^)]*)\)", text):
        assert (FOLDER / target).is_file(), target
        assert target.startswith(label)
