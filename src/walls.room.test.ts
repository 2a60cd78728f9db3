import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Entry, entries, type Thing, type Things } from '../test/harness/wall-entries.ts';
import { ROLES, type Route, WallWorld } from '../test/harness/wall-world.ts';
import { may } from './identity/policy.ts';
import type { Permission } from './kernel/index.ts';
import { newId } from './kernel/index.ts';

let world: WallWorld;

beforeAll(async () => {
  world = await WallWorld.open();
});
afterAll(() => world?.close());

/** What differs between two answers that say the same. */
const OF_THE_MOMENT = /^(date|x-request-id|connection|keep-alive|content-length|ratelimit.*)$/;

type Asked = { status: number; headers: [string, string][]; text: string };
type How = {
  cookie?: string;
  workspace?: string;
  id?: string;
  things?: Things;
  garbage?: boolean;
  /** What a page of another site would make of it. */
  headers?: Record<string, string>;
  /** Sent as it is, in place of the body of the entry. */
  raw?: string;
  query?: string;
  /** Of an `Idempotency-Key`. */
  key?: string;
};

async function ask(route: Route, how: How): Promise<Asked> {
  const entry = entryOf(route);
  const url = new URL(route.path.replace('{id}', how.id ?? newId()), world.convoke.url);
  const query = how.things && entry.query?.(how.things);
  for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
  if (how.query) url.search = how.query;
  const headers: Record<string, string> = {};
  if (how.cookie) headers.cookie = how.cookie;
  if (how.workspace) headers['convoke-workspace'] = how.workspace;
  if (how.key) headers['idempotency-key'] = how.key;
  const meant = how.garbage ? 'x' : JSON.stringify(how.things ? (entry.body?.(how.things) ?? {}) : {});
  const body = how.raw ?? meant;
  const bodied = route.method !== 'GET';
  if (bodied) headers['content-type'] = how.garbage ? 'text/plain' : 'application/json';
  Object.assign(headers, how.headers);
  const cut = new AbortController();
  const answer = await fetch(url, {
    method: route.method,
    headers,
    signal: cut.signal,
    ...(bodied ? { body } : {}),
  });
  const streams = answer.headers.get('content-type')?.startsWith('text/event-stream') === true;
  const text = streams ? '' : await answer.text();
  if (streams) cut.abort();
  return {
    status: answer.status,
    headers: [...answer.headers].filter(([name]) => !OF_THE_MOMENT.test(name)),
    text: text.replace(/"request_id":"[^"]*"/, '"request_id":""'),
  };
}

function entryOf(route: Route): Entry {
  const entry = entries[nameOf(route)];
  if (!entry) throw new Error(`${nameOf(route)} has no entry in test/harness/wall-entries.ts.`);
  return entry;
}

function nameOf({ method, path }: Route): string {
  return `${method} ${path}`;
}

/** The same request with ids of nothing at all. */
function nowhere(things: Things): Things {
  return Object.fromEntries(Object.keys(things).map(name => [name, newId()])) as Things;
}

const isOfWorkspace = ({ permission }: Route) => !['public', 'login', 'admin'].includes(permission);

describe('the walls', () => {
  it('know every route of the API, and no other', () => {
    const names = world.routes.map(nameOf).sort();
    expect(Object.keys(entries).sort()).toEqual(names);
    console.log(`walls: ${names.length} of ${world.routes.length} routes tried`);
  });

  it('show what belongs to others as if it were nowhere, byte for byte', async () => {
    const { a, b } = world.things;
    const { cookie } = world.stranger;
    let tried = 0;
    for (const route of world.routes) {
      const { id, body, query, nothingOfOthers } = entryOf(route);
      if (nothingOfOthers !== undefined || (!id && !body && !query)) continue;
      // Everything else is the stranger's own, so that only what is foreign can be what is refused.
      for (const foreign of foreignParts(route)) {
        const theirs = { ...b, [foreign]: a[foreign] };
        const [real, none] = [
          await ask(route, { cookie, things: theirs, ...(id ? { id: a[id] } : {}) }),
          await ask(route, { cookie, things: { ...b, [foreign]: newId() } }),
        ];
        expect(real, nameOf(route)).toEqual(none);
        if (id) expect(real.status, nameOf(route)).toBe(404);
        tried += 1;
      }
    }
    expect(tried).toBeGreaterThan(30);
  });

  it('show the workspace of others as one that does not exist', async () => {
    const { cookie } = world.stranger;
    for (const route of world.routes.filter(isOfWorkspace)) {
      const id = entryOf(route).id;
      const real = await ask(route, {
        cookie,
        workspace: 'walls-a',
        things: world.things.a,
        ...(id ? { id: world.things.a[id] } : {}),
      });
      const none = await ask(route, { cookie, workspace: 'nowhere', things: nowhere(world.things.a) });
      expect(real, nameOf(route)).toEqual(none);
      expect(real.status, nameOf(route)).toBe(404);
    }
  });

  it('let nobody in who is not signed in', async () => {
    for (const route of world.routes.filter(({ permission }) => permission !== 'public')) {
      const answer = await ask(route, { things: world.things.a, workspace: 'walls-a' });
      expect(answer.status, nameOf(route)).toBe(route.permission === 'admin' ? 404 : 401);
    }
  });

  it('hide the console of the installation from the owner of a workspace', async () => {
    const { cookie } = world.stranger;
    const none = await fetch(`${world.convoke.url}/v1/admin/nothing/here`, { headers: { cookie } });
    const { code, detail } = (await none.json()) as { code: string; detail: string };
    for (const route of world.routes.filter(({ permission }) => permission === 'admin')) {
      const answer = await ask(route, { cookie, garbage: true });
      expect([answer.status, JSON.parse(answer.text)], nameOf(route)).toEqual([
        404,
        expect.objectContaining({ code, detail }),
      ]);
    }
  });

  it('let each role do what the table says, and nothing else', async () => {
    for (const role of ROLES) {
      const { cookie } = world.members[role];
      for (const route of world.routes.filter(isOfWorkspace)) {
        // A body that no route reads: whoever gets so far as to have it refused was let in.
        const { status } = await ask(route, { cookie, garbage: true });
        const allowed = may(role, route.permission as Permission);
        const name = `${role} ${nameOf(route)}`;
        if (allowed) expect([401, 403], name).not.toContain(status);
        else expect(status, name).toBe(403);
      }
    }
  });

  it('take no change that the page of another site makes a browser send', async () => {
    const { cookie } = world.members.owner;
    const changes = world.routes.filter(({ method }) => method !== 'GET');
    for (const route of changes) {
      const sent = { cookie, things: world.things.a, ...ownId(route) };
      for (const headers of FROM_ELSEWHERE) {
        const answer = await ask(route, { ...sent, headers });
        expect(answer.status, `${nameOf(route)} ${JSON.stringify(headers)}`).toBe(403);
        expect(JSON.parse(answer.text)).toMatchObject({ code: 'foreign_origin' });
      }
      // What a form can send without asking first, from a browser so old that it names no page.
      for (const type of FORMS) {
        const answer = await ask(route, { ...sent, headers: { 'content-type': type } });
        expect(answer.status, `${nameOf(route)} ${type}`).toBe(route.permission === 'admin' ? 404 : 415);
      }
    }
    expect(changes.length).toBeGreaterThan(50);
  });

  it('read no field, in body or query, that a route does not name', async () => {
    const { cookie } = world.members.owner;
    const more = { is_admin: true, role: 'owner', workspace_id: world.things.b.channel, zz: 1 };
    const queries = ['is_admin=true&__proto__=1', 'limit=1&limit=2'];
    const tried = world.routes.filter(({ permission }) => permission !== 'admin');
    const answers = tried.map(async route => {
      const own = { cookie, things: world.things.a, ...ownId(route) };
      for (const query of queries)
        expect((await ask(route, { ...own, query })).status, `${nameOf(route)}?${query}`).toBe(422);
      if (route.method === 'GET') return;
      const raw = JSON.stringify({ ...entryOf(route).body?.(world.things.a), ...more });
      const answer = await ask(route, { ...own, raw });
      expect(answer.status, nameOf(route)).toBe(422);
      expect(answer.text, nameOf(route)).toMatch(/"path":"(zz|is_admin)"/);
      for (const [attack, status] of ATTACKS) {
        const refused = await ask(route, { ...own, raw: attack });
        expect(refused.status, `${nameOf(route)} ${attack.slice(0, 30)}`).toBe(status);
      }
    });
    await Promise.all(answers);
  });

  it('leave everything of the others as it was', async () => {
    const { cookie } = world.members.owner;
    const read = async (path: string) =>
      (await fetch(`${world.convoke.url}${path}`, { headers: { cookie } })).json();
    const { channel, message, reminder } = world.things.a;
    expect(await read('/v1/workspace')).toMatchObject({ name: 'A', deletion_due_at: null });
    expect(await read(`/v1/channels/${channel}`)).toMatchObject({ label: 'Office' });
    expect(await read(`/v1/messages/${message}`)).toMatchObject({ delivery: { status: 'queued' } });
    expect(await read(`/v1/reminders/${reminder}`)).toMatchObject({ status: 'active' });
    expect((await read('/v1/members')).data).toHaveLength(ROLES.length);
    expect((await read('/v1/opt-outs')).data).toHaveLength(1);
  });

  it('keep 200 requests of two workspaces apart that come at once', async () => {
    const asked = Array.from({ length: 200 }, async (_, at) => {
      const [cookie, things] =
        at % 2 === 0 ? [world.members.owner.cookie, world.things.a] : [world.stranger.cookie, world.things.b];
      const answer = await fetch(`${world.convoke.url}/v1/channels`, { headers: { cookie } });
      const { data } = (await answer.json()) as { data: { id: string }[] };
      return data.length === 1 && data[0]?.id === things.channel;
    });
    expect((await Promise.all(asked)).filter(own => !own)).toEqual([]);
  });

  it('repeat an answer to nobody but who has asked for it', async () => {
    const { a: things } = world.things;
    const creating = world.routes.filter(({ creates }) => creates);
    expect(creating.length).toBeGreaterThan(2);
    for (const route of creating) {
      // Whoever the entry writes to has opted out, the group has not.
      const rawOf = (mine: Things) => {
        const body = entryOf(route).body?.(mine) ?? {};
        return JSON.stringify('to' in body ? { ...body, to: { group_id: mine.group } } : body);
      };
      const how = { raw: rawOf(things), key: newId() };
      const first = await ask(route, { ...how, cookie: world.members.owner.cookie });
      expect(first.status, nameOf(route)).toBeLessThan(300);
      expect(await ask(route, { ...how, cookie: world.members.owner.cookie })).toMatchObject({
        status: first.status,
        text: first.text,
      });
      for (const role of ROLES.filter(one => one !== 'owner')) {
        const answer = await ask(route, { ...how, cookie: world.members[role].cookie });
        const problem = may(role, route.permission as Permission) ? 'idempotency_key_reused' : 'forbidden';
        expect(JSON.parse(answer.text), `${role} ${nameOf(route)}`).toMatchObject({ code: problem });
      }
      const theirs = await ask(route, {
        ...how,
        raw: rawOf(world.things.b),
        cookie: world.stranger.cookie,
      });
      expect(theirs.status, nameOf(route)).toBe(first.status);
      expect(theirs.text).not.toBe(first.text);
    }
  });
});

const FROM_ELSEWHERE: Record<string, string>[] = [
  { origin: 'https://evil.example' },
  { origin: 'null' },
  { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
];

const FORMS = ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/plain'];

const ATTACKS: [string, number][] = [
  ['{"__proto__":{"is_admin":true}}', 400],
  ['{"constructor":{"prototype":{"is_admin":true}}}', 400],
  ['[]', 422],
  [`{"zz":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, 422],
];

function ownId(route: Route): { id?: string } {
  const { id } = entryOf(route);
  return id ? { id: world.things.a[id] } : {};
}

/** Which of the things a request of this route names. */
function foreignParts(route: Route): Thing[] {
  const { id, body, query } = entryOf(route);
  const named: Thing[] = [];
  const things = new Proxy({} as Things, {
    get: (_, name) => {
      named.push(name as Thing);
      return newId();
    },
  });
  body?.(things);
  query?.(things);
  return [...new Set([...(id ? [id] : []), ...named])];
}
