-- A key may be bound to the locations its holder works at: their work is all it sees of any.
alter table api_keys add column location_codes text[];  -- null: every location

-- What is kept of a product, for whoever asks why its number is what it is.
create index reservations_kept on reservations (product_id, reservation_id)
    where state in ('active', 'in_transit');
