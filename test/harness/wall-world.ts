import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addMember, createWorkspace } from '../../src/identity/index.ts';
import { openLogin } from '../../src/identity/logins/opening.ts';
import type { Role } from '../../src/identity/schema.ts';
import { newUser } from '../../src/identity/users.ts';
import { newId } from '../../src/kernel/ids.ts';
import { type Convoke, startConvoke } from '../../src/main.ts';
import { blankDatabase, testEngine } from './database.ts';
import type { Things } from './wall-entries.ts';

export type Person = { userId: string; loginId: string; cookie: string };
export type Route = { method: string; path: string; permission: string; creates: boolean; stream: boolean };

export const ROLES: readonly Role[] = ['owner', 'admin', 'host', 'agent', 'door_staff', 'viewer'];

/** The whole program with two workspaces: everything that A has is foreign to the owner of B. */
export class WallWorld {
  readonly convoke: Convoke;
  readonly routes: Route[];
  readonly members: Record<Role, Person>;
  readonly stranger: Person;
  readonly things: { a: Things; b: Things };
  readonly #end: () => Promise<void>;

  static async open(): Promise<WallWorld> {
    const folder = mkdtempSync(join(tmpdir(), 'convoke-walls-'));
    const blank = testEngine() === 'embedded' ? undefined : await blankDatabase();
    const convoke = await startConvoke({
      CONVOKE_PORT: '0',
      CONVOKE_LOG_LEVEL: 'silent',
      CONVOKE_DATA_DIR: folder,
      CONVOKE_MASTER_KEY: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
      ...(blank ? { DATABASE_URL: blank.url ?? '' } : {}),
    });
    const end = async () => {
      await convoke.stop();
      await blank?.close();
      rmSync(folder, { recursive: true, force: true });
    };
    const { kernel } = convoke;
    const a = await createWorkspace(kernel, { slug: 'walls-a', name: 'A' });
    const b = await createWorkspace(kernel, { slug: 'walls-b', name: 'B' });
    const people: [Role, Person][] = [];
    for (const role of ROLES) people.push([role, await personIn(convoke, a, role)]);
    const members = Object.fromEntries(people) as Record<Role, Person>;
    const stranger = await personIn(convoke, b, 'owner');
    const things = {
      a: await furnish(convoke, a, 'walls-a', members.owner, members.viewer),
      b: await furnish(convoke, b, 'walls-b', stranger, stranger),
    };
    return new WallWorld(convoke, await routesOf(convoke), members, stranger, things, end);
  }

  private constructor(
    convoke: Convoke,
    routes: Route[],
    members: Record<Role, Person>,
    stranger: Person,
    things: { a: Things; b: Things },
    end: () => Promise<void>,
  ) {
    this.convoke = convoke;
    this.routes = routes;
    this.members = members;
    this.stranger = stranger;
    this.things = things;
    this.#end = end;
  }

  close(): Promise<void> {
    return this.#end();
  }
}

async function personIn(convoke: Convoke, workspaceId: string, role: Role): Promise<Person> {
  const { kernel } = convoke;
  const person = await kernel.database.inEngine('test.person', async tx => {
    const userId = await newUser(tx, { username: `${role}-${newId()}`, passwordHash: null });
    const { token, loginId } = await openLogin(tx, kernel, userId, {
      address: '127.0.0.1',
      userAgent: undefined,
    } as Parameters<typeof openLogin>[3]);
    return { userId, loginId, cookie: `convoke_login=${token}` };
  });
  await addMember(kernel, { workspaceId, userId: person.userId, role });
  return person;
}

/** What is there is made by the API itself, as far as that needs no WhatsApp. */
async function furnish(
  convoke: Convoke,
  workspaceId: string,
  slug: string,
  owner: Person,
  member: Person,
): Promise<Things> {
  const post = async (path: string, body: object): Promise<string> => {
    const answer = await fetch(`${convoke.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie: owner.cookie, 'convoke-workspace': slug },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`POST ${path} answered ${answer.status}: ${await answer.text()}`);
    return ((await answer.json()) as { id: string }).id;
  };
  const channel = await post('/v1/channels', { kind: 'linked', label: 'Office' });
  const group = newId();
  await convoke.kernel.database.workspace(workspaceId, tx =>
    tx
      .insertInto('groups')
      .values({
        workspace_id: workspaceId,
        id: group,
        channel_id: channel,
        provider_id: '1@g.us',
        subject: 'Choir',
      })
      .execute(),
  );
  const content = { type: 'text', text: { body: 'Hello' } };
  const schedule = { start_local: '2037-01-01T09:00', time_zone: 'UTC' };
  const phone = '+4915551234568';
  return {
    channel,
    group,
    message: await post('/v1/messages', {
      channel_id: channel,
      to: { group_id: group },
      content,
      send_at: new Date(Date.now() + 86_400_000).toISOString(),
    }),
    reminder: await post('/v1/reminders', {
      channel_id: channel,
      content,
      schedule,
      targets: [{ group_id: group }],
    }),
    opt_out: await post('/v1/opt-outs', { phone, reason: 'Asked' }),
    invitation: await post('/v1/invitations', { role: 'viewer' }),
    api_key: await post('/v1/api-keys', { name: 'Program', scopes: ['read'] }),
    user: member.userId,
    login: owner.loginId,
  };
}

async function routesOf(convoke: Convoke): Promise<Route[]> {
  type Operation = { 'x-permission': string; 'x-stream'?: boolean; parameters?: { name?: string }[] };
  const document = (await (await fetch(`${convoke.url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, Operation>>;
  };
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      permission: operation['x-permission'],
      creates: operation.parameters?.some(({ name }) => name === 'Idempotency-Key') === true,
      stream: operation['x-stream'] === true,
    })),
  );
}
