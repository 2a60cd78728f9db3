import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type IdentityHouse, identityHouse } from '../../../test/harness/identity.ts';
import { drawLink, followLink, type LinkPurpose } from './links.ts';

const HOUR_MS = 3_600_000;

let house: IdentityHouse;
let userId: string;

beforeAll(async () => {
  house = await identityHouse();
});
afterAll(() => house.close());
beforeEach(async () => {
  await house.clear();
  userId = await house.member('anna');
});

const draw = () =>
  house.kernel.database.inEngine('test.draw', tx => drawLink(tx, house.kernel, { purpose: 'reset', userId }));
/** As whoever follows it without looking at it first. */
const follow = (token: string, purpose: LinkPurpose = 'reset') =>
  house.kernel.database.inEngine('test.follow', tx => followLink(tx, house.kernel, token, purpose));
const over = { code: 'validation_failed', fields: [{ path: 'token' }] };

it('is followed once, also by two at once, and ends all others of its purpose', async () => {
  const [one, two] = [await draw(), await draw()];
  const both = await Promise.allSettled([follow(one), follow(one)]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  await expect(follow(one)).rejects.toMatchObject(over);
  await expect(follow(two)).rejects.toMatchObject(over);
});

it('ends by itself, and does nothing else than what it was drawn for', async () => {
  const token = await draw();
  for (const other of ['setup', 'sign_up', 'email'] as const)
    await expect(follow(token, other)).rejects.toMatchObject(over);
  house.pass(HOUR_MS);
  await expect(follow(token)).rejects.toMatchObject(over);
  const another = await draw();
  house.pass(HOUR_MS - 1_000);
  expect(await follow(another)).toEqual({ userId, email: null });
});

it('stays open when what it was followed for fails', async () => {
  const token = await draw();
  const failing = house.kernel.database.inEngine('test.fail', async tx => {
    await followLink(tx, house.kernel, token, 'reset');
    throw new Error('fails');
  });
  await expect(failing).rejects.toThrow('fails');
  expect(await follow(token)).toMatchObject({ userId });
});
