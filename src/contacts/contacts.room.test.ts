import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel, testWorkspace } from '../../test/harness/database.ts';
import { createHttp, type Http, inWorkspace, mintScope, newId, type Scope } from '../kernel/index.ts';
import { hear } from './hear.ts';
import { optedOutAmong } from './opt-outs.ts';
import { type Identity, linkNames } from './people.ts';
import { listContacts, listOptOuts } from './queries.ts';
import { registerContactRoutes } from './routes.ts';
import type { Contact, OptOut } from './schema.ts';
import { lift, optOut } from './service.ts';
import { readWord } from './words.ts';

const PHONE = '+491701234567';
const OTHER = '+491701234568';
const LID = '900000000000002@lid';
const phone = (value = PHONE): Identity => ({ kind: 'phone', value });
const lid = (value = LID): Identity => ({ kind: 'whatsapp_lid', value });

let kernel: TestKernel;
let http: Http;
let scope: Scope;
let channelId: string;

beforeAll(async () => {
  kernel = await testKernel();
  http = await createHttp(kernel, { enter: async () => scope, user: async () => newId() });
  registerContactRoutes(http);
  await http.app.ready();
});
afterAll(async () => {
  await http.close();
  await kernel.close();
});
beforeEach(async () => {
  scope = await testWorkspace(kernel);
  channelId = newId();
});

type Writing = { from?: Identity[]; key?: string; at?: Date; channelId?: string };

/** Somebody writes this; answers what goes back. */
function write(text: string, { from = [phone()], key = newId(), at = new Date(), ...of }: Writing = {}) {
  const word = readWord(text);
  const [first, ...others] = from;
  if (!word || !first) throw new Error(`"${text}" is no word.`);
  const person = mintScope(kernel, scope.workspaceId, { kind: 'recipient' });
  return inWorkspace(person, tx =>
    hear(tx, person, { word, channelId: of.channelId ?? channelId, key, from: [first, ...others], at }),
  );
}

async function optedOut(...numbers: string[]): Promise<string[]> {
  const recipients = numbers.map(number => ({ workspaceId: scope.workspaceId, phone: number }));
  const found = await kernel.database.inEngine('test.opted_out', tx => optedOutAmong(tx, recipients));
  return [...found].map(recipient => recipient.phone);
}

const optOuts = async () => (await listOptOuts(scope, { limit: 50 })).data;
const contacts = async () => (await listContacts(scope, { limit: 50 })).data;
const facts = () =>
  inWorkspace(scope, tx =>
    tx.selectFrom('activity').select(['type', 'actor_kind', 'payload']).orderBy('id').execute(),
  );
const secondsAgo = (seconds: number) => new Date(Date.now() - seconds * 1_000);

describe('STOP', () => {
  it('opts the person out once, with the fact, and is answered once', async () => {
    expect(await write('Stop!')).toMatchObject({ phone: PHONE, text: expect.stringContaining('START') });
    expect(await optedOut(PHONE, OTHER)).toEqual([PHONE]);
    expect(await write('STOP')).toBeUndefined();
    expect(await optOuts()).toMatchObject([
      { phone: PHONE, how: 'message', word: 'stop', channel_id: channelId, created_by: null, reason: null },
    ]);
    expect(await facts()).toMatchObject([
      { type: 'contact.opted_out', actor_kind: 'recipient', payload: { how: 'message', word: 'stop' } },
    ]);
  });

  it('handed on again does nothing, not even after the opt-out is over', async () => {
    await write('stop', { key: 'A' });
    await write('start', { key: 'B' });
    await write('stop', { key: 'A' });
    expect(await optedOut(PHONE)).toEqual([]);
    await write('stop', { key: 'C' });
    const [standing] = await optOuts();
    await lift(scope, standing?.id ?? '', 'Asked for it on the phone');
    await write('stop', { key: 'C' });
    expect(await optedOut(PHONE)).toEqual([]);
  });

  it('heard by several at the same moment is one opt-out with one answer', async () => {
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, n) => write('stop', { key: n < 3 ? 'same' : `other ${n}` })),
    );
    expect(answers.filter(answer => answer !== undefined)).toHaveLength(1);
    expect(await optOuts()).toHaveLength(1);
    expect(await contacts()).toHaveLength(1);
  });

  it('holds for all channels of the workspace and for no other workspace', async () => {
    await write('stop');
    const mine = scope;
    scope = await testWorkspace(kernel);
    expect(await optedOut(PHONE)).toEqual([]);
    scope = mine;
    expect(await optedOut(PHONE)).toEqual([PHONE]);
  });

  it('counts for a number in each of its spellings', async () => {
    await write('sair', { from: [phone('+551187654321')] });
    expect(await optedOut('+5511987654321', '+551187654321')).toHaveLength(2);
    await optOut(scope, { phone: '+5511987654321', reason: 'The same person' });
    expect(await contacts()).toMatchObject([
      { addresses: [{ value: '+551187654321' }, { value: '+5511987654321' }] },
    ]);
    expect(await optOuts()).toHaveLength(1);
  });

  it('that a later START has overtaken does nothing when it comes late', async () => {
    await write('stop', { at: secondsAgo(60) });
    await write('start', { at: secondsAgo(30) });
    expect(await write('stop', { at: secondsAgo(40), channelId: newId() })).toBeUndefined();
    expect(await optedOut(PHONE)).toEqual([]);
    await write('stop', { at: secondsAgo(20) });
    expect(await optedOut(PHONE)).toEqual([PHONE]);
  });
});

describe('START', () => {
  it('opts in again, with the fact, and is answered once', async () => {
    await write('stop', { at: secondsAgo(10) });
    expect(await write('start')).toMatchObject({ phone: PHONE, text: expect.stringContaining('STOP') });
    expect(await optedOut(PHONE)).toEqual([]);
    expect(await optOuts()).toEqual([]);
    expect((await facts()).map(fact => fact.type)).toEqual(['contact.opted_out', 'contact.opted_in']);
  });

  it('of somebody who never stopped does nothing and keeps nothing', async () => {
    expect(await write('start')).toBeUndefined();
    expect(await contacts()).toEqual([]);
    expect(await facts()).toEqual([]);
  });

  it('within the same second as the STOP counts, and one from before it does not', async () => {
    const now = new Date();
    await write('stop', { at: now });
    expect(await write('start', { at: new Date(now.getTime() - 1_000) })).toBeUndefined();
    expect(await optedOut(PHONE)).toEqual([PHONE]);
    await write('start', { at: new Date(now.getTime() - 999) });
    expect(await optedOut(PHONE)).toEqual([]);
  });

  it('with a clock far ahead does not outlive the next STOP', async () => {
    await write('stop', { at: secondsAgo(10) });
    await write('start', { at: secondsAgo(-86_400) });
    await write('stop', { at: secondsAgo(-86_400) });
    expect(await optedOut(PHONE)).toEqual([PHONE]);
  });
});

describe('two machines that answer each other', () => {
  it('get one answer to STOP and one to START in 24 hours', async () => {
    const answers = [];
    for (let n = 0; n < 10; n++) answers.push(await write(n % 2 === 0 ? 'stop' : 'start'));
    expect(answers.filter(answer => answer !== undefined)).toHaveLength(2);
    await inWorkspace(scope, tx =>
      tx
        .updateTable('contacts')
        .set({ stop_answered_at: secondsAgo(86_401) })
        .execute(),
    );
    expect(await write('stop')).toMatchObject({ phone: PHONE });
  });
});

describe('a person with several names', () => {
  it('who stops under a LID is not written to under the number that comes with it', async () => {
    await write('stop', { from: [phone(), lid()] });
    expect(await optedOut(PHONE)).toEqual([PHONE]);
    await write('start', { from: [lid()] });
    expect(await optedOut(PHONE)).toEqual([]);
  });

  it('of whom only the LID is known gets no answer, and is stopped once the number becomes known', async () => {
    expect(await write('stop', { from: [lid()] })).toBeUndefined();
    expect(await optOuts()).toMatchObject([{ phone: null }]);
    expect(await optedOut(PHONE)).toEqual([]);
    const told = await Promise.all([1, 2, 3].map(() => linkNames(scope, [phone(), lid()])));
    expect(told).toEqual([true, true, true]);
    expect(await optedOut(PHONE)).toEqual([PHONE]);
    expect(await optOuts()).toMatchObject([{ phone: PHONE }]);
    expect(await contacts()).toMatchObject([
      {
        addresses: [
          { kind: 'whatsapp_lid', source: 'inbound' },
          { kind: 'phone', source: 'provider' },
        ],
      },
    ]);
  });

  it('turns out to be one: the opt-out of either holds for both, and one START ends it', async () => {
    await write('stop', { from: [lid()], at: secondsAgo(60) });
    await optOut(scope, { phone: PHONE, reason: 'Said so on the phone', name: 'Ben' });
    await linkNames(scope, [lid(), phone()]);
    expect(await contacts()).toMatchObject([{ name: 'Ben', addresses: [{}, {}] }]);
    expect(await optOuts()).toMatchObject([{ how: 'by_hand', phone: PHONE, name: 'Ben' }]);
    expect((await facts()).at(-1)).toMatchObject({ type: 'contact.merged' });
    await write('start', { from: [lid()], at: secondsAgo(30) });
    expect(await optedOut(PHONE)).toEqual([PHONE]);
    await write('start', { from: [lid()] });
    expect(await optedOut(PHONE)).toEqual([]);
  });

  it('who has opted out is told of each time, also when only the number is known', async () => {
    expect(await linkNames(scope, [phone()])).toBe(false);
    await write('stop');
    expect(await linkNames(scope, [phone()])).toBe(true);
    expect(await linkNames(scope, [phone(), lid()])).toBe(true);
    expect(await contacts()).toMatchObject([{ addresses: [{}, { kind: 'whatsapp_lid' }] }]);
  });

  it('has opted out as well when WhatsApp keeps the number in another form that has', async () => {
    await write('stop', { from: [phone(OTHER), lid()] });
    expect(await linkNames(scope, [phone(), phone(OTHER), lid()])).toBe(true);
    expect(await optedOut(PHONE)).toEqual([PHONE]);
  });

  it('is not remembered only because a provider names them', async () => {
    expect(await linkNames(scope, [phone(), lid()])).toBe(false);
    expect(await contacts()).toEqual([]);
  });

  it('never has a LID for a number', async () => {
    const [contact] = [newId()];
    const broken = inWorkspace(scope, async tx => {
      await tx
        .insertInto('contacts')
        .values({ workspace_id: scope.workspaceId, id: contact ?? '' })
        .execute();
      await tx
        .insertInto('addresses')
        .values({
          workspace_id: scope.workspaceId,
          id: newId(),
          contact_id: contact ?? '',
          kind: 'phone',
          value: LID,
          source: 'inbound',
        })
        .execute();
    });
    await expect(broken).rejects.toMatchObject({ code: '23514' });
  });
});

async function call<T>(
  method: 'GET' | 'POST',
  url: string,
  body?: object,
  headers: Record<string, string> = {},
) {
  const answer = await http.app.inject({ method, url, headers, ...(body ? { payload: body } : {}) });
  return { status: answer.statusCode, body: (answer.body ? answer.json() : undefined) as T };
}

describe('opt-outs over HTTP', () => {
  const entry = { phone: PHONE, reason: 'Asked at the door' };

  it('are entered by hand with a reason, once, listed and lifted with a reason', async () => {
    const made = await call<OptOut>('POST', '/v1/opt-outs', { ...entry, name: 'Ben' });
    expect(made).toMatchObject({
      status: 201,
      body: { phone: PHONE, name: 'Ben', how: 'by_hand', reason: entry.reason },
    });
    expect(made.body.created_by).toBe(scope.actor.kind === 'user' ? scope.actor.id : '');
    const again = await call<OptOut>('POST', '/v1/opt-outs', { phone: PHONE, reason: 'And again' });
    expect(again).toEqual({ status: 200, body: made.body });
    const found = await call<{ data: OptOut[] }>('GET', `/v1/opt-outs?phone=${encodeURIComponent(PHONE)}`);
    expect(found.body.data).toEqual([made.body]);
    const nobody = await call<{ data: OptOut[] }>('GET', `/v1/opt-outs?phone=${encodeURIComponent(OTHER)}`);
    expect(nobody.body.data).toEqual([]);
    const at = `/v1/opt-outs/${made.body.id}/lift`;
    expect((await call('POST', at, { reason: '  ' })).status).toBe(422);
    expect((await call('POST', at)).status).toBe(422);
    expect((await call('POST', at, { reason: 'Wants them again' })).status).toBe(204);
    expect((await call('POST', at, { reason: 'Wants them again' })).status).toBe(404);
    expect(await optedOut(PHONE)).toEqual([]);
    const people = await call<{ data: Contact[] }>('GET', '/v1/contacts');
    expect(people.body.data).toMatchObject([{ name: 'Ben', opted_out_since: null }]);
    expect(await facts()).toMatchObject([
      { type: 'contact.opted_out', actor_kind: 'user', payload: { how: 'by_hand', reason: entry.reason } },
      {
        type: 'contact.opted_in',
        actor_kind: 'user',
        payload: { how: 'by_hand', reason: 'Wants them again' },
      },
    ]);
  });

  it('are made once for one key', async () => {
    const key = { 'idempotency-key': newId() };
    const answers = await Promise.all([1, 2, 3].map(() => call<OptOut>('POST', '/v1/opt-outs', entry, key)));
    expect(answers.map(answer => answer.status)).toEqual([201, 201, 201]);
    expect(new Set(answers.map(answer => answer.body.id)).size).toBe(1);
  });

  it.each([
    ['a number that cannot exist', { ...entry, phone: '+4912' }],
    ['no reason', { phone: PHONE }],
    ['a LID', { ...entry, phone: LID }],
  ])('refuse %s', async (_what, body) => {
    expect((await call('POST', '/v1/opt-outs', body)).status).toBe(422);
    expect(await contacts()).toEqual([]);
  });

  it('of another workspace are not there', async () => {
    const made = await call<OptOut>('POST', '/v1/opt-outs', entry);
    scope = await testWorkspace(kernel);
    expect((await call('POST', `/v1/opt-outs/${made.body.id}/lift`, { reason: 'x' })).status).toBe(404);
    expect((await call<{ data: OptOut[] }>('GET', '/v1/opt-outs')).body.data).toEqual([]);
    expect((await call<{ data: Contact[] }>('GET', '/v1/contacts')).body.data).toEqual([]);
  });

  it('come in pages without gaps or repeats, and so do contacts', async () => {
    const numbers = Array.from({ length: 5 }, (_, n) => `+49170123456${n}`);
    for (const number of numbers) await optOut(scope, { phone: number, reason: 'x' });
    for (const list of ['/v1/opt-outs', '/v1/contacts']) {
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const url: string = `${list}?limit=2${cursor ? `&cursor=${cursor}` : ''}`;
        const page = await call<{ data: (OptOut & Contact)[]; page: { next_cursor: string | null } }>(
          'GET',
          url,
        );
        seen.push(...page.body.data.map(row => row.phone ?? row.addresses[0]?.value ?? ''));
        cursor = page.body.page.next_cursor;
      } while (cursor);
      expect(seen).toEqual(numbers.toReversed());
    }
  });
});
