import { channelForSending, type Inbound } from '../channels/index.ts';
import { hear, readWord } from '../contacts/index.ts';
import { inWorkspace, type Kernel, mintScope } from '../kernel/index.ts';
import { accept } from './accept.ts';
import { getToKnow } from './pacing/rows.ts';
import { CATCH_UP_MS } from './policy.ts';

type Place = { workspaceId: string; channelId: string };

/**
 * Listens for STOP and START in what people write outside of groups. Each is taken to heart and answered in one
 * transaction, so the same messages may be handed on any number of times. Goes through all of them even if one
 * fails, and then throws, so that they are handed on again.
 */
export async function hearAll(kernel: Kernel, place: Place, inbound: Inbound[]): Promise<void> {
  const faults: unknown[] = [];
  for (const message of inbound) await hearOne(kernel, place, message).catch(error => faults.push(error));
  if (faults.length > 0) throw faults[0];
}

async function hearOne(kernel: Kernel, { workspaceId, channelId }: Place, message: Inbound): Promise<void> {
  if (message.kind !== 'text' || message.group !== undefined) return;
  const word = readWord(message.text);
  const [first, ...others] = message.sender;
  if (!word || !first) return;
  const scope = mintScope(kernel, workspaceId, { kind: 'recipient' });
  await inWorkspace(scope, async tx => {
    const { key, at } = message;
    const answer = await hear(tx, scope, { word, channelId, key, from: [first, ...others], at });
    if (!answer || !(await channelForSending(tx, scope, channelId))) return;
    await getToKnow(tx, [{ workspaceId, channelId, phone: answer.phone }]);
    // Not looked up among those who have opted out: it is what tells them that they have.
    await accept(tx, scope, [
      {
        channelId,
        target: { phone: answer.phone },
        content: { type: 'text', text: { body: answer.text } },
        dueAt: kernel.clock.now(),
        catchUpMs: CATCH_UP_MS.immediate,
        source: 'consent',
        sourceId: answer.contactId,
      },
    ]);
  });
}
