import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { type Kernel, newId, type Scope } from '../../src/kernel/index.ts';
import { createMessages, type Messages } from '../../src/messages/index.ts';
import type { OutboxOptions } from '../../src/messages/outbox.ts';
import * as queries from '../../src/messages/queries.ts';
import * as service from '../../src/messages/service.ts';
import { type TestKernel, testKernel, testWorkspace } from './database.ts';
import { ScriptedChannels, ScriptedProvider, scriptedChannel } from './scripted-adapter.ts';
import { until } from './until.ts';

/** What a test of the outbox stands on. */
export type Ground = { kernel: TestKernel; scope: Scope; channelId: string; provider: ScriptedProvider };

export const PHONE = '+491701234567';

export const text = (body: string) => ({ type: 'text' as const, text: { body } });

/**
 * One database for the file; `begin` gets a workspace, a scripted channel and a provider of its own for each test.
 * After it all that is in `running` is stopped.
 */
export function onGround(begin: (ground: Ground) => void) {
  let ground: Ground;
  let kernel: TestKernel;
  const running: Messages[] = [];
  beforeAll(async () => {
    kernel = await testKernel();
  });
  afterAll(() => kernel.close());
  beforeEach(async () => {
    const scope = await testWorkspace(kernel);
    ground = { kernel, scope, channelId: await scriptedChannel(scope), provider: new ScriptedProvider() };
    begin(ground);
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map(messages => messages.stop()));
  });
  const statusOf = async (id: string) => (await queries.get(ground.scope, id)).delivery.status;
  return {
    running,
    statusOf,
    becomes: (id: string, status: string) =>
      until(async () => (await statusOf(id)) === status, { what: () => `${status} of ${id}` }),
    sendText: (body: string, more: Partial<Parameters<typeof service.send>[1]> = {}) => {
      const { scope, channelId } = ground;
      return service.send(scope, { channelId, target: { phone: PHONE }, content: text(body), ...more });
    },
    /** By a reminder, as only what is planned has an instant of its own. */
    sendLater: ({
      dueInMs,
      catchUpMs,
      body = 'later',
    }: {
      dueInMs: number;
      catchUpMs: number;
      body?: string;
    }) =>
      service.sendMany(ground.scope, [
        {
          channelId: ground.channelId,
          target: { phone: PHONE },
          content: text(body),
          dueAt: new Date(Date.now() + dueInMs),
          catchUpMs,
          source: 'reminder',
          sourceId: newId(),
        },
      ]),
    /** What is still on the list of due work. */
    leftOver: () =>
      ground.kernel.database.inEngine('test.left', tx =>
        tx
          .selectFrom('due_work')
          .select(['kind', 'claimed_by'])
          .where('workspace_id', '=', ground.scope.workspaceId)
          .execute(),
      ),
    startNode: (node: Kernel = ground.kernel, options: OutboxOptions = {}) => {
      const channels = new ScriptedChannels();
      const messages = createMessages(node, channels, options);
      running.push(messages);
      messages.start();
      return { channels, messages };
    },
  };
}
