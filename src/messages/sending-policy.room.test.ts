import { describe, expect, it } from 'vitest';
import { onGround } from '../../test/harness/outbox-ground.ts';
import type { Scope } from '../kernel/index.ts';
import { changeSendingPolicy, readSendingPolicy } from './sending-policy.ts';

let scope: Scope;

onGround(ground => {
  scope = ground.scope;
});

describe('the policy of a workspace', () => {
  it('has defaults, changes by part, and refuses what was read before somebody else changed it', async () => {
    expect(await readSendingPolicy(scope)).toEqual({
      resend: true,
      unknown: { api: 'ask', reminder: 'ask' },
      version: 0,
    });
    const changed = await changeSendingPolicy(scope, { unknown: { api: 'send_again' } }, 0);
    expect(changed).toEqual({ resend: true, unknown: { api: 'send_again', reminder: 'ask' }, version: 1 });
    await expect(changeSendingPolicy(scope, { resend: false }, 0)).rejects.toMatchObject({
      code: 'version_conflict',
    });
    expect(await readSendingPolicy(scope)).toEqual(changed);
  });
});
