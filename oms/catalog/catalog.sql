-- The catalog's statements.

-- name: write_products
-- Upsert drafts in SKU order; what really changed becomes a version. Of several drafts of one
-- SKU the last overwriting one counts, else the first.
with chosen as (
    select distinct on (sku) *
    from draft_products
    order by sku, overwrite desc, case when overwrite then -ordinal else ordinal end
),
written as (
    insert into products as p (
        sku, gtin, title, product_type, category, brand, tax_class, is_sellable, updated_at
    )
    select
        sku, gtin, coalesce(title, sku), product_type, category, brand,
        coalesce(tax_class, 'standard'), coalesce(is_sellable, true), cast(:at as timestamptz)
    from chosen
    where overwrite or not exists (select from products k where k.sku = chosen.sku)
    order by sku
    on conflict (sku) do update
    set
        gtin = excluded.gtin, title = excluded.title, product_type = excluded.product_type,
        category = excluded.category, brand = excluded.brand, tax_class = excluded.tax_class,
        is_sellable = excluded.is_sellable, updated_at = excluded.updated_at
    where (select overwrite from chosen c where c.sku = excluded.sku)
      and (p.gtin, p.title, p.product_type, p.category, p.brand, p.tax_class, p.is_sellable)
        is distinct from (excluded.gtin, excluded.title, excluded.product_type,
            excluded.category, excluded.brand, excluded.tax_class, excluded.is_sellable)
    returning p.*
)
insert into product_versions (
    product_id, version, valid_from_at, sku, gtin, title, product_type, category, brand,
    tax_class, is_sellable
)
select
    w.product_id, coalesce(v.version, 0) + 1,
    -- What it was before we heard of it, we take it to have always been.
    case when v.version is null then timestamptz '1900-01-01 00:00:00+00' else :at end,
    w.sku, w.gtin, w.title, w.product_type, w.category, w.brand, w.tax_class, w.is_sellable
from written w
left join lateral (
    select max(version) as version from product_versions v where v.product_id = w.product_id
) v on true;
