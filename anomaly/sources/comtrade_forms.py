"""The spellings UN Comtrade's rows come in: the API's own, comtradr's and comtradeapicall's snake case, and the legacy CSV.

All are brought to the API's names in lower case; what a form has not is said by constants.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from anomaly.sources.comtrade_rules import COLUMNS, REQUIRED

# the API's names in snake case, as R and Python clients write them: cmd_code, partner2_code, is_net_wgt_estimated
_SNAKE = {
    "type_code": "typecode",
    "freq_code": "freqcode",
    "reporter_code": "reportercode",
    "reporter_iso": "reporteriso",
    "flow_code": "flowcode",
    "partner_code": "partnercode",
    "partner_iso": "partneriso",
    "partner2_code": "partner2code",
    "classification_code": "classificationcode",
    "cmd_code": "cmdcode",
    "customs_code": "customscode",
    "mos_code": "moscode",
    "mot_code": "motcode",
    "primary_value": "primaryvalue",
    "net_wgt": "netwgt",
    "is_net_wgt_estimated": "isnetwgtestimated",
}
_LEGACY = {
    "classification": "classificationcode",
    "period": "period",
    "trade flow code": "flowcode",
    "reporter code": "reportercode",
    "reporter iso": "reporteriso",
    "partner code": "partnercode",
    "partner iso": "partneriso",
    "2nd partner code": "partner2code",
    "customs proc. code": "customscode",
    "mode of transport code": "motcode",
    "commodity code": "cmdcode",
    "netweight (kg)": "netwgt",
    "trade value (us$)": "primaryvalue",
    "flag": "flag",
}
_LEGACY_FLOWS = {"1": "M", "2": "X", "3": "RX", "4": "RM"}
_WITH_WEIGHT_ESTIMATED = ("4", "6")  # of the legacy flag: 2 quantity, 4 net weight, 6 both
MISSING = ("NA", "NaN", "nan", "None", "null", "N/A")  # as the clients' languages write a cell with nothing in it


@dataclass(frozen=True, slots=True)
class Form:
    """A spelling of Comtrade's columns.

    Parameters
    ----------
    names : dict of str to str
        Name in the file, in lower case → the API's.
    constants : dict of str to str
        The API's name → what stands for a column that the form has not: the total of each breakdown.
    is_legacy : bool
        Whether it is the legacy CSV, whose flows are numbers and whose frequency is in the period's length.
    """

    names: dict[str, str]
    constants: dict[str, str] = field(default_factory=dict)
    is_legacy: bool = False

    @property
    def required(self) -> tuple[str, ...]:
        """The API's names that the file must have."""
        of_file = (name for name in REQUIRED if name not in self.constants)
        return tuple(name for name in of_file if not (self.is_legacy and name == "freqcode"))


API = Form({name: name for name in COLUMNS})
SNAKE = Form({**_SNAKE, "period": "period"})
LEGACY = Form(
    _LEGACY,
    {"typecode": "C", "partner2code": "0", "customscode": "C00", "moscode": "0", "motcode": "0"},
    is_legacy=True,
)


def form_of(names: list[str]) -> Form:
    """The form a file is in.

    Parameters
    ----------
    names : list of str
        Its columns, in lower case.

    Returns
    -------
    Form
        SNAKE or LEGACY where the names are theirs, else API.

    Examples
    --------
    >>> form_of(["period", "reporter_code", "cmd_code"]) is SNAKE
    True
    """
    has = set(names)
    if "cmd_code" in has or "reporter_code" in has:
        return SNAKE
    return LEGACY if {"commodity code", "trade flow code"} <= has else API


def in_api_words(frame: pl.DataFrame, form: Form) -> pl.DataFrame:
    """A form's rows in the API's words.

    Parameters
    ----------
    frame : polars.DataFrame
        Text columns, renamed by `form.names` already.
    form : Form
        The one the file is in.

    Returns
    -------
    polars.DataFrame
        The rows with every column of the API's that can be told; NA and the like are null in weights and ISO texts.
    """
    constant_columns = [
        pl.lit(value).alias(name) for name, value in form.constants.items() if name not in frame.columns
    ]
    frame = frame.with_columns(constant_columns)
    if form is not API:
        weights = [name for name in ("netwgt", "reporteriso", "partneriso") if name in frame.columns]
        frame = frame.with_columns(pl.col(weights).replace(dict.fromkeys(MISSING)))
    if not form.is_legacy:
        return frame
    filled = {
        name: value for name, value in form.constants.items() if name in ("partner2code", "customscode", "motcode")
    }
    is_monthly = pl.col("period").str.len_chars() == 6
    return frame.with_columns(
        freqcode=pl.when(is_monthly).then(pl.lit("M")).otherwise(pl.lit("A")),
        flowcode=pl.col("flowcode").replace_strict(_LEGACY_FLOWS, default=pl.col("flowcode")),
        isnetwgtestimated=pl.col("flag").is_in(_WITH_WEIGHT_ESTIMATED).cast(pl.String)
        if "flag" in frame.columns
        else pl.lit(None, dtype=pl.String),
        **{
            name: pl.when(pl.col(name) == "").then(pl.lit(value)).otherwise(name).fill_null(value)
            for name, value in filled.items()
        },
    )
