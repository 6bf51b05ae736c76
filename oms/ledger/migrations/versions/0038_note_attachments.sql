-- Files that belong to notes, in the database: gone in the transaction in which a note is redacted.
create table note_attachments (
    attachment_id bigint generated always as identity primary key,
    note_id bigint not null references notes,
    name text not null,
    media_type text not null,
    size_bytes integer not null check (size_bytes > 0),
    sha256 bytea not null,
    visibility text not null,                   -- whom the note was for when it was attached
    content bytea not null,
    added_at timestamptz not null,
    added_by text not null,
    unique (note_id, sha256)
);
-- Pictures and papers are compressed already.
alter table note_attachments alter column content set storage external;
