"""Every measure and dimension of the reports of returns: one title and one definition each."""

from typing import Final

from oms.reports.sheet import Unit

RETURNED: Final = (
    ("coming_back_count", "Returns", Unit.COUNT, "Returns asked for here or brought to a store."),
    ("asked_back_units", "Units announced", Unit.COUNT, "Units that were to come back."),
    ("came_back_units", "Units that came", Unit.COUNT, "Units that were received of them."),
    ("accepted_units", "Accepted", Unit.COUNT, "Units the customer gets something for."),
    ("rejected_units", "Rejected", Unit.COUNT, "Units the customer gets nothing for."),
    ("refunded_p50_seconds", "Until refunded, median", Unit.SECONDS,
     "From the first receipt until all money of the return was back; half took less."),
    ("refunded_p90_seconds", "Until refunded, 9 of 10", Unit.SECONDS,
     "From the first receipt until refunded; nine of ten took less."),
    ("in_time_ratio", "Refunded in 14 days", Unit.RATIO,
     "Of lines that were refunded those within fourteen days of the receipt, as the law wants."),
    ("looked_at_units", "Units looked at", Unit.COUNT, "Units somebody said the condition of."),
    ("restocked_units", "Back for sale", Unit.COUNT, "Of these, units put back for sale."),
    ("restocked_ratio", "Back for sale, part", Unit.RATIO, "Of the units that were looked at."),
    ("scrapped_units", "Scrapped", Unit.COUNT, "Units that were thrown away."),
    ("looked_at_p50_seconds", "Until looked at, median", Unit.SECONDS,
     "From received until somebody said the condition; half took less."),
    ("resolution", "Resolution", Unit.TEXT, "What the customer gets for it."),
    ("disposition", "Disposition", Unit.TEXT, "What becomes of the units."),
    ("condition", "Condition", Unit.TEXT, "A new, B opened, C used, D damaged, E another item."),
    ("return_kind", "Kind", Unit.TEXT, "How the return came to be."),
    ("return_number", "Return", Unit.TEXT, "The return's number."),
    ("return_state", "How far", Unit.TEXT, "How far the return is."),
    ("received_at", "Received", Unit.INSTANT, "When the first of it came, in UTC."),
    ("refunded_seconds", "Until refunded", Unit.SECONDS, "From that until the money was back."),
)  # fmt: skip
