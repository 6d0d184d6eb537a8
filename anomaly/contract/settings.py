"""A scenario file over the defaults, as one frozen model. An unknown key is an error; all errors come at once."""

from __future__ import annotations

import hashlib
import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from anomaly.contract.errors import SettingsWrong

SCENARIOS = Path(__file__).parent.parent / "scenarios"

Iso3 = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{2}$")]
Share = Annotated[float, Field(ge=0, le=1)]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Role(_Frozen):
    """Countries that have a part in the scenario, from a date on."""

    countries: tuple[Iso3, ...]
    since: date
    source: str


class GoodsList(_Frozen):
    """A dated list of goods: sets the priority of a flag, never its score."""

    file: str
    title: str
    source: str


class Forest(_Frozen):
    """Isolation forest: `trees` in each of the two forests of a seed, 250 in all by default."""

    trees: int = Field(default=25, ge=10)
    seeds: tuple[int, ...] = Field(default=(0, 1, 2, 3, 4), min_length=1)
    max_samples: int = Field(default=2048, ge=16)
    most_rows: int = Field(default=200_000, ge=100)


class Calibration(_Frozen):
    """Where p-values come from."""

    least_placebos: int = Field(default=100, ge=20)
    most_placebos: int = Field(default=50_000, ge=100)  # of a window and kind: p is no finer for more
    least_in_size_band: int = Field(default=300, ge=20)  # fewer, and the smallest p there is would be too coarse
    size_bands_usd: tuple[int, ...] = (3_000_000, 10_000_000, 100_000_000)
    q_limit: Share = 0.10
    q_limit_of_periods: Share = 0.25  # where all placebos are earlier periods: too few and too rough for less
    resamples: int = Field(default=20, ge=1)  # of the placebos, for each seed, for the stability of a flag


class PublicationLag(_Frozen):
    """Months from the end of a period until its figures are out, by source; `other` is for a source not named.

    UN Comtrade: no timetable; 76 of 81 monthly reporters are under three months in the median (UNSD, knowledge base,
    2013), of annual reporters most are in by the autumn (ours). Comext: detailed results under three months after the
    month (ECB, description of Eurostat's external trade). BACI: each January for the year before last (CEPII's releases).
    """

    monthly: dict[str, int] = Field(default={"comtrade": 3, "comext": 3, "other": 4})
    annual: dict[str, int] = Field(default={"comtrade": 10, "comext": 10, "baci": 13, "other": 12})


class Evidence(_Frozen):
    """How much is worked out for the person who judges a flag."""

    most_left_out: int = Field(default=200, ge=0)  # flags that are tried without each publisher, by priority


class Settings(_Frozen):
    """A scenario and what a run does with it; every number has its unit in its name. The keys are in docs/settings.md."""

    name: str
    title: str
    targets: Role
    coalition: Role
    hub_candidates: Role
    neighbours: Role
    sanctions_since: date
    baseline_years: tuple[int, ...] = (2019, 2020, 2021)
    window_months: tuple[int, ...] = (3, 6, 12)
    floor_usd: int = Field(default=100_000, ge=1)
    materiality_usd: int = Field(default=1_000_000, ge=0)
    least_months: int = Field(default=3, ge=1, le=12)
    rejected_share_limit: Share = 0.01
    extract_floor_usd: int = Field(default=10_000, ge=0)
    goods_lists: tuple[GoodsList, ...] = ()
    thresholds: dict[str, float] = Field(default_factory=dict)
    forest: Forest = Forest()
    calibration: Calibration = Calibration()
    publication_lag_months: PublicationLag = PublicationLag()
    evidence: Evidence = Evidence()

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
        if importer in self.hub_candidates.countries or importer in self.neighbours.countries:
            return "other"
        return "placebo"

    def fingerprint(self) -> str:
        """Hash of every setting: the same for two runs that were asked the same."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def load(name_or_path: str = "russia-2022", **overrides: Any) -> Settings:
    """Read a scenario by its name, or from a TOML file of one's own.

    Parameters
    ----------
    name_or_path : str
        Name of a file of anomaly/scenarios without its ending, or the path of a TOML file.
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
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsWrong("TOML in UTF-8", f"{path.name}: {error}", hint="mend the line named") from error
    try:
        return Settings.model_validate({**keys, **overrides})
    except ValidationError as error:
        faults = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()]
        raise SettingsWrong(
            "settings as docs/settings.md lists them",
            "; ".join(faults),
            count=len(faults),
            hint=f"mend these keys of {path.name}",
        ) from error
