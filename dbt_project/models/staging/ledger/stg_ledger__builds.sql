with

source as (
    select * from {{ source('ledger', 'builds') }}
),

final as (
    select
        batch,
        models_sha256,
        built_at
    from source
)

select * from final
