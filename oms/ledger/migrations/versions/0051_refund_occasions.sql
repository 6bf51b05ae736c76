-- What is owed has an occasion, and each its own policy.

-- Null: it is not owed, or was made before there were occasions.
alter table refunds add column occasion text check (occasion in (
    'return_accepted', 'cancellation', 'short_shipped', 'not_collected', 'price_adjusted',
    'delivery_failed', 'overpayment'));

-- To whom documents were sent goes with who is erased; that they were sent stays, and so do they.
drop trigger immutable on document_sendings;
create trigger immutable before delete on document_sendings
    for each row execute function refuse_change_of_document();
create trigger immutable_but_for_whom before update on document_sendings for each row
    when (new.recipient is not null or (new.document_id, new.sending_no, new.sent_at, new.sent_by)
        is distinct from (old.document_id, old.sending_no, old.sent_at, old.sent_by))
    execute function refuse_change_of_document();

-- Documents as UBL, too.
alter table document_files drop constraint document_files_kind_check,
    add constraint document_files_kind_check check (kind in ('pdf', 'xml', 'ubl'));

-- Orders paid more than they come to.
create index order_balances_overpaid on order_balances (changed_at)
    where payment_state = 'overpaid';
