import type { Simulators } from '../sim/world.ts';
import type { createChannels } from '../src/channels/index.ts';
import * as queries from '../src/channels/queries.ts';
import * as service from '../src/channels/service.ts';
import type { Scope } from '../src/kernel/index.ts';
import { until } from '../test/harness/until.ts';

/** A new virtual phone, linked to a new channel that is connected; returns the id of the channel. */
export async function pairNumber(
  channels: ReturnType<typeof createChannels>,
  { whatsapp }: Simulators,
  scope: Scope,
  number: string,
): Promise<string> {
  await post(whatsapp.url, '/phones', { number, name: `Phone ${number}` });
  const id = await service.create(scope, { kind: 'linked', label: number });
  await service.startPairing(scope, id, { method: 'qr' });
  const qr = await until(async () => (await queries.getPairing(scope, id)).qr, { within: 60_000 });
  await post(whatsapp.url, `/phones/${encodeURIComponent(number)}/scan`, { qr });
  await until(() => channels.drivenById(id), { within: 60_000, what: () => `${number} to connect` });
  return id;
}

async function post(url: string, path: string, body: unknown): Promise<void> {
  const response = await fetch(new URL(path, url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`The simulator answered ${response.status} ${await response.text()}`);
}
