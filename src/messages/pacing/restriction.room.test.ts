import { describe, expect, it } from 'vitest';
import { HOUR_MS, onPacedGround, RESTRICTED } from '../../../test/harness/paced-ground.ts';
import { accept, type ScriptedProvider } from '../../../test/harness/scripted-adapter.ts';
import type { Http, Scope } from '../../kernel/index.ts';
import type { Pacing } from '../schema.ts';
import { readPacing } from './queries.ts';

let channelId: string;
let http: Http;
let provider: ScriptedProvider;
let scope: Scope;

const { aWhile, arrive, becomes, deliveryOf, facts, known, many, pass, phone, running, sendTo, startNode } =
  onPacedGround(ground => {
    ({ channelId, http, provider, scope } = ground);
  });

describe('a restriction', () => {
  it('stops the channel at once, is shown with its end, and is tried with one message first', async () => {
    provider.script = wire => (provider.arrived.length === 2 ? RESTRICTED : accept(wire, new Date()));
    startNode();
    await known(1, 2, 3, 4, 5);
    await becomes(await sendTo(1), 'sent');
    const refused = await sendTo(2);
    await becomes(refused, 'failed');
    const ids = [await sendTo(3), await sendTo(4), await sendTo(5)];
    await aWhile(1_200);
    expect(provider.arrived).toHaveLength(2);
    const waits = await deliveryOf(ids[0] ?? '');
    expect(waits).toMatchObject({ status: 'queued', waiting_for: 'restriction' });
    const { restriction } = await readPacing(scope, channelId);
    expect(restriction?.reason).toBe('account_restricted');
    expect(waits.waiting_until).toBe(restriction?.until);
    const lasts = Date.parse(restriction?.until ?? '') - Date.parse(restriction?.since ?? '');
    expect(lasts).toBe(HOUR_MS / 2);
    expect(await facts('channel.restricted')).toMatchObject([{ reason: 'account_restricted' }]);

    let answer = () => {};
    provider.script = async wire => {
      await new Promise<void>(resolve => {
        answer = resolve;
      });
      return accept(wire, new Date());
    };
    pass(HOUR_MS / 2 + 1_000);
    await arrive(3);
    await aWhile(1_200);
    expect(provider.arrived).toHaveLength(3);
    provider.script = accept;
    answer();
    await becomes(ids[0] ?? '', 'sent');
    pass(6_000);
    for (const id of ids) await becomes(id, 'sent');
    expect((await readPacing(scope, channelId)).restriction).toBeNull();
  });

  it('lasts longer each time', async () => {
    provider.script = () => RESTRICTED;
    startNode();
    await known(1, 2);
    await becomes(await sendTo(1), 'failed');
    const second = await sendTo(2);
    await aWhile();
    expect(provider.arrived).toHaveLength(1);
    pass(HOUR_MS / 2 + 1_000);
    await becomes(second, 'failed');
    const { restriction } = await readPacing(scope, channelId);
    expect(Date.parse(restriction?.until ?? '') - Date.parse(restriction?.since ?? '')).toBe(HOUR_MS);
    expect(provider.arrived).toHaveLength(2);
  });

  it('is kept over a restart, and ended earlier by a person', async () => {
    provider.script = wire => (provider.arrived.length === 1 ? RESTRICTED : accept(wire, new Date()));
    startNode();
    await known(1, 2);
    await becomes(await sendTo(1), 'failed');
    await Promise.all(running.splice(0).map(messages => messages.stop()));
    startNode();
    const kept = await sendTo(2);
    await aWhile();
    expect(provider.arrived).toHaveLength(1);
    const resumed = await http.app.inject({
      method: 'POST',
      url: `/v1/channels/${channelId}/pacing/resume`,
    });
    expect(resumed.json<Pacing>().restriction).toBeNull();
    await becomes(kept, 'sent');
    expect(await facts('channel.resumed')).toHaveLength(1);
    const again = await http.app.inject({ method: 'POST', url: `/v1/channels/${channelId}/pacing/resume` });
    expect(again.statusCode).toBe(409);
  });

  it('makes what may not be late missed, and says why', async () => {
    provider.script = () => RESTRICTED;
    startNode();
    await known(1, 2);
    await becomes(await sendTo(1), 'failed');
    const [late] = await many(1, 300, () => phone(2));
    await becomes(late ?? '', 'missed');
    expect((await deliveryOf(late ?? '')).reason).toBe('channel_restricted');
  });
});
