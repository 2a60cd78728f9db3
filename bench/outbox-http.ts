import { ScriptedChannels } from '../test/harness/scripted-adapter.ts';
import { benchChannel, benchWorkspace, type Ground } from './ground.ts';
import { type FarEnd, httpProvider, KIND } from './http-adapter.ts';
import { recorded, type Way } from './outbox-round.ts';

export const PHONE = '+491701234567';

/** A workspace of its own with one channel to the far end. */
export async function httpWay({ kernel, leases }: Ground, farEnd: FarEnd): Promise<Way> {
  const scope = await benchWorkspace(kernel);
  const channelId = await benchChannel(scope, KIND);
  const provider = httpProvider(farEnd);
  const channels = new ScriptedChannels();
  channels.connect(provider, scope, channelId);
  return {
    kernel,
    leases,
    scope,
    channelId,
    channels,
    phone: PHONE,
    arrived: messages => provider.accepted(messages),
  };
}

export async function isExact(way: Way, farEnd: FarEnd, messages: number): Promise<boolean> {
  const ledger = await farEnd.ledger();
  const rows = await recorded(way);
  const exact =
    ledger.posts === messages && ledger.distinct === messages && rows.accepted === messages && rows.due === 0;
  const counts = `${ledger.posts} arrived, ${ledger.distinct} distinct, ${rows.accepted} recorded, ${rows.due} left`;
  console.log(`counts     ${counts}${exact ? '' : `  <- must be ${messages}, ${messages}, ${messages}, 0`}`);
  return exact;
}
