import { sql } from 'kysely';
import type { Kernel } from '../kernel/index.ts';
import { createSetupLink } from './people/setup.ts';
import { createUser } from './users.ts';
import { addMember, createWorkspace } from './workspaces/workspaces.ts';

export type FirstStart = { username: string; token: string };

const NODES_AGREE = 7_240_116;

/**
 * On an empty database: creates the workspace `main` with its owner `admin`. Until that user has chosen
 * a password, every start gives back the token of a fresh setup link; there is no default password.
 */
export function prepareFirstStart(kernel: Kernel): Promise<FirstStart | undefined> {
  return kernel.database.inEngine('identity.first_start', async tx => {
    await sql`select pg_advisory_xact_lock(${sql.lit(NODES_AGREE)})`.execute(tx);
    const users = await tx.selectFrom('users').select(['id', 'username', 'password_hash']).limit(2).execute();
    const [only, ...others] = users;
    if (only && (others.length > 0 || only.password_hash !== null)) return undefined;
    const userId = only?.id ?? (await createOwner(kernel));
    return { username: only?.username ?? ADMIN, token: await createSetupLink(kernel, userId) };
  });
}

const ADMIN = 'admin';

async function createOwner(kernel: Kernel): Promise<string> {
  const workspaceId = await createWorkspace(kernel, { slug: 'main', name: 'Main' });
  const userId = await createUser(kernel, { username: ADMIN, isAdmin: true });
  await addMember(kernel, { workspaceId, userId, role: 'owner' });
  return userId;
}
