-- What a channel calls our states: by kind of state, of each state its word.
alter table channels add column vocabulary jsonb not null default '{}';
