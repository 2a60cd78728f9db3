import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel, testWorkspace } from '../../test/harness/database.ts';
import {
  createCommands,
  createHttp,
  createLeases,
  type Http,
  inWorkspace,
  type Leases,
  newId,
  type Scope,
} from '../kernel/index.ts';
import { registerStatusCommand } from './status-command.ts';
import { registerStatusRoute } from './status-routes.ts';

type Status = {
  answered_by: string;
  nodes: { boot_id: string; node_id: string; state: string; reason: string; detail: string }[];
  leases: { channel_id: string; boot_id: string; fence: number; expires_in_ms: number }[];
  waiting: { channel_id: string; reason: string }[];
};

describe('the status of the nodes', () => {
  let kernel: TestKernel;
  let leases: Leases;
  let http: Http;
  let scope: Scope;
  let other: Scope;

  beforeAll(async () => {
    kernel = await testKernel();
    leases = createLeases(kernel);
    http = await createHttp(kernel, {
      enter: async request => (request.headers['x-workspace'] === 'other' ? other : scope),
      user: async () => newId(),
    });
    registerStatusRoute(http, kernel, leases);
    await http.app.ready();
  });
  afterAll(async () => {
    await http.close();
    await leases.stop();
    await kernel.close();
  });
  beforeEach(async () => {
    scope = await testWorkspace(kernel);
    other = await testWorkspace(kernel);
  });
  afterEach(() =>
    kernel.database.inEngine('test.clean', async tx => {
      for (const table of ['channels', 'leases', 'nodes'] as const) await tx.deleteFrom(table).execute();
    }),
  );

  async function status(workspace = 'own'): Promise<Status> {
    const answer = await http.app.inject({ url: '/v1/status', headers: { 'x-workspace': workspace } });
    expect(answer.statusCode).toBe(200);
    return answer.json();
  }

  async function node(nodeId: string, row: { seenAgoMs?: number; limit?: number; leaving?: true } = {}) {
    const bootId = newId();
    await kernel.database.inEngine('test.node', tx =>
      tx
        .insertInto('nodes')
        .values({
          boot_id: bootId,
          node_id: nodeId,
          roles: ['web'],
          max_channels: row.limit ?? 150,
          seen_at: sql`now() - ${row.seenAgoMs ?? 0}::float8 * interval '1 millisecond'`,
          leaving_at: row.leaving ? sql`now()` : null,
        })
        .execute(),
    );
    return bootId;
  }

  async function channel(of: Scope, values: { holder?: string; status_reason?: string } = {}) {
    const id = newId();
    const { holder, ...columns } = values;
    await inWorkspace(of, tx =>
      tx
        .insertInto('channels')
        .values({
          workspace_id: of.workspaceId,
          id,
          kind: 'linked',
          label: 'x',
          wanted: 'connected',
          status: 'connecting',
          ...columns,
        })
        .execute(),
    );
    if (holder) {
      const expires_at = sql<Date>`now() + interval '20 seconds'`;
      await kernel.database.inEngine('test.lease', tx =>
        tx
          .insertInto('leases')
          .values({ name: `channel:${id}`, holder, fence: 4, expires_at })
          .execute(),
      );
    }
    return id;
  }

  it('shows who drives the channels of the workspace, and of no other', async () => {
    const bootId = await node('alpha');
    const own = await channel(scope, { holder: bootId });
    const foreign = await channel(other, { holder: bootId });
    const { leases: held, nodes, answered_by } = await status();
    expect(answered_by).toBe(kernel.node.bootId);
    expect(nodes).toMatchObject([{ boot_id: bootId, node_id: 'alpha', state: 'active' }]);
    expect(held).toMatchObject([{ channel_id: own, boot_id: bootId, fence: 4 }]);
    expect(held[0]?.expires_in_ms).toBeGreaterThan(10_000);
    expect(held[0]?.expires_in_ms).toBeLessThanOrEqual(20_000);
    expect((await status('other')).leases).toMatchObject([{ channel_id: foreign }]);
    expect(JSON.stringify(await status())).not.toContain(foreign);
  });

  it('shows two processes of one name as two, and one that came back as one', async () => {
    await node('alpha');
    await node('alpha');
    expect((await status()).nodes.map(one => one.node_id)).toEqual(['alpha', 'alpha']);
    await node('beta', { seenAgoMs: 60_000 });
    const again = await node('beta');
    const { nodes } = await status();
    expect(nodes.filter(one => one.node_id === 'beta')).toMatchObject([{ boot_id: again }]);
  });

  it('tells a node that is gone after two renewals, and who waits for its channels', async () => {
    const gone = await node('alpha', { seenAgoMs: 2 * leases.times.renewMs + 1_000 });
    const late = await node('beta', { seenAgoMs: leases.times.renewMs });
    const id = await channel(scope, { holder: gone });
    const { nodes, waiting } = await status();
    expect(nodes).toMatchObject([
      { boot_id: gone, state: 'gone', reason: 'not_seen' },
      { boot_id: late, state: 'passive' },
    ]);
    expect(waiting).toEqual([{ channel_id: id, reason: 'holder_gone' }]);
  });

  it('says why channels wait, of the own workspace alone', async () => {
    await node('alpha', { leaving: true });
    await node('beta', { limit: 0 });
    const full = await channel(scope, { status_reason: 'no_room' });
    const free = await channel(scope);
    await channel(other);
    const { nodes, waiting } = await status();
    expect(nodes.map(one => one.reason)).toEqual(['stopping', 'drives_none']);
    expect(waiting).toEqual([
      { channel_id: full, reason: 'no_room' },
      { channel_id: free, reason: 'free' },
    ]);
  });

  it('tells the operator on the command line about the whole installation', async () => {
    const bootId = await node('alpha', { limit: 2 });
    await channel(scope, { holder: bootId });
    const foreign = await channel(other, { holder: bootId });
    const waiting = await channel(other);
    const commands = createCommands();
    registerStatusCommand(commands, kernel);
    const said = await commands.run('status', {});
    expect(said).toContain(
      `node alpha (${bootId}): active, 2 of at most 2 channels. It is at its limit of 2 channels.`,
    );
    expect(said).toContain(`lease channel:${foreign}: alpha, fence 4, `);
    expect(said).toContain(
      `channel ${waiting} of workspace ${other.workspaceId}: a node takes it in a moment`,
    );
  });
});
