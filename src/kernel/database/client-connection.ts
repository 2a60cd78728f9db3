import type pg from 'pg';
import type { EngineConnection } from './engine.ts';

/**
 * One connection over a `pg` client. Statements run one after the other in the order in which they were
 * asked for, and none once it was given back: by then the client may serve another transaction.
 */
export function connectionOver(
  client: pg.ClientBase,
  onRelease: (broken: boolean) => void,
): EngineConnection {
  let given = true;
  let last: Promise<unknown> = Promise.resolve();
  const inOrder = <T>(work: () => Promise<T>): Promise<T> => {
    const start = () => {
      if (!given) throw new Error('This connection was already given back.');
      return work();
    };
    const mine = last.then(start, start);
    last = mine;
    return mine;
  };
  return {
    query: (text, params) =>
      inOrder(async () => {
        const result = await client.query(text, params as unknown[]);
        return { rows: result.rows, affected: result.rowCount ?? 0 };
      }),
    script: text =>
      inOrder(async () => {
        await client.query(text);
      }),
    release: (broken = false) => {
      if (!given) return;
      given = false;
      onRelease(broken);
    },
  };
}
