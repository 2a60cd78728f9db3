-- What people who run the installation decide; one row, made at the first start.
create table instance_settings (
  id smallint primary key check (id = 1),
  sign_up text not null default 'invitation' check (sign_up in ('open', 'invitation', 'closed')),
  -- Moved by the kill switch: a login or key of an earlier epoch opens nothing.
  epoch integer not null default 0,
  terms_version text,
  terms_url text,
  maintenance_since timestamptz,
  maintenance_note text
);

create table users (
  id uuid primary key,
  username text,
  -- Proven to be theirs: it stands here only after a link sent to it was followed.
  email text,
  name text not null default '',
  password_hash text,
  -- Moved when everything that was given out before must end.
  epoch integer not null default 0,
  is_admin boolean not null default false,
  locked_at timestamptz,
  locale text not null default 'en',
  time_zone text,
  theme text not null default 'auto' check (theme in ('auto', 'light', 'dark')),
  terms_version text,
  terms_accepted_at timestamptz,
  created_at timestamptz not null default now(),
  check (username is not null or email is not null)
);
create unique index users_username on users (lower(username));
create unique index users_email on users (lower(email));

create table workspaces (
  id uuid primary key,
  slug text not null,
  name text not null,
  created_at timestamptz not null default now(),
  created_by uuid,
  -- Set when an owner deleted it: until then it can be brought back.
  deletion_due_at timestamptz,
  -- From here on its rows go, and nobody can keep it any more.
  purge_began_at timestamptz
);
create unique index workspaces_slug on workspaces (slug);

-- How many rows of a workspace are gone already, while it is being purged.
create table purge_tallies (
  workspace_id uuid not null references workspaces on delete cascade,
  name text not null,
  rows bigint not null,
  primary key (workspace_id, name)
);

create table members (
  workspace_id uuid not null references workspaces on delete cascade,
  user_id uuid not null references users on delete cascade,
  role text not null check (role in ('owner', 'admin', 'agent', 'host', 'door_staff', 'viewer')),
  created_at timestamptz not null default now(),
  primary key (workspace_id, user_id)
);
create index members_user on members (user_id);

create table invitations (
  workspace_id uuid not null references workspaces on delete cascade,
  id uuid not null,
  -- Null: whoever has the link may accept.
  email text,
  role text not null check (role in ('owner', 'admin', 'agent', 'host', 'door_staff', 'viewer')),
  token_hash bytea not null,
  created_by uuid not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  accepted_at timestamptz,
  accepted_by uuid,
  revoked_at timestamptz,
  primary key (workspace_id, id)
);
create index invitations_token on invitations (token_hash);

-- One sign-in of a user on one device. It ends with the epochs that it was born in.
create table logins (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  kind text not null check (kind in ('browser', 'client')),
  user_epoch integer not null,
  instance_epoch integer not null,
  created_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  expires_at timestamptz not null,
  address text,
  user_agent text
);
create index logins_user on logins (user_id);

-- What opens a login. Of a refresh token, `used_at` stays: whoever shows it again has stolen it, or was robbed.
create table login_tokens (
  token_hash bytea primary key,
  login_id uuid not null references logins on delete cascade,
  kind text not null check (kind in ('cookie', 'access', 'refresh', 'stream')),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz,
  successor_hash bytea
);
create index login_tokens_login on login_tokens (login_id);

-- A right password that still wants its second factor.
create table login_challenges (
  token_hash bytea primary key,
  user_id uuid not null references users on delete cascade,
  kind text not null check (kind in ('browser', 'client')),
  failures integer not null default 0,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index login_challenges_user on login_challenges (user_id);

create table second_factors (
  user_id uuid primary key references users on delete cascade,
  secret bytea not null,
  created_at timestamptz not null default now(),
  confirmed_at timestamptz,
  -- The last 30 seconds whose code was taken: a code opens once.
  last_step bigint not null default 0
);

create table recovery_codes (
  user_id uuid not null references users on delete cascade,
  code_hash bytea not null,
  used_at timestamptz,
  primary key (user_id, code_hash)
);

-- Browsers that a user has signed in from: strangers cannot lock them out.
create table known_devices (
  token_hash bytea not null,
  user_id uuid not null references users on delete cascade,
  created_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  primary key (token_hash, user_id)
);
create index known_devices_user on known_devices (user_id);

-- Failures by name (hashed, known or not) from anywhere, and by known device.
create table login_failures (
  key_hash bytea primary key,
  failures integer not null,
  failed_at timestamptz not null,
  locked_until timestamptz
);
create index login_failures_age on login_failures (failed_at);

-- Links that are sent or shown once: set up, finish a sign-up, reset a password, prove a new address.
create table user_links (
  token_hash bytea primary key,
  purpose text not null check (purpose in ('setup', 'sign_up', 'reset', 'email')),
  user_id uuid references users on delete cascade,
  email text,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz,
  check (user_id is not null or email is not null)
);
create index user_links_user on user_links (user_id);
create index user_links_age on user_links (expires_at);

-- A program's right to act in one workspace. The room of the channels says which ones, where it may not use all.
create table api_keys (
  workspace_id uuid not null references workspaces on delete cascade,
  id uuid not null,
  name text not null,
  -- The recognisable beginning, as shown in lists.
  prefix text not null,
  token_hash bytea not null,
  scopes text[] not null,
  some_channels boolean not null default false,
  instance_epoch integer not null,
  created_by uuid not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  used_at timestamptz,
  revoked_at timestamptz,
  primary key (workspace_id, id)
);
create index api_keys_token on api_keys (token_hash);

insert into instance_settings (id) values (1);

call convoke_instance_table('instance_settings');
call convoke_instance_table('users');
call convoke_instance_table('workspaces');
create policy own_workspace on workspaces for select using (id = (select convoke_workspace()));
call convoke_workspace_table('members', true);
call convoke_workspace_table('invitations', true);
call convoke_instance_table('logins');
call convoke_instance_table('login_tokens');
call convoke_instance_table('login_challenges');
call convoke_instance_table('second_factors');
call convoke_instance_table('recovery_codes');
call convoke_instance_table('known_devices');
call convoke_instance_table('login_failures');
call convoke_instance_table('user_links');
call convoke_workspace_table('api_keys', true);
call convoke_workspace_table('purge_tallies', true);

-- No door may delete facts or seals. This does, for the workspace of the transaction and only once its days are over and
-- its purge has begun. Facts that still wait for their seal stay. Answers how many rows went, at most twice `most`.
do $do$
begin
  execute format($make$
    create function convoke_purge_chain(most integer) returns bigint
      language plpgsql volatile security definer set search_path = %I, pg_temp
      as $$
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
      $$
  $make$, current_schema());

  -- Nor may a door change facts. This erases what those of the installation tell of a user who is gone: content and salt,
  -- so that the chain still proves the rest.
  execute format($make$
    create function convoke_erase_facts_about(person uuid) returns void
      language plpgsql volatile security definer set search_path = %I, pg_temp
      as $$
      begin
        if exists (select from users where id = person) then
          raise exception 'This user is still there.';
        end if;
        update activity set payload = null, salt = null
        where workspace_id = '00000000-0000-0000-0000-000000000000' and subject_id = person
          and subject_type = 'user' and payload <> '{}'::jsonb;
      end
      $$
  $make$, current_schema());
end
$do$;
revoke execute on function convoke_purge_chain(integer), convoke_erase_facts_about(uuid) from public;
