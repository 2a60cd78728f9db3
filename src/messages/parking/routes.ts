import type { Routes } from '../../kernel/index.ts';
import { Arming, NewParking, Parkings } from '../schema.ts';
import { readParkings } from './queries.ts';
import { arm, park } from './service.ts';

const tag = 'parking';

export function registerParking(routes: Routes): void {
  routes.workspace({
    method: 'GET',
    url: '/v1/parking',
    summary: 'Read what is parked, and how much it keeps back',
    tag,
    permission: 'messages.read',
    answers: { 200: Parkings },
    handler: async ({ scope }) => ({ body: await readParkings(scope) }),
  });
  routes.workspace({
    method: 'POST',
    url: '/v1/parking',
    summary: 'Park a channel or the workspace: messages are taken and kept, and none is sent',
    tag,
    permission: 'channels.manage',
    body: NewParking,
    answers: { 200: Parkings },
    handler: async ({ scope, body }) => {
      await park(scope, { channelId: body.channel_id, reason: body.reason });
      return { body: await readParkings(scope) };
    },
  });
  routes.workspace({
    method: 'POST',
    url: '/v1/parking/arm',
    summary:
      'Let a channel or the workspace send again; 202 = much is overdue and is decided about first, by itself',
    tag,
    permission: 'channels.manage',
    body: Arming,
    answers: { 200: Parkings, 202: Parkings },
    handler: async ({ scope, body }) => {
      const how = await arm(scope, { channelId: body.channel_id, overdue: body.overdue });
      return { status: how === 'armed' ? 200 : 202, body: await readParkings(scope) };
    },
  });
}
