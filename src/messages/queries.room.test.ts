import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel, testWorkspace } from '../../test/harness/database.ts';
import { ScriptedProvider, scriptedChannel } from '../../test/harness/scripted-adapter.ts';
import { inWorkspace, newId, type Scope } from '../kernel/index.ts';
import { advance, CHANNEL_REMOVED, GIVEN_UP, type Journey, MISSED, UNKNOWN } from './journey.ts';
import { statusesOf } from './policy.ts';
import * as queries from './queries.ts';
import { DeliveryStatus, Outcome } from './schema.ts';
import { sendMany } from './service.ts';

const AT = new Date();
const QUEUED: Journey = {
  status: 'queued',
  reason: null,
  detail: null,
  dueAt: AT,
  catchUpUntil: AT,
  recipients: 1,
  deliveredCount: 0,
  readCount: 0,
  inFlightAt: null,
  acceptedAt: null,
  sentAt: null,
  deliveredAt: null,
  readAt: null,
  endedAt: null,
  resendUntil: null,
  doubtAt: null,
  onUnknown: null,
};
const ON_THE_WIRE = advance(QUEUED, 'in_flight', AT);

/** One of each status, as the engine would leave it. */
const JOURNEYS: Record<DeliveryStatus, Journey> = {
  queued: QUEUED,
  in_flight: ON_THE_WIRE,
  accepted: advance(ON_THE_WIRE, 'accepted', AT),
  sent: advance(ON_THE_WIRE, 'sent', AT),
  delivered: advance(advance(ON_THE_WIRE, 'sent', AT), 'delivered', AT),
  read: advance(advance(ON_THE_WIRE, 'sent', AT), 'read', AT),
  failed: advance(ON_THE_WIRE, 'failed', AT, { reason: 'refused', detail: 'No.' }),
  unknown: advance(ON_THE_WIRE, 'unknown', AT, UNKNOWN),
  cancelled: advance(QUEUED, 'cancelled', AT, CHANNEL_REMOVED),
  missed: advance(QUEUED, 'missed', AT, MISSED),
};

let kernel: TestKernel;
let scope: Scope;
let channelId: string;

beforeAll(async () => {
  kernel = await testKernel();
  new ScriptedProvider();
  scope = await testWorkspace(kernel);
  channelId = await scriptedChannel(scope);
  for (const status of DeliveryStatus.options) {
    const [message] = await messages(1);
    await lead(message ?? '', JOURNEYS[status]);
  }
});
afterAll(() => kernel.close());

function messages(count: number, sourceId: string | null = null): Promise<string[]> {
  const intents = Array.from({ length: count }, () => ({
    channelId,
    target: { phone: '+491701234567' },
    content: { type: 'text' as const, text: { body: 'hello' } },
    dueAt: AT,
    catchUpMs: 60_000,
    source: sourceId ? ('reminder' as const) : ('api' as const),
    sourceId,
  }));
  return sendMany(scope, intents);
}

async function lead(messageId: string, journey: Journey): Promise<void> {
  await inWorkspace(scope, tx =>
    tx
      .updateTable('deliveries')
      .set({
        status: journey.status,
        reason: journey.reason,
        in_flight_at: journey.inFlightAt,
        accepted_at: journey.acceptedAt,
        sent_at: journey.sentAt,
        delivered_at: journey.deliveredAt,
        read_at: journey.readAt,
        ended_at: journey.endedAt,
      })
      .where('message_id', '=', messageId)
      .execute(),
  );
}

const found = async (query: object) =>
  (await queries.list(scope, { limit: 100, ...query })).data.map(message => message.delivery.status);

describe('the list of messages', () => {
  it.each(DeliveryStatus.options)('finds by status those that are %s', async status => {
    expect(await found({ status })).toEqual([status]);
  });

  it.each(Outcome.options)('finds by outcome those that are %s', async outcome => {
    expect((await found({ outcome })).toSorted()).toEqual(statusesOf(outcome).toSorted());
  });

  it('counts what was given up as stopped, which needs nobody any more', async () => {
    const before = {
      needsYou: await found({ outcome: 'needs_you' }),
      stopped: await found({ outcome: 'stopped' }),
    };
    const [message = ''] = await messages(1);
    await lead(message, advance(JOURNEYS.unknown, 'failed', AT, GIVEN_UP));
    expect(await found({ outcome: 'needs_you' })).toEqual(before.needsYou);
    expect(await found({ outcome: 'stopped' })).toEqual(['failed', ...before.stopped]);
  });

  it('finds those of one reminder', async () => {
    const sourceId = newId();
    const ids = await messages(3, sourceId);
    const { data } = await queries.list(scope, { limit: 100, source_id: sourceId });
    expect(data.map(message => message.id)).toEqual(ids.toReversed());
  });
});

it('has no index over a column that changes on the way to the wire, so that such updates stay in their page', async () => {
  const columns = await kernel.database.inEngine('test.catalogue', async tx => {
    const { rows } = await sql<{ name: string }>`
      select distinct a.attname::text as name
      from pg_depend d join pg_index i on i.indexrelid = d.objid
      join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
      where d.classid = 'pg_class'::regclass and i.indrelid = 'deliveries'::regclass order by 1
    `.execute(tx);
    return rows.map(row => row.name);
  });
  expect(columns).toEqual(['channel_id', 'ended_at', 'id', 'message_id', 'sent_at', 'workspace_id']);
});
