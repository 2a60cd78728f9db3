import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Row } from '../harness/book.ts';
import { keepFigure } from '../harness/figures.ts';
import { type Deeds, deedsSince, STATEMENTS, statementsSoFar } from '../harness/statements.ts';
import { Tally } from '../harness/tally.ts';
import { until } from '../harness/until.ts';
import { Cluster, type Node } from './cluster.ts';
import { balance, startTraffic } from './traffic.ts';

const MESSAGES = 200;
/** On a busy machine the other node may lose the lease too. */
const TRIES = 4;
const LOOKS_ON_MS = 1_500;
/** That the node is alive, and what it may drive. */
const OWN = new Set(['nodes', 'leases']);
/** What changes wherever a channel is driven under traffic. */
const DRIVING = ['attempts', 'channel_keys', 'intake'];

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start(STATEMENTS);
  await cluster.settle();
});
afterAll(() => cluster.close());

describe('a linked number', () => {
  it('is not touched any more by a node that slept beyond its lease', async () => {
    const tables = new Set((await cluster.rows<{ name: string }>(TABLES)).map(({ name }) => name));
    await cluster.begin('b');
    let slept: { deeds: Deeds; late: number } | undefined;
    for (let tried = 0; slept === undefined && tried < TRIES; tried++) slept = await sleepAndWake(tables);
    const { deeds, late } = slept ?? { deeds: undefined, late: 0 };
    const ends = new Tally();
    const wrong = await balance(cluster, ends);
    const changed = deeds?.changed.filter(table => !OWN.has(table));
    keepFigure('2-chaos-woken', {
      fault: 'a node is paused beyond its lease under steady traffic, and woken',
      invariant:
        "it changes no row, by the log of the database, but its own sign of life, what any node may do, what became of its own attempts and the deliveries that it had claimed and not begun, and sends no stanza by the other side's; nothing twice, nothing lost",
      test: 'test/chaos/linked.test.ts',
      counted: `${deeds?.statements} statements of the woken node, of which ${deeds?.metNoRow} were to change rows and met none; ${deeds?.rolledBack} transactions rolled back; ${deeds?.ofAnyNode} of what any node may do, ${deeds?.told} that tell of own attempts, ${deeds?.gaveBack} that free own claims; ${changed?.length} changes elsewhere; ${late} stanzas; ${ends}`,
    });
    expect(changed).toEqual([]);
    expect(late).toBe(0);
    expect(wrong).toEqual([]);
  });

  it(`loses nothing and leaves nothing unknown when its node is stopped during ${MESSAGES} sends`, async () => {
    const holder = await driven();
    for (const node of cluster.nodes.values()) if (node !== holder) await node.process.end('SIGTERM');
    cluster.front.turnTo(holder.process.url);
    const sent = cluster.simulator.ledger().length;
    const left = () => cluster.simulator.ledger().length - sent;
    const asked = Array.from({ length: MESSAGES }, (_, turn) => cluster.ask(2 * turn).catch(() => undefined));
    await until(() => left() > MESSAGES / 5, { within: 60_000, every: 5 });
    expect(await holder.process.end('SIGTERM')).toBe(0);
    await Promise.all(asked);
    const before = left();
    expect(before).toBeLessThan(MESSAGES);
    const next = await cluster.begin(holder.name);
    cluster.front.turnTo(next.process.url);
    const { book } = cluster.front;
    await book.askAgain();
    const rows = () => cluster.rows<Row>(book.query());
    await until(async () => book.hasEnded(await rows()), { within: 120_000, every: 200 });
    const ends = new Tally();
    const faults = book.close(await rows(), cluster.simulator.ledger(), ends);
    keepFigure('2-chaos-linked-stop', {
      fault: `an orderly stop during ${MESSAGES} sends of a linked number without a pace`,
      invariant: 'nothing is lost, nothing is sent twice, nothing is unknown',
      test: 'test/chaos/linked.test.ts',
      counted: `${before} had left before the stop; ${faults.length} faults: ${ends}`,
    });
    expect(faults).toEqual([]);
    expect(ends.get('unknown')).toBe(0);
  });
});

const TABLES = `select tablename as name from pg_tables where schemaname = 'public'`;
const HELD = 'select name, holder, fence from leases order by name';

/** What the holder does once it is woken; undefined when leases have changed hands by then, so that it may do more. */
async function sleepAndWake(
  tables: ReadonlySet<string>,
): Promise<{ deeds: Deeds; late: number } | undefined> {
  const holder = await driven();
  const other = [...cluster.nodes.values()].find(node => node !== holder);
  cluster.front.turnTo(other?.process.url ?? '');
  const stop = startTraffic(cluster);
  // The same reading finds what it does while it has the lease.
  await until(() => {
    const { changed } = deedsSince(cluster.server, 0, `node_${holder.name}`, tables);
    return DRIVING.every(table => changed.includes(table));
  });
  const from = Date.now();
  holder.process.signal('SIGSTOP');
  await cluster.drivenAfter(from);
  await until(async () => (await cluster.rows(ALL_TAKEN)).length === 0, { within: 20_000 });
  const leases = JSON.stringify(await cluster.rows(HELD));
  const [said, log] = [holder.process.output().length, statementsSoFar(cluster.server)];
  holder.process.signal('SIGCONT');
  await until(() => holder.process.output().slice(said).includes('leases.lapsed'));
  await new Promise(resolve => setTimeout(resolve, LOOKS_ON_MS));
  const deeds = deedsSince(cluster.server, log, `node_${holder.name}`, tables);
  const isOthers = JSON.stringify(await cluster.rows(HELD)) === leases;
  await stop();
  const late = cluster.sockets().reduce((sum, socket) => sum + (socket.late ?? 0), 0);
  return isOthers ? { deeds, late } : undefined;
}

/** Leases that nobody has taken over yet. */
const ALL_TAKEN = `select from leases where holder is not null and expires_at < now()`;

async function driven(): Promise<Node> {
  const holder = await until(() => cluster.holder(), { within: 30_000 });
  await until(() => cluster.sockets().some(socket => socket.closed_at === undefined), { within: 30_000 });
  return holder;
}
