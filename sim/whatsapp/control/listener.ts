import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { whatsApp } from '../server/protocol.ts';
import { Connection } from '../wire/connection.ts';
import type { World } from '../world/world.ts';
import type { Control } from './control.ts';
import { streamEvents } from './events.ts';
import { json, match, type Route, readJson, respond } from './http.ts';
import { type Page, readPages, sendPage } from './pages.ts';
import { controlRoutes } from './routes.ts';

export const SOCKET_PATH = '/ws/chat';

type Listener = { port: number; close(): Promise<void> };

/** One loopback port for both: WhatsApp's socket at /ws/chat, the control API and its page everywhere else. */
export async function listen(world: World, control: Control, port: number): Promise<Listener> {
  const routes = controlRoutes(control);
  const pages = readPages();
  const server = createServer((request, response) => void answer(world, routes, pages, request, response));
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 16 * 1024 * 1024 });
  server.on('upgrade', (request, socket, head) => {
    if (new URL(request.url ?? '/', 'http://localhost').pathname !== SOCKET_PATH) {
      socket.destroy();
      return;
    }
    sockets.handleUpgrade(request, socket as Socket, head, client => new Connection(world, client, whatsApp));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => close(world, server, sockets) };
}

async function answer(
  world: World,
  routes: Route[],
  pages: Map<string, Page>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const method = request.method ?? 'GET';
  if (method === 'GET' && url.pathname === '/events') return streamEvents(world, response);
  const page = method === 'GET' ? pages.get(url.pathname) : undefined;
  if (page) return sendPage(response, page);
  if (method !== 'GET' && isForeign(request)) {
    return json(response, 403, { status: 403, detail: 'Pages of other sites may not drive the simulator.' });
  }
  const found = match(routes, method, url.pathname);
  if (!found) return json(response, 404, { status: 404, detail: 'There is nothing at this address.' });
  if (found === 'method') return json(response, 405, { status: 405, detail: `Not with ${method}.` });
  await respond(response, async () => {
    const body = method === 'GET' ? {} : await readJson(request);
    return found.route.handle({ params: found.params, query: url.searchParams, body });
  });
}

/** A browser names the page that sends; programs name none. */
function isForeign(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  return origin !== undefined && origin !== `http://${host}`;
}

async function close(world: World, server: Server, sockets: WebSocketServer): Promise<void> {
  for (const connection of world.connections) connection.cut('simulator closed');
  sockets.close();
  server.closeAllConnections();
  await new Promise<void>(resolve => server.close(() => resolve()));
}
