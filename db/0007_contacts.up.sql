create table contacts (
  workspace_id uuid not null references workspaces,
  id uuid not null,
  name text,
  -- When STOP and START were last answered: a second answer within a day would talk to a machine.
  stop_answered_at timestamptz,
  start_answered_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id)
);

-- All names that a person goes by. A provider's own id is never taken for a phone number.
create table addresses (
  workspace_id uuid not null,
  id uuid not null,
  contact_id uuid not null,
  kind text not null,
  value text not null,
  source text not null check (source in ('inbound', 'provider', 'by_hand')),
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, kind, value),
  unique (workspace_id, id, contact_id),
  foreign key (workspace_id, contact_id) references contacts,
  check (case kind
    when 'phone' then value ~ '^\+[1-9][0-9]{6,14}$'
    when 'whatsapp_lid' then value ~ '^[0-9]+@lid$'
    else false
  end)
);
create index addresses_contact on addresses (workspace_id, contact_id);

-- A row = no more messages. It was said of one address and holds for all of the person; lifting it deletes
-- the row, the history is in the activity.
create table opt_outs (
  workspace_id uuid not null,
  id uuid not null,
  contact_id uuid not null,
  address_id uuid not null,
  how text not null check (how in ('message', 'by_hand')),
  word text,
  reason text,
  channel_id uuid,
  created_by uuid,
  since timestamptz not null,
  primary key (workspace_id, id),
  unique (workspace_id, contact_id),
  foreign key (workspace_id, address_id, contact_id) references addresses (workspace_id, id, contact_id)
    on update cascade,
  check (case how when 'message' then word is not null else reason is not null end)
);
create index opt_outs_address on opt_outs (workspace_id, address_id);

-- Each STOP and START that counted, once however often it is handed on.
create table heard_words (
  workspace_id uuid not null,
  channel_id uuid not null,
  provider_key text not null,
  address_id uuid not null,
  says text not null check (says in ('stop', 'start')),
  at timestamptz not null,
  primary key (workspace_id, channel_id, provider_key),
  foreign key (workspace_id, address_id) references addresses
);
create index heard_words_address on heard_words (workspace_id, address_id);

call convoke_workspace_table('contacts');
call convoke_workspace_table('addresses', true);
call convoke_workspace_table('opt_outs', true);
call convoke_workspace_table('heard_words');
