"""Questions about stock: what is where, what can be shipped, and how long it lasts."""

from typing import Any, Final

import polars as pl

from oms.reports.model import Filters
from oms.reports.published import Publication

# Upper ends of the bands stock cover is counted in, in days.
COVER_BANDS: Final = (
    ("Out of stock", 0),
    ("Under 1 week", 7),
    ("1 to 2 weeks", 14),
    ("2 to 4 weeks", 28),
    ("4 to 8 weeks", 56),
    ("8 to 13 weeks", 91),
    ("Over 13 weeks", None),
)
NOT_SELLING: Final = "Not selling"

# With locations chosen a product counts by its levels there; queued demand and the pace of sales
# belong to no location and stay those of the whole network.
_SCOPE: Final = """
    with levels as (
        select product_id, sum(on_hand)::bigint as on_hand,
            sum(unavailable)::bigint as unavailable, sum(allocated)::bigint as allocated,
            sum(available_to_fulfill)::bigint as available_to_fulfill,
            count(*) as locations_count, count(*) filter (is_oversold) as oversold_count
        from fct_stock_levels
        where len($locations::varchar[]) = 0
            or location_code in (select unnest($locations::varchar[]))
        group by product_id
    ),
    scope as (
        select stock.sku, stock.product_id, stock.title,
            coalesce(stock.product_type, '(none)') as product_type,
            coalesce(stock.category, '(none)') as category,
            coalesce(stock.brand, '(none)') as brand,
            coalesce(levels.on_hand, 0) as on_hand,
            coalesce(levels.unavailable, 0) as unavailable,
            coalesce(levels.allocated, 0) as allocated,
            stock.queued,
            coalesce(levels.available_to_fulfill, 0) as available_to_fulfill,
            coalesce(levels.locations_count, 0) as locations_count,
            coalesce(levels.oversold_count, 0) as oversold_count,
            stock.units_sold_28d,
            case when len($locations::varchar[]) = 0 then cast(stock.cover_days as double)
                else round(coalesce(levels.on_hand, 0) * 28.0
                    / nullif(greatest(stock.units_sold_28d, 0), 0), 1) end as cover_days
        from stock_by_product as stock
        left join levels on levels.product_id = stock.product_id
        where (len($skus::varchar[]) = 0 or stock.sku in (select unnest($skus::varchar[])))
            and (len($product_types::varchar[]) = 0 or coalesce(stock.product_type, '(none)')
                in (select unnest($product_types::varchar[])))
            and (len($categories::varchar[]) = 0 or coalesce(stock.category, '(none)')
                in (select unnest($categories::varchar[])))
            and (len($brands::varchar[]) = 0 or coalesce(stock.brand, '(none)')
                in (select unnest($brands::varchar[])))
            and (len($locations::varchar[]) = 0 or levels.product_id is not null)
    )
"""
_TOTALS: Final = """
    select count(*) as products_count, coalesce(sum(on_hand), 0)::bigint as on_hand,
        coalesce(sum(unavailable), 0)::bigint as unavailable,
        coalesce(sum(allocated), 0)::bigint as allocated,
        coalesce(sum(queued), 0)::bigint as queued,
        coalesce(sum(available_to_fulfill), 0)::bigint as available_to_fulfill,
        coalesce(sum(units_sold_28d), 0)::bigint as units_sold_28d,
        coalesce(sum(oversold_count), 0)::bigint as oversold_count,
        count(*) filter (available_to_fulfill <= 0) as out_of_stock_count,
        round(sum(on_hand) * 28.0 / nullif(greatest(sum(units_sold_28d), 0), 0), 1) as cover_days
    from scope
"""
_BY_PRODUCT: Final = """
    select sku, title, product_type, category, brand, on_hand, unavailable, allocated, queued,
        available_to_fulfill, locations_count, units_sold_28d, cover_days
    from scope
    order by available_to_fulfill > 0, cover_days nulls last, sku
"""
_BY_LOCATION: Final = """
    select levels.location_code, any_value(locations.location_name) as location_name,
        any_value(locations.location_kind) as location_kind,
        count(*) filter (levels.on_hand > 0) as products_count,
        sum(levels.on_hand)::bigint as on_hand,
        sum(levels.unavailable)::bigint as unavailable,
        sum(levels.allocated)::bigint as allocated,
        sum(levels.available_to_fulfill)::bigint as available_to_fulfill
    from fct_stock_levels as levels
    inner join scope on scope.product_id = levels.product_id
    left join dim_locations as locations on locations.location_code = levels.location_code
    where len($locations::varchar[]) = 0
        or levels.location_code in (select unnest($locations::varchar[]))
    group by levels.location_code
    order by on_hand desc, levels.location_code
"""
_COVER: Final = """
    select
        case when on_hand <= 0 then 0 when cover_days is null then 99
            when cover_days < 7 then 1 when cover_days < 14 then 2 when cover_days < 28 then 3
            when cover_days < 56 then 4 when cover_days < 91 then 5 else 6 end as band,
        count(*) as products_count, sum(on_hand)::bigint as on_hand
    from scope
    group by band
    order by band
"""
# Backwards from what is there now, so that it ends where the levels are.
_BY_DAY: Final = """,
    moves as (
        select moves.occurred_on as stock_on, sum(moves.on_hand_delta)::bigint as delta,
            sum(greatest(moves.on_hand_delta, 0))::bigint as received_units,
            sum(least(moves.on_hand_delta, 0))::bigint as shipped_units
        from fct_stock_movements as moves
        inner join scope on scope.product_id = moves.product_id
        where moves.occurred_on >= $from_on and (len($locations::varchar[]) = 0
            or moves.location_code in (select unnest($locations::varchar[])))
        group by moves.occurred_on
    ),
    days as (
        select cast(day as date) as stock_on
        from generate_series($from_on::date, $to_on::date - 1, interval 1 day) as series(day)
    ),
    later as (
        select days.stock_on, coalesce(moves.received_units, 0) as received_units,
            coalesce(moves.shipped_units, 0) as shipped_units,
            (select coalesce(sum(after.delta), 0) from moves as after
                where after.stock_on > days.stock_on) as later_delta
        from days
        left join moves on moves.stock_on = days.stock_on
    )
    select stock_on, received_units, shipped_units,
        ((select coalesce(sum(on_hand), 0) from scope) - later_delta)::bigint as on_hand
    from later
    order by stock_on
"""


def totals(publication: Publication, filters: Filters) -> dict[str, Any]:
    """Add up what is there now."""
    return publication.ask(_SCOPE + _TOTALS, filters.parameters()).row(0, named=True)


def by_product(publication: Publication, filters: Filters) -> pl.DataFrame:
    """List products, the shortest cover first."""
    return publication.ask(_SCOPE + _BY_PRODUCT, filters.parameters())


def by_location(publication: Publication, filters: Filters) -> pl.DataFrame:
    """Add up by location, the fullest first."""
    return publication.ask(_SCOPE + _BY_LOCATION, filters.parameters())


def by_cover(publication: Publication, filters: Filters) -> pl.DataFrame:
    """Count products and units by how long they last."""
    names = [name for name, _ in COVER_BANDS]
    bands = pl.DataFrame({"band": [*range(len(names)), 99], "cover": [*names, NOT_SELLING]})
    counted = publication.ask(_SCOPE + _COVER, filters.parameters())
    joined = bands.join(counted.cast({"band": pl.Int64}), on="band", how="left").sort("band")
    return joined.drop("band").with_columns(pl.col("products_count", "on_hand").fill_null(0))


def by_day(publication: Publication, filters: Filters) -> pl.DataFrame:
    """Return what was on hand at the end of each day, and what came and went."""
    return publication.ask(_SCOPE + _BY_DAY, filters.parameters())
