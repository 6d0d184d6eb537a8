"""The chart of a flag: what is drawn for a value, for nothing, and for what nobody reported."""

import re
from datetime import date
from xml.etree import ElementTree

from anomaly.reports.page.sparkline import BASE, TOP, Chart, draw, periods


def annual(*values: int | None, title: str = "made up") -> Chart:
    points = tuple((date(2018 + place, 1, 1), value) for place, value in enumerate(values))
    return Chart(points, "A", (date(2022, 1, 1), date(2022, 12, 1)), (date(2021, 1, 1), date(2021, 12, 1)), title)


def heights(svg: str, kind: str) -> list[int]:
    match = re.search(rf'<path class="{kind}" d="([^"]*)"', svg)
    return [int(number) for number in re.findall(r"M\d+ \d+v-(\d+)", match.group(1))] if match else []


def test_the_highest_bar_fills_the_chart_and_the_others_are_in_proportion() -> None:
    svg = str(draw(annual(20, 40, 50, 60, 100)))
    full = BASE - TOP
    assert heights(svg, "bar") == [full * 20 // 100, full * 40 // 100, full * 50 // 100]
    assert heights(svg, "bar y") == [full * 60 // 100]
    assert heights(svg, "bar w") == [full]


def test_a_period_that_was_not_reported_is_a_box_and_a_reported_nothing_is_not() -> None:
    with_gap, with_nothing = str(draw(annual(20, None, 50, 60, 100))), str(draw(annual(20, 0, 50, 60, 100)))
    assert with_gap.count('class="gap"') == 1
    assert "not reported" in with_gap
    assert 'class="gap"' not in with_nothing
    assert len(heights(with_gap, "bar")) == len(heights(with_nothing, "bar")) == 2


def test_a_period_without_a_row_is_not_reported() -> None:
    chart = Chart(
        ((date(2021, 11, 1), 5), (date(2022, 2, 1), 7)), "M", (date(2022, 2, 1),) * 2, (date(2021, 2, 1),) * 2, ""
    )
    assert periods(chart) == [
        (date(2021, 11, 1), 5),
        (date(2021, 12, 1), None),
        (date(2022, 1, 1), None),
        (date(2022, 2, 1), 7),
    ]


def test_the_labels_of_neighbouring_bands_do_not_cover_each_other() -> None:
    for length in (2, 3, 5, 12):
        points = tuple((date(2023 - length + place, 1, 1), 10) for place in range(length))
        chart = Chart(points, "A", (date(2022, 1, 1), date(2022, 12, 1)), (date(2021, 1, 1), date(2021, 12, 1)), "")
        places = [int(x_px) for x_px in re.findall(r'<text class="mid [yw]" x="(\d+)"', str(draw(chart)))]
        assert places[1] - places[0] >= 66
        assert places[0] >= 36


def test_a_years_number_stands_where_its_months_begin() -> None:
    points = tuple((date(2021 + (6 + place) // 12, (6 + place) % 12 + 1, 1), 10) for place in range(24))
    svg = str(draw(Chart(points, "M", (date(2022, 1, 1), date(2022, 6, 1)), (date(2021, 1, 1), date(2021, 6, 1)), "")))
    step = 630 // 24
    assert re.findall(r'<tspan x="(\d+)">(20\d\d)', svg) == [(str(6 * step), "2022"), (str(18 * step), "2023")]


def test_months_side_by_side_return_to_the_base_line() -> None:
    points = tuple((date(2017 + place // 12, place % 12 + 1, 1), 10 + place) for place in range(84))
    svg = str(draw(Chart(points, "M", (date(2022, 1, 1), date(2022, 6, 1)), (date(2021, 1, 1), date(2021, 6, 1)), "")))
    for moves in re.findall(r'<path class="bar[^"]*" d="([^"]*)"', svg):
        for run in moves.split("M")[1:]:
            assert run.endswith(f"V{BASE}")
            height = 0
            for climb in re.findall(r"v(-?\d+)", run):
                height -= int(climb)
                assert 0 < height <= BASE - TOP
    assert len(svg) < 1700


def test_hostile_text_in_the_title_stays_text() -> None:
    svg = str(draw(annual(1, 2, title='</title><script>alert(1)</script>" onload="x')))
    title = ElementTree.fromstring(svg).find("title")  # noqa: S314 - our own text
    assert title is not None
    assert title.text == '</title><script>alert(1)</script>" onload="x'
    assert "<script" not in svg


def test_nothing_known_draws_nothing() -> None:
    assert draw(annual()) == ""
    assert 'class="bar' not in draw(annual(None, 0, None))
