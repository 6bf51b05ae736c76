with

source as (
    select * from {{ source('ledger', 'return_decisions') }}
),

final as (
    select
        return_id,
        line_no,
        act,
        verdict,
        quantity,
        told_before,
        goods_net_minor,
        goods_tax_minor,
        shipping_net_minor,
        shipping_tax_minor,
        fee_minor,
        decided_at,
        _batch as batch
    from source
)

select * from final
