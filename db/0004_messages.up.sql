-- History has no foreign keys: the engine plans the check of a key into a partitioned table anew for every
-- row. A row and what it points to are written in one transaction or one after the other, and never deleted.
create table messages (
  workspace_id uuid not null,
  id uuid not null,
  channel_id uuid not null,
  direction text not null check (direction in ('out', 'in')),
  source text not null check (source in ('api', 'reminder', 'consent')),
  source_id uuid,
  content jsonb not null,
  created_by uuid,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id)
) partition by range (id);

create index messages_source on messages (workspace_id, source_id, id desc) where source_id is not null;

create table deliveries (
  workspace_id uuid not null,
  id uuid not null,
  message_id uuid not null,
  channel_id uuid not null,
  group_id uuid,
  phone text,
  -- The name of the recipient at the time of sending, so that history stays readable.
  recipient_name text,
  status text not null default 'queued' check (status in
    ('queued', 'in_flight', 'accepted', 'sent', 'delivered', 'read', 'failed', 'unknown', 'cancelled', 'missed')),
  due_at timestamptz not null,
  -- Later than this is missed, not late.
  catch_up_until timestamptz not null,
  priority smallint not null default 0,
  reason text,
  detail text,
  recipients integer,
  delivered_count integer not null default 0,
  read_count integer not null default 0,
  in_flight_at timestamptz,
  accepted_at timestamptz,
  sent_at timestamptz,
  delivered_at timestamptz,
  read_at timestamptz,
  ended_at timestamptz,
  -- Until then what got no answer may be sent again under the same id; null = never.
  resend_until timestamptz,
  -- Since when it is not known whether it left.
  doubt_at timestamptz,
  -- What the workspace wants done once it is unknown; null = a person decides.
  on_unknown text check (on_unknown in ('send_again', 'give_up')),
  primary key (workspace_id, id),
  check (num_nonnulls(group_id, phone) = 1)
) partition by range (id);
comment on table deliveries is 'fillfactor=50';
create index deliveries_message on deliveries (workspace_id, message_id);
create index deliveries_channel on deliveries (workspace_id, channel_id, id desc);
-- Of the columns that the way to the wire changes, none is in an index: such updates stay within their page.
create index deliveries_open on deliveries (workspace_id, id desc) where sent_at is null and ended_at is null;
create index deliveries_ended on deliveries (workspace_id, id desc) where ended_at is not null;

create table attempts (
  workspace_id uuid not null,
  id uuid not null,
  delivery_id uuid not null,
  channel_id uuid not null,
  number smallint not null,
  provider_id text not null,
  wire_to text not null,
  payload bytea not null,
  fence bigint not null,
  status text not null check (status in ('in_flight', 'accepted', 'refused', 'deferred', 'unknown')),
  code text,
  detail text,
  started_at timestamptz not null default now(),
  deadline_at timestamptz not null,
  settled_at timestamptz,
  primary key (workspace_id, id)
) partition by range (id);
comment on table attempts is 'fillfactor=50';
create index attempts_delivery on attempts (workspace_id, delivery_id, number);

create table provider_ids (
  workspace_id uuid not null,
  channel_id uuid not null,
  provider_id text not null,
  delivery_id uuid not null,
  attempt_id uuid not null,
  primary key (workspace_id, channel_id, provider_id)
);

create table receipts (
  workspace_id uuid not null,
  id uuid not null,
  delivery_id uuid not null,
  recipient text not null,
  kind text not null check (kind in ('delivered', 'read')),
  at timestamptz not null,
  primary key (workspace_id, id)
) partition by range (id);
create index receipts_delivery on receipts (workspace_id, delivery_id);

create table receipt_keys (
  workspace_id uuid not null,
  delivery_id uuid not null,
  recipient text not null,
  kind text not null,
  primary key (workspace_id, delivery_id, recipient, kind)
);

-- The newest facts of a type that nearly every message leaves are found at once; the others need help, also those whose
-- type begins alike.
create index activity_type on activity (workspace_id, type collate "C", id)
  where type not in ('message.accepted', 'message.sent', 'message.delivered', 'message.read');

-- What a workspace wants done with messages that got no answer; a workspace without a row takes the defaults.
create table sending_policies (
  workspace_id uuid primary key references workspaces,
  resend boolean not null default true,
  unknown_api text not null default 'ask' check (unknown_api in ('ask', 'send_again', 'give_up')),
  unknown_reminder text not null default 'ask' check (unknown_reminder in ('ask', 'send_again', 'give_up')),
  version integer not null default 1,
  updated_at timestamptz not null default now()
);

-- What accepts and keeps, and sends nothing: a channel, or the whole workspace where no channel is named.
create table parkings (
  workspace_id uuid not null references workspaces,
  id uuid not null,
  channel_id uuid,
  reason text not null,
  created_by uuid,
  since timestamptz not null default now(),
  primary key (workspace_id, id),
  unique nulls not distinct (workspace_id, channel_id),
  foreign key (workspace_id, channel_id) references channels on delete cascade
);

-- A row = the whole installation is parked, by its operator.
create table instance_parking (
  id smallint primary key check (id = 1),
  reason text not null,
  since timestamptz not null default now()
);

-- Those of the channels that are parked, for the engine's door. Who parks waits for the transactions that have asked,
-- and whoever asks afterwards sees it: nothing enters the wire once a parking is committed.
create function convoke_parked(workspaces uuid[], channels uuid[]) returns setof uuid
  language plpgsql volatile
  as $$
  begin
    perform pg_advisory_xact_lock_shared(7240116);
    return query
      select k.c from unnest(workspaces, channels) as k(w, c)
      where exists (select from instance_parking) or exists (
        select from parkings p
        where p.workspace_id = k.w and (p.channel_id = k.c or p.channel_id is null));
  end
  $$;

-- What people have changed of the pacing of a channel; null = as its adapter advises.
create table pacing_settings (
  workspace_id uuid not null,
  channel_id uuid not null,
  messages_per_minute smallint,
  groups_per_minute smallint,
  new_people_per_day smallint,
  warm_up_days smallint,
  version integer not null default 1,
  updated_at timestamptz not null default now(),
  primary key (workspace_id, channel_id),
  foreign key (workspace_id, channel_id) references channels on delete cascade
);

-- What a paced channel has spent, in the transactions that let messages enter the wire. Only who drives the channel
-- writes it.
create table pacing_budgets (
  workspace_id uuid not null,
  channel_id uuid not null,
  -- Another number on the channel is a young one again.
  phone text,
  warm_since timestamptz not null,
  -- When the gaps of all that was sent so far have passed.
  messages_at timestamptz,
  groups_at timestamptz,
  day_from timestamptz,
  new_people integer not null default 0,
  -- The one message that tries whether a restriction is over.
  probe_id uuid,
  primary key (workspace_id, channel_id),
  foreign key (workspace_id, channel_id) references channels on delete cascade
) with (fillfactor = 50);

-- Who has written to a channel or was written to by it: everybody else is new to it.
create table known_people (
  workspace_id uuid not null,
  channel_id uuid not null,
  phone text not null,
  since timestamptz not null default now(),
  primary key (workspace_id, channel_id, phone),
  foreign key (workspace_id, channel_id) references channels on delete cascade
);

call convoke_workspace_table('pacing_settings', true);
call convoke_workspace_table('pacing_budgets', true);
call convoke_workspace_table('known_people', true);

call convoke_instance_table('instance_parking');
create policy all_workspaces on instance_parking for select using (true);
call convoke_workspace_table('parkings', true);
call convoke_workspace_table('sending_policies', true);
call convoke_workspace_table('messages', true);
call convoke_workspace_table('deliveries', true);
call convoke_workspace_table('attempts', true);
call convoke_workspace_table('provider_ids', true);
call convoke_workspace_table('receipts', true);
call convoke_workspace_table('receipt_keys', true);
