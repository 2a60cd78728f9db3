import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FarEnd, startFarEnd } from '../crash/far-end.ts';
import { type Ground, serverGround } from '../crash/ground.ts';
import { HTTP_KIND } from '../crash/http-adapter.ts';
import { beginLife, type Life, served } from '../crash/life.ts';
import type { Row } from '../harness/book.ts';
import { keepFigure } from '../harness/figures.ts';
import { Front } from '../harness/front.ts';
import { type PostgresServer, startPostgres } from '../harness/postgres-server.ts';
import { Tally } from '../harness/tally.ts';
import { until } from '../harness/until.ts';

const MESSAGES = 1_000;
const PHONE = '+15557400001';

const front = new Front('stop', 'accepted');
const channelId = randomUUID();
let server: PostgresServer;
let farEnd: FarEnd;
let ground: Ground;
let life: Life;

beforeAll(async () => {
  server = await startPostgres(18);
  farEnd = await startFarEnd();
  ground = await serverGround(server, 'clean_stop');
  life = begin();
  await front.signUp(await served(life));
});
afterAll(async () => {
  await life.end('SIGKILL');
  await ground.close();
  await farEnd.close();
  await server.stop();
});

function begin(): Life {
  const env = { ...ground.env, CRASH_FAR_END: farEnd.url };
  return beginLife({ env, onReady: url => front.turnTo(url) });
}

it('loses nothing and leaves nothing unknown when it is stopped during 1,000 sends', async () => {
  const columns = `'${channelId}', '${HTTP_KIND}', 'Far end'`;
  await ground.rows(
    life,
    `insert into channels (workspace_id, id, kind, label) select id, ${columns} from workspaces`,
  );
  for (let done = 0; done < MESSAGES; done += 50) await Promise.all(Array.from({ length: 50 }, ask));
  await ground.rows(life, `update channels set wanted = 'connected', status = 'connecting', generation = 2`);
  await until(() => farEnd.ledger().length > MESSAGES / 4, { within: 60_000, every: 5 });
  expect(await life.end('SIGTERM')).toBe(0);
  const before = farEnd.ledger().length;
  expect(before).toBeLessThan(MESSAGES);
  life = begin();
  await served(life);
  const rows = () => ground.rows<Row>(life, front.book.query());
  await until(async () => front.book.hasEnded(await rows()), { within: 60_000, every: 200 });
  const ends = new Tally();
  const faults = front.book.close(await rows(), farEnd.ledger(), ends);
  keepFigure('2-chaos-clean-stop', {
    fault: 'an orderly stop during 1,000 sends, where the provider gives the ids',
    invariant: 'nothing is lost, nothing is sent twice, nothing is unknown',
    test: 'test/chaos/clean-stop.test.ts',
    counted: `${before} had left before the stop; ${faults.length} faults: ${ends}`,
  });
  expect(faults).toEqual([]);
  expect(ends.get('unknown')).toBe(0);
});

function ask(): Promise<void> {
  return front.ask('/v1/messages', { channel_id: channelId, to: { phone: PHONE } }, [PHONE]);
}
