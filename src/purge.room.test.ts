import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newRows, rowsOf, sealed } from '../test/harness/purge.ts';
import { until } from '../test/harness/until.ts';
import { WallWorld } from '../test/harness/wall-world.ts';
import { releaseChannels } from './channels/index.ts';
import { addMember, createWorkspace } from './identity/index.ts';
import { type PurgeTimes, purgeWorkspace } from './identity/workspaces/purge.ts';
import {
  INSTANCE,
  inWorkspace,
  type Kernel,
  mintScope,
  newId,
  purgeChain,
  record,
  verifyChain,
} from './kernel/index.ts';

let world: WallWorld;
let kernel: Kernel;
let id: string;
let slug: string;

beforeAll(async () => {
  world = await WallWorld.open();
  kernel = world.convoke.kernel;
});
afterAll(() => world?.close());
beforeEach(async () => {
  slug = `going-${newId()}`.slice(0, 40);
  id = await createWorkspace(kernel, { slug, name: 'Going' });
  await addMember(kernel, { workspaceId: id, userId: world.members.owner.userId, role: 'owner' });
  await addMember(kernel, { workspaceId: id, userId: world.members.viewer.userId, role: 'viewer' });
});

const purge = (how: Partial<PurgeTimes> & { signal?: AbortSignal } = {}) =>
  purgeWorkspace(kernel, id, releaseChannels, { rowsAtOnce: 8, ...how });

const purged = () => until(async () => (await purge()) === 'done');

function ask(method: string, path: string, body: object = {}) {
  const headers = { cookie: world.members.owner.cookie, 'convoke-workspace': id };
  return fetch(`${world.convoke.url}${path}`, {
    method,
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/** As if its owner had deleted it so long ago that this is left of its days. */
async function dueIn(ms: number): Promise<void> {
  await kernel.database.inEngine('test.due', tx =>
    sql`update workspaces set deletion_due_at = now() + ${ms}::float8 * interval '1 millisecond'
      where id = ${id}`.execute(tx),
  );
}

function row(of: { id: string } | { slug: string }) {
  const [column, value] = Object.entries(of)[0] ?? [];
  return kernel.database.inEngine('test.workspace', tx =>
    tx
      .selectFrom('workspaces')
      .select(['id', 'deletion_due_at', 'purge_began_at'])
      .where(sql.ref(column ?? ''), '=', value)
      .executeTakeFirst(),
  );
}

function purgeFacts() {
  return kernel.database.inEngine('test.facts', tx =>
    tx
      .selectFrom('activity')
      .select('payload')
      .where('workspace_id', '=', INSTANCE)
      .where('type', '=', 'workspace.purged')
      .where('subject_id', '=', id)
      .execute(),
  );
}

/** Ends after so many of the moments between two transactions at which a process could have died. */
function endingAfter(moments: number): AbortSignal {
  let asked = 0;
  return {
    get aborted() {
      return asked++ >= moments;
    },
  } as AbortSignal;
}

describe('a deleted workspace whose days are over', () => {
  it('loses every row in small steps, wherever that was broken off; others lose none', async () => {
    await newRows(kernel, id);
    await sealed(kernel);
    const neighbour = (await row({ slug: 'walls-a' }))?.id ?? '';
    const [own, others] = [await rowsOf(kernel, id), await rowsOf(kernel, neighbour)];
    expect(Object.keys(own).length).toBeGreaterThan(15);
    expect(Object.keys(others).length).toBeGreaterThan(15);
    await dueIn(0);
    let broken = 0;
    await until(async () => {
      const outcome = await purge({ signal: endingAfter(broken * 2) });
      if (outcome === 'goes_on') broken += 1;
      return outcome === 'done';
    });
    expect(broken).toBeGreaterThan(10);
    expect(await rowsOf(kernel, id)).toEqual({});
    expect(await row({ id })).toBeUndefined();
    expect(await rowsOf(kernel, neighbour)).toEqual(others);
  });

  it('leaves the fact of it to the installation: what went, and where its record of what happened ended', async () => {
    await newRows(kernel, id);
    await ask('PATCH', '/v1/workspace', { name: 'Gone' });
    await sealed(kernel);
    const { head } = await verifyChain(kernel.database, id);
    const own = await rowsOf(kernel, id);
    await dueIn(0);
    await purged();
    const facts = (await purgeFacts()).map(({ payload }) => payload as { rows: object; head: string });
    expect(facts).toMatchObject([{ slug, rows: { members: 2, messages: own.messages, contacts: 1 } }]);
    // Taking its channel away was recorded as well.
    expect(facts[0]?.head).toMatch(new RegExp(`^${head.seq + 1}:[0-9a-f]{64}$`));
    await sealed(kernel);
    expect((await verifyChain(kernel.database, INSTANCE)).flaws).toEqual([]);
  });

  it('is purged by the job that its deletion has left', async () => {
    await newRows(kernel, id);
    expect((await ask('POST', '/v1/workspace/deletion', { slug })).status).toBe(200);
    await dueIn(-1);
    await kernel.database.inEngine('test.job', tx =>
      sql`update jobs set due_at = now() where payload ->> 'workspace_id' = ${id}`.execute(tx),
    );
    kernel.wake.publish('jobs', '');
    await until(async () => (await purgeFacts()).length === 1, { within: 40_000 });
    expect(await rowsOf(kernel, id)).toEqual({});
  });

  it('is either kept at the last moment or purged, never half of both', async () => {
    for (let round = 0; round < 6; round++) {
      await dueIn(0);
      const [kept, outcome] = await Promise.all([ask('DELETE', '/v1/workspace/deletion'), purge()]);
      const { deletion_due_at: due, purge_began_at: began } = (await row({ id })) ?? {};
      if (kept.status === 200) {
        expect([outcome, due, began]).toEqual(['done', null, null]);
        expect(await rowsOf(kernel, id)).toMatchObject({ members: 2 });
        continue;
      }
      expect([403, 404, 409]).toContain(kept.status);
      await purged();
      expect(await row({ id })).toBeUndefined();
      break;
    }
  });
});

describe('a purge', () => {
  it('leaves alone what has days left, and what was kept', async () => {
    for (const leave of [() => dueIn(60_000), () => ask('DELETE', '/v1/workspace/deletion')]) {
      await leave();
      expect(await purge()).toBe('done');
      expect(await row({ id })).toMatchObject({ purge_began_at: null });
      expect(await rowsOf(kernel, id)).toMatchObject({ members: 2 });
    }
  });

  it('that has begun cannot be stopped by keeping the workspace', async () => {
    await newRows(kernel, id);
    await dueIn(0);
    expect(await purge({ signal: endingAfter(1) })).toBe('goes_on');
    const kept = await ask('DELETE', '/v1/workspace/deletion');
    expect([kept.status, (await kept.json()).code]).toEqual([409, 'illegal_state']);
    await purged();
  });

  it('is run twice at once, and counts each row once', async () => {
    await newRows(kernel, id);
    await sealed(kernel);
    const { messages, deliveries } = await rowsOf(kernel, id);
    await dueIn(0);
    await Promise.all([purged(), purged()]);
    expect(await purgeFacts()).toMatchObject([{ payload: { rows: { messages, deliveries } } }]);
  });

  it('waits for numbers that are still linked', async () => {
    await newRows(kernel, id);
    await dueIn(0);
    expect(await purgeWorkspace(kernel, id, async () => false)).toBe('waits');
    const left = await rowsOf(kernel, id);
    expect(left).toMatchObject({ channel_keys: 9, messages: 25, data_keys: 1 });
    expect(left.due_work).toBeUndefined();
    await purged();
  });

  it('waits a day for them, and then goes on', async () => {
    await newRows(kernel, id);
    await dueIn(0);
    const stuck = () => purgeWorkspace(kernel, id, async () => false);
    expect(await stuck()).toBe('waits');
    const beganAgo = (text: string) =>
      kernel.database.inEngine('test.began', tx =>
        sql`update workspaces set purge_began_at = now() - ${text}::interval where id = ${id}`.execute(tx),
      );
    await beganAgo('23 hours');
    expect(await stuck()).toBe('waits');
    await beganAgo('25 hours');
    await until(async () => (await stuck()) === 'done');
    expect(await rowsOf(kernel, id)).toEqual({});
  });

  it('leaves what waits for its seal, and the workspace with it until that is there', async () => {
    await ask('PATCH', '/v1/workspace', { name: 'Gone' });
    await sealed(kernel);
    await dueIn(0);
    expect(await purge({ signal: endingAfter(1) })).toBe('goes_on');
    const scope = mintScope(kernel, id, { kind: 'system' });
    const late = { type: 'test.late', subject: { type: 'workspace', id }, payload: {} };
    const left = await inWorkspace(scope, async tx => {
      await record(tx, scope, late);
      expect(await purgeChain(tx, 1_000)).toBeGreaterThan(0);
      return tx.selectFrom('activity').select('type').where('workspace_id', '=', id).execute();
    });
    expect(left).toEqual([{ type: 'test.late' }]);
    await purged();
    expect(await rowsOf(kernel, id)).toEqual({});
  });

  it('is the only way to delete what happened, and no door can do it to a workspace that lives', async () => {
    const chain = sql`select convoke_purge_chain(10)`;
    await expect(kernel.database.workspace(id, tx => chain.execute(tx))).rejects.toThrow('not being purged');
    const begun = kernel.database.workspace(id, tx =>
      tx.updateTable('workspaces').set({ purge_began_at: new Date() }).where('id', '=', id).execute(),
    );
    await expect(begun).rejects.toMatchObject({ code: '42501' });
  });
});
