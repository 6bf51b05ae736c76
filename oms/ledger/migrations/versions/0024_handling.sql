-- What promises go by beside cut-off, lead time, buffer and cost, for each location its own.
alter table locations
    add column transit_days smallint not null default 1 check (transit_days >= 0),  -- working days
    add column transit_days_abroad smallint not null default 3 check (transit_days_abroad >= 0),
    add column collect_lead_minutes integer not null default 120 check (collect_lead_minutes >= 0);
