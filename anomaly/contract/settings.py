"""A scenario file over the defaults, as one frozen model. An unknown key is an error; all errors come at once."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from anomaly.contract import scenario_faults
from anomaly.contract.errors import SettingsWrong
from anomaly.contract.scenario import DEFAULT

SCENARIOS = Path(__file__).parent.parent / "scenarios"

Iso3 = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{2}$")]
Share = Annotated[float, Field(ge=0, le=1)]
Usd = Annotated[int, Field(ge=0, le=10**15)]  # what is beyond is no trade (schema.MOST_PLAUSIBLE_USD)
SomeUsd = Annotated[int, Field(ge=1, le=10**15)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]  # what the forest takes
Lag = Annotated[int, Field(ge=0, le=120)]
Year = Annotated[int, Field(ge=1962, le=2100)]  # the first of UN Comtrade
Text = Annotated[str, Field(min_length=1, max_length=1000)]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Role(_Frozen):
    """Countries that have a part in the scenario, from a date on."""

    countries: tuple[Iso3, ...]
    since: date
    source: str


class HubCandidates(Role):
    """Possible hubs: those named, or everyone who has no other part."""

    countries: tuple[Iso3, ...] = ()
    everyone_else: bool = False


class GoodsList(_Frozen):
    """A dated list of goods: sets the priority of a flag, never its score."""

    file: str
    title: str
    source: str
    tier_weights: dict[str, Annotated[float, Field(ge=0, le=1000)]] = Field(default_factory=dict)


class Forest(_Frozen):
    """Isolation forest: `trees` in each of the two forests of a seed, 250 in all by default."""

    trees: int = Field(default=25, ge=10, le=10_000)
    seeds: tuple[Seed, ...] = Field(default=(0, 1, 2, 3, 4), min_length=1, max_length=100)
    max_samples: int = Field(default=2048, ge=16, le=10**6)
    most_rows: int = Field(default=200_000, ge=100, le=10**8)


class Calibration(_Frozen):
    """Where p-values come from."""

    least_placebos: int = Field(default=100, ge=20, le=10**7)  # that stand alone; fewer are joined by others
    fewest_placebos: int = Field(default=30, ge=20, le=10**7)  # in all, of one length of window: with fewer no score
    most_placebos: int = Field(default=50_000, ge=100, le=10**7)  # of a window and kind: p is no finer for more
    least_with_room: int = Field(default=300, ge=20, le=10**7)  # placebos; fewer, and the smallest p is too coarse
    q_limit: Share = 0.10
    resamples: int = Field(default=20, ge=1, le=10_000)  # of the placebos, for the stability of a flag

    @property
    def fewest(self) -> int:
        """Placebos without which nothing is scored: fewest_placebos, or least_placebos where that is less."""
        return min(self.fewest_placebos, self.least_placebos)


class PublicationLag(_Frozen):
    """Months from the end of a period until its figures are out, by source; `other` is for a source not named.

    UN Comtrade: no timetable; 76 of 81 monthly reporters are under three months in the median (UNSD, knowledge base,
    2013), of annual reporters most are in by the autumn (ours). Comext: detailed results under three months after the
    month (ECB, description of Eurostat's external trade). BACI: each January for the year before last (CEPII's releases).
    """

    monthly: dict[str, Lag] = Field(default={"comtrade": 3, "comext": 3, "other": 4})
    annual: dict[str, Lag] = Field(default={"comtrade": 10, "comext": 10, "baci": 13, "other": 12})


class Supply(_Frozen):
    """The leg from the coalition, as one exporter, to a hub (docs/supply.md). USD are of a year, as everywhere.

    Chosen on the years and seeds that docs/supply.md names, none of which judge.
    """

    window_months: int = Field(default=6, ge=3, le=12)  # three are too rough and a year is too late
    reference_years: int = Field(
        default=2, ge=1, le=20
    )  # before the measure; the best of them is what a rise is held against
    most_months: int = Field(default=60, ge=30, le=600)  # that one trend and one season hold for
    floor_usd: SomeUsd = 300_000  # added to both sides of a growth: smaller, and small routes are the tail
    direct_fall_share: Share = (
        0.2  # the coalition's direct trade of the good fell by this at least, or nothing is asked
    )
    small_route_usd: Usd = 1_000_000  # before the rise; smaller ones have placebos of their own
    noise_log: float = Field(default=0.3, gt=0, le=10)  # that every route has, whatever its own past shows
    least_past_growths: int = Field(
        default=6, ge=3, le=1000
    )  # of a leg's past, for a noise of its own: 2.5 years of months
    overlap_share: Share = 0.5  # of a window's months: as many placebo windows of a leg, a month apart, count as one
    least_dates_before: int = Field(default=12, ge=1, le=1000)  # the measure, at which a step could be found
    least_controls: int = Field(
        default=3, ge=1, le=10_000
    )  # goods of a hub with standing direct trade, for its own growth
    boom_least_controls: int = Field(
        default=10, ge=1, le=10_000
    )  # for a shock of the date, or a boom of a hub, to be seen in them
    controls_that_shrink: float = Field(default=5.0, ge=0, le=10**6)  # a growth from n controls counts n / (n + this)
    controls_share_limit: Share = 0.5  # of the share called: controls called as often as this, and it may be a boom
    q_limit: Share = 0.10  # of both tests together: one must be within half of it
    rule_rise_log: float = Field(default=0.7, ge=0, le=100)  # a doubling; where no test can be made
    member_trade_share_least: Share = 0.9  # of the coalition's trade that must be out in a month
    unreported_share_limit: Share = 0.02  # of a window's trade, by members with gaps: they are taken for nothing
    interval_share: Share = 0.9  # of a leakage interval
    common_shock_log: float = Field(
        default=0.1, ge=0, le=100
    )  # that all goods of a hub share, before any is seen: counts as two of them
    draws: int = Field(default=1_000, ge=100, le=10**6)
    seed: Seed = 0
    sizes_usd: tuple[SomeUsd, ...] = (
        100_000,
        300_000,
        1_000_000,
        3_000_000,
        10_000_000,
    )  # that have a spread of their own


class Evidence(_Frozen):
    """How much is worked out for the person who judges a flag."""

    most_left_out: int = Field(default=200, ge=0, le=10**6)  # flags that are tried without each publisher, by priority


class Settings(_Frozen):
    """A scenario and what a run does with it; every number has its unit in its name. The keys are in docs/settings.md."""

    name: Text
    title: Text
    regime: str = ""
    measures: str = "sanctions"
    targets: Role
    coalition: Role
    hub_candidates: HubCandidates
    neighbours: Role | None = None
    sanctions_since: Annotated[date, Field(ge=date(1965, 1, 1), le=date(2100, 1, 1))]
    baseline_years: tuple[Year, ...]  # not said: the three years before the measures
    window_months: tuple[Annotated[int, Field(ge=1, le=12)], ...] = (3, 6, 12)
    floor_usd: SomeUsd = 100_000
    materiality_usd: Usd = 1_000_000
    least_months: int = Field(default=3, ge=1, le=12)
    rejected_share_limit: Share = 0.01
    unpacked_bytes_limit: int = Field(default=8 * 2**30, ge=2**20, le=2**50)
    unpacked_ratio_limit: int = Field(default=200, ge=2, le=10**6)
    extract_floor_usd: Usd = 10_000
    goods_lists: tuple[GoodsList, ...] = ()
    goods_asked: Literal["all", "listed"] = "all"
    listed_dataset: str = ""
    thresholds: dict[str, float] = Field(default_factory=dict)
    forest: Forest = Forest()
    calibration: Calibration = Calibration()
    publication_lag_months: PublicationLag = PublicationLag()
    evidence: Evidence = Evidence()
    supply: Supply = Supply()

    @model_validator(mode="before")
    @classmethod
    def _baseline_ends_before_the_measures(cls, raw: Any) -> Any:
        since = raw.get("sanctions_since") if isinstance(raw, dict) else None
        if not isinstance(since, date) or "baseline_years" in raw:
            return raw
        return {**raw, "baseline_years": (since.year - 3, since.year - 2, since.year - 1)}

    @property
    def facts_of(self) -> str:
        """Whose rows of the reference tables (dated measures, published cases) and whose simulated world it is about."""
        return self.regime or self.name

    def tier_weight(self, tier: str | None) -> float:
        """How much more a tier of the goods lists weighs in the order of flags.

        Parameters
        ----------
        tier : str, optional
            Of a good; None where it is on no list.

        Returns
        -------
        float
            1 where no list says, and for no tier.
        """
        weights = [goods_list.tier_weights[tier] for goods_list in self.goods_lists if tier in goods_list.tier_weights]
        return max(weights, default=1.0)

    def gap_years(self, year: int) -> int:
        """Years from the last baseline year to a window.

        Parameters
        ----------
        year : int
            Year in which the window ends.

        Returns
        -------
        int
            1 for windows of the baseline itself and before.
        """
        return max(1, year - max(self.baseline_years))

    def role_of(self, importer: str) -> str:
        """What a country is as an importer.

        Parameters
        ----------
        importer : str
            ISO 3166-1 alpha-3.

        Returns
        -------
        str
            target, coalition, other (a possible hub or the neighbour of one) or placebo (all else).
        """
        if importer in self.targets.countries:
            return "target"
        if importer in self.coalition.countries:
            return "coalition"
        if self.hub_candidates.everyone_else or importer in self.hub_candidates.countries:
            return "other"
        return "other" if self.neighbours and importer in self.neighbours.countries else "placebo"

    def recorded(self) -> dict[str, Any]:
        """Every setting as JSON has it: what a table keeps of the scenario that made it."""
        return self.model_dump(mode="json")

    def fingerprint(self) -> str:
        """Hash of every setting: the same for two runs that were asked the same."""
        text = json.dumps(self.recorded(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def from_record(record: Mapping[str, Any]) -> Settings:
    """The settings that a table keeps; what is newer than the table has its default.

    Parameters
    ----------
    record : mapping
        Settings.recorded, as JSON gives it back.

    Returns
    -------
    Settings
        Those of the run that made the table.

    Raises
    ------
    SettingsWrong
        Where the table was made by a version with other settings.
    """
    try:
        return Settings.model_validate(record)
    except ValidationError as error:
        raise SettingsWrong(
            "settings of this version in the tables",
            "; ".join(_faults(error)),
            count=error.error_count(),
            hint="the tables are of another version: run again from the raw files",
        ) from error


Check = Callable[[Settings], list[str]]
MOST_SHOWN = 40  # faults


def _faults(error: ValidationError) -> list[str]:
    """Each fault with its key; of one key at most MOST_SHOWN."""
    texts = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()]
    return texts[:MOST_SHOWN] + [f"and {len(texts) - MOST_SHOWN} more"] * (len(texts) > MOST_SHOWN)


def _without_faults(keys: Mapping[str, Any], error: ValidationError) -> Settings | None:
    """The settings with those of the default scenario in place of the faulty ones; None where that is not enough."""
    odd = {str(fault["loc"][0]) for fault in error.errors() if fault["loc"]}
    shipped = tomllib.loads((SCENARIOS / f"{DEFAULT}.toml").read_text(encoding="utf-8"))
    stand_ins = {key: shipped[key] for key in odd if key in shipped}
    try:
        return Settings.model_validate({**{key: value for key, value in keys.items() if key not in odd}, **stand_ins})
    except ValidationError:
        return None


def checked(keys: Mapping[str, Any], name: str, also: Check | None = None) -> Settings:
    """The settings that the keys of a scenario say, or every fault of them at once.

    Parameters
    ----------
    keys : mapping
        As TOML has them.
    name : str
        Of the file, for the error.
    also : callable, optional
        Settings → further faults in words: what only those know who know countries, goods and indicators.

    Returns
    -------
    Settings
        Without a fault.

    Raises
    ------
    SettingsWrong
        With every fault: the key, what was expected and what stood there.
    """
    faults: list[str] = []
    settings: Settings | None
    try:
        settings = Settings.model_validate(keys)
    except ValidationError as error:
        faults, settings = _faults(error), _without_faults(keys, error)
    odd = {fault.partition(":")[0].partition(".")[0] for fault in faults}
    if settings is not None:
        further = [*scenario_faults.between(settings), *(also(settings) if also else ())]
        faults += [fault for fault in further if fault.partition(":")[0].partition(".")[0] not in odd]
    if not faults and settings is not None:
        return settings
    raise SettingsWrong(
        "settings as docs/settings.md lists them",
        "; ".join(faults),
        count=len(faults),
        hint=f"mend these keys of {name}",
    )


def load(name_or_path: str = DEFAULT, also: Check | None = None, **overrides: Any) -> Settings:
    """Read a scenario by its name, or from a TOML file of one's own.

    Parameters
    ----------
    name_or_path : str
        Name of a file of anomaly/scenarios without its ending, or the path of a TOML file.
    also : callable, optional
        As for `checked`.
    **overrides : Any
        Settings that take the place of the file's.

    Returns
    -------
    Settings
        Checked; what the file does not say has its default (docs/settings.md).

    Raises
    ------
    SettingsWrong
        With every fault: the key, what was expected and what stood there.

    Examples
    --------
    >>> scenario = load("russia-2022", floor_usd=50_000)
    >>> scenario.targets.countries, scenario.floor_usd, scenario.role_of("KAZ")
    (('RUS', 'BLR'), 50000, 'other')
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = SCENARIOS / f"{name_or_path}.toml"
    if not path.is_file():
        names = ", ".join(sorted(file.stem for file in SCENARIOS.glob("*.toml")))
        raise SettingsWrong("a scenario's name or a TOML file", name_or_path, hint=f"known scenarios: {names}")
    try:
        keys = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # of ValueErrors: no TOML, no UTF-8, a number of thousands of digits
        raise SettingsWrong("TOML in UTF-8", f"{path.name}: {error}"[:300], hint="mend the line named") from error
    return checked({**keys, **overrides}, path.name, also)
