import type pg from 'pg';
import { sqlState } from './engine.ts';

/** What one connection knows of a statement: how often it has run, and the number of the plan in use. */
type Runs = { count: number; plan: number };

const ENOUGH = 2 ** 12;
/** The statement is not there any more, or the tables have changed under it. */
const STALE = new Set(['26000', '0A000']);

const clients = new WeakMap<pg.ClientBase, Map<string, Runs>>();

/**
 * Runs a statement that the connection keeps under a name. A plan is right for the size that the tables had when it
 * was made, and the first one may be made over empty tables: so a new plan is made each time that the statement has
 * run twice as often, and the old one is forgotten.
 */
export async function runKept(
  client: pg.ClientBase,
  name: string,
  query: pg.QueryArrayConfig,
): Promise<pg.QueryArrayResult> {
  const known = clients.get(client) ?? new Map<string, Runs>();
  clients.set(client, known);
  const runs = known.get(name) ?? { count: 0, plan: 0 };
  known.set(name, runs);
  const planned = `${name}_${runs.plan}`;
  try {
    const result = await client.query({ ...query, name: planned });
    runs.count += 1;
    if (runs.count <= ENOUGH && Number.isInteger(Math.log2(runs.count))) {
      runs.plan += 1;
      await client.query(`deallocate ${planned}`);
    }
    return result;
  } catch (error) {
    if (STALE.has(sqlState(error) ?? '')) runs.plan += 1;
    throw error;
  }
}
