"""The simulated exchange rates, as the European Central Bank's table EXR."""

from __future__ import annotations

import numpy as np

from anomaly.world.description import Description


def usd_per_eur(world: Description) -> list[float]:
    """USD per EUR by month: straight lines between the rates of the description.

    Parameters
    ----------
    world : Description
        Its calendar and the rates at even distances over it.

    Returns
    -------
    list of float
        A rate a month, four decimals.
    """
    rates = world.publishing.usd_per_eur
    path = np.interp(np.arange(world.months), np.linspace(0, world.months - 1, len(rates)), rates)
    return [round(float(rate), 4) for rate in path]


def rates_table(world: Description, usd: list[float]) -> bytes:
    """The world's exchange rates as the ECB's table EXR.

    Parameters
    ----------
    world : Description
        Its calendar and its other currencies.
    usd : list of float
        USD per EUR by month.

    Returns
    -------
    bytes
        CSV.
    """
    rates = {"USD": usd}
    for currency, ends in world.publishing.other_per_eur.items():
        rates[currency] = [round(float(rate), 4) for rate in np.linspace(*ends, world.months)]
    lines = ["KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE,TITLE"]
    for currency in sorted(rates):
        key, title = f"EXR.M.{currency}.EUR.SP00.A", f"SIMULATED {currency}/Euro"
        lines += [
            f"{key},M,{currency},EUR,SP00,A,{month:%Y-%m},{rate},{title}"
            for month, rate in zip(world.calendar, rates[currency], strict=True)
        ]
    return ("\n".join(lines) + "\n").encode()
