"""Amounts and numbers of indicators in words, the same in every format."""

from __future__ import annotations

UNKNOWN = "not known"


def usd(value: float | int | None) -> str:
    """An amount in a sentence: 178.2 million USD.

    Parameters
    ----------
    value : float or int or None
        USD.

    Returns
    -------
    str
        With the largest of billion, million and thousand that it reaches; UNKNOWN for None.

    Examples
    --------
    >>> usd(178_240_000), usd(740), usd(None)
    ('178.2 million USD', '740 USD', 'not known')
    """
    if value is None:
        return UNKNOWN
    for size, word in ((1e9, "billion USD"), (1e6, "million USD"), (1e3, "thousand USD")):
        if abs(value) >= size:
            return f"{value / size:,.1f} {word}".replace("-", "−")
    return f"{value:,.0f} USD".replace("-", "−")


def million(value: float | int | None) -> str:
    """An amount in a column headed million USD.

    Parameters
    ----------
    value : float or int or None
        USD.

    Returns
    -------
    str
        With one decimal; what would round to 0.0 keeps one digit that says something. UNKNOWN for None.

    Examples
    --------
    >>> million(178_240_000), million(4_300), million(0), million(None)
    ('178.2', '0.004', '0', 'not known')
    """
    if value is None:
        return UNKNOWN
    amount = value / 1e6
    text = f"{amount:,.1f}" if abs(amount) >= 0.05 else f"{amount:.1g}"
    return text.replace("-", "−")


def change(now: float | int | None, then: float | int | None) -> str:
    """How much an amount has changed, in percent or in words.

    Parameters
    ----------
    now, then : float or int or None
        USD, or any other unit that is the same for both.

    Returns
    -------
    str
        `from nothing` or `nothing` where there was nothing before; UNKNOWN where either is.

    Examples
    --------
    >>> change(481, 100), change(56, 100), change(5, 0), change(5, None)
    ('+381 %', '−44 %', 'from nothing', 'not known')
    """
    ratio = change_share(now, then)
    if ratio is not None:
        return f"{100 * ratio:+,.0f} %".replace("-", "−")
    if now is None or then is None:
        return UNKNOWN
    return "from nothing" if now else "nothing"


def change_share(now: float | int | None, then: float | int | None) -> float | None:
    """How much an amount has changed, as a share of what it was.

    Parameters
    ----------
    now, then : float or int or None
        USD, or any other unit that is the same for both.

    Returns
    -------
    float or None
        (now - then) / then; None where either is unknown or there was nothing to grow from.
    """
    return None if now is None or not then else (now - then) / then


def measured(value: float | None, unit: str) -> str:
    """An indicator's number, with the unit where its name does not say it.

    Parameters
    ----------
    value : float or None
        Of an indicator, in its unit.
    unit : str
        Unit of the indicator: log, usd, share, pp, flag, corr or fence.

    Returns
    -------
    str
        UNKNOWN for None.

    Examples
    --------
    >>> measured(1.574, "log"), measured(12.3, "pp"), measured(0.34, "share"), measured(1.0, "flag")
    ('1.57', '12.3 pp', '34.0 %', 'yes')
    """
    if value is None:
        return UNKNOWN
    if unit == "usd":
        return usd(value)
    if unit == "flag":
        return "yes" if value else "no"
    plain = f"{value:,.2f}" if unit == "log" else f"{value:,.2f} {unit}"
    number = {"share": f"{100 * value:,.1f} %", "pp": f"{value:,.1f} pp"}.get(unit, plain)
    return number.replace("-", "−")
