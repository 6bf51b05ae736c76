-- Orders with units that are to be given to locations. What no rule gave out keeps its units, and
-- waits until some time, or until supply changes.
alter table sourcing_waits rename to sourcing_queue;
alter table sourcing_queue
    alter column reservation_ids set default '{}',      -- those that wait
    alter column again_at drop not null,                -- null: now
    add column priority smallint not null default 0,
    add column promised_by timestamptz,
    add column placed_at timestamptz;
update sourcing_queue q
set placed_at = o.placed_at, promised_by = o.placed_at, again_at = null
from orders o
where o.order_id = q.order_id;
alter table sourcing_queue
    alter column placed_at set not null,
    alter column promised_by set not null;
create index sourcing_queue_due on sourcing_queue (priority desc, promised_by, placed_at, order_id)
    where again_at is null;
alter index sourcing_waits_again rename to sourcing_queue_again;
alter index sourcing_waits_pkey rename to sourcing_queue_pkey;

-- What locations were when decisions were made: once for all that were made together. What is
-- said of the candidates stands in lists that run along their codes.
create table sourcing_moments (
    moment_id bigint generated always as identity primary key,
    nodes jsonb not null
);
alter table sourcing_decisions add column moment_id bigint references sourcing_moments;
with numbered as (
    insert into sourcing_moments (moment_id, nodes)
    overriding system value
    select decision_id, (
        select coalesce(jsonb_agg(
            c - array['priority', 'has_rejected', 'capacity_left', 'distance_km', 'stock']), '[]')
        from jsonb_array_elements(candidates) c)
    from sourcing_decisions
)
update sourcing_decisions d
set moment_id = decision_id,
    plan = plan - 'verdicts',
    candidates = (
        select jsonb_build_object(
            'code', coalesce(jsonb_agg(c -> 'code' order by c ->> 'code' collate "C"), '[]'),
            'priority', coalesce(jsonb_agg(c -> 'priority' order by c ->> 'code' collate "C"), '[]'),
            'distance_km',
                coalesce(jsonb_agg(c -> 'distance_km' order by c ->> 'code' collate "C"), '[]'),
            'capacity_left',
                coalesce(jsonb_agg(c -> 'capacity_left' order by c ->> 'code' collate "C"), '[]'),
            'has_rejected', coalesce(jsonb_agg(cast(cast(c -> 'has_rejected' as boolean) as integer)
                order by c ->> 'code' collate "C"), '[]'),
            'reason', coalesce(jsonb_agg(v -> 'reason' order by c ->> 'code' collate "C"), '[]'),
            'stock', (
                select coalesce(jsonb_object_agg(sku, quantities), '{}')
                from (
                    select s.key as sku,
                        jsonb_agg(s.value order by e ->> 'code' collate "C") as quantities
                    from jsonb_array_elements(d.candidates) e, jsonb_each(e -> 'stock') s
                    group by s.key) stocks))
        from jsonb_array_elements(d.candidates) c
        join jsonb_array_elements(d.plan -> 'verdicts') v on v ->> 'code' = c ->> 'code');
select setval('sourcing_moments_moment_id_seq', greatest(1, (select max(moment_id) from sourcing_moments)));
alter table sourcing_decisions alter column moment_id set not null;
