import { IdParams, notFound, pageOf, type Routes, type Scope } from '../../kernel/index.ts';
import { ApiKey, ApiKeyChange, NewApiKey, NewApiKeyAnswer } from '../schema.ts';
import { type ChannelsOfKeys, createKey, listKeys, renameKey, revokeKey } from './service.ts';

const tag = 'api keys';
const url = '/v1/api-keys';
const permission = 'keys.manage';

/** An API key cannot manage keys: no scope has the permission. */
export function registerKeyRoutes(routes: Routes, channels: ChannelsOfKeys): void {
  routes.workspace({
    method: 'GET',
    url,
    summary: 'List API keys that are not revoked, newest first',
    tag,
    permission,
    answers: { 200: pageOf(ApiKey) },
    handler: async ({ scope }) => ({
      body: { data: await listKeys(scope, channels), page: { next_cursor: null } },
    }),
  });
  routes.workspace({
    method: 'POST',
    url,
    summary: 'Make an API key; the answer is the only place that ever shows it',
    tag,
    permission,
    body: NewApiKey,
    answers: { 201: NewApiKeyAnswer },
    handler: async ({ scope, body }) => {
      const { id, key } = await createKey(scope, body, channels);
      return { body: { ...(await one(scope, channels, id)), key } };
    },
  });
  routes.workspace({
    method: 'PATCH',
    url: `${url}/:id`,
    summary: 'Rename an API key',
    tag,
    permission,
    params: IdParams,
    body: ApiKeyChange,
    answers: { 200: ApiKey },
    handler: async ({ scope, params, body }) => {
      await renameKey(scope, params.id, body.name);
      return { body: await one(scope, channels, params.id) };
    },
  });
  routes.workspace({
    method: 'DELETE',
    url: `${url}/:id`,
    summary: 'Revoke an API key',
    tag,
    permission,
    params: IdParams,
    answers: { 204: null },
    handler: async ({ scope, params }) => {
      await revokeKey(scope, params.id);
      return {};
    },
  });
}

async function one(scope: Scope, channels: ChannelsOfKeys, id: string): Promise<ApiKey> {
  const found = (await listKeys(scope, channels)).find(key => key.id === id);
  if (!found) throw notFound();
  return found;
}
