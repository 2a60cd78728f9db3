import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** After this time whoever still has not got an answer is cut off. */
const PATIENCE_MS = 10_000;

/**
 * Lets a server stop without waiting for connections on which nothing was asked, as browsers open them
 * ahead. Node counts those as busy until they time out.
 */
export function trackConnections(server: Server): { close(stop: () => Promise<void>): Promise<void> } {
  const quiet = new Set<Socket>();
  let closing = false;
  server.on('connection', (socket: Socket) => {
    quiet.add(socket);
    socket.once('close', () => quiet.delete(socket));
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    quiet.delete(request.socket);
    response.once('close', () => {
      if (closing) request.socket.destroySoon();
      else if (!request.socket.destroyed) quiet.add(request.socket);
    });
  });
  return {
    close: async stop => {
      closing = true;
      const cut = setTimeout(() => server.closeAllConnections(), PATIENCE_MS);
      const stopped = stop();
      for (const socket of quiet) socket.destroySoon();
      await stopped;
      clearTimeout(cut);
    },
  };
}
