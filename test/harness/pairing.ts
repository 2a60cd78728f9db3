import type { Client, simulatorClient } from './api.ts';
import { until } from './until.ts';

export type Group = { id: string; subject: string };

/** Creates a channel, lets the virtual phone scan its live QR code and waits until it can send. */
export async function pairChannel(
  client: Client,
  simulator: Pick<ReturnType<typeof simulatorClient>, 'scan'>,
  input: { label: string; number: string },
): Promise<{ channelId: string; groups: Group[] }> {
  const channel = await client<{ id: string }>('POST', '/v1/channels', {
    kind: 'linked',
    label: input.label,
  });
  if (channel.status !== 201)
    throw new Error(`Creating a channel answered ${channel.status} ${JSON.stringify(channel.body)}`);
  const at = `/v1/channels/${channel.body.id}`;
  await client('POST', `${at}/pairing`, {});
  const qr = await until(async () => (await client<{ qr?: string }>('GET', `${at}/pairing`)).body.qr, {
    within: 20_000,
    what: () => 'a QR code',
  });
  await simulator.scan(input.number, qr);
  await connected(client, channel.body.id);
  const groups = await until(
    async () => {
      const list = await client<{ data: Group[] }>('GET', `/v1/groups?channel_id=${channel.body.id}`);
      return list.body.data.length > 0 && list.body.data;
    },
    { within: 10_000, what: () => 'the groups of the channel' },
  );
  return { channelId: channel.body.id, groups };
}

export async function connected(client: Client, channelId: string): Promise<void> {
  let last: unknown;
  await until(
    async () => {
      last = (await client('GET', `/v1/channels/${channelId}`)).body;
      return (last as { status: string }).status === 'connected';
    },
    { within: 30_000, what: () => `the channel to connect; last seen ${JSON.stringify(last)}` },
  );
}

/** Wall clock in UTC as a schedule wants it, to the second. */
export function localIn(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toISOString().slice(0, 19);
}
