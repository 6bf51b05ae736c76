with

source as (
    select * from {{ source('ledger', 'loads') }}
),

final as (
    select
        batch,
        watermark_from,
        watermark_upto,
        loaded_at,
        "rows" as rows_count,
        orders_count
    from source
)

select * from final
