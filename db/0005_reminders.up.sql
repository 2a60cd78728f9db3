create table reminders (
  workspace_id uuid not null references workspaces,
  id uuid not null,
  channel_id uuid not null,
  content jsonb not null,
  start_local text not null,
  time_zone text not null,
  rrule text,
  ends_at timestamptz,
  catch_up_ms integer not null default 900000,
  status text not null default 'active' check (status in ('active', 'paused', 'ended', 'deleted')),
  revision integer not null default 1,
  version integer not null default 1,
  created_by uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, channel_id) references channels
);
create index reminders_status on reminders (workspace_id, status, id desc);

create table reminder_targets (
  workspace_id uuid not null,
  id uuid not null,
  reminder_id uuid not null,
  position smallint not null,
  group_id uuid,
  phone text,
  primary key (workspace_id, id),
  foreign key (workspace_id, reminder_id) references reminders on delete cascade,
  foreign key (workspace_id, group_id) references groups,
  check (num_nonnulls(group_id, phone) = 1)
);
create index reminder_targets_reminder on reminder_targets (workspace_id, reminder_id, position);

create table reminder_occurrences (
  workspace_id uuid not null,
  id uuid not null,
  reminder_id uuid not null,
  revision integer not null,
  local text not null,
  shifted boolean not null default false,
  due_at timestamptz not null,
  status text not null default 'pending' check (status in ('pending', 'expanded', 'missed', 'cancelled')),
  reason text,
  expanded_at timestamptz,
  primary key (workspace_id, id),
  foreign key (workspace_id, reminder_id) references reminders on delete cascade
);
-- Each instant of a reminder exists once; what an edit or a pause took back may come again.
create unique index reminder_occurrences_once
  on reminder_occurrences (workspace_id, reminder_id, due_at) where status <> 'cancelled';
create unique index reminder_occurrences_pending
  on reminder_occurrences (workspace_id, reminder_id) where status = 'pending';
create index reminder_occurrences_runs on reminder_occurrences (workspace_id, reminder_id, id desc);

create table reminder_occurrence_targets (
  workspace_id uuid not null,
  occurrence_id uuid not null,
  position smallint not null,
  group_id uuid,
  phone text,
  message_id uuid not null,
  primary key (workspace_id, occurrence_id, position),
  foreign key (workspace_id, occurrence_id) references reminder_occurrences on delete cascade
);

call convoke_workspace_table('reminders', true);
call convoke_workspace_table('reminder_targets', true);
call convoke_workspace_table('reminder_occurrences', true);
call convoke_workspace_table('reminder_occurrence_targets', true);
