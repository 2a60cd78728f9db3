import { z } from 'zod';
import { AppError, type Commands, type Kernel } from '../kernel/index.ts';
import { registerAdminCommands } from './admin/commands.ts';
import { Password, Role, Username } from './schema.ts';
import { createUser, setPassword } from './users.ts';
import { addMember } from './workspaces/workspaces.ts';

const SetPassword = z.strictObject({ username: z.string().min(1).max(200), password: Password });

const CreateUser = z.strictObject({
  username: Username,
  password: Password,
  role: Role.default('admin'),
  workspace: z.string().min(1).max(200).optional(),
});

/** What the operator does to users on the command line, while the server runs or not. */
export function registerIdentityCommands(commands: Commands, kernel: Kernel): void {
  registerAdminCommands(commands, kernel);
  commands.register('set-password', SetPassword, async ({ username, password }) => {
    await setPassword(kernel, username, password);
    return `${username} has a new password; all logins of ${username} have ended.`;
  });
  commands.register('create-user', CreateUser, async ({ username, password, role, workspace }) =>
    kernel.database.inEngine('identity.create_user', async tx => {
      const all = await tx.selectFrom('workspaces').select(['id', 'slug']).orderBy('slug').execute();
      const home =
        workspace === undefined && all.length === 1 ? all[0] : all.find(one => one.slug === workspace);
      if (!home) throw new AppError('invalid_request', whichWorkspace(workspace, all));
      const userId = await createUser(kernel, { username, password });
      await addMember(kernel, { workspaceId: home.id, userId, role });
      return `${username} can sign in now, as ${role} of the workspace ${home.slug}.`;
    }),
  );
}

function whichWorkspace(named: string | undefined, all: { slug: string }[]): string {
  if (all.length === 0) return 'There is no workspace yet. Start Convoke once, then try again.';
  const names = all.map(one => one.slug).join(', ');
  return named === undefined
    ? `Name a workspace with --workspace; there are: ${names}.`
    : `There is no workspace "${named}"; there are: ${names}.`;
}
