-- The schema that the migrations of this folder lead to, read from the catalogue of PostgreSQL 18.
-- Written by scripts/generate-tables.ts for people and reviews; nothing runs it. Partitions are left out.

create table activity (
  workspace_id uuid not null,
  id uuid not null,
  type text not null,
  actor_kind text not null,
  actor_id uuid,
  address text,
  subject_type text not null,
  subject_id uuid not null,
  payload jsonb,
  salt bytea,
  digest bytea not null,
  occurred_at timestamp with time zone not null,
  constraint activity_pkey PRIMARY KEY (workspace_id, id),
  constraint activity_actor_kind_check CHECK ((actor_kind = ANY (ARRAY['user'::text, 'api_key'::text, 'system'::text, 'recipient'::text])))
) partition by RANGE (id);
CREATE INDEX activity_actor ON ONLY public.activity USING btree (workspace_id, actor_id, id) WHERE (actor_id IS NOT NULL);
CREATE INDEX activity_subject ON ONLY public.activity USING btree (workspace_id, subject_id, id);
CREATE INDEX activity_type ON ONLY public.activity USING btree (workspace_id, type COLLATE "C", id) WHERE (type <> ALL (ARRAY['message.accepted'::text, 'message.sent'::text, 'message.delivered'::text, 'message.read'::text]));
alter table activity enable row level security;
alter table activity force row level security;
create policy engine_door on activity for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on activity for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table activity_heads (
  workspace_id uuid not null,
  seq bigint not null,
  hash bytea not null,
  constraint activity_heads_pkey PRIMARY KEY (workspace_id)
);
alter table activity_heads enable row level security;
alter table activity_heads force row level security;
create policy engine_door on activity_heads for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on activity_heads for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table activity_pending (
  workspace_id uuid not null,
  id uuid not null,
  activity_ids uuid[] not null,
  constraint activity_pending_pkey PRIMARY KEY (workspace_id, id)
);
CREATE INDEX activity_pending_order ON public.activity_pending USING btree (id);
alter table activity_pending enable row level security;
alter table activity_pending force row level security;
create policy engine_door on activity_pending for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on activity_pending for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table activity_seals (
  workspace_id uuid not null,
  seq bigint not null,
  activity_id uuid not null,
  hash bytea not null,
  sealed_at timestamp with time zone not null default now(),
  constraint activity_seals_pkey PRIMARY KEY (workspace_id, seq),
  constraint activity_seals_workspace_id_activity_id_key UNIQUE (workspace_id, activity_id)
);
alter table activity_seals enable row level security;
alter table activity_seals force row level security;
create policy engine_door on activity_seals for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on activity_seals for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table addresses (
  workspace_id uuid not null,
  id uuid not null,
  contact_id uuid not null,
  kind text not null,
  value text not null,
  source text not null,
  created_at timestamp with time zone not null default now(),
  constraint addresses_pkey PRIMARY KEY (workspace_id, id),
  constraint addresses_workspace_id_id_contact_id_key UNIQUE (workspace_id, id, contact_id),
  constraint addresses_workspace_id_kind_value_key UNIQUE (workspace_id, kind, value),
  constraint addresses_workspace_id_contact_id_fkey FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts(workspace_id, id),
  constraint addresses_check CHECK (
CASE kind
    WHEN 'phone'::text THEN (value ~ '^\+[1-9][0-9]{6,14}$'::text)
    WHEN 'whatsapp_lid'::text THEN (value ~ '^[0-9]+@lid$'::text)
    ELSE false
END),
  constraint addresses_source_check CHECK ((source = ANY (ARRAY['inbound'::text, 'provider'::text, 'by_hand'::text])))
);
CREATE INDEX addresses_contact ON public.addresses USING btree (workspace_id, contact_id);
alter table addresses enable row level security;
alter table addresses force row level security;
create policy engine_door on addresses for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on addresses for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table api_key_channels (
  workspace_id uuid not null,
  api_key_id uuid not null,
  channel_id uuid not null,
  constraint api_key_channels_pkey PRIMARY KEY (workspace_id, api_key_id, channel_id),
  constraint api_key_channels_workspace_id_api_key_id_fkey FOREIGN KEY (workspace_id, api_key_id) REFERENCES api_keys(workspace_id, id) ON DELETE CASCADE,
  constraint api_key_channels_workspace_id_channel_id_fkey FOREIGN KEY (workspace_id, channel_id) REFERENCES channels(workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX api_key_channels_channel ON public.api_key_channels USING btree (workspace_id, channel_id);
alter table api_key_channels enable row level security;
alter table api_key_channels force row level security;
create policy engine_door on api_key_channels for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on api_key_channels for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table api_keys (
  workspace_id uuid not null,
  id uuid not null,
  name text not null,
  prefix text not null,
  token_hash bytea not null,
  scopes text[] not null,
  some_channels boolean not null default false,
  instance_epoch integer not null,
  created_by uuid not null,
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone,
  used_at timestamp with time zone,
  revoked_at timestamp with time zone,
  constraint api_keys_pkey PRIMARY KEY (workspace_id, id),
  constraint api_keys_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id) ON DELETE CASCADE
);
CREATE INDEX api_keys_token ON public.api_keys USING btree (token_hash);
alter table api_keys enable row level security;
alter table api_keys force row level security;
create policy engine_door on api_keys for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on api_keys for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

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
  status text not null,
  code text,
  detail text,
  started_at timestamp with time zone not null default now(),
  deadline_at timestamp with time zone not null,
  settled_at timestamp with time zone,
  constraint attempts_pkey PRIMARY KEY (workspace_id, id),
  constraint attempts_status_check CHECK ((status = ANY (ARRAY['in_flight'::text, 'accepted'::text, 'refused'::text, 'deferred'::text, 'unknown'::text])))
) partition by RANGE (id);
comment on table attempts is 'fillfactor=50';
CREATE INDEX attempts_delivery ON ONLY public.attempts USING btree (workspace_id, delivery_id, number);
alter table attempts enable row level security;
alter table attempts force row level security;
create policy engine_door on attempts for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on attempts for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table channel_credentials (
  workspace_id uuid not null,
  channel_id uuid not null,
  ciphertext bytea not null,
  updated_at timestamp with time zone not null default now(),
  constraint channel_credentials_pkey PRIMARY KEY (workspace_id, channel_id),
  constraint channel_credentials_workspace_id_channel_id_fkey FOREIGN KEY (workspace_id, channel_id) REFERENCES channels(workspace_id, id) ON DELETE CASCADE
);
alter table channel_credentials enable row level security;
alter table channel_credentials force row level security;
create policy engine_door on channel_credentials for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on channel_credentials for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table channel_keys (
  workspace_id uuid not null,
  channel_id uuid not null,
  type text not null,
  key_id text not null,
  ciphertext bytea not null,
  constraint channel_keys_pkey PRIMARY KEY (workspace_id, channel_id, type, key_id),
  constraint channel_keys_workspace_id_channel_id_fkey FOREIGN KEY (workspace_id, channel_id) REFERENCES channels(workspace_id, id) ON DELETE CASCADE
);
alter table channel_keys enable row level security;
alter table channel_keys force row level security;
create policy engine_door on channel_keys for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on channel_keys for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table channels (
  workspace_id uuid not null,
  id uuid not null,
  kind text not null,
  label text not null,
  wanted text not null default 'unpaired'::text,
  generation bigint not null default 1,
  status text not null default 'unpaired'::text,
  status_reason text,
  status_at timestamp with time zone not null default now(),
  status_until timestamp with time zone,
  restriction_reason text,
  restricted_at timestamp with time zone,
  restricted_until timestamp with time zone,
  restrictions smallint not null default 0,
  phone text,
  provider_account text,
  profile_name text,
  version integer not null default 1,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint channels_pkey PRIMARY KEY (workspace_id, id),
  constraint channels_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id),
  constraint channels_phone_check CHECK ((phone ~ '^\+[1-9][0-9]{6,14}$'::text)),
  constraint channels_status_check CHECK ((status = ANY (ARRAY['unpaired'::text, 'pairing'::text, 'connecting'::text, 'connected'::text, 'degraded'::text, 'restricted'::text, 'failed'::text]))),
  constraint channels_wanted_check CHECK ((wanted = ANY (ARRAY['unpaired'::text, 'pairing'::text, 'connected'::text, 'deleted'::text])))
);
CREATE UNIQUE INDEX channels_phone ON public.channels USING btree (workspace_id, phone) WHERE (phone IS NOT NULL);
CREATE INDEX channels_wanted ON public.channels USING btree (wanted, workspace_id, id);
alter table channels enable row level security;
alter table channels force row level security;
create policy engine_door on channels for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on channels for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table contacts (
  workspace_id uuid not null,
  id uuid not null,
  name text,
  stop_answered_at timestamp with time zone,
  start_answered_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint contacts_pkey PRIMARY KEY (workspace_id, id),
  constraint contacts_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id)
);
alter table contacts enable row level security;
alter table contacts force row level security;
create policy workspace_wall on contacts for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table data_keys (
  workspace_id uuid not null,
  id uuid not null,
  wrapped bytea not null,
  created_at timestamp with time zone not null default now(),
  constraint data_keys_pkey PRIMARY KEY (workspace_id, id)
);
alter table data_keys enable row level security;
alter table data_keys force row level security;
create policy engine_door on data_keys for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on data_keys for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table deliveries (
  workspace_id uuid not null,
  id uuid not null,
  message_id uuid not null,
  channel_id uuid not null,
  group_id uuid,
  phone text,
  recipient_name text,
  status text not null default 'queued'::text,
  due_at timestamp with time zone not null,
  catch_up_until timestamp with time zone not null,
  priority smallint not null default 0,
  reason text,
  detail text,
  recipients integer,
  delivered_count integer not null default 0,
  read_count integer not null default 0,
  in_flight_at timestamp with time zone,
  accepted_at timestamp with time zone,
  sent_at timestamp with time zone,
  delivered_at timestamp with time zone,
  read_at timestamp with time zone,
  ended_at timestamp with time zone,
  resend_until timestamp with time zone,
  doubt_at timestamp with time zone,
  on_unknown text,
  constraint deliveries_pkey PRIMARY KEY (workspace_id, id),
  constraint deliveries_check CHECK ((num_nonnulls(group_id, phone) = 1)),
  constraint deliveries_on_unknown_check CHECK ((on_unknown = ANY (ARRAY['send_again'::text, 'give_up'::text]))),
  constraint deliveries_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'in_flight'::text, 'accepted'::text, 'sent'::text, 'delivered'::text, 'read'::text, 'failed'::text, 'unknown'::text, 'cancelled'::text, 'missed'::text])))
) partition by RANGE (id);
comment on table deliveries is 'fillfactor=50';
CREATE INDEX deliveries_channel ON ONLY public.deliveries USING btree (workspace_id, channel_id, id DESC);
CREATE INDEX deliveries_ended ON ONLY public.deliveries USING btree (workspace_id, id DESC) WHERE (ended_at IS NOT NULL);
CREATE INDEX deliveries_message ON ONLY public.deliveries USING btree (workspace_id, message_id);
CREATE INDEX deliveries_open ON ONLY public.deliveries USING btree (workspace_id, id DESC) WHERE ((sent_at IS NULL) AND (ended_at IS NULL));
alter table deliveries enable row level security;
alter table deliveries force row level security;
create policy engine_door on deliveries for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on deliveries for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table due_work (
  workspace_id uuid not null,
  kind text not null,
  subject_id uuid not null,
  lane uuid not null,
  due_at timestamp with time zone not null,
  priority smallint not null default 0,
  claimed_by uuid,
  claimed_until timestamp with time zone,
  constraint due_work_pkey PRIMARY KEY (workspace_id, kind, subject_id)
) with (fillfactor=70);
CREATE INDEX due_work_lane ON public.due_work USING btree (kind, lane, due_at);
CREATE INDEX due_work_ready ON public.due_work USING btree (kind, due_at, lane);
alter table due_work enable row level security;
alter table due_work force row level security;
create policy engine_door on due_work for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on due_work for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table groups (
  workspace_id uuid not null,
  id uuid not null,
  channel_id uuid not null,
  provider_id text not null,
  subject text not null,
  size integer not null default 0,
  metadata jsonb,
  archived_at timestamp with time zone,
  synced_at timestamp with time zone not null default now(),
  constraint groups_pkey PRIMARY KEY (workspace_id, id),
  constraint groups_workspace_id_channel_id_provider_id_key UNIQUE (workspace_id, channel_id, provider_id),
  constraint groups_workspace_id_channel_id_fkey FOREIGN KEY (workspace_id, channel_id) REFERENCES channels(workspace_id, id) ON DELETE CASCADE
);
alter table groups enable row level security;
alter table groups force row level security;
create policy engine_door on groups for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on groups for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table heard_words (
  workspace_id uuid not null,
  channel_id uuid not null,
  provider_key text not null,
  address_id uuid not null,
  says text not null,
  at timestamp with time zone not null,
  constraint heard_words_pkey PRIMARY KEY (workspace_id, channel_id, provider_key),
  constraint heard_words_workspace_id_address_id_fkey FOREIGN KEY (workspace_id, address_id) REFERENCES addresses(workspace_id, id),
  constraint heard_words_says_check CHECK ((says = ANY (ARRAY['stop'::text, 'start'::text])))
);
CREATE INDEX heard_words_address ON public.heard_words USING btree (workspace_id, address_id);
alter table heard_words enable row level security;
alter table heard_words force row level security;
create policy workspace_wall on heard_words for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table idempotency_keys (
  workspace_id uuid not null,
  key text not null,
  request_hash bytea not null,
  status integer,
  body text,
  expires_at timestamp with time zone not null,
  constraint idempotency_keys_pkey PRIMARY KEY (workspace_id, key)
);
CREATE INDEX idempotency_keys_expiry ON public.idempotency_keys USING btree (expires_at);
alter table idempotency_keys enable row level security;
alter table idempotency_keys force row level security;
create policy engine_door on idempotency_keys for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on idempotency_keys for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table instance (
  id smallint not null,
  key_check bytea,
  created_at timestamp with time zone not null default now(),
  constraint instance_pkey PRIMARY KEY (id),
  constraint instance_id_check CHECK ((id = 1))
);
alter table instance enable row level security;
alter table instance force row level security;
create policy engine_door on instance for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);

create table instance_parking (
  id smallint not null,
  reason text not null,
  since timestamp with time zone not null default now(),
  constraint instance_parking_pkey PRIMARY KEY (id),
  constraint instance_parking_id_check CHECK ((id = 1))
);
alter table instance_parking enable row level security;
alter table instance_parking force row level security;
create policy all_workspaces on instance_parking for select using true;
create policy engine_door on instance_parking for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);

create table instance_settings (
  id smallint not null,
  sign_up text not null default 'invitation'::text,
  epoch integer not null default 0,
  terms_version text,
  terms_url text,
  maintenance_since timestamp with time zone,
  maintenance_note text,
  constraint instance_settings_pkey PRIMARY KEY (id),
  constraint instance_settings_id_check CHECK ((id = 1)),
  constraint instance_settings_sign_up_check CHECK ((sign_up = ANY (ARRAY['open'::text, 'invitation'::text, 'closed'::text])))
);
alter table instance_settings enable row level security;
alter table instance_settings force row level security;
create policy engine_door on instance_settings for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);

create table intake (
  workspace_id uuid not null,
  id uuid not null,
  channel_id uuid not null,
  provider_key text not null,
  message_key text not null,
  kind text not null,
  ciphertext bytea not null,
  fingerprint bytea,
  received_at timestamp with time zone not null,
  constraint intake_pkey PRIMARY KEY (workspace_id, id)
) partition by RANGE (id);
alter table intake enable row level security;
alter table intake force row level security;
create policy engine_door on intake for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on intake for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table intake_keys (
  workspace_id uuid not null,
  channel_id uuid not null,
  provider_key text not null,
  intake_id uuid not null,
  constraint intake_keys_pkey PRIMARY KEY (workspace_id, channel_id, provider_key),
  constraint intake_keys_workspace_id_channel_id_fkey FOREIGN KEY (workspace_id, channel_id) REFERENCES channels(workspace_id, id) ON DELETE CASCADE
);
alter table intake_keys enable row level security;
alter table intake_keys force row level security;
create policy engine_door on intake_keys for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on intake_keys for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table intake_pending (
  workspace_id uuid not null,
  channel_id uuid not null,
  intake_id uuid not null,
  constraint intake_pending_pkey PRIMARY KEY (workspace_id, channel_id, intake_id),
  constraint intake_pending_workspace_id_channel_id_fkey FOREIGN KEY (workspace_id, channel_id) REFERENCES channels(workspace_id, id) ON DELETE CASCADE
);
alter table intake_pending enable row level security;
alter table intake_pending force row level security;
create policy engine_door on intake_pending for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on intake_pending for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table invitations (
  workspace_id uuid not null,
  id uuid not null,
  email text,
  role text not null,
  token_hash bytea not null,
  created_by uuid not null,
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone not null,
  accepted_at timestamp with time zone,
  accepted_by uuid,
  revoked_at timestamp with time zone,
  constraint invitations_pkey PRIMARY KEY (workspace_id, id),
  constraint invitations_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id) ON DELETE CASCADE,
  constraint invitations_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'agent'::text, 'host'::text, 'door_staff'::text, 'viewer'::text])))
);
CREATE INDEX invitations_token ON public.invitations USING btree (token_hash);
alter table invitations enable row level security;
alter table invitations force row level security;
create policy engine_door on invitations for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on invitations for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table jobs (
  workspace_id uuid not null,
  id uuid not null,
  name text not null,
  payload jsonb not null,
  due_at timestamp with time zone not null,
  tries integer not null default 0,
  claimed_by uuid,
  claimed_until timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  dead_at timestamp with time zone,
  error text,
  constraint jobs_pkey PRIMARY KEY (workspace_id, id)
);
CREATE INDEX jobs_dead ON public.jobs USING btree (dead_at) WHERE (dead_at IS NOT NULL);
CREATE INDEX jobs_ready ON public.jobs USING btree (due_at) WHERE (dead_at IS NULL);
alter table jobs enable row level security;
alter table jobs force row level security;
create policy engine_door on jobs for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on jobs for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table known_devices (
  token_hash bytea not null,
  user_id uuid not null,
  created_at timestamp with time zone not null default now(),
  seen_at timestamp with time zone not null default now(),
  constraint known_devices_pkey PRIMARY KEY (token_hash, user_id),
  constraint known_devices_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
);
CREATE INDEX known_devices_user ON public.known_devices USING btree (user_id);
alter table known_devices enable row level security;
alter table known_devices force row level security;
create policy engine_door on known_devices for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);

create table known_people (
  workspace_id uuid not null,
  channel_id uuid not null,
  phone text not null,
  since timestamp with time zone not null default now(),
  constraint known_people_pkey PRIMARY KEY (workspace_id, channel_id, phone),
  constraint known_people_workspace_id_channel_id_fkey FOREIGN KEY (workspace_id, channel_id) REFERENCES channels(workspace_id, id) ON DELETE CASCADE
);
alter table known_people enable row level security;
alter table known_people force row level security;
create policy engine_door on known_people for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on known_people for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table leases (
  name text not null,
  holder text,
  fence bigint not null,
  taken_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone not null,
  constraint leases_pkey PRIMARY KEY (name)
);
alter table leases enable row level security;
alter table leases force row level security;
create policy engine_door on leases for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);

create table limit_hits (
  key text not null,
  window_at timestamp with time zone not null,
  hits integer not null,
  hits_before integer not null default 0,
  constraint limit_hits_pkey PRIMARY KEY (key)
);
CREATE INDEX limit_hits_age ON public.limit_hits USING btree (window_at);
alter table limit_hits enable row level security;
alter table limit_hits force row level security;
create policy engine_door on limit_hits for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);

create table login_challenges (
  token_hash bytea not null,
  user_id uuid not null,
  kind text not null,
  failures integer not null default 0,
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone not null,
  constraint login_challenges_pkey PRIMARY KEY (token_hash),
  constraint login_challenges_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint login_challenges_kind_check CHECK ((kind = ANY (ARRAY['browser'::text, 'client'::text])))
);
CREATE INDEX login_challenges_user ON public.login_challenges USING btree (user_id);
alter table login_challenges enable row level security;
alter table login_challenges force row level security;
create policy engine_door on login_challenges for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);

create table login_failures (
  key_hash bytea not null,
  failures integer not null,
  failed_at timestamp with time zone not null,
  locked_until timestamp with time zone,
  constraint login_failures_pkey PRIMARY KEY (key_hash)
);
CREATE INDEX login_failures_age ON public.login_failures USING btree (failed_at);
alter table login_failures enable row level security;
alter table login_failures force row level security;
create policy engine_door on login_failures for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);

create table login_tokens (
  token_hash bytea not null,
  login_id uuid not null,
  kind text not null,
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  successor_hash bytea,
  constraint login_tokens_pkey PRIMARY KEY (token_hash),
  constraint login_tokens_login_id_fkey FOREIGN KEY (login_id) REFERENCES logins(id) ON DELETE CASCADE,
  constraint login_tokens_kind_check CHECK ((kind = ANY (ARRAY['cookie'::text, 'access'::text, 'refresh'::text, 'stream'::text])))
);
CREATE INDEX login_tokens_login ON public.login_tokens USING btree (login_id);
alter table login_tokens enable row level security;
alter table login_tokens force row level security;
create policy engine_door on login_tokens for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);

create table logins (
  id uuid not null,
  user_id uuid not null,
  kind text not null,
  user_epoch integer not null,
  instance_epoch integer not null,
  created_at timestamp with time zone not null default now(),
  seen_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone not null,
  address text,
  user_agent text,
  constraint logins_pkey PRIMARY KEY (id),
  constraint logins_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint logins_kind_check CHECK ((kind = ANY (ARRAY['browser'::text, 'client'::text])))
);
CREATE INDEX logins_user ON public.logins USING btree (user_id);
alter table logins enable row level security;
alter table logins force row level security;
create policy engine_door on logins for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);

create table members (
  workspace_id uuid not null,
  user_id uuid not null,
  role text not null,
  created_at timestamp with time zone not null default now(),
  constraint members_pkey PRIMARY KEY (workspace_id, user_id),
  constraint members_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint members_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id) ON DELETE CASCADE,
  constraint members_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'agent'::text, 'host'::text, 'door_staff'::text, 'viewer'::text])))
);
CREATE INDEX members_user ON public.members USING btree (user_id);
alter table members enable row level security;
alter table members force row level security;
create policy engine_door on members for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on members for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table messages (
  workspace_id uuid not null,
  id uuid not null,
  channel_id uuid not null,
  direction text not null,
  source text not null,
  source_id uuid,
  content jsonb not null,
  created_by uuid,
  created_at timestamp with time zone not null default now(),
  constraint messages_pkey PRIMARY KEY (workspace_id, id),
  constraint messages_direction_check CHECK ((direction = ANY (ARRAY['out'::text, 'in'::text]))),
  constraint messages_source_check CHECK ((source = ANY (ARRAY['api'::text, 'reminder'::text, 'consent'::text])))
) partition by RANGE (id);
CREATE INDEX messages_source ON ONLY public.messages USING btree (workspace_id, source_id, id DESC) WHERE (source_id IS NOT NULL);
alter table messages enable row level security;
alter table messages force row level security;
create policy engine_door on messages for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on messages for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table nodes (
  boot_id uuid not null,
  node_id text not null,
  roles text[] not null,
  max_channels integer not null,
  started_at timestamp with time zone not null default now(),
  seen_at timestamp with time zone not null default now(),
  leaving_at timestamp with time zone,
  stopped_at timestamp with time zone,
  constraint nodes_pkey PRIMARY KEY (boot_id)
);
alter table nodes enable row level security;
alter table nodes force row level security;
create policy engine_door on nodes for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);

create table opt_outs (
  workspace_id uuid not null,
  id uuid not null,
  contact_id uuid not null,
  address_id uuid not null,
  how text not null,
  word text,
  reason text,
  channel_id uuid,
  created_by uuid,
  since timestamp with time zone not null,
  constraint opt_outs_pkey PRIMARY KEY (workspace_id, id),
  constraint opt_outs_workspace_id_contact_id_key UNIQUE (workspace_id, contact_id),
  constraint opt_outs_workspace_id_address_id_contact_id_fkey FOREIGN KEY (workspace_id, address_id, contact_id) REFERENCES addresses(workspace_id, id, contact_id) ON UPDATE CASCADE,
  constraint opt_outs_check CHECK (
CASE how
    WHEN 'message'::text THEN (word IS NOT NULL)
    ELSE (reason IS NOT NULL)
END),
  constraint opt_outs_how_check CHECK ((how = ANY (ARRAY['message'::text, 'by_hand'::text])))
);
CREATE INDEX opt_outs_address ON public.opt_outs USING btree (workspace_id, address_id);
alter table opt_outs enable row level security;
alter table opt_outs force row level security;
create policy engine_door on opt_outs for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on opt_outs for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table pacing_budgets (
  workspace_id uuid not null,
  channel_id uuid not null,
  phone text,
  warm_since timestamp with time zone not null,
  messages_at timestamp with time zone,
  groups_at timestamp with time zone,
  day_from timestamp with time zone,
  new_people integer not null default 0,
  probe_id uuid,
  constraint pacing_budgets_pkey PRIMARY KEY (workspace_id, channel_id),
  constraint pacing_budgets_workspace_id_channel_id_fkey FOREIGN KEY (workspace_id, channel_id) REFERENCES channels(workspace_id, id) ON DELETE CASCADE
) with (fillfactor=50);
alter table pacing_budgets enable row level security;
alter table pacing_budgets force row level security;
create policy engine_door on pacing_budgets for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on pacing_budgets for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table pacing_settings (
  workspace_id uuid not null,
  channel_id uuid not null,
  messages_per_minute smallint,
  groups_per_minute smallint,
  new_people_per_day smallint,
  warm_up_days smallint,
  version integer not null default 1,
  updated_at timestamp with time zone not null default now(),
  constraint pacing_settings_pkey PRIMARY KEY (workspace_id, channel_id),
  constraint pacing_settings_workspace_id_channel_id_fkey FOREIGN KEY (workspace_id, channel_id) REFERENCES channels(workspace_id, id) ON DELETE CASCADE
);
alter table pacing_settings enable row level security;
alter table pacing_settings force row level security;
create policy engine_door on pacing_settings for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on pacing_settings for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table pairings (
  workspace_id uuid not null,
  channel_id uuid not null,
  id uuid not null,
  generation bigint not null,
  method text not null,
  phone text,
  step text not null,
  secret bytea,
  reason text,
  started_at timestamp with time zone not null default now(),
  step_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone not null,
  constraint pairings_pkey PRIMARY KEY (workspace_id, channel_id),
  constraint pairings_workspace_id_channel_id_fkey FOREIGN KEY (workspace_id, channel_id) REFERENCES channels(workspace_id, id) ON DELETE CASCADE,
  constraint pairings_method_check CHECK ((method = ANY (ARRAY['qr'::text, 'code'::text]))),
  constraint pairings_step_check CHECK ((step = ANY (ARRAY['starting'::text, 'show_qr'::text, 'show_code'::text, 'connecting'::text, 'done'::text, 'failed'::text, 'cancelled'::text])))
);
alter table pairings enable row level security;
alter table pairings force row level security;
create policy engine_door on pairings for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on pairings for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table parkings (
  workspace_id uuid not null,
  id uuid not null,
  channel_id uuid,
  reason text not null,
  created_by uuid,
  since timestamp with time zone not null default now(),
  constraint parkings_pkey PRIMARY KEY (workspace_id, id),
  constraint parkings_workspace_id_channel_id_key UNIQUE NULLS NOT DISTINCT (workspace_id, channel_id),
  constraint parkings_workspace_id_channel_id_fkey FOREIGN KEY (workspace_id, channel_id) REFERENCES channels(workspace_id, id) ON DELETE CASCADE,
  constraint parkings_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id)
);
alter table parkings enable row level security;
alter table parkings force row level security;
create policy engine_door on parkings for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on parkings for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table provider_ids (
  workspace_id uuid not null,
  channel_id uuid not null,
  provider_id text not null,
  delivery_id uuid not null,
  attempt_id uuid not null,
  constraint provider_ids_pkey PRIMARY KEY (workspace_id, channel_id, provider_id)
);
alter table provider_ids enable row level security;
alter table provider_ids force row level security;
create policy engine_door on provider_ids for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on provider_ids for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table purge_tallies (
  workspace_id uuid not null,
  name text not null,
  rows bigint not null,
  constraint purge_tallies_pkey PRIMARY KEY (workspace_id, name),
  constraint purge_tallies_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id) ON DELETE CASCADE
);
alter table purge_tallies enable row level security;
alter table purge_tallies force row level security;
create policy engine_door on purge_tallies for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on purge_tallies for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table receipt_keys (
  workspace_id uuid not null,
  delivery_id uuid not null,
  recipient text not null,
  kind text not null,
  constraint receipt_keys_pkey PRIMARY KEY (workspace_id, delivery_id, recipient, kind)
);
alter table receipt_keys enable row level security;
alter table receipt_keys force row level security;
create policy engine_door on receipt_keys for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on receipt_keys for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table receipts (
  workspace_id uuid not null,
  id uuid not null,
  delivery_id uuid not null,
  recipient text not null,
  kind text not null,
  at timestamp with time zone not null,
  constraint receipts_pkey PRIMARY KEY (workspace_id, id),
  constraint receipts_kind_check CHECK ((kind = ANY (ARRAY['delivered'::text, 'read'::text])))
) partition by RANGE (id);
CREATE INDEX receipts_delivery ON ONLY public.receipts USING btree (workspace_id, delivery_id);
alter table receipts enable row level security;
alter table receipts force row level security;
create policy engine_door on receipts for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on receipts for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table recovery_codes (
  user_id uuid not null,
  code_hash bytea not null,
  used_at timestamp with time zone,
  constraint recovery_codes_pkey PRIMARY KEY (user_id, code_hash),
  constraint recovery_codes_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
);
alter table recovery_codes enable row level security;
alter table recovery_codes force row level security;
create policy engine_door on recovery_codes for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);

create table reminder_occurrence_targets (
  workspace_id uuid not null,
  occurrence_id uuid not null,
  position smallint not null,
  group_id uuid,
  phone text,
  message_id uuid not null,
  constraint reminder_occurrence_targets_pkey PRIMARY KEY (workspace_id, occurrence_id, "position"),
  constraint reminder_occurrence_targets_workspace_id_occurrence_id_fkey FOREIGN KEY (workspace_id, occurrence_id) REFERENCES reminder_occurrences(workspace_id, id) ON DELETE CASCADE
);
alter table reminder_occurrence_targets enable row level security;
alter table reminder_occurrence_targets force row level security;
create policy engine_door on reminder_occurrence_targets for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on reminder_occurrence_targets for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table reminder_occurrences (
  workspace_id uuid not null,
  id uuid not null,
  reminder_id uuid not null,
  revision integer not null,
  local text not null,
  shifted boolean not null default false,
  due_at timestamp with time zone not null,
  status text not null default 'pending'::text,
  reason text,
  expanded_at timestamp with time zone,
  constraint reminder_occurrences_pkey PRIMARY KEY (workspace_id, id),
  constraint reminder_occurrences_workspace_id_reminder_id_fkey FOREIGN KEY (workspace_id, reminder_id) REFERENCES reminders(workspace_id, id) ON DELETE CASCADE,
  constraint reminder_occurrences_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'expanded'::text, 'missed'::text, 'cancelled'::text])))
);
CREATE UNIQUE INDEX reminder_occurrences_once ON public.reminder_occurrences USING btree (workspace_id, reminder_id, due_at) WHERE (status <> 'cancelled'::text);
CREATE UNIQUE INDEX reminder_occurrences_pending ON public.reminder_occurrences USING btree (workspace_id, reminder_id) WHERE (status = 'pending'::text);
CREATE INDEX reminder_occurrences_runs ON public.reminder_occurrences USING btree (workspace_id, reminder_id, id DESC);
alter table reminder_occurrences enable row level security;
alter table reminder_occurrences force row level security;
create policy engine_door on reminder_occurrences for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on reminder_occurrences for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table reminder_targets (
  workspace_id uuid not null,
  id uuid not null,
  reminder_id uuid not null,
  position smallint not null,
  group_id uuid,
  phone text,
  constraint reminder_targets_pkey PRIMARY KEY (workspace_id, id),
  constraint reminder_targets_workspace_id_group_id_fkey FOREIGN KEY (workspace_id, group_id) REFERENCES groups(workspace_id, id),
  constraint reminder_targets_workspace_id_reminder_id_fkey FOREIGN KEY (workspace_id, reminder_id) REFERENCES reminders(workspace_id, id) ON DELETE CASCADE,
  constraint reminder_targets_check CHECK ((num_nonnulls(group_id, phone) = 1))
);
CREATE INDEX reminder_targets_reminder ON public.reminder_targets USING btree (workspace_id, reminder_id, "position");
alter table reminder_targets enable row level security;
alter table reminder_targets force row level security;
create policy engine_door on reminder_targets for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on reminder_targets for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table reminders (
  workspace_id uuid not null,
  id uuid not null,
  channel_id uuid not null,
  content jsonb not null,
  start_local text not null,
  time_zone text not null,
  rrule text,
  ends_at timestamp with time zone,
  catch_up_ms integer not null default 900000,
  status text not null default 'active'::text,
  revision integer not null default 1,
  version integer not null default 1,
  created_by uuid,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint reminders_pkey PRIMARY KEY (workspace_id, id),
  constraint reminders_workspace_id_channel_id_fkey FOREIGN KEY (workspace_id, channel_id) REFERENCES channels(workspace_id, id),
  constraint reminders_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id),
  constraint reminders_status_check CHECK ((status = ANY (ARRAY['active'::text, 'paused'::text, 'ended'::text, 'deleted'::text])))
);
CREATE INDEX reminders_status ON public.reminders USING btree (workspace_id, status, id DESC);
alter table reminders enable row level security;
alter table reminders force row level security;
create policy engine_door on reminders for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on reminders for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table second_factors (
  user_id uuid not null,
  secret bytea not null,
  created_at timestamp with time zone not null default now(),
  confirmed_at timestamp with time zone,
  last_step bigint not null default 0,
  constraint second_factors_pkey PRIMARY KEY (user_id),
  constraint second_factors_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
);
alter table second_factors enable row level security;
alter table second_factors force row level security;
create policy engine_door on second_factors for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);

create table sending_policies (
  workspace_id uuid not null,
  resend boolean not null default true,
  unknown_api text not null default 'ask'::text,
  unknown_reminder text not null default 'ask'::text,
  version integer not null default 1,
  updated_at timestamp with time zone not null default now(),
  constraint sending_policies_pkey PRIMARY KEY (workspace_id),
  constraint sending_policies_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id),
  constraint sending_policies_unknown_api_check CHECK ((unknown_api = ANY (ARRAY['ask'::text, 'send_again'::text, 'give_up'::text]))),
  constraint sending_policies_unknown_reminder_check CHECK ((unknown_reminder = ANY (ARRAY['ask'::text, 'send_again'::text, 'give_up'::text])))
);
alter table sending_policies enable row level security;
alter table sending_policies force row level security;
create policy engine_door on sending_policies for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy workspace_wall on sending_policies for all using (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace)) with check (workspace_id = ( SELECT convoke_workspace() AS convoke_workspace));

create table user_links (
  token_hash bytea not null,
  purpose text not null,
  user_id uuid,
  email text,
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  constraint user_links_pkey PRIMARY KEY (token_hash),
  constraint user_links_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint user_links_check CHECK (((user_id IS NOT NULL) OR (email IS NOT NULL))),
  constraint user_links_purpose_check CHECK ((purpose = ANY (ARRAY['setup'::text, 'sign_up'::text, 'reset'::text, 'email'::text])))
);
CREATE INDEX user_links_age ON public.user_links USING btree (expires_at);
CREATE INDEX user_links_user ON public.user_links USING btree (user_id);
alter table user_links enable row level security;
alter table user_links force row level security;
create policy engine_door on user_links for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);

create table users (
  id uuid not null,
  username text,
  email text,
  name text not null default ''::text,
  password_hash text,
  epoch integer not null default 0,
  is_admin boolean not null default false,
  locked_at timestamp with time zone,
  locale text not null default 'en'::text,
  time_zone text,
  theme text not null default 'auto'::text,
  terms_version text,
  terms_accepted_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint users_pkey PRIMARY KEY (id),
  constraint users_check CHECK (((username IS NOT NULL) OR (email IS NOT NULL))),
  constraint users_theme_check CHECK ((theme = ANY (ARRAY['auto'::text, 'light'::text, 'dark'::text])))
);
CREATE UNIQUE INDEX users_email ON public.users USING btree (lower(email));
CREATE UNIQUE INDEX users_username ON public.users USING btree (lower(username));
alter table users enable row level security;
alter table users force row level security;
create policy engine_door on users for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);

create table workspaces (
  id uuid not null,
  slug text not null,
  name text not null,
  created_at timestamp with time zone not null default now(),
  created_by uuid,
  deletion_due_at timestamp with time zone,
  purge_began_at timestamp with time zone,
  constraint workspaces_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX workspaces_slug ON public.workspaces USING btree (slug);
alter table workspaces enable row level security;
alter table workspaces force row level security;
create policy engine_door on workspaces for all using ( SELECT convoke_engine_door() AS convoke_engine_door) with check ( SELECT convoke_engine_door() AS convoke_engine_door);
create policy own_workspace on workspaces for select using (id = ( SELECT convoke_workspace() AS convoke_workspace));

CREATE OR REPLACE FUNCTION public.convoke_engine_door()
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
    select case current_user
      when 'convoke_engine' then true
      when 'convoke_app' then false
      else coalesce(current_setting('app.door', true), '') = 'engine'
    end
  $function$;

CREATE OR REPLACE PROCEDURE public.convoke_ensure_partitions(IN since timestamp with time zone, IN months integer)
 LANGUAGE plpgsql
AS $procedure$
  declare
    parent record;
    lower_at timestamptz;
    part text;
  begin
    for parent in
      select c.relname, coalesce(substring(obj_description(c.oid, 'pg_class') from 'fillfactor=\d+'), 'fillfactor=100')
        as storage
      from pg_partitioned_table p
      join pg_class c on c.oid = p.partrelid
      where c.relnamespace = current_schema()::regnamespace
    loop
      if to_regclass(format('%I', parent.relname || '_rest')) is null then
        execute format('create table %I partition of %I default', parent.relname || '_rest', parent.relname);
        execute format('alter table %I enable row level security', parent.relname || '_rest');
        execute format('alter table %I force row level security', parent.relname || '_rest');
      end if;
      for i in 0 .. months - 1 loop
        lower_at := (date_trunc('month', since at time zone 'UTC') + make_interval(months => i)) at time zone 'UTC';
        part := parent.relname || to_char(lower_at at time zone 'UTC', '"_y"YYYY"m"MM');
        continue when to_regclass(format('%I', part)) is not null;
        begin
          execute format('create table %I partition of %I for values from (%L) to (%L) with (%s)', part,
            parent.relname, convoke_first_id(lower_at),
            convoke_first_id(((lower_at at time zone 'UTC') + interval '1 month') at time zone 'UTC'), parent.storage);
          execute format('alter table %I enable row level security', part);
          execute format('alter table %I force row level security', part);
        exception when check_violation then
          raise notice 'rows of % are in the default partition and stay there', part;
        end;
      end loop;
    end loop;
  end
  $procedure$;

CREATE OR REPLACE FUNCTION public.convoke_erase_facts_about(person uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
      begin
        if exists (select from users where id = person) then
          raise exception 'This user is still there.';
        end if;
        update activity set payload = null, salt = null
        where workspace_id = '00000000-0000-0000-0000-000000000000' and subject_id = person
          and subject_type = 'user' and payload <> '{}'::jsonb;
      end
      $function$;

CREATE OR REPLACE FUNCTION public.convoke_first_id(at timestamp with time zone)
 RETURNS uuid
 LANGUAGE sql
 IMMUTABLE
AS $function$
    select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
  $function$;

CREATE OR REPLACE PROCEDURE public.convoke_grant_doors()
 LANGUAGE plpgsql
AS $procedure$
  declare
    wall record;
  begin
    if not exists (select from pg_roles where rolname = 'convoke_app')
      or not exists (select from pg_roles where rolname = 'convoke_engine') then
      return;
    end if;
    execute format('grant usage on schema %I to convoke_app, convoke_engine', current_schema());
    for wall in
      select tablename, policyname from pg_policies
      where schemaname = current_schema() and policyname in ('workspace_wall', 'engine_door', 'own_workspace', 'all_workspaces')
    loop
      if wall.policyname in ('own_workspace', 'all_workspaces') then
        execute format('grant select on %I.%I to convoke_app', current_schema(), wall.tablename);
        continue;
      end if;
      execute format('grant select, insert, update, delete on %I.%I to %I',
        current_schema(), wall.tablename,
        case wall.policyname when 'workspace_wall' then 'convoke_app' else 'convoke_engine' end);
    end loop;
    revoke update, delete on activity, activity_seals from convoke_app, convoke_engine;
    revoke insert on activity_seals from convoke_app;
    grant execute on function convoke_purge_chain(integer) to convoke_app;
    grant execute on function convoke_erase_facts_about(uuid) to convoke_engine;
  end
  $procedure$;

CREATE OR REPLACE PROCEDURE public.convoke_instance_table(IN target regclass)
 LANGUAGE plpgsql
AS $procedure$
  begin
    execute format('alter table %s enable row level security', target);
    execute format('alter table %s force row level security', target);
    execute format(
      'create policy engine_door on %s using ((select convoke_engine_door()))
         with check ((select convoke_engine_door()))', target);
  end
  $procedure$;

CREATE OR REPLACE FUNCTION public.convoke_parked(workspaces uuid[], channels uuid[])
 RETURNS SETOF uuid
 LANGUAGE plpgsql
AS $function$
  begin
    perform pg_advisory_xact_lock_shared(7240116);
    return query
      select k.c from unnest(workspaces, channels) as k(w, c)
      where exists (select from instance_parking) or exists (
        select from parkings p
        where p.workspace_id = k.w and (p.channel_id = k.c or p.channel_id is null));
  end
  $function$;

CREATE OR REPLACE FUNCTION public.convoke_purge_chain(most integer)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
      declare
        facts bigint;
        seals bigint;
        unsealed uuid[];
        last_id uuid;
        last_seq bigint;
      begin
        if not exists (select from workspaces where id = convoke_workspace() and purge_began_at is not null
            and deletion_due_at <= now()) then
          raise exception 'This workspace is not being purged.';
        end if;
        select coalesce(array_agg(u.id), '{}') into unsealed from activity_pending p, unnest(p.activity_ids) as u(id)
          where p.workspace_id = convoke_workspace();
        select max(f.id::text)::uuid into last_id
          from (select a.id from activity a where a.workspace_id = convoke_workspace() and a.id <> all (unsealed)
            order by a.id limit most) f;
        delete from activity a
          where a.workspace_id = convoke_workspace() and a.id <= last_id and a.id <> all (unsealed);
        get diagnostics facts = row_count;
        select max(f.seq) into last_seq
          from (select s.seq from activity_seals s where s.workspace_id = convoke_workspace() order by s.seq limit most) f;
        delete from activity_seals s where s.workspace_id = convoke_workspace() and s.seq <= last_seq;
        get diagnostics seals = row_count;
        return facts + seals;
      end
      $function$;

CREATE OR REPLACE FUNCTION public.convoke_workspace()
 RETURNS uuid
 LANGUAGE sql
 STABLE
AS $function$ select nullif(current_setting('app.workspace_id', true), '')::uuid $function$;

CREATE OR REPLACE PROCEDURE public.convoke_workspace_table(IN target regclass, IN engine_too boolean DEFAULT false)
 LANGUAGE plpgsql
AS $procedure$
  begin
    execute format('alter table %s enable row level security', target);
    execute format('alter table %s force row level security', target);
    execute format(
      'create policy workspace_wall on %s using (workspace_id = (select convoke_workspace()))
         with check (workspace_id = (select convoke_workspace()))', target);
    if engine_too then
      execute format(
        'create policy engine_door on %s using ((select convoke_engine_door()))
           with check ((select convoke_engine_door()))', target);
    end if;
  end
  $procedure$;
