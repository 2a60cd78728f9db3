import { z } from 'zod';
import { AppError, type Author, type Commands, type Kernel } from '../../kernel/index.ts';
import { userNamed } from '../users.ts';
import { type AdminUser, Note, SignUp } from './schema.ts';
import { beginMaintenance, changeSettings, endAllLogins, endMaintenance } from './settings.ts';
import { changeUser, endLoginsOf, listUsers } from './users.ts';
import { registerVerifyCommand } from './verify-command.ts';

const OPERATOR: Author = { actor: { kind: 'system' } };
const LINES = 200;

const Name = z.string().min(1).max(300);
const OneUser = z.strictObject({ user: Name });
const SomeUser = z.strictObject({ user: Name.optional() });
const Maintain = z.strictObject({ mode: z.enum(['on', 'off']), note: Note.default('') });
const ChooseSignUp = z.strictObject({ mode: SignUp });

/** What the operator does to the whole installation on the command line, while the server runs or not. */
export function registerAdminCommands(commands: Commands, kernel: Kernel): void {
  registerVerifyCommand(commands, kernel);
  commands.register('promote', OneUser, async ({ user }) => {
    await changeUser(kernel, OPERATOR, await idOf(kernel, user), { is_admin: true });
    return `${user} runs this Convoke now, with the console at /admin.`;
  });
  commands.register('demote', OneUser, async ({ user }) => {
    await changeUser(kernel, OPERATOR, await idOf(kernel, user), { is_admin: false });
    return `${user} is no admin of this Convoke any more.`;
  });
  commands.register(
    'list-users',
    z.strictObject({ search: z.string().max(100).optional() }),
    async ({ search }) => {
      const { data, page } = await listUsers(kernel, { limit: LINES, search });
      if (data.length === 0) return 'There is no such user.';
      const more =
        page.next_cursor === null ? [] : [`These are the newest ${LINES}; name a part with --search.`];
      return [...data.map(lineOf), ...more].join('\n');
    },
  );
  commands.register('revoke-logins', SomeUser, async ({ user }) => {
    if (user === undefined) {
      await endAllLogins(kernel, OPERATOR);
      return 'Every login and API key of everybody has ended. People sign in again; programs need new keys.';
    }
    await endLoginsOf(kernel, OPERATOR, await idOf(kernel, user));
    return `All logins of ${user} have ended.`;
  });
  commands.register('maintenance', Maintain, async ({ mode, note }) => {
    if (mode === 'off') {
      await endMaintenance(kernel, OPERATOR);
      return 'Maintenance is over.';
    }
    await beginMaintenance(kernel, OPERATOR, note);
    return 'Maintenance: nothing can be changed until `convoke maintenance off`. What is planned is still sent; `convoke park` holds that back.';
  });
  commands.register('sign-up', ChooseSignUp, async ({ mode }) => {
    await changeSettings(kernel, OPERATOR, { sign_up: mode });
    return SAID[mode];
  });
}

const SAID = {
  open: 'Everybody may make an account now.',
  invitation: 'Only who is invited may make an account now.',
  closed: 'Nobody may make an account now.',
};

async function idOf(kernel: Kernel, name: string): Promise<string> {
  const user = await kernel.database.inEngine('identity.user_named', tx => userNamed(tx, name));
  if (!user) throw new AppError('not_found', `There is no user "${name}".`);
  return user.id;
}

function lineOf(user: AdminUser): string {
  const marks = [
    user.is_admin ? 'admin' : [],
    user.locked_at ? 'locked' : [],
    user.has_password ? [] : 'no password yet',
    user.has_second_factor ? 'second factor' : [],
    user.workspaces === 1 ? '1 workspace' : `${user.workspaces} workspaces`,
    user.seen_at ? `seen ${user.seen_at}` : 'not seen',
  ].flat();
  const names = [user.username, user.email, user.name].filter(Boolean);
  return `${names.join('  ')}  (${marks.join(', ')})`;
}
