"""Available to sell: what a channel may sell now, and why.

ATS = max(0, Σ ATF over the enabled locations of the channel's network - what is queued for the
channel - the channel's threshold), 0 for a product that may not be sold. ATF is the SQL
function available_to_fulfill, the same that allocation uses.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import text

from oms.ledger.database import Tx
from oms.stock.model import ChannelStock

_ATS: Final = text("""
    select
        p.sku, c.channel_code, c.threshold,
        coalesce(s.quantity, 0) as available_to_fulfill,
        coalesce(q.quantity, 0) as queued,
        case when p.is_sellable then
            greatest(0, coalesce(s.quantity, 0) - coalesce(q.quantity, 0) - c.threshold)
        else 0 end as available_to_sell
    from products p
    cross join channels c
    left join lateral (
        select sum(available_to_fulfill(l.on_hand, l.unavailable, l.allocated,
            coalesce(h.quantity, 0)::bigint, l.safety_stock)) as quantity
        from stock_levels l
        join channel_locations n on n.location_id = l.location_id and n.channel_id = c.channel_id
        join locations x on x.location_id = l.location_id and x.is_enabled
        left join lateral (
            select sum(r.quantity) as quantity from reservations r
            where r.product_id = l.product_id and r.location_id = l.location_id
              and r.kind = 'hold' and r.state = 'active' and r.expires_at > :at
        ) h on true
        where l.product_id = p.product_id
    ) s on true
    left join lateral (
        select sum(r.quantity) as quantity from reservations r
        where r.product_id = p.product_id and r.channel_id = c.channel_id and r.state = 'queued'
    ) q on true
    where p.sku = any (cast(:skus as text[]))
      and c.is_enabled
      and (cast(:channels as text[]) is null or c.channel_code = any (cast(:channels as text[])))
    order by p.sku, c.channel_code
""")


def available_to_sell(
    tx: Tx, skus: Sequence[str], *, channel_codes: Sequence[str] | None, at: datetime
) -> list[ChannelStock]:
    """Return what each channel may sell of each SKU now; None asks for every channel."""
    channels = None if channel_codes is None else list(channel_codes)
    rows = tx.execute(_ATS, {"skus": list(skus), "channels": channels, "at": at})
    return [
        ChannelStock(
            sku=row.sku, channel_code=row.channel_code, threshold=row.threshold,
            available_to_fulfill=int(row.available_to_fulfill), queued=int(row.queued),
            available_to_sell=int(row.available_to_sell),
        )
        for row in rows
    ]  # fmt: skip
