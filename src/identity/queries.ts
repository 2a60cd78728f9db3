import { type Config, type Kernel, type Tx, VERSION } from '../kernel/index.ts';
import { readInstance } from './people/instance.ts';
import { permissionsOf } from './policy.ts';
import type { Me, Role } from './schema.ts';

export type Membership = { id: string; slug: string; name: string; role: Role; deletionDueAt: Date | null };

/** The workspaces of a user, by name. One that is to be deleted is there for its owners alone. */
export async function memberships(tx: Tx, userId: string): Promise<Membership[]> {
  const rows = await tx
    .selectFrom('members')
    .innerJoin('workspaces', 'workspaces.id', 'members.workspace_id')
    .select(['workspaces.id', 'workspaces.slug', 'workspaces.name', 'members.role'])
    .select('workspaces.deletion_due_at as deletionDueAt')
    .where('members.user_id', '=', userId)
    .where(where =>
      where.or([where('workspaces.deletion_due_at', 'is', null), where('members.role', '=', 'owner')]),
    )
    .orderBy('workspaces.name')
    .execute();
  return rows.map(row => ({ ...row, role: row.role as Role }));
}

/** Who is signed in, and what the web app may show. */
export async function me(kernel: Kernel, userId: string): Promise<Me> {
  return kernel.database.inEngine('identity.me', async tx => {
    const user = await tx
      .selectFrom('users')
      .select([
        'id',
        'username',
        'email',
        'name',
        'is_admin',
        'locale',
        'time_zone',
        'theme',
        'terms_version',
      ])
      .where('id', '=', userId)
      .executeTakeFirstOrThrow();
    const { terms_version: accepted, theme, ...shown } = user;
    const { terms } = await readInstance(tx, kernel);
    const workspaces = await memberships(tx, userId);
    return {
      user: {
        ...shown,
        theme: theme as Me['user']['theme'],
        terms_due: terms !== null && terms.version !== accepted,
      },
      workspaces: workspaces.map(({ deletionDueAt, ...one }) => ({
        ...one,
        permissions: [...permissionsOf(one.role)],
        deletion_due_at: deletionDueAt?.toISOString() ?? null,
      })),
      instance: {
        version: VERSION,
        sandbox: kernel.config.sandbox,
        virtual_phones_url: virtualPhonesUrl(kernel.config),
      },
    };
  });
}

/** The simulator of WhatsApp shows its phones where its socket is. */
function virtualPhonesUrl({ sandbox, whatsappUrl }: Config): string | null {
  if (!sandbox || whatsappUrl === undefined) return null;
  const { protocol, host } = new URL(whatsappUrl);
  return `${protocol === 'wss:' ? 'https:' : 'http:'}//${host}/`;
}
