import type pg from 'pg';
import { type EngineConnection, LinkFault } from './engine.ts';
import { runKept } from './kept-plans.ts';
import { asObjects } from './rows.ts';

/** When a connection over a network is given up. */
export type Link = {
  /** The longest that a statement may take from now on; none at all when 0 or less. */
  leftMs(): number;
  /** What has ended the connection already. */
  fault(): Error | undefined;
  /** A pooler in between hands each transaction to another connection, where a kept statement is not known. */
  pooled: boolean;
  /** Hangs up at once: what is under way there is not waited for. */
  destroy(): void;
};

/**
 * One connection over a `pg` client. Statements run one after the other in the order in which they were
 * asked for, and none once it was given back: by then the client may serve another transaction. Over a `link`
 * an answer that is too late ends the connection, and every statement after it fails at once.
 */
export function connectionOver(
  client: pg.ClientBase,
  onRelease: (broken: boolean) => void,
  link?: Link,
): EngineConnection {
  let given = true;
  let silent = false;
  let last: Promise<unknown> = Promise.resolve();
  const inOrder = <T>(work: () => Promise<T>): Promise<T> => {
    const start = () => {
      if (!given) throw new Error('This connection was already given back.');
      if (!link) return work();
      const fault = link.fault();
      if (silent || fault) throw new LinkFault('The connection to the database is lost.', false, fault);
      return inTime(work, link, () => {
        silent = true;
      });
    };
    const mine = last.then(start, start);
    last = mine;
    return mine;
  };
  return {
    query: (text, params, name) =>
      inOrder(async () => {
        const query: pg.QueryArrayConfig = { text, values: params as unknown[], rowMode: 'array' };
        const keeps = name !== undefined && !link?.pooled;
        const result = keeps ? await runKept(client, name, query) : await client.query(query);
        return { rows: asObjects(result), affected: result.rowCount ?? 0 };
      }),
    script: text =>
      inOrder(async () => {
        await client.query(text);
      }),
    release: (broken = false) => {
      if (!given) return;
      given = false;
      onRelease(broken || silent);
    },
  };
}

async function inTime<T>(work: () => Promise<T>, link: Link, onLate: () => void): Promise<T> {
  const leftMs = link.leftMs();
  if (leftMs <= 0) throw new LinkFault('There was no time left to ask the database.', false);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      onLate();
      reject(new LinkFault(`The database did not answer within ${Math.round(leftMs)} ms.`, true));
      link.destroy();
    }, leftMs);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
