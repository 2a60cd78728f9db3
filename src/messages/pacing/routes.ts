import { endRestriction } from '../../channels/index.ts';
import { IdParams, inWorkspace, type Routes } from '../../kernel/index.ts';
import { Pacing, PacingChange } from '../schema.ts';
import { readPacing } from './queries.ts';
import { changePacing } from './service.ts';

const tag = 'pacing';
const url = '/v1/channels/:id/pacing';

export function registerPacing(routes: Routes): void {
  routes.workspace({
    method: 'GET',
    url,
    summary: 'Read how fast a channel sends, what it has spent today, and what keeps it back',
    tag,
    permission: 'channels.read',
    params: IdParams,
    answers: { 200: Pacing },
    handler: async ({ scope, params }) => answer(await readPacing(scope, params.id)),
  });
  routes.workspace({
    method: 'PATCH',
    url,
    summary: 'Change how fast a channel sends, within safe bounds',
    tag,
    permission: 'channels.manage',
    params: IdParams,
    body: PacingChange,
    answers: { 200: Pacing },
    handler: async ({ scope, params, body, ifMatch }) => {
      await changePacing(scope, params.id, body, ifMatch);
      return answer(await readPacing(scope, params.id));
    },
  });
  routes.workspace({
    method: 'POST',
    url: `${url}/resume`,
    summary: 'Let a restricted channel try earlier: one message goes first',
    tag,
    permission: 'channels.manage',
    params: IdParams,
    answers: { 200: Pacing },
    handler: async ({ scope, params }) => {
      await inWorkspace(scope, tx => endRestriction(tx, scope, params.id));
      return answer(await readPacing(scope, params.id));
    },
  });
}

function answer(pacing: Pacing) {
  return { body: pacing, headers: { etag: `"${pacing.version}"` } };
}
