with

source as (
    select * from {{ source('ledger', 'line_events') }}
),

final as (
    select
        order_id,
        line_no,
        kind as event_kind,
        change_ref,
        quantity,
        discount_net_minor,
        net_minor,
        tax_minor,
        occurred_at,
        occurred_on,
        location_id,
        reason,
        _batch as batch
    from source
)

select * from final
