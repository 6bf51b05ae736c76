"""What follows of a retailer's sales in SQL: returns, taxes, and what services settled."""

from typing import Final

_CAME_BACK: Final = """
    insert into fct_returns by name
    select row_number() over (order by order_id, line_no) as return_id, line_no,
        'RMA' || order_id as return_number, order_id, order_number, channel_code, sku,
        products.product_type, ['dc-leipzig', 'store-berlin', 'store-rotterdam'][order_id % 3 + 1]
            as location_code,
        ['customer', 'store'][order_id % 2 + 1] as return_kind,
        case when order_id % 9 = 0 then 'received' else 'completed' end as return_state,
        ['too_small', 'defective', 'gift', 'late'][order_id % 4 + 1] as reason,
        ['refund', 'refund', 'exchange'][order_id % 3 + 1] as resolution,
        -quantity as expected_units, -quantity as received_units, 0 as missing_units,
        case when order_id % 9 = 0 then 0 else -quantity end as accepted_units,
        0 as rejected_units, 0 as told_before_units, currency,
        cast(-net_amount * 100 as bigint) as goods_net_minor,
        cast(-tax_amount * 100 as bigint) as goods_tax_minor, 0 as shipping_minor, 0 as fee_minor,
        event_on as asked_on,
        case when order_id % 9 > 0 and order_id % 3 < 2 then 3600 * (20 + order_id % 400) end
            as refund_seconds,
        is_test
    from fct_order_lines as lines
    left join (select distinct sku as of, product_type from dim_products where is_current)
        as products on products.of = lines.sku
    where event_kind = 'return'
"""
_LOOKED_AT: Final = """
    insert into fct_return_units by name
    select return_id as row_id, 0 as units_before, return_id, return_number, line_no, order_number,
        channel_code, location_code, sku, product_type, return_kind, reason, resolution,
        ['A', 'A', 'B', 'D'][return_id % 4 + 1] as condition,
        ['restock', 'restock', 'outlet', 'scrap'][return_id % 4 + 1] as disposition,
        received_units as units, asked_on as inspected_on, 7200 as inspect_seconds, is_test
    from fct_returns where return_state = 'completed'
"""
# What a document has is nine tenths goods and one tenth shipping, and is taxed where it goes.
_TAXED: Final = """
    insert into fct_document_lines by name
    select document_id, line_no, document_type, order_id, order_number, channel_code,
        case line_no when 0 then 'shipping' else 'goods' end as line_kind, 'DE' as seller_code,
        ['DE', 'DE', 'NL', 'FR'][order_id % 4 + 1] as destination_code,
        case when order_id % 4 < 2 then 'domestic' else 'one_stop_shop' end as tax_scheme,
        [0.19, 0.07, 0.21, 0.055][order_id % 4 + 1] as tax_rate, issued_on, currency,
        case line_no when 0 then round(net_amount / 10, 2)
            else net_amount - round(net_amount / 10, 2) end as net_amount,
        case line_no when 0 then 0 else tax_amount end as tax_amount,
        case line_no when 0 then round(net_amount / 10, 2)
            else total_amount - round(net_amount / 10, 2) end as total_amount, billed_sign
    from fct_documents cross join (values (0), (1)) as lines(line_no)
"""
_SETTLED: Final = """
    insert into fct_settlements by name
    select order_id as report_id, row_number() over (order by transaction_id) as row_no,
        'S1' as report_number, 'sandbox' as service, transaction_type as row_type,
        case when order_id % 90 = 1 then 'amount_differs' else 'matched' end as finding,
        order_id % 90 <> 1 as is_agreed, transaction_id, order_number,
        case when order_id % 50 > 0 then channel_code end as channel_code, currency,
        cash_amount as amount, currency as net_currency,
        case when cash_amount > 0 then round(cash_amount / 50, 2) else 0 end as fee_amount,
        occurred_on as settled_on,
        case when cash_amount > 0 then 86400 * (1 + order_id % 3) end as payout_seconds, is_test
    from fct_payments
"""
_DIFFER: Final = """
    insert into fct_settlement_differences by name
    select row_no as difference_id, service, report_number, row_no, finding, order_number,
        channel_code, currency, amount as ours_amount, currency as ours_currency,
        amount + 0.03 as theirs_amount, 0.03 as differs_amount, settled_on as found_on,
        case when row_no % 3 = 0 then 'resolved' else 'open' end as difference_state,
        case when row_no % 3 = 0 then 7200 end as open_seconds
    from fct_settlements where not is_agreed
"""
AFTER: Final = (_TAXED, _SETTLED, _DIFFER, _CAME_BACK, _LOOKED_AT)
