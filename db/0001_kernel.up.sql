-- Doors: which rows a transaction may see. See docs/ARCHITECTURE.md, "two doors".
create function convoke_workspace() returns uuid
  language sql stable
  as $$ select nullif(current_setting('app.workspace_id', true), '')::uuid $$;

-- With roles the role decides; a plain owner without roles is told apart by a setting.
create function convoke_engine_door() returns boolean
  language sql stable
  as $$
    select case current_user
      when 'convoke_engine' then true
      when 'convoke_app' then false
      else coalesce(current_setting('app.door', true), '') = 'engine'
    end
  $$;

create procedure convoke_workspace_table(target regclass, engine_too boolean default false)
  language plpgsql
  as $$
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
  $$;

create procedure convoke_instance_table(target regclass)
  language plpgsql
  as $$
  begin
    execute format('alter table %s enable row level security', target);
    execute format('alter table %s force row level security', target);
    execute format(
      'create policy engine_door on %s using ((select convoke_engine_door()))
         with check ((select convoke_engine_door()))', target);
  end
  $$;

-- Rights follow the policies, so that a new table needs no list of its own.
create procedure convoke_grant_doors()
  language plpgsql
  as $$
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
  $$;

-- The first id of an instant: uuidv7 opens with 48 bits of milliseconds.
create function convoke_first_id(at timestamptz) returns uuid
  language sql immutable
  as $$
    select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
  $$;

-- Monthly partitions of every history table, from the month of `since` on. Partitions have forced
-- row level security without a policy: they can be reached only through their parent.
create procedure convoke_ensure_partitions(since timestamptz, months integer)
  language plpgsql
  as $$
  declare
    parent record;
    lower_at timestamptz;
    part text;
  begin
    for parent in
      select c.relname from pg_partitioned_table p
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
        if to_regclass(format('%I', part)) is null then
          execute format('create table %I partition of %I for values from (%L) to (%L)', part, parent.relname,
            convoke_first_id(lower_at),
            convoke_first_id(((lower_at at time zone 'UTC') + interval '1 month') at time zone 'UTC'));
          execute format('alter table %I enable row level security', part);
          execute format('alter table %I force row level security', part);
        end if;
      end loop;
    end loop;
  end
  $$;

create table instance (
  id smallint primary key check (id = 1),
  key_check bytea,
  created_at timestamptz not null default now()
);

create table nodes (
  boot_id uuid primary key,
  node_id text not null,
  roles text[] not null,
  max_channels integer not null,
  started_at timestamptz not null default now(),
  -- Moves with each renewal of leases.
  seen_at timestamptz not null default now(),
  leaving_at timestamptz,
  stopped_at timestamptz
);

-- A lease is the right to drive something; its fence only grows. One without a holder was given back.
create table leases (
  name text primary key,
  holder text,
  fence bigint not null,
  taken_at timestamptz not null default now(),
  expires_at timestamptz not null
);

-- One random data key per workspace, wrapped by the keyring: a new master key re-wraps these rows only.
create table data_keys (
  workspace_id uuid not null,
  id uuid not null,
  wrapped bytea not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id)
);

-- Hits of the current window and the one before it, per thing that is limited.
create table limit_hits (
  key text primary key,
  window_at timestamptz not null,
  hits integer not null,
  hits_before integer not null default 0
);
create index limit_hits_age on limit_hits (window_at);

create table idempotency_keys (
  workspace_id uuid not null,
  key text not null,
  request_hash bytea not null,
  status integer,
  body text,
  expires_at timestamptz not null,
  primary key (workspace_id, key)
);
create index idempotency_keys_expiry on idempotency_keys (expires_at);

create table activity (
  workspace_id uuid not null,
  id uuid not null,
  type text not null,
  actor_kind text not null check (actor_kind in ('user', 'api_key', 'system', 'recipient')),
  actor_id uuid,
  -- Where the request came from, for those who look into what happened.
  address text,
  subject_type text not null,
  subject_id uuid not null,
  payload jsonb,
  salt bytea,
  digest bytea not null,
  occurred_at timestamptz not null,
  primary key (workspace_id, id)
) partition by range (id);
create index activity_subject on activity (workspace_id, subject_id, id);
create index activity_actor on activity (workspace_id, actor_id, id) where actor_id is not null;

-- What is not sealed yet: one row for all facts that were recorded together, named by the first of them.
create table activity_pending (
  workspace_id uuid not null,
  id uuid not null,
  activity_ids uuid[] not null,
  primary key (workspace_id, id)
);
create index activity_pending_order on activity_pending (id);

create table activity_seals (
  workspace_id uuid not null,
  seq bigint not null,
  activity_id uuid not null,
  hash bytea not null,
  sealed_at timestamptz not null default now(),
  primary key (workspace_id, seq),
  unique (workspace_id, activity_id)
);

create table activity_heads (
  workspace_id uuid primary key,
  seq bigint not null,
  hash bytea not null
);

-- All that is due and not yet done, in one narrow table: the history tables stay out of the hot path.
create table due_work (
  workspace_id uuid not null,
  kind text not null,
  subject_id uuid not null,
  lane uuid not null,
  due_at timestamptz not null,
  priority smallint not null default 0,
  claimed_by uuid,
  claimed_until timestamptz,
  primary key (workspace_id, kind, subject_id)
) with (fillfactor = 70);
create index due_work_ready on due_work (kind, due_at, lane);
create index due_work_lane on due_work (kind, lane, due_at);

-- What is done after a commit and tried again until it succeeds, such as mail. Those of the whole installation stand
-- under the workspace id of nothing but zeros.
create table jobs (
  workspace_id uuid not null,
  id uuid not null,
  name text not null,
  payload jsonb not null,
  due_at timestamptz not null,
  tries integer not null default 0,
  claimed_by uuid,
  claimed_until timestamptz,
  created_at timestamptz not null default now(),
  -- Set when it was tried for the last time; the row stays for a while, to be looked at.
  dead_at timestamptz,
  error text,
  primary key (workspace_id, id)
);
create index jobs_ready on jobs (due_at) where dead_at is null;
create index jobs_dead on jobs (dead_at) where dead_at is not null;

call convoke_instance_table('instance');
call convoke_instance_table('nodes');
call convoke_instance_table('leases');
call convoke_instance_table('limit_hits');
call convoke_workspace_table('data_keys', true);
call convoke_workspace_table('idempotency_keys', true);
call convoke_workspace_table('activity', true);
call convoke_workspace_table('activity_pending', true);
call convoke_workspace_table('activity_seals', true);
call convoke_workspace_table('activity_heads', true);
call convoke_workspace_table('due_work', true);
call convoke_workspace_table('jobs', true);
