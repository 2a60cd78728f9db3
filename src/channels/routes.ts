import { renderSVG } from 'uqr';
import { z } from 'zod';
import { AppError, IdParams, notFound, PageQuery, type Routes } from '../kernel/index.ts';
import type { ChannelRemoval } from './ports.ts';
import * as queries from './queries.ts';
import {
  Channel,
  ChannelChange,
  ChannelPage,
  GroupPage,
  GroupQuery,
  NewChannel,
  NewPairing,
  Pairing,
} from './schema.ts';
import * as service from './service.ts';

const tag = 'channels';

export function registerChannelRoutes(routes: Routes, endPlans?: ChannelRemoval): void {
  registerCollection(routes);
  registerOne(routes, endPlans);
  registerPairing(routes);
  registerGroups(routes);
  registerRefresh(routes);
}

function registerCollection(routes: Routes): void {
  routes.workspace({
    method: 'GET',
    url: '/v1/channels',
    summary: 'List channels, newest first',
    tag,
    permission: 'channels.read',
    query: PageQuery,
    answers: { 200: ChannelPage },
    handler: async ({ scope, query }) => ({ body: await queries.list(scope, query) }),
  });
  routes.workspace({
    method: 'POST',
    url: '/v1/channels',
    summary: 'Create a channel; pair a number with it next',
    tag,
    permission: 'channels.manage',
    creates: true,
    body: NewChannel,
    answers: { 201: Channel },
    handler: async ({ scope, body }) => {
      const channel = await queries.get(scope, await service.create(scope, body));
      return { ...answer(channel), status: 201 };
    },
  });
}

function registerOne(routes: Routes, endPlans?: ChannelRemoval): void {
  const url = '/v1/channels/:id';
  routes.workspace({
    method: 'GET',
    url,
    summary: 'Read one channel; `connected` = it can send',
    tag,
    permission: 'channels.read',
    params: IdParams,
    answers: { 200: Channel },
    handler: async ({ scope, params }) => answer(await queries.get(scope, params.id)),
  });
  routes.workspace({
    method: 'PATCH',
    url,
    summary: 'Rename a channel',
    tag,
    permission: 'channels.manage',
    params: IdParams,
    body: ChannelChange,
    answers: { 200: Channel },
    handler: async ({ scope, params, body, ifMatch }) => {
      await service.rename(scope, params.id, body.label, ifMatch);
      return answer(await queries.get(scope, params.id));
    },
  });
  routes.workspace({
    method: 'DELETE',
    url,
    summary: 'Remove a channel: logs out at WhatsApp, erases its credentials, ends what is planned on it',
    tag,
    permission: 'channels.manage',
    params: IdParams,
    answers: { 204: null },
    handler: async ({ scope, params }) => {
      await service.remove(scope, params.id, endPlans);
      return { status: 204 };
    },
  });
  routes.workspace({
    method: 'POST',
    url: `${url}/unpair`,
    summary: 'Log out at WhatsApp; the channel stays, its groups are archived',
    tag,
    permission: 'channels.manage',
    params: IdParams,
    answers: { 200: Channel },
    handler: async ({ scope, params }) => {
      await service.unpair(scope, params.id);
      return answer(await queries.get(scope, params.id));
    },
  });
}

function registerPairing(routes: Routes): void {
  const url = '/v1/channels/:id/pairing';
  routes.workspace({
    method: 'POST',
    url,
    summary: 'Start pairing by QR code or by 8-digit code; ends the one before',
    tag,
    permission: 'channels.manage',
    params: IdParams,
    body: NewPairing,
    answers: { 200: Pairing, 201: Pairing },
    handler: async ({ scope, params, body }) => {
      const started = await service.startPairing(scope, params.id, body);
      return { status: started === 'new' ? 201 : 200, body: await queries.getPairing(scope, params.id) };
    },
  });
  routes.workspace({
    method: 'GET',
    url,
    summary: 'Read the current or last pairing',
    tag,
    permission: 'channels.manage',
    params: IdParams,
    answers: { 200: Pairing },
    handler: async ({ scope, params }) => ({
      body: await queries.getPairing(scope, params.id),
      headers: { 'cache-control': 'no-store' },
    }),
  });
  routes.workspace({
    method: 'DELETE',
    url,
    summary: 'Stop pairing',
    tag,
    permission: 'channels.manage',
    params: IdParams,
    answers: { 204: null },
    handler: async ({ scope, params }) => {
      await service.cancelPairing(scope, params.id);
      return { status: 204 };
    },
  });
  routes.workspace({
    method: 'GET',
    url: `${url}/qr.svg`,
    summary: 'The QR code now on show, as a picture',
    tag,
    permission: 'channels.manage',
    params: IdParams,
    answers: { 200: z.string().describe('An SVG picture') },
    handler: async ({ scope, params }) => {
      const { qr } = await queries.getPairing(scope, params.id);
      if (qr === undefined) throw notFound();
      return {
        body: renderSVG(qr, { border: 2 }),
        headers: { 'content-type': 'image/svg+xml', 'cache-control': 'no-store' },
      };
    },
  });
}

function registerGroups(routes: Routes): void {
  routes.workspace({
    method: 'GET',
    url: '/v1/groups',
    summary: 'List groups of one channel or of all',
    tag,
    permission: 'channels.read',
    query: GroupQuery,
    answers: { 200: GroupPage },
    handler: async ({ scope, query }) => ({ body: await queries.listGroups(scope, query) }),
  });
}

/** The node that drives the channel does it; a route never touches a socket. */
function registerRefresh(routes: Routes): void {
  routes.workspace({
    method: 'POST',
    url: '/v1/channels/:id/groups/refresh',
    summary: 'Ask the provider for all groups again; they arrive in the list by themselves',
    tag,
    permission: 'channels.manage',
    params: IdParams,
    answers: { 202: null },
    handler: async ({ scope, params }) => {
      const channel = await queries.get(scope, params.id);
      if (channel.status !== 'connected') {
        throw new AppError('illegal_state', 'Groups can be refreshed only while the channel is connected.');
      }
      scope.kernel.wake.publish('groups', params.id);
      return { status: 202 };
    },
  });
}

function answer(channel: { version: number }) {
  return { body: channel, headers: { etag: `"${channel.version}"` } };
}
