create table users (
  id uuid primary key,
  username text not null,
  password_hash text,
  created_at timestamptz not null default now()
);
create unique index users_username on users (lower(username));

create table workspaces (
  id uuid primary key,
  slug text not null,
  name text not null,
  created_at timestamptz not null default now()
);
create unique index workspaces_slug on workspaces (slug);

create table members (
  workspace_id uuid not null references workspaces,
  user_id uuid not null references users,
  role text not null check (role in ('owner', 'admin', 'agent', 'host', 'door_staff', 'viewer')),
  created_at timestamptz not null default now(),
  primary key (workspace_id, user_id)
);
create index members_user on members (user_id);

create table logins (
  token_hash bytea primary key,
  user_id uuid not null references users on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  seen_at timestamptz not null default now(),
  address text,
  user_agent text
);
create index logins_user on logins (user_id);

create table setup_links (
  token_hash bytea primary key,
  user_id uuid not null references users on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz
);

call convoke_instance_table('users');
call convoke_instance_table('workspaces');
create policy own_workspace on workspaces for select using (id = (select convoke_workspace()));
call convoke_workspace_table('members', true);
call convoke_instance_table('logins');
call convoke_instance_table('setup_links');
