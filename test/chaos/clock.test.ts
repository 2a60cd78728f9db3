import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FarEnd, startFarEnd } from '../crash/far-end.ts';
import { folderGround, type Ground } from '../crash/ground.ts';
import { HTTP_KIND } from '../crash/http-adapter.ts';
import { beginLife, type Life, served } from '../crash/life.ts';
import { type SettableClock, settableClock } from '../harness/clock.ts';
import { keepFigure } from '../harness/figures.ts';
import { Front } from '../harness/front.ts';
import { until } from '../harness/until.ts';

const PHONE = '+15557600001';
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const PATIENCE = { within: 60_000, every: 50 };

const front = new Front('clock', 'accepted');
const channelId = randomUUID();
let ground: Ground;
let farEnd: FarEnd;
let clock: SettableClock;
let life: Life;

beforeAll(async () => {
  ground = folderGround();
  farEnd = await startFarEnd();
  clock = settableClock(ground.env.CONVOKE_DATA_DIR ?? '', 'machine');
  const env = { ...ground.env, ...clock.env, CRASH_FAR_END: farEnd.url };
  life = beginLife({ env, onReady: url => front.turnTo(url) });
  await front.signUp(await served(life));
  const columns = `'${channelId}', '${HTTP_KIND}', 'Far end', 'connected', 'connecting'`;
  await life.rows(
    `insert into channels (workspace_id, id, kind, label, wanted, status) select id, ${columns} from workspaces`,
  );
});
afterAll(async () => {
  await life.end('SIGKILL');
  await ground.close();
  await farEnd.close();
});

/** Plans a text for so many ms from now, by the clock that the program goes by. */
async function plan(inMs: number, shiftMs = 0): Promise<{ text: string; at: number }> {
  const at = Math.ceil((Date.now() + shiftMs + inMs) / 1000) * 1000;
  const text = front.words('out');
  const start_local = new Date(at).toISOString().slice(0, 19);
  await front.once('POST', '/v1/reminders', {
    channel_id: channelId,
    content: { type: 'text', text: { body: text } },
    schedule: { start_local, time_zone: 'UTC' },
    targets: [{ phone: PHONE }],
  })();
  return { text, at: at - shiftMs };
}

async function send(): Promise<string> {
  const text = front.words('out');
  const content = { type: 'text', text: { body: text } };
  await front.once('POST', '/v1/messages', { channel_id: channelId, to: { phone: PHONE }, content })();
  await until(() => arrived(text).length === 1, PATIENCE);
  return text;
}

function arrived(text: string) {
  return farEnd.ledger().filter(one => one.text === text);
}

async function statusOf(text: string): Promise<string> {
  const [row] = await life.rows<{ status: string }>(
    `select o.status from reminder_occurrences o join reminders r on r.workspace_id = o.workspace_id and r.id = o.reminder_id
    where r.content->'text'->>'body' = '${text}'`,
  );
  return row?.status ?? 'not planned';
}

it('fires each reminder once and never early when the clock of the machine jumps an hour ahead and back', async () => {
  const [skew] = await life.rows<{ ms: number }>(
    `select extract(epoch from now()) * 1000 - ${Date.now()} as ms`,
  );
  expect(Math.abs(skew?.ms ?? HOUR_MS)).toBeLessThan(MINUTE_MS);
  const longPast = await plan(10 * MINUTE_MS);
  const justPast = await plan(55 * MINUTE_MS);
  const toCome = await plan(90 * MINUTE_MS);
  const texts = [await send()];
  expect(arrived(justPast.text)).toEqual([]);

  clock.shift(HOUR_MS);
  await until(() => arrived(justPast.text).length === 1, PATIENCE);
  texts.push(await send());
  const ahead = await plan(2_000, HOUR_MS);
  await until(() => arrived(ahead.text).length === 1, PATIENCE);

  clock.shift(0);
  texts.push(await send());
  const back = await plan(2_000);
  await until(() => arrived(back.text).length === 1, PATIENCE);
  const statuses = [await statusOf(longPast.text), await statusOf(toCome.text)];
  const early = [ahead, back].filter(({ text, at }) => (arrived(text)[0]?.at ?? 0) < at);
  const ledger = farEnd.ledger();
  keepFigure('2-chaos-clock', {
    fault: 'the wall clock of the machine jumps an hour ahead, and back',
    invariant:
      'each reminder fires once and never before its instant by that clock; what has passed is sent within its catch-up time or missed; messages go on',
    test: 'test/chaos/clock.test.ts',
    counted: `${ledger.length} arrived of 3 reminders and ${texts.length} messages, ${early.length} early, ${ledger.length - new Set(ledger.map(({ text }) => text)).size} twice; one reminder missed, one still to come`,
  });
  expect(early).toEqual([]);
  expect(ledger.map(({ text }) => text).sort()).toEqual(
    [justPast, ahead, back]
      .map(({ text }) => text)
      .concat(texts)
      .sort(),
  );
  expect(statuses).toEqual(['missed', 'pending']);
});
