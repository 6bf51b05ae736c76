-- Subscribers are told by webhook, by files, or by the API of their channel's platform.

alter table webhook_subscriptions
    alter column url drop not null,
    add column transport text not null default 'webhook'
        check (transport in ('webhook', 'file', 'platform')),
    add column file_format text check (file_format in ('json', 'csv')),
    add constraint webhook_subscriptions_url check ((transport = 'webhook') = (url is not null)),
    add constraint webhook_subscriptions_file
        check ((transport = 'file') = (file_format is not null)),
    add constraint webhook_subscriptions_platform
        check (transport <> 'platform' or channel_id is not null);

-- Its folder in the outbox, named after whose it is: no two subscriptions share one.
create function webhook_folder(s webhook_subscriptions, channel_code text) returns text
language sql immutable as $$
    select case when s.transport = 'file'
        then coalesce(channel_code, 'retailer') || '-' || s.subscription_id end
$$;
