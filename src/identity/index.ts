/**
 * identity – who may come in, and what for.
 * Owns: users, workspaces, members and their roles, logins, second factors, API keys, links
 *   that are followed once, the words of its mails.
 * Promises: an unknown name and a wrong password cannot be told apart; tokens are stored only as hashes;
 *   a logout, a new password or a lost membership counts from the next request on, and ends open streams; a workspace
 *   of others looks like one that does not exist; strangers who fail at a name lock out strangers only;
 *   who has an account is told only to the owner of its address.
 * Never: knows what is done inside a workspace.
 * Called by: main (gate, routes, first start), cli (commands of the operator).
 */
export { actorNames } from './actor-names.ts';
export { registerAdminRoutes } from './admin/routes.ts';
export { createMaintenance } from './admin/settings.ts';
export { registerIdentityCommands } from './commands.ts';
export { requireArgon2 } from './defence/passwords.ts';
export { type FirstStart, prepareFirstStart } from './first-start.ts';
export { registerKeyRoutes } from './keys/routes.ts';
export type { ChannelsOfKeys } from './keys/service.ts';
export { createGate } from './logins/gate.ts';
export { purgeLogins } from './logins/logins.ts';
export { registerPeopleJobs } from './people/mail-jobs.ts';
export { registerIdentityRoutes } from './routes.ts';
export { createUser } from './users.ts';
export { registerInvitationJob } from './workspaces/invitation-mail.ts';
export { type ChannelsRelease, registerPurgeJob } from './workspaces/purge.ts';
export { registerWorkspaceRoutes } from './workspaces/routes.ts';
export { addMember, createWorkspace } from './workspaces/workspaces.ts';
