"""Charts are functions: a frame in, a figure out, whatever the frame holds."""

from datetime import date, timedelta
from decimal import Decimal

import plotly.graph_objects as go
import polars as pl
import pytest

from dashboards.charts import feeds, fulfillment, sales, stock, style
from oms.reports.fulfillment import Group, Subject
from oms.reports.measures import COLUMNS
from oms.reports.model import Grain, Period
from oms.reports.pivot import ALL_CHANNELS, Pivot

PERIOD = Period(from_on=date(2025, 9, 1), to_on=date(2025, 9, 29))
CHANNELS = {f"c{at}": f"Channel {at}" for at in range(25)}


def amounts(values: list[str]) -> pl.Series:
    return pl.Series("net_amount", [Decimal(value) for value in values], pl.Decimal(38, 3))


def by_day(values: list[str], first_on: date = PERIOD.from_on) -> pl.DataFrame:
    days = [first_on + timedelta(days=at) for at in range(len(values))]
    return pl.DataFrame({"sold_on": days, "net_amount": amounts(values)})


def ranked(count: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "product": [f"P{at}" for at in range(count)],
            "title": [f"Product {at}" for at in range(count)],
            "net_amount": amounts([str(1000 - at) for at in range(count)]),
            "compared_net_amount": amounts([str(900 + at) for at in range(count)]),
        }
    )


def said(drawn: go.Figure) -> str:
    return " ".join(str(note.text) for note in drawn.layout.annotations)


def over_time(
    frame: pl.DataFrame, before: pl.DataFrame | None = None, *, period: Period = PERIOD,
    grain: Grain = Grain.DAY, currency: str = "EUR",
) -> go.Figure:  # fmt: skip
    return sales.over_time(frame, before, period=period, grain=grain, currency=currency)


class TestOverTime:
    def test_a_day_without_sales_is_a_zero_not_a_gap(self) -> None:
        drawn = over_time(by_day(["10", "20.5"]))
        line = drawn.data[0]
        assert len(line.x) == 28
        assert list(line.y[:3]) == [10.0, 20.5, 0.0]

    def test_hover_is_exact_where_the_axis_is_short(self) -> None:
        drawn = over_time(by_day(["1234567.89"]))
        assert drawn.data[0].customdata[0] == "€1,234,567.89"
        assert drawn.layout.yaxis.tickprefix == "€"
        assert drawn.layout.yaxis.title.text == "Net sales, EUR"

    def test_both_periods_lie_on_the_same_days(self) -> None:
        drawn = over_time(by_day(["10", "20"]), by_day(["5", "7"]))
        now, before = drawn.data
        assert list(now.x) == list(before.x)
        assert (now.name, before.name) == ("This period", "Period before")
        assert before.line.dash == "dot"

    def test_one_day_is_a_mark_that_can_be_seen(self) -> None:
        day = Period(from_on=PERIOD.from_on, to_on=PERIOD.from_on + timedelta(days=1))
        drawn = over_time(by_day(["10"]), period=day)
        assert drawn.data[0].mode == "lines+markers"
        assert drawn.data[0].marker.size > 8

    @pytest.mark.parametrize(("grain", "steps"), [(Grain.WEEK, 5), (Grain.MONTH, 1)])
    def test_steps_begin_where_the_database_begins_them(self, grain: Grain, steps: int) -> None:
        first = {Grain.WEEK: date(2025, 9, 1), Grain.MONTH: date(2025, 9, 1)}[grain]
        period = Period(from_on=date(2025, 9, 3), to_on=date(2025, 10, 1))
        drawn = over_time(by_day(["10"], first), period=period, grain=grain)
        assert len(drawn.data[0].x) == steps
        assert drawn.data[0].y[0] == 10.0

    def test_nothing_says_so(self) -> None:
        assert said(over_time(by_day([]))) == sales.EMPTY


class TestChannels:
    def test_a_channel_keeps_its_color_whoever_else_is_shown(self) -> None:
        def colors(codes: list[str]) -> dict[str, str]:
            frame = pl.concat([by_day(["5"]).with_columns(channel_code=pl.lit(c)) for c in codes])
            drawn = sales.by_channel_over_time(
                frame, channels=CHANNELS, period=PERIOD, grain=Grain.DAY, currency="EUR"
            )
            return {bar.name: bar.marker.color for bar in drawn.data}

        few, many = colors(["c3", "c1"]), colors(list(CHANNELS)[:8])
        assert few == {name: many[name] for name in few}
        assert len(set(many.values())) == 8

    def test_more_channels_than_colors_are_all_drawn(self) -> None:
        frame = pl.concat(
            [by_day(["5"]).with_columns(channel_code=pl.lit(code)) for code in CHANNELS]
        )
        drawn = sales.by_channel_over_time(
            frame, channels=CHANNELS, period=PERIOD, grain=Grain.DAY, currency="EUR"
        )
        assert len(drawn.data) == 25

    def test_returns_hang_below_the_line(self) -> None:
        frame = by_day(["-5"]).with_columns(channel_code=pl.lit("c1"))
        drawn = sales.by_channel_over_time(
            frame, channels=CHANNELS, period=PERIOD, grain=Grain.DAY, currency="EUR"
        )
        assert drawn.layout.barmode == "relative"
        assert drawn.data[0].y[0] == -5.0

    def test_nothing_says_so(self) -> None:
        frame = by_day([]).with_columns(channel_code=pl.lit(""), channel_name=pl.lit(""))
        drawn = sales.channel_ranking(frame, channels=CHANNELS, currency="EUR")
        assert said(drawn) == sales.EMPTY


class TestRanking:
    def test_beyond_the_top_everything_is_one_bar_with_its_sum(self) -> None:
        drawn = sales.product_ranking(ranked(500), currency="EUR")
        before, now, beside = drawn.data
        assert len(now.y) == sales.RANKS_MAX + 1
        assert now.y[-1] == "488 others"
        assert sum(now.x) == sum(1000 - at for at in range(500))
        assert sum(before.x) == sum(900 + at for at in range(500))
        assert next(iter(beside.text)).strip() == "€1,000.00"

    def test_amounts_are_written_where_no_bar_lies(self) -> None:
        before, now, beside = sales.product_ranking(ranked(3), currency="EUR").data
        assert list(beside.x) == [max(pair) for pair in zip(now.x, before.x, strict=True)]

    def test_the_legend_has_both_periods(self) -> None:
        bars = sales.product_ranking(ranked(3), currency="EUR").data[:2]
        assert [(bar.name, bar.showlegend) for bar in bars] == [
            ("Period before", None), ("This period", True),
        ]  # fmt: skip

    def test_without_a_comparison_there_is_one_bar_each(self) -> None:
        drawn = sales.product_ranking(ranked(3).drop("compared_net_amount"), currency="EUR")
        assert len([trace for trace in drawn.data if trace.type == "bar"]) == 1

    def test_only_returns_can_be_drawn(self) -> None:
        frame = pl.DataFrame({"product": ["A"], "net_amount": amounts(["-7.5"])})
        drawn = sales.product_ranking(frame, currency="EUR")
        assert drawn.layout.xaxis.range[0] < -7.5

    def test_names_of_others_are_no_markup(self) -> None:
        frame = ranked(1).with_columns(title=pl.lit('<a href="javascript:x">y</a>'))
        drawn = sales.product_ranking(frame, currency="EUR")
        assert "<" not in drawn.data[1].y[0]

    def test_two_long_names_with_one_beginning_are_two_bars(self) -> None:
        same = "A very long name of a product that goes on"
        frame = ranked(2).with_columns(title=pl.Series([f"{same} one", f"{same} two"]))
        names = sales.product_ranking(frame, currency="EUR").data[1].y
        assert len(set(names)) == 2
        assert all(len(name) <= style.LABEL_CHARACTERS_MAX + 4 for name in names)


class TestCrossed:
    def test_groups_beyond_the_top_are_added_up(self) -> None:
        rows = pl.DataFrame(
            {
                "outer_value": [f"T{at}" for at in range(20)],
                "inner_value": ["Total"] * 20,
                "is_subtotal": [True] * 20,
                "at_c1": amounts(["2"] * 20),
                ALL_CHANNELS: amounts(["2"] * 20),
            }
        )
        crossed = Pivot(rows=rows, total={}, channels=(("c1", "Channel 1"),))
        drawn = sales.crossed(crossed, channels=CHANNELS, currency="EUR", title="Net sales")
        assert drawn.data[0].y[-1] == "8 others"
        assert drawn.data[0].x[-1] == 16.0

    def test_nothing_says_so(self) -> None:
        rows = pl.DataFrame(
            schema={"outer_value": pl.String, "inner_value": pl.String, "is_subtotal": pl.Boolean}
        )
        crossed = Pivot(rows=rows, total={}, channels=())
        drawn = sales.crossed(crossed, channels={}, currency="EUR", title="Net sales")
        assert said(drawn) == sales.EMPTY


class TestStock:
    def test_parts_of_a_location_add_up_to_what_is_there(self) -> None:
        frame = pl.DataFrame(
            {
                "location_code": [f"l{at}" for at in range(30)],
                "location_name": [f"Location {at}" for at in range(30)],
                "on_hand": [10] * 30,
                "unavailable": [1] * 30,
                "allocated": [2] * 30,
                "available_to_fulfill": [4] * 30,
            }
        )
        drawn = stock.by_location(frame)
        assert sum(sum(bar.x) for bar in drawn.data) == 300
        assert len(drawn.data[0].y) == stock.LOCATIONS_MAX + 1

    def test_nothing_says_so(self) -> None:
        empty = pl.DataFrame(schema={"location_code": pl.String, "on_hand": pl.Int64})
        assert said(stock.by_location(empty)) == stock.NO_STOCK
        cover = pl.DataFrame({"cover": ["Out of stock"], "products_count": [0], "on_hand": [0]})
        assert said(stock.by_cover(cover)) == stock.NO_STOCK
        assert said(stock.over_time(pl.DataFrame(schema={"stock_on": pl.Date}))) == stock.NO_STOCK


class TestFeeds:
    def test_only_outcomes_that_happened_are_in_the_legend(self) -> None:
        frame = pl.DataFrame(
            {
                "received_on": [PERIOD.from_on], "captured": [5], "updated": [0], "duplicate": [0],
                "stale": [0], "quarantined": [2], "failed": [0],
            }
        )  # fmt: skip
        assert [bar.name for bar in feeds.by_day(frame).data] == ["Captured", "Quarantined"]

    @pytest.mark.parametrize(("days", "marked"), [(1, True), (10, True), (11, False)])
    def test_few_days_are_marked_and_no_hours(self, days: int, *, marked: bool) -> None:
        on = [PERIOD.from_on + timedelta(days=at) for at in range(days)]
        frame = pl.DataFrame({
            "received_on": on,
            **{name: [1] * days for name in (
                "captured", "updated", "duplicate", "stale", "quarantined", "failed"
            )},
        })  # fmt: skip
        assert (feeds.by_day(frame).layout.xaxis.dtick is not None) == marked
        period = Period(from_on=PERIOD.from_on, to_on=PERIOD.from_on + timedelta(days=days))
        drawn = over_time(by_day(["10"] * days), period=period)
        assert (drawn.layout.xaxis.dtick == style.DAY_MILLISECONDS) == marked

    def test_few_documents_are_counted_one_by_one(self) -> None:
        few = pl.DataFrame({"code": ["MALFORMED", "VALIDATION"], "open_count": [1, 2]})
        many = pl.DataFrame({"code": ["MALFORMED"], "open_count": [5_000]})
        assert feeds.by_code(few).layout.xaxis.dtick == 1
        assert feeds.by_code(many).layout.xaxis.dtick is None

    def test_nothing_says_so(self) -> None:
        assert "Nothing came in" in said(feeds.by_day(pl.DataFrame()))
        codes = pl.DataFrame({"code": ["MALFORMED"], "open_count": [0]})
        assert "Nothing waits" in said(feeds.by_code(codes))


class TestFulfillment:
    def rows(self, *targets: str, **columns: list[int]) -> pl.DataFrame:
        names = {"from_location_name": ["Distribution center Leipzig"] * len(targets),
                 "to_location_name": list(targets)}  # fmt: skip
        return pl.DataFrame({**names, **columns})

    def test_two_routes_that_begin_alike_are_two_bars(self) -> None:
        frame = self.rows(
            "Hamburg", "<b>Wien", received_units=[5, 7], arrived_damaged_units=[0, 1],
            missing_units=[0, 0],
        )  # fmt: skip
        drawn = fulfillment.drawn(Subject.TRANSFERS, Group.ROUTE, frame)
        assert len(set(drawn.data[0].y)) == 2
        assert "<b>" not in "".join(drawn.data[0].y)
        assert [trace.name for trace in drawn.data] == ["Received", "Came damaged"]

    def test_what_took_days_is_drawn_in_days_and_told_exactly(self) -> None:
        frame = pl.DataFrame(
            {"carrier": ["post"], "transit_p50_seconds": [90_000], "transit_p90_seconds": [400_000]}
        )
        drawn = fulfillment.drawn(Subject.CARRIERS, Group.CARRIER, frame)
        assert drawn.layout.xaxis.title.text == "Days"
        assert [trace.customdata[0] for trace in drawn.data] == ["25 h 0 min", "4.6 days"]

    def test_units_flow_from_where_they_were_sold_to_where_they_are(self) -> None:
        names = {"channel_name": ["Web", "Web", "Tills"], "sold_location_name": ["Online"] * 2
                 + ["Wien"], "fulfilled_location_name": ["DC", "Wien", "Wien"],
                 "returned_location_name": ["Kept", "Wien", "Kept"]}  # fmt: skip
        drawn = fulfillment.flow(pl.DataFrame({**names, "flow_units": [5, 2, 1]}))
        (sankey,) = drawn.data
        ends = list(sankey.node.label)
        links = {
            (ends[source], ends[target], value)
            for source, target, value in zip(
                sankey.link.source, sankey.link.target, sankey.link.value, strict=True
            )
        }
        assert links == {
            ("Web", "DC", 5), ("Web", "Wien", 2), ("Wien", "Wien", 1), ("DC", "Kept", 5),
            ("Wien", "Wien", 2), ("Wien", "Kept", 1),
        }  # fmt: skip

    def test_beyond_the_largest_ends_are_the_others_and_no_unit_is_lost(self) -> None:
        many = [f"Store {at:02d}" for at in range(30)]
        frame = pl.DataFrame(
            {"channel_name": ["Web"] * 30, "sold_location_name": ["Online"] * 30,
             "fulfilled_location_name": many, "returned_location_name": ["Kept"] * 30,
             "flow_units": list(range(1, 31))}
        )  # fmt: skip
        (sankey,) = fulfillment.flow(frame).data
        assert len(sankey.node.label) == 1 + (fulfillment.ENDS_MAX + 1) + 1
        assert sum(sankey.link.value) == 2 * sum(range(1, 31))

    @pytest.mark.parametrize("subject", Subject)
    def test_nothing_is_said_in_words(self, subject: Subject) -> None:
        group = subject.groups[0]
        measured = [name for name in COLUMNS if name.endswith(("_units", "_count", "_seconds"))]
        schema = dict.fromkeys(group.columns, pl.String) | dict.fromkeys(measured, pl.Int64)
        frame = pl.DataFrame(schema=schema)
        assert said(fulfillment.drawn(subject, group, frame))
