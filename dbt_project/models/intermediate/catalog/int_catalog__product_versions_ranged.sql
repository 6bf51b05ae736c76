with

versions as (
    select * from {{ ref('stg_ledger__product_versions') }}
),

final as (
    select
        *,
        product_id || '-' || version as product_key,
        coalesce(
            lead(valid_from_at) over (partition by product_id order by version),
            timestamptz '9999-12-31 00:00:00+00'
        ) as valid_to_at,
        -- A sale may be older than the catalog entry: the first version stands for all before.
        case
            when row_number() over (partition by product_id order by version) = 1
                then timestamptz '0001-01-01 00:00:00+00'
            else valid_from_at
        end as matched_from_at
    from versions
)

select * from final
