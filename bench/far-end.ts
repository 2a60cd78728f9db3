import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * The provider of the outbox benchmark, a process of its own: takes POSTs as a messaging API does, answers
 * an id, and counts what really arrived. `GET /ledger` tells, `DELETE /ledger` starts over.
 */
let posts = 0;
let arrived = new Set<string>();

const server = createServer((request, response) => {
  if (request.url === '/ledger') {
    if (request.method === 'DELETE') {
      posts = 0;
      arrived = new Set();
    }
    response.end(JSON.stringify({ posts, distinct: arrived.size }));
    return;
  }
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { ref } = JSON.parse(Buffer.concat(chunks).toString()) as { ref: string };
    posts += 1;
    arrived.add(ref);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ messages: [{ id: `far.${ref}` }] }));
  });
});

server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.once('disconnect', () => process.exit());
