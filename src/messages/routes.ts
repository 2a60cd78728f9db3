import { IdParams, type Routes } from '../kernel/index.ts';
import { registerPacing } from './pacing/routes.ts';
import { registerParking } from './parking/routes.ts';
import * as queries from './queries.ts';
import { resolve } from './resolve.ts';
import {
  Message,
  MessageDetail,
  MessagePage,
  MessageQuery,
  NewMessage,
  NewResolution,
  SendingPolicy,
  SendingPolicyChange,
} from './schema.ts';
import { changeSendingPolicy, readSendingPolicy } from './sending-policy.ts';
import * as service from './service.ts';

const tag = 'messages';

export function registerMessageRoutes(routes: Routes): void {
  registerMessages(routes);
  registerResolving(routes);
  registerParking(routes);
  registerPacing(routes);
}

function registerMessages(routes: Routes): void {
  routes.workspace({
    method: 'GET',
    url: '/v1/messages',
    summary: 'List messages with their deliveries, newest first',
    tag,
    permission: 'messages.read',
    query: MessageQuery,
    answers: { 200: MessagePage },
    handler: async ({ scope, query }) => ({ body: await queries.list(scope, query) }),
  });
  routes.workspace({
    method: 'POST',
    url: '/v1/messages',
    summary: 'Send a message, now or later; 202 = taken by Convoke',
    tag,
    permission: 'messages.send',
    creates: true,
    body: NewMessage,
    answers: { 202: Message },
    handler: async ({ scope, body }) => {
      const id = await service.send(scope, {
        channelId: body.channel_id,
        target: body.to,
        content: body.content,
        sendAt: body.send_at,
      });
      return { status: 202, body: await queries.get(scope, id), headers: { location: `/v1/messages/${id}` } };
    },
  });
  routes.workspace({
    method: 'GET',
    url: '/v1/messages/:id',
    summary: 'Read one message with its delivery, attempts and receipts',
    tag,
    permission: 'messages.read',
    params: IdParams,
    answers: { 200: MessageDetail },
    handler: async ({ scope, params }) => ({ body: await queries.get(scope, params.id) }),
  });
  routes.workspace({
    method: 'DELETE',
    url: '/v1/messages/:id',
    summary: 'Cancel a message that is still queued',
    tag,
    permission: 'messages.send',
    params: IdParams,
    answers: { 204: null },
    handler: async ({ scope, params }) => {
      await service.cancel(scope, params.id);
      return { status: 204 };
    },
  });
}

/** What happens when nobody knows whether a message arrived. */
function registerResolving(routes: Routes): void {
  routes.workspace({
    method: 'POST',
    url: '/v1/messages/:id/resolve',
    summary: 'Decide about a message that is unknown: it arrived, send it again, or give it up',
    tag,
    permission: 'messages.send',
    params: IdParams,
    body: NewResolution,
    answers: { 200: MessageDetail },
    handler: async ({ scope, params, body }) => {
      await resolve(scope, params.id, body.as);
      return { body: await queries.get(scope, params.id) };
    },
  });
  routes.workspace({
    method: 'GET',
    url: '/v1/sending-policy',
    summary: 'Read what happens with messages that got no answer',
    tag,
    permission: 'messages.read',
    answers: { 200: SendingPolicy },
    handler: async ({ scope }) => answer(await readSendingPolicy(scope)),
  });
  routes.workspace({
    method: 'PATCH',
    url: '/v1/sending-policy',
    summary: 'Change what happens with messages that got no answer',
    tag,
    permission: 'channels.manage',
    body: SendingPolicyChange,
    answers: { 200: SendingPolicy },
    handler: async ({ scope, body, ifMatch }) => answer(await changeSendingPolicy(scope, body, ifMatch)),
  });
}

function answer(policy: SendingPolicy) {
  return { body: policy, headers: { etag: `"${policy.version}"` } };
}
