import { inWorkspace, type Scope } from '../kernel/index.ts';

/** Names of users and API keys by their ids, as far as there still are any. */
export async function actorNames(scope: Scope, ids: string[]): Promise<Map<string, string>> {
  const users = await scope.kernel.database.inEngine('identity.actor_names', tx =>
    tx.selectFrom('users').select(['id', 'name', 'username', 'email']).where('id', 'in', ids).execute(),
  );
  const keys = await inWorkspace(scope, tx =>
    tx
      .selectFrom('api_keys')
      .select(['id', 'name'])
      .where('workspace_id', '=', scope.workspaceId)
      .where('id', 'in', ids)
      .execute(),
  );
  return new Map([
    ...users.map(({ id, name, username, email }) => [id, name || (username ?? email ?? '')] as const),
    ...keys.map(({ id, name }) => [id, name] as const),
  ]);
}
