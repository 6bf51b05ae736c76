-- Delivery groups: how the parts of an order get to the customer. An order that goes one way has
-- none written down, its header says all there is; a line without a group is of that one.
create table order_groups (
    order_id bigint not null,
    group_no smallint not null check (group_no > 0),
    method text not null,
    location_id integer references locations,   -- where it is collected
    ship_to jsonb,                              -- null: as the order's
    pickup_point jsonb,                         -- as it was when it was chosen
    changed_xid xid8 not null default pg_current_xact_id(),
    primary key (order_id, group_no)
);
create index order_groups_changed on order_groups (changed_xid);
create trigger stamp before update on order_groups for each row execute function stamp_changed();

alter table order_lines add column group_no smallint;

-- Every order's groups, written down or not.
create view delivery_groups as
select order_id, group_no, method, location_id, ship_to, pickup_point from order_groups
union all
select o.order_id, 1::smallint, o.fulfillment_method, null::integer, null::jsonb, null::jsonb
from orders o
where not exists (select from order_groups g where g.order_id = o.order_id);

-- The one place that may supply what is collected there.
alter table reservations add column place_id integer;
