with

source as (
    select * from {{ source('ledger', 'orders') }}
),

final as (
    select
        order_id,
        order_number,
        channel_id,
        external_ref,
        external_number,
        order_type,
        order_state,
        fulfillment_state,
        fulfillment_method,
        location_id,
        placed_at,
        placed_on,
        recorded_at,
        updated_at,
        currency,
        prices_include_tax,
        customer_key,
        country_code,
        items_net_minor,
        items_tax_minor,
        shipping_net_minor,
        shipping_tax_minor,
        total_minor,
        stated_total_minor,
        has_exception,
        is_test,
        is_historical,
        version,
        _batch as batch
    from source
)

select * from final
