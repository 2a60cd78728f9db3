import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { PacingAdvice, SendOutcome } from '../../src/channels/index.ts';
import { createHttp, type Http, newId, type Scope, systemClock } from '../../src/kernel/index.ts';
import { createMessages, type Messages } from '../../src/messages/index.ts';
import { PACING } from '../../src/messages/pacing/pace.ts';
import * as queries from '../../src/messages/queries.ts';
import { registerMessageRoutes } from '../../src/messages/routes.ts';
import * as service from '../../src/messages/service.ts';
import { type TestKernel, testKernel, testWorkspace } from './database.ts';
import {
  ScriptedChannels,
  ScriptedProvider,
  scriptedCapabilities,
  scriptedChannel,
} from './scripted-adapter.ts';
import { until } from './until.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** A gap of 6 s on average: nothing of a test waits for it, the clock is set on instead. */
const ADVICE: PacingAdvice = {
  messagesPerMinute: 10,
  burst: 3,
  groupsPerMinute: 6,
  groupBurst: 2,
  newPeoplePerDay: 100,
  warmUpDays: 0,
  warmUpFrom: 1,
};
export const RESTRICTED: SendOutcome = {
  outcome: 'refused',
  code: 'account_restricted',
  detail: 'No.',
  restricts: true,
};

/** What a test of a paced channel stands on. */
type Ground = { kernel: TestKernel; http: Http; scope: Scope; channelId: string; provider: ScriptedProvider };

/**
 * One database for the file, with a clock that can be set on; `begin` gets a workspace with a paced channel for each
 * test. After it all that is in `running` is stopped.
 */
export function onPacedGround(begin: (ground: Ground) => void) {
  let ground: Ground;
  let kernel: TestKernel;
  let http: Http;
  let aheadMs = 0;
  const running: Messages[] = [];

  beforeAll(async () => {
    const now = () => new Date(Date.now() + aheadMs);
    kernel = await testKernel({ clock: { ...systemClock, now }, random: () => 0.5 });
    http = await createHttp(kernel, { enter: async () => ground.scope, user: async () => newId() });
    registerMessageRoutes(http);
    await http.app.ready();
  });
  afterAll(async () => {
    await http.close();
    await kernel.close();
  });
  beforeEach(async () => {
    aheadMs = 0;
    const provider = new ScriptedProvider({ ...scriptedCapabilities, pacing: ADVICE });
    const scope = await testWorkspace(kernel);
    ground = { kernel, http, scope, channelId: await scriptedChannel(scope), provider };
    begin(ground);
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map(messages => messages.stop()));
  });

  function startNode(ids = [ground.channelId]) {
    const channels = new ScriptedChannels();
    const messages = createMessages({ ...kernel, node: { id: 'test', bootId: newId() } }, channels);
    running.push(messages);
    messages.start();
    for (const id of ids) channels.connect(ground.provider, ground.scope, id);
    return { channels, messages };
  }

  /** Sets the clock on; timers do not follow it, so the nodes are told to look. */
  function pass(ms: number): void {
    aheadMs += ms;
    kernel.wake.publish(PACING, '');
  }

  const phone = (n: number) => `+4917012${String(10_000 + n)}`;
  const text = (body: string) => ({ type: 'text' as const, text: { body } });
  const sendTo = (n: number, body = `to ${n}`) =>
    service.send(ground.scope, {
      channelId: ground.channelId,
      target: { phone: phone(n) },
      content: text(body),
    });
  const many = (count: number, catchUpMs = DAY_MS, to = phone) =>
    service.sendMany(
      ground.scope,
      Array.from({ length: count }, (_, n) => ({
        channelId: ground.channelId,
        target: { phone: to(n) },
        content: text(`${n}`),
        dueAt: kernel.clock.now(),
        catchUpMs,
        source: 'reminder' as const,
        sourceId: newId(),
      })),
    );
  const deliveryOf = async (id: string) => (await queries.get(ground.scope, id)).delivery;
  const becomes = (id: string, status: string) =>
    until(async () => (await deliveryOf(id)).status === status, { what: () => `${status} of ${id}` });
  const arrive = (count: number) =>
    until(() => ground.provider.arrived.length === count, {
      what: () => `${ground.provider.arrived.length} of ${count}`,
    });
  /** Gives a fault a good chance to show. */
  const aWhile = (ms = 400) => new Promise(resolve => setTimeout(resolve, ms));

  async function known(...numbers: number[]): Promise<void> {
    await kernel.database.inEngine('test.known', tx =>
      tx
        .insertInto('known_people')
        .values(
          numbers.map(n => ({
            workspace_id: ground.scope.workspaceId,
            channel_id: ground.channelId,
            phone: phone(n),
          })),
        )
        .execute(),
    );
  }

  async function facts(type: string): Promise<unknown[]> {
    const rows = await kernel.database.inEngine('test.facts', tx =>
      tx
        .selectFrom('activity')
        .select('payload')
        .where('subject_id', '=', ground.channelId)
        .where('type', '=', type)
        .execute(),
    );
    return rows.map(row => row.payload);
  }

  return {
    aWhile,
    arrive,
    becomes,
    deliveryOf,
    facts,
    known,
    many,
    pass,
    phone,
    running,
    sendTo,
    startNode,
    text,
  };
}
