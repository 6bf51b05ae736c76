"""What orders are by their stories alone, beside what the tables say of them."""

from collections import defaultdict
from dataclasses import astuple
from typing import Any, Final

from sqlalchemy import text

from oms.ledger.database import Tx
from oms.orders import history, queries

_TABLES: Final = text("""
    select o.order_id, 'order' as kind, '' as name,
        jsonb_build_array(o.order_state, o.fulfillment_state, o.is_on_hold, to_jsonb(o.tags))
            as value
    from orders o
    union all
    select order_id, 'note', note_id::text,
        jsonb_build_array(version, is_pinned, redacted_at is not null)
    from notes where order_id is not null
    union all
    select order_id, 'line', line_no::text,
        jsonb_build_array(quantity, canceled, shipped, returned, backordered)
    from order_lines
    union all
    select f.order_id, 'work', f.fulfillment_number, jsonb_build_array(
        f.state, x.location_code, jsonb_object_agg(
            l.line_no, jsonb_build_array(l.quantity, l.picked, l.done, l.removed)))
    from fulfillment_orders f
    join fulfillment_lines l using (fulfillment_id)
    join locations x using (location_id)
    group by f.fulfillment_id, x.location_code
    union all
    select order_id, 'return', return_number, to_jsonb(state) from returns
    union all
    select order_id, 'case', tool || ' ' || case_id, to_jsonb(state) from order_cases
""")
Found = dict[tuple[str, str], Any]


def folded(standing: history.Standing) -> Found:
    """Return what a story comes to, as the tables would say it."""
    states = [
        standing.order_state, standing.fulfillment_state, standing.is_on_hold,
        sorted(standing.tags),
    ]  # fmt: skip
    return {
        ("order", ""): states,
        **{("line", str(no)): list(astuple(line)) for no, line in standing.lines.items()},
        **{("note", str(no)): list(astuple(note)) for no, note in standing.notes.items()},
        **{
            ("work", number): [
                work.state, work.location_code,
                {str(no): list(counted) for no, counted in work.lines.items()},
            ]
            for number, work in standing.work.items()
        },
        **{("return", number): state for number, state in standing.returns.items()},
        **{("case", " ".join(which)): state for which, state in standing.cases.items()},
    }  # fmt: skip


def forgotten(tx: Tx) -> dict[str, list[Any]]:
    """Return the orders of which the tables say something else than their stories."""
    known: dict[int, Found] = defaultdict(dict)
    for row in tx.execute(_TABLES):
        known[row.order_id][row.kind, row.name] = row.value
    found = []
    for order_id, story in queries.stories(tx, list(known)).items():
        told = folded(history.fold(story))
        for part in told.keys() | known[order_id].keys():
            if told.get(part) != known[order_id].get(part):
                kinds = [each.type for each in story]
                found.append((order_id, part, told.get(part), known[order_id].get(part), kinds))
    return {"an order is the fold of its story": found} if found else {}
