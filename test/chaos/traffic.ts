import type { Row } from '../harness/book.ts';
import type { Tally } from '../harness/tally.ts';
import { until } from '../harness/until.ts';
import type { Cluster } from './cluster.ts';

const EVERY_MS = 150;

/** People send and write all the time, and mind no refusal; call the result to make them stop. */
export function startTraffic(cluster: Cluster): () => Promise<void> {
  const asking = new Set<Promise<void>>();
  let turn = 0;
  const timer = setInterval(() => {
    turn += 1;
    const asked = cluster
      .ask(turn)
      .catch(() => undefined)
      .finally(() => asking.delete(asked));
    asking.add(asked);
    if (turn % 2 === 0) cluster.write(turn / 2);
  }, EVERY_MS);
  return async () => {
    clearInterval(timer);
    await Promise.all(asking);
  };
}

/**
 * Waits until all that was asked has come to an end and all that was written is stored and handed on, for as long as
 * something comes of it; answers what is wrong with it.
 */
export async function balance(cluster: Cluster, ends: Tally, within = 45_000): Promise<string[]> {
  const { book } = cluster.front;
  const answered = () =>
    book.askAgain().then(
      () => true,
      () => false,
    );
  await until(answered, { within, every: 500, what: () => 'an answer to all that was asked' });
  const rows = () => cluster.rows<Row>(book.query());
  const faults: string[] = [];
  const atRest = async () => book.hasEnded(await rows()) && (await missing(cluster)).length === 0;
  const stateOf = async () => JSON.stringify([(await rows()).map(row => row.status), await missing(cluster)]);
  for (let last = ''; !(await atRest()); ) {
    const state = await stateOf();
    if (state === last) {
      faults.push('does not come to rest');
      break;
    }
    last = state;
    await cluster.hurry();
    await until(atRest, { within, every: 200 }).catch(() => undefined);
  }
  faults.push(...book.close(await rows(), cluster.simulator.ledger(), ends), ...(await missing(cluster)));
  ends.add('messages in', cluster.inbound.length);
  return faults;
}

async function missing(cluster: Cluster): Promise<string[]> {
  const rows = await cluster.rows<{ id: string; times: number; placeholders: number }>(
    `select split_part(message_key, '|', 3) as id, count(*) filter (where kind <> 'undecryptable')::int as times,
      count(*) filter (where kind = 'undecryptable')::int as placeholders from intake group by 1`,
  );
  const known = new Map(rows.map(row => [row.id, row]));
  const [pending] = await cluster.rows<{ count: number }>('select count(*)::int from intake_pending');
  return [
    ...cluster.inbound.flatMap(id => {
      const { times = 0, placeholders = 0 } = known.get(id) ?? {};
      return times === 1
        ? []
        : [`message ${id} in is there ${times} times, and ${placeholders} placeholders of it`];
    }),
    ...(pending?.count ? [`${pending.count} messages in were not handed on`] : []),
  ];
}
