create table channels (
  workspace_id uuid not null references workspaces,
  id uuid not null,
  kind text not null,
  label text not null,
  -- What people want; the lease holder makes it so and ignores events of older generations.
  wanted text not null default 'unpaired' check (wanted in ('unpaired', 'pairing', 'connected', 'deleted')),
  generation bigint not null default 1,
  -- What is, as the lease holder last saw it.
  status text not null default 'unpaired'
    check (status in ('unpaired', 'pairing', 'connecting', 'connected', 'degraded', 'restricted', 'failed')),
  status_reason text,
  status_at timestamptz not null default now(),
  status_until timestamptz,
  -- The provider lets the channel send less: nothing is sent until then, and a single message first afterwards.
  restriction_reason text,
  restricted_at timestamptz,
  restricted_until timestamptz,
  restrictions smallint not null default 0,
  phone text check (phone ~ '^\+[1-9][0-9]{6,14}$'),
  provider_account text,
  profile_name text,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id)
);
create unique index channels_phone on channels (workspace_id, phone) where phone is not null;
create index channels_wanted on channels (wanted, workspace_id, id);

-- The channels on which an API key may act, where its own row says that it may not act on all.
create table api_key_channels (
  workspace_id uuid not null,
  api_key_id uuid not null,
  channel_id uuid not null,
  primary key (workspace_id, api_key_id, channel_id),
  foreign key (workspace_id, api_key_id) references api_keys on delete cascade,
  foreign key (workspace_id, channel_id) references channels on delete cascade
);
create index api_key_channels_channel on api_key_channels (workspace_id, channel_id);

create table channel_credentials (
  workspace_id uuid not null,
  channel_id uuid not null,
  ciphertext bytea not null,
  updated_at timestamptz not null default now(),
  primary key (workspace_id, channel_id),
  foreign key (workspace_id, channel_id) references channels on delete cascade
);

create table channel_keys (
  workspace_id uuid not null,
  channel_id uuid not null,
  type text not null,
  key_id text not null,
  ciphertext bytea not null,
  primary key (workspace_id, channel_id, type, key_id),
  foreign key (workspace_id, channel_id) references channels on delete cascade
);

-- The current or last pairing of a channel: one row, its id tells a new try from the one before.
create table pairings (
  workspace_id uuid not null,
  channel_id uuid not null,
  id uuid not null,
  generation bigint not null,
  method text not null check (method in ('qr', 'code')),
  phone text,
  step text not null
    check (step in ('starting', 'show_qr', 'show_code', 'connecting', 'done', 'failed', 'cancelled')),
  secret bytea,
  reason text,
  started_at timestamptz not null default now(),
  step_at timestamptz not null default now(),
  expires_at timestamptz not null,
  primary key (workspace_id, channel_id),
  foreign key (workspace_id, channel_id) references channels on delete cascade
);

create table groups (
  workspace_id uuid not null,
  id uuid not null,
  channel_id uuid not null,
  provider_id text not null,
  subject text not null,
  size integer not null default 0,
  -- What the adapter needs to send without asking the provider again; only the adapter reads it.
  metadata jsonb,
  archived_at timestamptz,
  synced_at timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, channel_id, provider_id),
  foreign key (workspace_id, channel_id) references channels on delete cascade
);

create table intake (
  workspace_id uuid not null,
  id uuid not null,
  channel_id uuid not null,
  provider_key text not null,
  -- The message that this is of: a placeholder and what fills it in later have the same.
  message_key text not null,
  kind text not null,
  ciphertext bytea not null,
  -- Keyed hash of what the message says, for audit. Nothing is ever dropped because of it.
  fingerprint bytea,
  received_at timestamptz not null,
  primary key (workspace_id, id)
) partition by range (id);

create table intake_keys (
  workspace_id uuid not null,
  channel_id uuid not null,
  provider_key text not null,
  intake_id uuid not null,
  primary key (workspace_id, channel_id, provider_key),
  foreign key (workspace_id, channel_id) references channels on delete cascade
);

-- What the rooms to the right have not taken yet, in the order of the ids.
create table intake_pending (
  workspace_id uuid not null,
  channel_id uuid not null,
  intake_id uuid not null,
  primary key (workspace_id, channel_id, intake_id),
  foreign key (workspace_id, channel_id) references channels on delete cascade
);

call convoke_workspace_table('channels', true);
call convoke_workspace_table('api_key_channels', true);
call convoke_workspace_table('channel_credentials', true);
call convoke_workspace_table('channel_keys', true);
call convoke_workspace_table('pairings', true);
call convoke_workspace_table('groups', true);
call convoke_workspace_table('intake', true);
call convoke_workspace_table('intake_keys', true);
call convoke_workspace_table('intake_pending', true);
