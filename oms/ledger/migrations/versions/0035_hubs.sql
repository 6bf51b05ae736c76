-- Parts of a delivery group are gathered at a hub, by transfers, and sent together.

-- Where units are to be sent that another location supplies; null: they leave from where they are.
-- What is collected knows its place instead (place_id), which is its customer's choice, not ours.
alter table reservations add column hub_id integer references locations
    check (hub_id is null or place_id is null);
