import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel, testWorkspace } from '../../test/harness/database.ts';
import { until } from '../../test/harness/until.ts';
import { optOut } from '../contacts/service.ts';
import { AppError, type DueWorker, inWorkspace, newId, type Scope } from '../kernel/index.ts';
import * as queries from './queries.ts';
import { createReminders } from './runner.ts';
import * as service from './service.ts';

let kernel: TestKernel;
let scope: Scope;
let worker: DueWorker;
let channelId: string;
let groups: string[];

beforeAll(async () => {
  kernel = await testKernel();
  scope = await testWorkspace(kernel);
  ({ channelId, groups } = await seedChannel(scope));
  worker = createReminders(kernel);
  worker.start();
});

afterAll(async () => {
  await worker.stop();
  await kernel.close();
});

const wallIn = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString().slice(0, 19);

type New = Parameters<typeof service.create>[1];

function plan(change: Partial<New> = {}): New {
  return {
    channel_id: channelId,
    content: { type: 'text', text: { body: 'Bring your swimming things' } },
    schedule: { start_local: wallIn(3600), time_zone: 'UTC' },
    targets: groups.map(group_id => ({ group_id })),
    ...change,
  };
}

async function refusal(work: () => Promise<unknown>): Promise<AppError> {
  const error = await Promise.resolve()
    .then(work)
    .catch((caught: unknown) => caught);
  if (!(error instanceof AppError)) throw new Error(`Expected a refusal, got ${String(error)}`);
  return error;
}

async function expanded(id: string) {
  return until(async () => (await queries.runs(scope, id, { limit: 10 })).data[0], {
    what: () => 'the occurrence to be expanded',
  });
}

describe('creating', () => {
  it('plans one pending occurrence and says what comes next', async () => {
    const id = await service.create(
      scope,
      plan({
        schedule: {
          start_local: '2035-01-01T08:00',
          time_zone: 'Europe/Berlin',
          rrule: 'FREQ=WEEKLY;BYDAY=MO',
        },
      }),
    );
    const reminder = await queries.get(scope, id);
    expect(reminder).toMatchObject({
      status: 'active',
      version: 1,
      summary: expect.stringContaining('Monday'),
    });
    expect(reminder.next).toEqual({
      local: '2035-01-01T08:00:00',
      at: '2035-01-01T07:00:00.000Z',
      shifted: false,
    });
    expect(reminder.targets.map(target => target.name)).toEqual(['Class 3A', 'Class 3B']);
  });

  it.each([
    ['schedule.start_local', { schedule: { start_local: '2020-01-01T08:00', time_zone: 'UTC' } }],
    ['schedule.time_zone', { schedule: { start_local: '2035-01-01T08:00', time_zone: 'Europe/Atlantis' } }],
    [
      'schedule.rrule',
      {
        schedule: {
          start_local: '2035-02-01T08:00',
          time_zone: 'UTC',
          rrule: 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
        },
      },
    ],
    ['ends_at', { ends_at: '2025-01-01T00:00:00Z' }],
    ['channel_id', { channel_id: newId() }],
    ['targets.0.group_id', { targets: [{ group_id: newId() }] }],
    ['targets.0.phone', { targets: [{ phone: '+4912' }] }],
    ['content.text.body', { content: { type: 'text' as const, text: { body: 'x'.repeat(65_537) } } }],
  ])('refuses with the field %s, and stores nothing', async (path, change) => {
    const before = (await queries.list(scope, { limit: 200 })).data.length;
    const error = await refusal(() => service.create(scope, plan(change)));
    expect(error.code).toBe('validation_failed');
    expect(error.fields?.[0]?.path).toBe(path);
    expect((await queries.list(scope, { limit: 200 })).data).toHaveLength(before);
  });

  it('refuses who has opted out, by the place in the list, and takes the others', async () => {
    const [stopped, other] = ['+491701234501', '+491701234502'];
    await optOut(scope, { phone: stopped, reason: 'Asked at the door' });
    const targets = [{ phone: other }, { phone: stopped }];
    const error = await refusal(() => service.create(scope, plan({ targets })));
    expect(error).toMatchObject({ code: 'validation_failed', fields: [{ path: 'targets.1.phone' }] });
    const id = await service.create(scope, plan({ targets: [{ phone: other }] }));
    const change = await refusal(() => service.change(scope, id, { targets }, undefined));
    expect(change).toMatchObject({ fields: [{ path: 'targets.1.phone' }] });
  });

  it('goes to the others when one opts out later: that one fails visibly at each occurrence', async () => {
    const [stopped, other] = ['+491701234503', '+491701234504'];
    const targets = [{ phone: stopped }, { phone: other }];
    const soon = { start_local: wallIn(20), time_zone: 'UTC' };
    const id = await inWorkspace(scope, async () => {
      const created = await service.create(scope, plan({ targets, schedule: soon }));
      await optOut(scope, { phone: stopped, reason: 'Asked at the door' });
      return created;
    });
    expect((await expanded(id)).targets).toMatchObject([
      { phone: stopped, status: 'failed' },
      { phone: other, status: 'queued' },
    ]);
  });

  it('refuses a group that is archived, by its name', async () => {
    const archived = await seedGroup(scope, channelId, 'Class of 2019', new Date());
    const error = await refusal(() => service.create(scope, plan({ targets: [{ group_id: archived }] })));
    expect(error.detail).toContain('Class of 2019');
  });
});

describe('the instant', () => {
  it('becomes one message per target a minute ahead, and the reminder ends once it has passed', async () => {
    const id = await service.create(scope, plan({ schedule: { start_local: wallIn(3), time_zone: 'UTC' } }));
    const run = await expanded(id);
    expect(run.status).toBe('expanded');
    expect(run.targets.map(target => target.name)).toEqual(['Class 3A', 'Class 3B']);
    expect(run.outcomes.waiting).toBe(2);
    expect((await queries.get(scope, id)).status).toBe('active');
    const ended = await until(async () => {
      const reminder = await queries.get(scope, id);
      return reminder.status === 'ended' && reminder;
    });
    expect(ended.next).toBeNull();
  });

  it('is missed, not late, after an outage; the next one is planned and nothing comes in a burst', async () => {
    const id = await service.create(
      scope,
      plan({
        schedule: { start_local: wallIn(900), time_zone: 'UTC', rrule: 'FREQ=HOURLY' },
        catch_up_ms: 60_000,
      }),
    );
    await pretendOutage(id, 3.5 * 3600_000);
    const page = await until(async () => {
      const { data } = await queries.runs(scope, id, { limit: 10 });
      return data.length >= 4 && data;
    });
    expect(page.map(run => run.status)).toEqual(['missed', 'missed', 'missed', 'missed']);
    const { next } = await queries.get(scope, id);
    expect(Date.parse(next?.at ?? '')).toBeGreaterThan(Date.now());
  });

  it('happens once with two nodes on the same database', async () => {
    const other = await testKernel({ database: kernel.database, secrets: kernel.secrets });
    const second = createReminders(other);
    second.start();
    const ids = await Promise.all(
      Array.from({ length: 20 }, () =>
        service.create(scope, plan({ schedule: { start_local: wallIn(45), time_zone: 'UTC' } })),
      ),
    );
    for (const id of ids) await expanded(id);
    await second.stop();
    await other.close();
    const messages = await inWorkspace(scope, tx =>
      tx
        .selectFrom('messages')
        .select('id')
        .where('workspace_id', '=', scope.workspaceId)
        .where('source_id', 'in', ids)
        .execute(),
    );
    expect(messages).toHaveLength(ids.length * 2);
  });
});

describe('a run', () => {
  it('counts what was given up as stopped, and not as what needs somebody', async () => {
    const id = await service.create(scope, plan({ schedule: { start_local: wallIn(40), time_zone: 'UTC' } }));
    await expanded(id);
    const readRun = async () => (await queries.runs(scope, id, { limit: 10 })).data[0];
    const given = (await readRun())?.targets[0]?.message_id ?? '';
    await kernel.database.inEngine('test.give_up', tx =>
      tx
        .updateTable('deliveries')
        .set({ status: 'failed', reason: 'given_up', ended_at: new Date() })
        .where('message_id', '=', given)
        .execute(),
    );
    expect((await readRun())?.outcomes).toMatchObject({ stopped: 1, needs_you: 0, waiting: 1 });
  });
});

describe('changing', () => {
  it('before the instant takes back what is queued and moves it', async () => {
    const id = await service.create(scope, plan({ schedule: { start_local: wallIn(40), time_zone: 'UTC' } }));
    await expanded(id);
    await service.change(scope, id, { schedule: { start_local: wallIn(7200), time_zone: 'UTC' } }, 1);
    const [run] = (await queries.runs(scope, id, { limit: 10 })).data;
    expect(run).toMatchObject({ status: 'cancelled', outcomes: { stopped: 2, waiting: 0 } });
    expect(Date.parse((await queries.get(scope, id)).next?.at ?? '')).toBeGreaterThan(Date.now() + 7_000_000);
  });

  it('only the text keeps the instant and sends the new text', async () => {
    const id = await service.create(scope, plan({ schedule: { start_local: wallIn(50), time_zone: 'UTC' } }));
    const first = await expanded(id);
    await service.change(
      scope,
      id,
      { content: { type: 'text', text: { body: 'Bring an umbrella' } } },
      undefined,
    );
    const runs = await until(async () => {
      const { data } = await queries.runs(scope, id, { limit: 10 });
      return data.length === 2 && data;
    });
    expect(runs.map(run => [run.due_at, run.status])).toEqual([
      [first.due_at, 'expanded'],
      [first.due_at, 'cancelled'],
    ]);
  });

  it('ten at once with the same version leave one winner', async () => {
    const id = await service.create(scope, plan());
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) =>
        service.change(scope, id, { content: { type: 'text', text: { body: `Version ${index}` } } }, 1),
      ),
    );
    expect(outcomes.filter(outcome => outcome.status === 'fulfilled')).toHaveLength(1);
    const codes = outcomes.flatMap(outcome =>
      outcome.status === 'rejected' ? [(outcome.reason as AppError).code] : [],
    );
    expect(new Set(codes)).toEqual(new Set(['version_conflict']));
    expect((await queries.get(scope, id)).version).toBe(2);
  });
});

describe('pausing', () => {
  it('drops the queued deliveries; resuming catches the next occurrence, not the dropped one', async () => {
    const id = await service.create(
      scope,
      plan({ schedule: { start_local: wallIn(35), time_zone: 'UTC', rrule: 'FREQ=DAILY' } }),
    );
    const run = await expanded(id);
    await service.pause(scope, id, undefined);
    const paused = await queries.get(scope, id);
    expect([paused.status, paused.next]).toEqual(['paused', null]);
    expect((await queries.runs(scope, id, { limit: 10 })).data[0]?.outcomes).toMatchObject({ stopped: 2 });
    await service.resume(scope, id, undefined);
    const resumed = await queries.get(scope, id);
    expect(resumed.status).toBe('active');
    expect(Date.parse(resumed.next?.at ?? '')).toBeGreaterThanOrEqual(Date.parse(run.due_at));
  });

  it('and resuming twice changes nothing', async () => {
    const id = await service.create(scope, plan());
    await service.pause(scope, id, undefined);
    await service.pause(scope, id, undefined);
    await service.resume(scope, id, undefined);
    await service.resume(scope, id, undefined);
    expect(await queries.get(scope, id)).toMatchObject({ status: 'active', version: 3 });
  });
});

it('deleting makes it a 404 and takes back what is queued', async () => {
  const id = await service.create(scope, plan({ schedule: { start_local: wallIn(40), time_zone: 'UTC' } }));
  const run = await expanded(id);
  await service.remove(scope, id, undefined);
  expect((await refusal(() => queries.get(scope, id))).code).toBe('not_found');
  const statuses = await inWorkspace(scope, tx =>
    tx
      .selectFrom('deliveries')
      .select('status')
      .where('workspace_id', '=', scope.workspaceId)
      .where(
        'message_id',
        'in',
        run.targets.map(target => target.message_id),
      )
      .execute(),
  );
  expect(statuses.map(row => row.status)).toEqual(['cancelled', 'cancelled']);
});

it('another workspace finds nothing, in the same words as for what is missing', async () => {
  const id = await service.create(scope, plan());
  const stranger = await testWorkspace(kernel);
  const foreign = await refusal(() => queries.get(stranger, id));
  const missing = await refusal(() => queries.get(stranger, newId()));
  expect([foreign.code, foreign.detail]).toEqual([missing.code, missing.detail]);
  expect((await refusal(() => service.pause(stranger, id, undefined))).code).toBe('not_found');
});

/** Moves a reminder and its occurrence into the past, as if nobody had been there for that long. */
async function pretendOutage(reminderId: string, ms: number): Promise<void> {
  const start = new Date(Date.now() - ms);
  await inWorkspace(scope, async tx => {
    await tx
      .updateTable('reminders')
      .set({ start_local: start.toISOString().slice(0, 19) })
      .where('workspace_id', '=', scope.workspaceId)
      .where('id', '=', reminderId)
      .execute();
    const row = await tx
      .updateTable('reminder_occurrences')
      .set({ due_at: new Date(start.toISOString().slice(0, 19).concat('Z')) })
      .where('workspace_id', '=', scope.workspaceId)
      .where('reminder_id', '=', reminderId)
      .returning('id')
      .executeTakeFirstOrThrow();
    await tx
      .updateTable('due_work')
      .set({ due_at: start })
      .where('workspace_id', '=', scope.workspaceId)
      .where('subject_id', '=', row.id)
      .execute();
  });
}

async function seedChannel(owner: Scope): Promise<{ channelId: string; groups: string[] }> {
  const id = newId();
  await inWorkspace(owner, tx =>
    tx
      .insertInto('channels')
      .values({ workspace_id: owner.workspaceId, id, kind: 'linked', label: 'Office' })
      .execute(),
  );
  return {
    channelId: id,
    groups: [await seedGroup(owner, id, 'Class 3A', null), await seedGroup(owner, id, 'Class 3B', null)],
  };
}

async function seedGroup(
  owner: Scope,
  ofChannel: string,
  subject: string,
  archivedAt: Date | null,
): Promise<string> {
  const id = newId();
  await inWorkspace(owner, tx =>
    tx
      .insertInto('groups')
      .values({
        workspace_id: owner.workspaceId,
        id,
        channel_id: ofChannel,
        provider_id: `${id}@g.us`,
        subject,
        size: 3,
        archived_at: archivedAt,
      })
      .execute(),
  );
  return id;
}
