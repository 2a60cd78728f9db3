import type { Socket } from 'node:net';
import type pg from 'pg';

/**
 * Ends the connection of a `pg` client now. Its own `end` says goodbye first and then waits for the other side, which
 * over a dead link never answers.
 */
export function hangUp(client: pg.ClientBase): void {
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  stream.destroy();
}
