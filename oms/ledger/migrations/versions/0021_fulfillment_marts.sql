-- The warehouse reads what came of transfers, and the scans of parcels.

alter table transfer_receipts
    add column changed_xid xid8 not null default pg_current_xact_id();
create index transfer_receipts_changed on transfer_receipts (changed_xid);
create trigger stamp before update on transfer_receipts
    for each row execute function stamp_changed();

alter table transfer_discrepancies
    add column changed_xid xid8 not null default pg_current_xact_id();
create index transfer_discrepancies_changed on transfer_discrepancies (changed_xid);
create trigger stamp before update on transfer_discrepancies
    for each row execute function stamp_changed();

create trigger stamp before update on tracking_events
    for each row execute function stamp_changed();
