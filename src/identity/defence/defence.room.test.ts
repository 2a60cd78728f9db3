import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cookiesOf, type IdentityHouse, identityHouse, PASSWORD } from '../../../test/harness/identity.ts';
import { INSTANCE } from '../../kernel/index.ts';
import { setPassword } from '../users.ts';

const MINUTE_MS = 60_000;

let house: IdentityHouse;

beforeAll(async () => {
  house = await identityHouse();
  await house.http.app.ready();
});
afterAll(() => house.close());
beforeEach(() => house.clear());

type Answer = Awaited<ReturnType<IdentityHouse['post']>>;

const tryIn = (username: string, password = PASSWORD, headers: Record<string, string> = {}) =>
  house.post('/v1/login', { username, password }, headers);

const statuses = (answers: Answer[]) => answers.map(answer => answer.statusCode);

const withoutRequestId = (answer: Answer) => ({ ...answer.json(), request_id: undefined });

async function fail(
  username: string,
  times: number,
  headers: Record<string, string> = {},
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let i = 0; i < times; i++) answers.push(await tryIn(username, 'wrong horse battery', headers));
  return answers;
}

describe('five failures', () => {
  it('lock the name for a quarter of an hour, also for the right password', async () => {
    await house.member('anna');
    expect(statuses(await fail('anna', 5))).toEqual([401, 401, 401, 401, 401]);
    const locked = await tryIn('anna');
    expect(locked.json()).toMatchObject({ status: 429, code: 'rate_limited', retry_after_s: 900 });
    expect(locked.headers['retry-after']).toBe('900');
    house.pass(15 * MINUTE_MS - 1_000);
    expect((await tryIn('Anna')).statusCode).toBe(429);
    house.pass(1_001);
    expect((await tryIn('anna')).statusCode).toBe(200);
  });

  it('are five whether there is such a user or not, with the same answers', async () => {
    await house.member('anna');
    const [known, unknown] = [await fail('anna', 6), await fail('nobody', 6)];
    expect(known.map(withoutRequestId)).toEqual(unknown.map(withoutRequestId));
    expect(statuses(unknown)).toEqual([401, 401, 401, 401, 401, 429]);
  });

  it('are one fact, told of unknown names too', async () => {
    const userId = await house.member('anna');
    await fail('anna', 6);
    await fail('nobody', 6);
    const facts = await house.kernel.database.inEngine('test.facts', tx =>
      tx
        .selectFrom('activity')
        .select(['subject_id', 'address'])
        .where('type', '=', 'identity.sign_in_locked')
        .orderBy('id', 'desc')
        .limit(3)
        .execute(),
    );
    expect(facts.slice(0, 2)).toEqual([
      { subject_id: INSTANCE, address: '127.0.0.1' },
      { subject_id: userId, address: '127.0.0.1' },
    ]);
    expect(facts[2]?.subject_id).not.toBe(userId);
  });

  it('are five also when many come at once', async () => {
    await house.member('anna');
    const answers = await Promise.all(Array.from({ length: 9 }, () => tryIn('anna', 'wrong horse battery')));
    expect(statuses(answers).sort()).toEqual([401, 401, 401, 401, 401, 429, 429, 429, 429]);
  });

  it('by strangers do not keep out the browsers that the person uses', async () => {
    await house.member('anna');
    const device = cookiesOf(await tryIn('anna'), 'device');
    await fail('anna', 6);
    expect((await tryIn('anna')).statusCode).toBe(429);
    expect((await tryIn('anna', PASSWORD, { cookie: device })).statusCode).toBe(200);
    // Their success is none of the strangers'.
    expect((await tryIn('anna')).statusCode).toBe(429);
  });

  it('from a known browser lock that browser, and a made-up one is a stranger', async () => {
    await house.member('anna');
    const device = cookiesOf(await tryIn('anna'), 'device');
    await fail('anna', 5, { cookie: device });
    expect((await tryIn('anna', PASSWORD, { cookie: device })).statusCode).toBe(429);
    expect((await tryIn('anna')).statusCode).toBe(200);
    await fail('anna', 5);
    expect((await tryIn('anna', PASSWORD, { cookie: `convoke_device=${'x'.repeat(43)}` })).statusCode).toBe(
      429,
    );
  });

  it('of the browser of one user say nothing of another', async () => {
    await house.member('anna');
    await house.member('bob');
    const bobs = cookiesOf(await tryIn('bob'), 'device');
    await fail('anna', 5);
    expect((await tryIn('anna', PASSWORD, { cookie: bobs })).statusCode).toBe(429);
  });

  it('are no five when one in between succeeds, or a quarter of an hour passes', async () => {
    await house.member('anna');
    await fail('anna', 4);
    expect((await tryIn('anna')).statusCode).toBe(200);
    expect(statuses(await fail('anna', 4))).toEqual([401, 401, 401, 401]);
    house.pass(15 * MINUTE_MS);
    await house.forgetLimits();
    await fail('anna', 4);
    expect((await tryIn('anna')).statusCode).toBe(200);
  });

  it('are forgotten with a new password', async () => {
    await house.member('anna');
    await fail('anna', 5);
    await setPassword(house.kernel, 'anna', 'another good password');
    expect((await tryIn('anna', 'another good password')).statusCode).toBe(200);
  });
});

describe('the limits of sign-in', () => {
  it('hold for an address whatever the names, with the words of a lock', async () => {
    await house.member('anna');
    const answers: Answer[] = [];
    for (let i = 0; i < 20; i++) answers.push(await tryIn(`nobody-${i}`));
    expect(new Set(statuses(answers))).toEqual(new Set([401]));
    const refused = await tryIn('anna');
    expect(refused.statusCode).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    await house.forgetLimits();
    await fail('anna', 5);
    expect((await tryIn('anna')).json().detail).toBe(refused.json().detail);
  });

  it('hold for a name even when each try succeeds', async () => {
    await house.member('anna');
    for (let i = 0; i < 10; i++) expect((await tryIn('anna')).statusCode).toBe(200);
    expect((await tryIn('anna')).statusCode).toBe(429);
  });

  it('hold for the whole installation, but apart for known browsers', async () => {
    await house.member('anna');
    const device = cookiesOf(await tryIn('anna'), 'device');
    await house.kernel.database.inEngine('test.flood', tx =>
      tx
        .updateTable('limit_hits')
        .set({ hits: 300 })
        .where('key', '=', 'login.installation:strangers')
        .execute(),
    );
    expect((await tryIn('anna')).statusCode).toBe(429);
    expect((await tryIn('anna', PASSWORD, { cookie: device })).statusCode).toBe(200);
  });
});

describe('the time of an answer', () => {
  it('does not tell a known name from an unknown one', async () => {
    await house.member('anna');
    const times: Record<string, number[]> = { anna: [], nobody: [] };
    for (let i = 0; i < 30; i++) {
      for (const name of ['anna', 'nobody']) {
        const from = performance.now();
        expect((await tryIn(name, 'wrong horse battery')).statusCode).toBe(401);
        times[name]?.push(performance.now() - from);
      }
      await house.kernel.database.inEngine('test.forget', async tx => {
        await tx.deleteFrom('login_failures').execute();
        await tx.deleteFrom('limit_hits').execute();
      });
    }
    const [known, unknown] = [quartiles(times.anna ?? []), quartiles(times.nobody ?? [])];
    const spread = Math.max(known.high - known.low, unknown.high - unknown.low);
    expect(Math.abs(known.median - unknown.median)).toBeLessThan(spread);
    // An answer without the work of a password would be far below.
    expect(unknown.median).toBeGreaterThan(known.median / 2);
  });
});

function quartiles(times: number[]): { low: number; median: number; high: number } {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return { low: at(0.25), median: at(0.5), high: at(0.75) };
}
