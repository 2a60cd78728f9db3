import { randomUUID } from 'node:crypto';
import { afterAll, expect, it } from 'vitest';
import { startFarEnd } from '../crash/far-end.ts';
import { type Ground, serverGround } from '../crash/ground.ts';
import { HTTP_KIND } from '../crash/http-adapter.ts';
import { beginLife, type Life, served } from '../crash/life.ts';
import type { Row } from '../harness/book.ts';
import { keepFigure } from '../harness/figures.ts';
import { Front, Refused } from '../harness/front.ts';
import { startPostgres } from '../harness/postgres-server.ts';
import { mountedDisk, pretendedDisk, type SmallDisk } from '../harness/small-disk.ts';
import { Tally } from '../harness/tally.ts';
import { until } from '../harness/until.ts';

const PHONE = '+15557500001';
const PATIENCE = { within: 60_000, every: 100 };
/** The pages that there are have some room left. */
const MOST_ASKED = 300;
const REFUSED = 5;
const LONG = 'x'.repeat(3_000);
/** Of the log of changes; there are some 16 MiB and then, on a full disk, no more. */
const A_MEGABYTE = `select pg_logical_emit_message(true, 'test', repeat('x', 1000000))`;
const MOST_MEGABYTES = 200;

const cleanups: (() => unknown)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

/** One program on a database whose disk can be filled, sending to a provider that gives the ids. */
class OnSmallDisk {
  readonly front = new Front('disk', 'accepted');
  readonly ends = new Tally();
  readonly disk: SmallDisk;
  readonly #env: Record<string, string>;
  readonly #farEnd: Awaited<ReturnType<typeof startFarEnd>>;
  readonly #channelId = randomUUID();
  #rows: Ground['rows'] | undefined;
  life: Life;

  static async begin(
    disk: SmallDisk,
    env: Record<string, string>,
    rows?: Ground['rows'],
  ): Promise<OnSmallDisk> {
    const farEnd = await startFarEnd();
    cleanups.push(() => farEnd.close());
    const one = new OnSmallDisk(disk, { ...env, CRASH_FAR_END: farEnd.url }, farEnd);
    one.#rows = rows;
    cleanups.push(() => one.life.end('SIGKILL'));
    await one.front.signUp(await served(one.life));
    const columns = `'${one.#channelId}', '${HTTP_KIND}', 'Far end', 'connected', 'connecting'`;
    await one.rows(
      `insert into channels (workspace_id, id, kind, label, wanted, status) select id, ${columns} from workspaces`,
    );
    await one.connected();
    return one;
  }

  private constructor(
    disk: SmallDisk,
    env: Record<string, string>,
    farEnd: Awaited<ReturnType<typeof startFarEnd>>,
  ) {
    this.disk = disk;
    this.#env = env;
    this.#farEnd = farEnd;
    this.life = this.restart();
  }

  restart(): Life {
    this.life = beginLife({ env: this.#env, onReady: url => this.front.turnTo(url) });
    return this.life;
  }

  rows<T>(text: string): Promise<T[]> {
    return this.#rows ? this.#rows(this.life, text) : this.life.rows(text);
  }

  async connected(): Promise<void> {
    await until(
      async () => (await this.rows(`select from channels where status = 'connected'`)).length > 0,
      PATIENCE,
    );
  }

  ask(): Promise<void> {
    const what = { channel_id: this.#channelId, to: { phone: PHONE } };
    return this.front.ask('/v1/messages', what, [PHONE], LONG);
  }

  /** Fills the disk and asks until that shows; answers all that was said to those who were refused. */
  async askOnFullDisk(): Promise<Refused['answer'][]> {
    this.disk.fill();
    const refusals: Refused['answer'][] = [];
    for (let asked = 0; asked < MOST_ASKED && refusals.length < REFUSED; asked++) {
      await this.ask().catch(error => {
        if (!(error instanceof Refused)) throw error;
        refusals.push(error.answer);
      });
    }
    return refusals;
  }

  /** Those who were refused ask again; then nothing may be lost and nothing twice. */
  async compare(): Promise<string[]> {
    const { book } = this.front;
    const answered = () =>
      book.askAgain().then(
        () => true,
        () => false,
      );
    await until(answered, PATIENCE);
    const rows = () => this.rows<Row>(book.query());
    // What could not be begun for want of room rests for a minute.
    await this.rows('update due_work set claimed_until = null where claimed_by is null');
    await until(async () => book.hasEnded(await rows()), PATIENCE);
    return book.close(await rows(), this.#farEnd.ledger(), this.ends);
  }
}

function prove(
  on: OnSmallDisk,
  refusals: Refused['answer'][],
  health: Refused['answer'],
  faults: string[],
): void {
  expect(refusals.map(({ status, body }) => `${status} ${body.code}`)).toEqual(
    Array(REFUSED).fill('507 storage_full'),
  );
  expect(refusals[0]?.headers.get('content-type')).toContain('application/problem+json');
  expect(health).toMatchObject({ status: 503, body: { status: 'unhealthy', database: 'full' } });
  expect(faults).toEqual([]);
  expect(on.ends.get('unknown')).toBe(0);
}

function keep(on: OnSmallDisk, refusals: number, where: string, more: string): void {
  keepFigure(`2-chaos-full-disk-${where.split(' ')[0]}`, {
    fault: `the disk of the ${where} is full for a while`,
    invariant: `who cannot be served is answered 507 \`storage_full\` and told why, \`/health\` says so, nothing of what was accepted is lost or twice, and it goes on by itself when there is room; ${more}`,
    test: 'test/chaos/full-disk.test.ts',
    counted: `${refusals} refused and asked for again, 0 faults: ${on.ends}`,
  });
}

it('refuses on the embedded database what it has no room for, goes on, and is whole after it had to end', async () => {
  const disk = mountedDisk(160) ?? pretendedDisk();
  cleanups.push(() => disk.close());
  const on = await OnSmallDisk.begin(disk, { CONVOKE_DATA_DIR: disk.folder, ...disk.env });
  await on.ask();
  const refusals = await on.askOnFullDisk();
  const health = await on.front.client('GET', '/health');
  disk.free();
  prove(on, refusals, health, await on.compare());

  disk.fill();
  for (let written = 0; written < MOST_MEGABYTES && !on.life.isOver(); written++)
    await Promise.race([on.rows(A_MEGABYTE).catch(() => undefined), on.life.ended]);
  expect(await on.life.ended).toBe(1);
  expect(on.life.output()).toMatch(/kernel.database_lost.*No space left on device/);
  expect(await on.restart().ended).toBe(1);
  expect(on.life.output()).toContain('is full, so it does not open. Make room there and start again');
  disk.free();
  await served(on.restart());
  await on.connected();
  await on.ask();
  expect(await on.compare()).toEqual([]);
  keep(
    on,
    refusals.length,
    'embedded database',
    'where not even the log of changes can grow, it ends and says why, and the next start is whole',
  );
});

/** Only a real disk can be full for a server. */
const mounted = mountedDisk(300);
if (mounted) {
  it('refuses on PostgreSQL what that has no room for, and goes on', async () => {
    cleanups.push(() => mounted.close());
    const server = await startPostgres(18, {}, mounted.folder);
    cleanups.push(() => server.stop());
    const ground = await serverGround(server, 'full_disk');
    cleanups.push(() => ground.close());
    const on = await OnSmallDisk.begin(mounted, ground.env, ground.rows);
    await on.ask();
    const refusals = await on.askOnFullDisk();
    const health = await on.front.client('GET', '/health');
    mounted.free();
    prove(on, refusals, health, await on.compare());
    keep(
      on,
      refusals.length,
      'PostgreSQL server',
      'one that cannot even write its log ends itself and needs its operator',
    );
  });
} else console.log('Without a full disk of PostgreSQL: nothing may be mounted here.');
