import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Arrived } from '../harness/book.ts';

/** The provider behind the HTTP adapter: gives each request an id of its own and writes down what arrived. */
export type FarEnd = { url: string; ledger(): (Arrived & { at: number })[]; close(): Promise<void> };

export async function startFarEnd(): Promise<FarEnd> {
  const arrived: (Arrived & { at: number })[] = [];
  const server = createServer((request, response) => {
    const at = Date.now();
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { to, text } = JSON.parse(Buffer.concat(chunks).toString()) as { to: string; text: string };
      const id = randomUUID();
      arrived.push({ id, to, text, copies: 1, at });
      response.end(JSON.stringify({ id }));
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/messages`,
    ledger: () => arrived,
    close: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
