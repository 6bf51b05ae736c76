"""Questions about what comes in: how fresh, how much, and what could not be taken."""

from collections.abc import Iterator
from typing import Any, Final

import polars as pl

from oms.reports.model import Filters
from oms.reports.published import Publication

QUARANTINE_ROWS_MAX: Final = 1_000
OUTCOMES: Final = ("captured", "updated", "duplicate", "stale", "quarantined", "failed")

_TOTALS: Final = """
    select coalesce(sum(payloads_count), 0)::bigint as payloads_count,
        coalesce(sum(documents_count), 0)::bigint as documents_count,
        coalesce(sum(captured_count), 0)::bigint as captured_count,
        coalesce(sum(quarantined_count), 0)::bigint as quarantined_count,
        coalesce(sum(failed_count), 0)::bigint as failed_count
    from feeds_daily
    where received_on >= $from_on and received_on < $to_on
        and (len($channels::varchar[]) = 0
            or channel_code in (select unnest($channels::varchar[])))
"""
_LAST_RECEIVED: Final = """
    select max(last_received_at) as last_received_at
    from feeds_daily
    where len($channels::varchar[]) = 0 or channel_code in (select unnest($channels::varchar[]))
"""
_SPAN: Final = """
    select min(received_on) as first_on, max(received_on) as last_on from feeds_daily
"""
# Every feed ever seen, also one that has been silent for the whole period.
_BY_FEED: Final = """
    select feeds.channel_code, any_value(channels.channel_name) as channel_name,
        feeds.transport, feeds.topic,
        max(feeds.last_received_at) as last_received_at,
        date_diff('second', max(feeds.last_received_at), $as_of::timestamptz)::bigint
            as lag_seconds,
        coalesce(sum(payloads_count) filter (in_period), 0)::bigint as payloads_count,
        coalesce(sum(documents_count) filter (in_period), 0)::bigint as documents_count,
        coalesce(sum(captured_count) filter (in_period), 0)::bigint as captured_count,
        coalesce(sum(updated_count) filter (in_period), 0)::bigint as updated_count,
        coalesce(sum(duplicate_count) filter (in_period), 0)::bigint as duplicate_count,
        coalesce(sum(stale_count) filter (in_period), 0)::bigint as stale_count,
        coalesce(sum(quarantined_count) filter (in_period), 0)::bigint as quarantined_count,
        coalesce(sum(failed_count) filter (in_period), 0)::bigint as failed_count,
        coalesce(sum(size_bytes) filter (in_period), 0)::bigint as size_bytes
    from (
        select *, received_on >= $from_on and received_on < $to_on as in_period from feeds_daily
    ) as feeds
    left join dim_channels as channels on channels.channel_code = feeds.channel_code
    where len($channels::varchar[]) = 0
        or feeds.channel_code in (select unnest($channels::varchar[]))
    group by feeds.channel_code, feeds.transport, feeds.topic
    order by last_received_at desc, feeds.channel_code, feeds.transport, feeds.topic
"""
_BY_DAY: Final = """
    select received_on, sum(captured_count)::bigint as captured,
        sum(updated_count)::bigint as updated, sum(duplicate_count)::bigint as duplicate,
        sum(stale_count)::bigint as stale, sum(quarantined_count)::bigint as quarantined,
        sum(failed_count)::bigint as failed
    from feeds_daily
    where received_on >= $from_on and received_on < $to_on
        and (len($channels::varchar[]) = 0
            or channel_code in (select unnest($channels::varchar[])))
    group by received_on
    order by received_on
"""
_QUARANTINE_CODES: Final = """
    select code, count(*) as documents_count,
        count(*) filter (state = 'open') as open_count,
        min(first_seen_at) filter (state = 'open') as oldest_at
    from quarantine_items
    where len($channels::varchar[]) = 0 or channel_code in (select unnest($channels::varchar[]))
    group by code
    order by open_count desc, documents_count desc, code
"""
_QUARANTINE: Final = """
    select items.quarantine_id, items.channel_code, channels.channel_name, items.topic,
        items.file_name, items.line, items.position, items.external_ref, items.code, items.field,
        items.detail, items.problems_count, items.state, items.attempts, items.first_seen_at,
        items.resolved_at, count(*) over () as found_count
    from quarantine_items as items
    left join dim_channels as channels on channels.channel_code = items.channel_code
    where ($state = 'all' or items.state = $state)
        and (len($codes::varchar[]) = 0 or items.code in (select unnest($codes::varchar[])))
        and (len($channels::varchar[]) = 0
            or items.channel_code in (select unnest($channels::varchar[])))
    order by items.first_seen_at desc, items.quarantine_id desc
    limit $rows_max
"""
_OPEN: Final = """
    select count(*) as open_count from quarantine_items where state = 'open'
"""


def totals(publication: Publication, filters: Filters) -> dict[str, Any]:
    """Add up what came in during the period."""
    return publication.ask(_TOTALS, filters.parameters()).row(0, named=True)


def lag_seconds(publication: Publication, filters: Filters) -> int | None:
    """Return how long before the publication the newest payload came; nothing if none ever did."""
    received_at = publication.ask(_LAST_RECEIVED, filters.parameters()).item()
    if received_at is None:
        return None
    return int((publication.stamp.published_at - received_at).total_seconds())


def span(publication: Publication) -> tuple[Any, Any]:
    """Return the first and the last day anything came in."""
    row = publication.ask(_SPAN).row(0)
    return row[0], row[1]


def by_feed(publication: Publication, filters: Filters) -> pl.DataFrame:
    """List feeds by channel, the freshest first, with their lag behind the publication."""
    asked = filters.parameters(as_of=publication.stamp.published_at)
    return publication.ask(_BY_FEED, asked)


def by_day(publication: Publication, filters: Filters) -> pl.DataFrame:
    """Count documents by day and by what became of them."""
    return publication.ask(_BY_DAY, filters.parameters())


def quarantine_by_code(publication: Publication, filters: Filters) -> pl.DataFrame:
    """Count quarantined documents by what is wrong with them."""
    return publication.ask(_QUARANTINE_CODES, filters.parameters())


def quarantine(
    publication: Publication,
    filters: Filters,
    *,
    state: str = "open",
    codes: tuple[str, ...] = (),
    rows_max: int = QUARANTINE_ROWS_MAX,
) -> pl.DataFrame:
    """List quarantined documents, the newest first, with line, field and reason."""
    asked = filters.parameters(state=state, codes=list(codes), rows_max=rows_max)
    return publication.ask(_QUARANTINE, asked)


def quarantine_batches(
    publication: Publication, filters: Filters, state: str, codes: tuple[str, ...]
) -> Iterator[pl.DataFrame]:
    """List all quarantined documents of a state, slice by slice."""
    asked = filters.parameters(state=state, codes=list(codes), rows_max=2**62)
    yield from publication.batches(_QUARANTINE, asked)


def open_count(publication: Publication) -> int:
    """Count documents that wait in quarantine and are in no number."""
    return int(publication.ask(_OPEN).item())
