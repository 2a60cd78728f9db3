import { describe, expect, it } from 'vitest';
import { type TestKernel, testWorkspace } from '../../../test/harness/database.ts';
import { onPacedGround } from '../../../test/harness/paced-ground.ts';
import { ScriptedProvider, scriptedChannel } from '../../../test/harness/scripted-adapter.ts';
import { AppError, type Http, type Scope } from '../../kernel/index.ts';
import type { Pacing } from '../schema.ts';
import { readPacing } from './queries.ts';

let channelId: string;
let http: Http;
let kernel: TestKernel;
let scope: Scope;

const { facts } = onPacedGround(ground => {
  ({ channelId, http, kernel, scope } = ground);
});

async function refusal(work: Promise<unknown>): Promise<AppError> {
  const error = await work.catch((caught: unknown) => caught);
  if (!(error instanceof AppError)) throw new Error(`Expected a refusal, got ${String(error)}`);
  return error;
}

describe('the settings', () => {
  const patch = (body: object, headers = {}) =>
    http.app.inject({ method: 'PATCH', url: `/v1/channels/${channelId}/pacing`, payload: body, headers });

  it('are changed within bounds, under the version that was seen, and back to what is advised', async () => {
    const changed = await patch({ messages_per_minute: 20, warm_up_days: 3 }, { 'if-match': '"0"' });
    expect(changed.json<Pacing>()).toMatchObject({
      settings: { messages_per_minute: 20, groups_per_minute: 6, new_people_per_day: 100, warm_up_days: 3 },
      advised: { messages_per_minute: 10, warm_up_days: 0 },
      version: 1,
    });
    expect((await patch({ warm_up_days: 1 }, { 'if-match': '"0"' })).statusCode).toBe(412);
    expect((await patch({ messages_per_minute: 31 })).statusCode).toBe(422);
    expect((await patch({ new_people_per_day: 201 })).statusCode).toBe(422);
    const back = await patch({ messages_per_minute: null });
    expect(back.json<Pacing>().settings).toMatchObject({ messages_per_minute: 10, warm_up_days: 3 });
    expect(await facts('pacing.changed')).toHaveLength(2);
  });

  it('exist only for channels of the workspace that are paced', async () => {
    const foreign = await scriptedChannel(await testWorkspace(kernel));
    expect((await refusal(readPacing(scope, foreign))).code).toBe('not_found');
    new ScriptedProvider();
    expect((await refusal(readPacing(scope, channelId))).code).toBe('illegal_state');
  });
});
