import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { type Answer, OTHER, peopleHouse } from '../../../test/harness/people.ts';
import { until } from '../../../test/harness/until.ts';

const house = peopleHouse();
const { person, post, newEmail, settled, inEngine, resetTokenIn } = house;

describe('asking for mails', () => {
  it('is limited by person, known or not alike, and by network', async () => {
    const { email } = await person();
    const refusals: Answer[] = [];
    for (const name of [email, newEmail()]) {
      for (let ask = 0; ask < 5; ask++)
        expect((await post('/v1/password/forgot', { name })).statusCode).toBe(202);
      refusals.push(await post('/v1/password/forgot', { name: name.toUpperCase() }));
    }
    expect(refusals.map(answer => answer.json().code)).toEqual(['rate_limited', 'rate_limited']);
    expect(refusals[0]?.json().limit).toBe('mail_person');
    let answer = await post('/v1/sign-up', { email: newEmail() });
    for (let ask = 0; ask < 30 && answer.statusCode === 202; ask++)
      answer = await post('/v1/sign-up', { email: newEmail() });
    expect(answer.json()).toMatchObject({ code: 'rate_limited', limit: 'mail_network' });
  });

  it('stores nothing secret: the token is drawn with the mail, anew when it is tried again', async () => {
    const { email } = await person();
    await settled();
    await house.jobs.stop();
    house.catcher.refuse(1, 451);
    await post('/v1/password/forgot', { name: email });
    const waiting = await inEngine(tx => tx.selectFrom('jobs').select('payload').execute());
    expect(waiting.map(row => row.payload)).toEqual([{ name: email }]);
    const links = () => inEngine(tx => tx.selectFrom('user_links').select('token_hash').execute());
    const before = (await links()).length;
    house.jobs.start();
    await until(async () => (await links()).length === before + 1);
    await inEngine(tx => sql`update jobs set due_at = now() where claimed_by is null`.execute(tx));
    await until(async () => {
      await inEngine(tx => sql`update jobs set due_at = now() where claimed_by is null`.execute(tx));
      house.kernel.wake.publish('jobs');
      return house.catcher.mails(email).length === 1;
    });
    expect(await links()).toHaveLength(before + 2);
    const token = await resetTokenIn(email);
    expect((await post('/v1/password/reset', { token, password: OTHER })).statusCode).toBe(200);
  });
});

describe('the time that an answer takes', () => {
  const ROUNDS = 40;

  it.each([
    ['/v1/sign-up', 'email'],
    ['/v1/password/forgot', 'name'],
  ])('%s tells nobody whether there is an account', async (url, field) => {
    await settled();
    await house.jobs.stop();
    const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] };
    for (let round = 0; round < ROUNDS; round++) {
      const known = (await person()).email;
      await inEngine(tx => tx.deleteFrom('limit_hits').execute());
      for (const who of round % 2 === 0 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const)) {
        const from = performance.now();
        const answer = await post(url, { [field]: who === 'known' ? known : newEmail() });
        times[who].push(performance.now() - from);
        expect(answer.statusCode).toBe(202);
      }
    }
    await inEngine(tx => tx.deleteFrom('jobs').execute());
    house.jobs.start();
    const at = (values: number[], share: number) =>
      [...values].sort((a, b) => a - b)[Math.floor(values.length * share)] ?? 0;
    const spread = (values: number[]) => at(values, 0.75) - at(values, 0.25);
    const difference = Math.abs(at(times.known, 0.5) - at(times.unknown, 0.5));
    expect(difference).toBeLessThan(Math.max(spread(times.known), spread(times.unknown)));
  });
});
