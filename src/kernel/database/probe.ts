import { StartError } from '../errors.ts';
import type { Walls } from './database.ts';
import { type Engine, type EngineConnection, sqlState } from './engine.ts';

const OLDEST = 150_000;

/** What an administrator runs once when the login of Convoke may not create roles. */
export const ROLES_SQL = `create role convoke_app nologin noinherit;
create role convoke_engine nologin noinherit;
grant convoke_app, convoke_engine to <the login of Convoke>;`;

const ATTEMPTS = 3;

const CREATE_ROLES = `do $$ begin
  if not exists (select from pg_roles where rolname = 'convoke_app') then
    create role convoke_app nologin noinherit;
  end if;
  if not exists (select from pg_roles where rolname = 'convoke_engine') then
    create role convoke_engine nologin noinherit;
  end if;
  grant convoke_app, convoke_engine to session_user;
end $$`;

type Login = { name: string; superuser: boolean; bypass: boolean; createRole: boolean };

/**
 * Finds out what the login may do and decides how the doors are told apart. Roles are created where
 * the login may; a plain owner goes on with settings alone and gets the SQL to do better; a login that
 * would see through every wall is refused.
 * Throws StartError with the remedy.
 */
export async function probeLogin(engine: Engine, warn: (text: string) => void): Promise<Walls> {
  const connection = await engine.acquire();
  try {
    await refuseOldServer(connection);
    const login = await readLogin(connection);
    if ((await canSwitch(connection)) || (await createRoles(connection, login))) return 'roles';
    if (login.superuser || login.bypass) {
      throw new StartError(
        `The database login "${login.name}" sees through row level security and cannot switch to the roles of Convoke. ` +
          `Run this as an administrator, or use a login without SUPERUSER and BYPASSRLS:\n${ROLES_SQL}`,
      );
    }
    warn(
      `The database login "${login.name}" has no roles to switch to, so tenants are kept apart by one wall fewer. ` +
        `An administrator can add it:\n${ROLES_SQL}`,
    );
    return 'settings';
  } finally {
    connection.release();
  }
}

async function refuseOldServer(connection: EngineConnection): Promise<void> {
  const { rows } = await connection.query("select current_setting('server_version_num')::int as number", []);
  const number = Number(rows[0]?.number);
  if (number < OLDEST) {
    throw new StartError(
      `Convoke needs PostgreSQL 15 or later; this server is ${Math.floor(number / 10_000)}.`,
    );
  }
}

async function readLogin(connection: EngineConnection): Promise<Login> {
  const { rows } = await connection.query(
    'select rolname, rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname = session_user',
    [],
  );
  const row = rows[0] ?? {};
  return {
    name: String(row.rolname),
    superuser: row.rolsuper === true,
    bypass: row.rolbypassrls === true,
    createRole: row.rolcreaterole === true,
  };
}

async function canSwitch(connection: EngineConnection): Promise<boolean> {
  try {
    await connection.script(
      'begin; set local role convoke_app; set local role none; set local role convoke_engine; rollback',
    );
    return true;
  } catch {
    await connection.script('rollback');
    return false;
  }
}

/** Two nodes that start at once get into each other's way; the one that lost finds the roles there. */
async function createRoles(connection: EngineConnection, login: Login): Promise<boolean> {
  if (!login.superuser && !login.createRole) return false;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      await connection.script(CREATE_ROLES);
      break;
    } catch (error) {
      if (sqlState(error) === '42501') return false;
    }
  }
  return canSwitch(connection);
}
