with

currencies as (
    select * from {{ ref('currencies') }}
),

final as (
    select currency, currency_name, exponent
    from currencies
)

select * from final
