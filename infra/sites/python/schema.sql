-- The accounts of the site. Yours has a table of its own: what the webhook needs beyond it are the
-- two unique indexes, a place for `created_key`, and the two tables below.

create table if not exists accounts (
    id text primary key default gen_random_uuid(),
    email text not null,
    name text,
    postal_code text,
    phone text,
    status text not null default 'active' check (status in ('active', 'locked', 'disabled')),
    -- As Django writes it; what begins with an exclamation mark is no password.
    password text not null,
    -- Of the second factor, where there is one; and the half minute whose code was last used.
    totp_secret bytea,
    totp_step bigint not null default 0,
    -- Passwords tried in a row, and when last.
    tries integer not null default 0,
    tried_at timestamptz not null default 'epoch',
    -- What the owner agreed to: {"terms": {"version": …, "at": …}}.
    consents jsonb not null default '{}',
    -- The key of the `create` that opened the account.
    created_key text unique
);

-- Addresses are equal after ASCII lowercasing, and not otherwise: that is what the collation says.
create unique index if not exists accounts_email on accounts (lower(email collate "C"));

-- The messages of the last quarter of an hour, so that none counts twice.
create table if not exists webhook_messages (
    id text primary key,
    received_at timestamptz not null default now()
);
create index if not exists webhook_messages_received_at on webhook_messages (received_at);

-- What owners must be told: whatever sends the site's mails takes it from here and deletes the row.
create table if not exists notices (
    id text primary key,
    account_id text not null,
    type text not null,
    at timestamptz not null,
    -- Whoever has it can undo what happened: it belongs into the mail and into no log.
    undo_url text
);
