import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { asAdministrator, type TestDatabase, testDatabase } from '../../../test/harness/database.ts';
import { startTcpProxy, type TcpProxy } from '../../../test/harness/tcp-proxy.ts';
import { until } from '../../../test/harness/until.ts';
import { CommitUnknown, Database, type Tx } from './database.ts';
import { LinkFault } from './engine.ts';
import { openPostgres } from './postgres.ts';

let ground: TestDatabase;
let proxy: TcpProxy;
let far: Database;
let faults: Error[];

const DEADLINE_MS = 400;

beforeAll(async () => {
  ground = await testDatabase();
  await asAdministrator(
    ground.url ?? '',
    `create table marks (id integer, constraint marks_once unique (id) deferrable initially deferred);
     grant select, insert, update on marks to convoke_engine`,
  );
});
afterAll(() => ground.close());
beforeEach(async () => {
  const { port } = new URL(ground.url ?? '');
  proxy = await startTcpProxy({ port: Number(port) });
  faults = [];
  const engine = openPostgres({
    url: proxy.through(ground.url ?? ''),
    poolSize: 2,
    deadlineMs: DEADLINE_MS,
    idleMs: 600,
    pulse: { everyMs: 100, withinMs: 200 },
    onFault: error => faults.push(error),
  });
  far = new Database(engine, 'roles');
});
afterEach(async () => {
  await far.close();
  await proxy.close();
});

const one = (tx: Tx) => sql`select 1`.execute(tx);
const mark = (tx: Tx, id: number) => sql`insert into marks (id) values (${id})`.execute(tx);
const marks = async (id: number) => {
  const { rows } = await ground.database.inEngine('test.marks', tx =>
    sql<{ count: number }>`select count(*)::int as count from marks where id = ${id}`.execute(tx),
  );
  return rows[0]?.count;
};

async function timed(work: Promise<unknown>): Promise<{ error: unknown; ms: number }> {
  const from = performance.now();
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { error, ms: performance.now() - from };
}

describe('a link to the database that falls silent', () => {
  it('fails the statement at its deadline, and all is well again once it is mended', async () => {
    await far.inEngine('test.warm', one);
    const { error, ms } = await timed(
      far.inEngine('test.silent', async tx => {
        proxy.blackhole();
        await one(tx);
      }),
    );
    expect(error).toBeInstanceOf(LinkFault);
    expect(ms).toBeLessThan(DEADLINE_MS * 2);
    proxy.mend();
    await far.inEngine('test.again', one);
  });

  it('fails the opening of a transaction on a connection that lay idle', async () => {
    await far.inEngine('test.warm', one);
    proxy.blackhole();
    const { error, ms } = await timed(far.inEngine('test.silent', one));
    expect(error).toBeInstanceOf(LinkFault);
    expect(ms).toBeLessThan(DEADLINE_MS * 2);
  });

  it('runs nothing of the work twice when a connection was cut while it lay idle', async () => {
    await far.inEngine('test.warm', one);
    let runs = 0;
    proxy.drop();
    await far.inEngine('test.cut', async tx => {
      runs += 1;
      await one(tx);
    });
    expect(runs).toBe(1);
  });

  it('tells a commit whose answer is lost from one that was refused', async () => {
    const lost = far.inEngine('test.lost', async tx => {
      await mark(tx, 1);
      proxy.blackhole('down');
    });
    await expect(lost).rejects.toBeInstanceOf(CommitUnknown);
    await until(async () => (await marks(1)) === 1);
    proxy.mend();

    const refused = far.inEngine('test.refused', async tx => {
      await mark(tx, 2);
      await mark(tx, 2);
    });
    await expect(refused).rejects.toMatchObject({ code: '23505', constraint: 'marks_once' });
    expect(await marks(2)).toBe(0);
  });

  it('leaves a commit open that it never saw arrive', async () => {
    const lost = far.inEngine('test.lost', async tx => {
      await mark(tx, 3);
      proxy.blackhole('up');
    });
    await expect(lost).rejects.toBeInstanceOf(CommitUnknown);
    expect(await marks(3)).toBe(0);
    proxy.mend();
  });

  it('knows that nothing was stored when the cut came before the commit', async () => {
    const cut = far.inEngine('test.cut', async tx => {
      await mark(tx, 4);
      proxy.cut();
      await until(() => proxy.connections() === 0, { every: 5 });
      await new Promise(resolve => setTimeout(resolve, 50));
    });
    await expect(cut).rejects.toMatchObject({ name: 'LinkFault', sent: false });
    expect(await marks(4)).toBe(0);
  });

  it('does not keep locks for longer than the server waits for us', async () => {
    await ground.database.inEngine('test.mark', tx => mark(tx, 5));
    const lock = sql`update marks set id = id where id = 5`;
    const silent = far.inEngine('test.silent', async tx => {
      await lock.execute(tx);
      proxy.blackhole();
      await one(tx);
    });
    await expect(silent).rejects.toBeInstanceOf(LinkFault);
    const { error, ms } = await timed(ground.database.inEngine('test.lock', tx => lock.execute(tx)));
    expect(error).toBeUndefined();
    expect(ms).toBeLessThan(1_500);
  });

  it('is noticed by whoever listens, who comes back', async () => {
    const heard: string[] = [];
    await far.engine.listen('news', payload => heard.push(payload));
    proxy.blackhole();
    await until(() => faults.length > 0);
    proxy.mend();
    await until(async () => {
      await ground.database.inEngine('test.notify', tx => sql`select pg_notify('news', 'after')`.execute(tx));
      return heard.includes('after');
    });
    expect(heard).toContain('after');
  });

  it('does not keep a program from ending', async () => {
    await far.engine.listen('news', () => undefined);
    await far.inEngine('test.warm', one);
    proxy.blackhole();
    const { ms } = await timed(far.close());
    expect(ms).toBeLessThan(500);
    far = new Database(
      openPostgres({ url: ground.url ?? '', poolSize: 1, onFault: () => undefined }),
      'roles',
    );
  });
});

describe('a pool that is in use as a whole', () => {
  it('lets nobody wait for ever, and keeps one connection for what is urgent', async () => {
    const done = Promise.withResolvers<void>();
    const busy = [1, 2].map(() => far.inEngine('test.busy', () => done.promise));
    const { error, ms } = await timed(far.inEngine('test.crowd', one, { withinMs: 200 }));
    expect(error).toBeInstanceOf(LinkFault);
    expect(ms).toBeLessThan(1_000);
    await far.inEngine('test.urgent', one, { urgent: true, withinMs: 1_000 });
    done.resolve();
    await Promise.all(busy);
    await far.inEngine('test.after', one, { withinMs: 1_000 });
  });

  it('measures the time of an urgent transaction as a whole', async () => {
    const { error, ms } = await timed(
      far.inEngine(
        'test.slow',
        async tx => {
          for (let i = 0; i < 10; i++) await sql`select pg_sleep(0.1)`.execute(tx);
        },
        { urgent: true, withinMs: 300 },
      ),
    );
    expect(error).toBeDefined();
    expect(ms).toBeLessThan(700);
  });
});
