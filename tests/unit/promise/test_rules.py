"""Promises as arithmetic: distances, bands, cut-offs and days that are worked."""

from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from oms.locations.hours import Week
from oms.promise.model import Destination, Gathering, Handling, Place, Promise, StockStatus
from oms.promise.rules import answer_of, line_at, promise_of, ready_by, status_of

WEEK: Week = {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat")}


def at(text: str) -> datetime:
    """Return an instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def a_place(
    code: str = "DC", *, week: Week = WEEK, country: str = "NL",
    handled: dict[str, Any] | None = None, **has: int,
) -> Place:  # fmt: skip
    """Return a place in Amsterdam's time zone, with what it has."""
    handling = {
        "cut_off": time(17), "lead_time_hours": 0, "shipping_buffer": 0, "node_cost_minor": 250,
        "transit_days": 1, "transit_days_abroad": 3, "collect_lead_minutes": 120,
        **(handled or {}),
    }  # fmt: skip
    return Place(
        location_code=code, name=code, street=None, postcode=None, city=None,
        country_code=country, latitude=52.37, longitude=4.9, time_zone="Europe/Amsterdam",
        opening_hours=week, handling=Handling(**handling), available=has,
    )  # fmt: skip


def promised(
    *sources: Place, moment: str, left: int = 99, gathering: Gathering | None = None, **wanted: int
) -> Promise:
    """Return what may be promised to somebody in the Netherlands."""
    return promise_of(
        wanted, available=dict.fromkeys(wanted, left), sources=sources, stores=[],
        to=Destination(country_code="NL"), at=at(moment), gathering=gathering,
    )  # fmt: skip


class TestShown:
    def test_status_is_by_what_would_be_left(self) -> None:
        assert [status_of(units, 2) for units in (1, 2, 3, 4)] == [
            StockStatus.OUT, StockStatus.LOW, StockStatus.LOW, StockStatus.IN_STOCK,
        ]  # fmt: skip

    def test_a_band_is_never_more_than_there_is(self) -> None:
        for units in range(30):
            assert (line_at("PEN", 1, units, shown="banded").at_least or 0) <= units


class TestReady:
    def test_is_rounded_up_and_never_down(self) -> None:
        assert ready_by(a_place(), at("2026-01-05 10:01")) == at("2026-01-05 12:15")
        assert ready_by(a_place(), at("2026-01-05 10:00")) == at("2026-01-05 12:00")
        assert ready_by(a_place(), at("2026-01-05 16:00")) == at("2026-01-06 09:00")


class TestShipping:
    @pytest.mark.parametrize(
        ("moment", "ships_on", "arrives_on"),
        [
            ("2026-01-05 15:59", date(2026, 1, 5), date(2026, 1, 6)),
            ("2026-01-05 16:00", date(2026, 1, 6), date(2026, 1, 7)),
            ("2026-01-09 12:00", date(2026, 1, 9), date(2026, 1, 12)),
            ("2026-01-10 16:00", date(2026, 1, 12), date(2026, 1, 13)),
            ("2026-07-06 15:00", date(2026, 7, 7), date(2026, 7, 8)),
        ],
    )
    def test_leaves_by_the_cut_off_of_the_place(
        self, moment: str, ships_on: date, arrives_on: date
    ) -> None:
        (found,) = promised(a_place(PEN=1), moment=moment, PEN=1).shipments
        assert (found.ships_on, found.arrives_on) == (ships_on, arrives_on)
        assert found.cut_off_at > at(moment)

    def test_takes_the_best_places_first_and_all_or_nothing(self) -> None:
        places = a_place("DC", PEN=2), a_place("AMS", PEN=5, INK=1)
        found = promised(*places, moment="2026-01-05 10:00", PEN=3, INK=1)
        assert [(each.location_code, each.quantities) for each in found.shipments] == [
            ("DC", {"PEN": 2}), ("AMS", {"PEN": 1, "INK": 1}),
        ]  # fmt: skip
        assert promised(*places, moment="2026-01-05 10:00", PEN=8).shipments == ()
        assert promised(*places, moment="2026-01-05 10:00", left=2, PEN=3).shipments == ()

    def test_takes_longer_from_abroad(self) -> None:
        (found,) = promised(
            a_place(country="DE", PEN=1), moment="2026-01-05 10:00", PEN=1
        ).shipments
        assert (found.transit_days, found.arrives_on) == (3, date(2026, 1, 8))

    def test_of_a_place_without_hours_leaves_on_working_days(self) -> None:
        (found,) = promised(a_place(week={}, PEN=1), moment="2026-01-10 10:00", PEN=1).shipments
        assert found.ships_on == date(2026, 1, 12)

    def test_expires_before_the_cut_off_it_counts_on(self) -> None:
        found = promised(a_place(PEN=1), moment="2026-01-05 15:55", PEN=1)
        assert found.expires_at == at("2026-01-05 16:00")
        assert promised(moment="2026-01-05 15:55", PEN=1).expires_at == at("2026-01-05 16:10")

    @pytest.mark.parametrize(
        ("handled", "moment", "ships_on", "cut_off"),
        [
            # Without a cut-off what is asked for until it closes is of that day.
            ({"cut_off": None}, "2026-01-05 16:59", date(2026, 1, 5), "2026-01-05 17:00"),
            ({"cut_off": None}, "2026-01-05 17:00", date(2026, 1, 6), "2026-01-06 17:00"),
            ({"lead_time_hours": 24}, "2026-01-05 10:00", date(2026, 1, 6), "2026-01-05 16:00"),
            ({"lead_time_hours": 24}, "2026-01-05 16:30", date(2026, 1, 7), "2026-01-06 16:00"),
            # A Saturday's work is ready on a day nobody is there.
            ({"lead_time_hours": 24}, "2026-01-10 10:00", date(2026, 1, 12), "2026-01-10 16:00"),
        ],
    )
    def test_goes_by_the_settings_of_the_place(
        self, handled: dict[str, Any], moment: str, ships_on: date, cut_off: str
    ) -> None:
        (found,) = promised(a_place(handled=handled, PEN=1), moment=moment, PEN=1).shipments
        assert (found.ships_on, found.cut_off_at) == (ships_on, at(cut_off))

    def test_does_not_leave_on_a_holiday(self) -> None:
        week = {**WEEK, "2026-01-06": []}
        (found,) = promised(a_place(week=week, PEN=1), moment="2026-01-05 16:00", PEN=1).shipments
        assert found.ships_on == date(2026, 1, 7)
        closed = a_place(week={"2020-01-01": [["09:00", "18:00"]]}, PEN=1)
        assert promised(closed, moment="2026-01-05 16:00", PEN=1).shipments == ()

    def test_keeps_what_a_place_does_not_send_away(self) -> None:
        places = a_place("DC", handled={"shipping_buffer": 2}, PEN=3), a_place("AMS", PEN=5)
        found = promised(*places, moment="2026-01-05 10:00", PEN=3)
        assert [(each.location_code, each.quantities) for each in found.shipments] == [
            ("DC", {"PEN": 1}), ("AMS", {"PEN": 2}),
        ]  # fmt: skip
        assert sum(each.cost_minor for each in found.shipments) == 500


class TestTransfer:
    """What a store lacks is sent there: ready once it has come and the store is open."""

    def test_is_ready_some_hours_after_the_store_opens_on_the_day_it_comes(self) -> None:
        store, dc = a_place("AMS", PEN=1), a_place("DC", PEN=9)
        found = answer_of(
            store, {"PEN": 3}, near=None, shown="exact", sources=[store, dc],
            at=at("2026-01-09 12:00"),
        )  # fmt: skip
        assert (found.can_serve_all, found.ready_by) == (False, None)
        assert [each.quantities for each in found.transfers] == [{"PEN": 2}]
        # It leaves on Friday and comes on Monday; the store opens at nine.
        assert found.by_transfer_at == at("2026-01-12 10:00")
        assert found.cost_minor == 500

    def test_is_none_where_nobody_has_it_or_the_store_has_all(self) -> None:
        moment = at("2026-01-05 10:00")
        for has, wanted in ((1, 9), (3, 3)):
            store, dc = a_place("AMS", PEN=has), a_place("DC", PEN=2)
            found = answer_of(
                store, {"PEN": wanted}, near=None, shown="exact", sources=[store, dc], at=moment
            )
            assert (found.transfers, found.by_transfer_at) == ((), None)


class TestGathering:
    """A pen and ink lie apart: AMS has the pen, UTR the ink, and DC is where both are gathered."""

    AT_DC = Gathering(at=("GONE", "DC"), parts_min=2)

    def sources(self, **hub: Any) -> list[Place]:
        handled = {"lead_time_hours": 30, "node_cost_minor": 100, **hub}
        return [
            a_place("AMS", PEN=1), a_place("UTR", INK=1, handled={"transit_days": 2}),
            a_place("DC", handled=handled),
        ]  # fmt: skip

    def test_leaves_its_hub_once_the_last_has_come_and_was_handled(self) -> None:
        (sent,) = promised(
            *self.sources(), moment="2026-01-05 10:00", gathering=self.AT_DC, PEN=1, INK=1
        ).shipments
        # Monday's ink is there on Wednesday, is handled within 30 hours, and leaves on Thursday.
        assert (sent.location_code, sent.quantities) == ("DC", {"PEN": 1, "INK": 1})
        assert (sent.ships_on, sent.arrives_on) == (date(2026, 1, 8), date(2026, 1, 9))
        assert [(each.location_code, each.arrives_on) for each in sent.gathers] == [
            ("AMS", date(2026, 1, 6)), ("UTR", date(2026, 1, 7)),
        ]  # fmt: skip
        assert sent.cost_minor == 600

    def test_expires_before_the_first_cut_off_of_who_sends_to_it(self) -> None:
        found = promised(
            *self.sources(), moment="2026-01-05 15:50", gathering=self.AT_DC, PEN=1, INK=1
        )
        assert found.expires_at == at("2026-01-05 16:00")

    def test_what_the_hub_has_itself_is_not_sent_to_it(self) -> None:
        _, second, _ = self.sources()
        has_pen = a_place("DC", PEN=1)
        (sent,) = promised(
            second, has_pen, moment="2026-01-05 10:00", gathering=self.AT_DC, PEN=1, INK=1
        ).shipments
        assert [each.location_code for each in sent.gathers] == ["UTR"]

    @pytest.mark.parametrize(
        ("gathering", "wanted"),
        [
            (None, {"PEN": 1, "INK": 1}),
            (Gathering(at=("DC",), parts_min=3), {"PEN": 1, "INK": 1}),
            (Gathering(at=("GONE",), parts_min=2), {"PEN": 1, "INK": 1}),
            (Gathering(at=("AMS",), parts_min=1), {"PEN": 1}),
        ],
    )
    def test_else_each_part_leaves_by_itself(
        self, gathering: Gathering | None, wanted: dict[str, int]
    ) -> None:
        found = promised(
            *self.sources(), moment="2026-01-05 10:00", gathering=gathering, **wanted
        ).shipments
        assert [each.location_code for each in found] == ["AMS", "UTR"][: len(wanted)]
        assert not any(each.gathers for each in found)
