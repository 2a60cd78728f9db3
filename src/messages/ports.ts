import {
  channelForSending,
  type Inbound,
  type InboundSink,
  type OutboundPayloads,
} from '../channels/index.ts';
import { inWorkspace, type Kernel, mintScope } from '../kernel/index.ts';
import type { Books } from './book/index.ts';
import { hearAll } from './consent.ts';
import { getToKnow, newToPaced } from './pacing/rows.ts';
import type { ReceiptIntake } from './receipts.ts';
import { findLate, type Settling } from './settle.ts';

type Parts = { books: Books; settling: Settling; receipts: ReceiptIntake };

/** Who writes to a channel is not new to it any more. */
async function meetWriters(
  kernel: Kernel,
  place: { workspaceId: string; channelId: string },
  inbound: Inbound[],
): Promise<void> {
  const people = inbound.flatMap(message =>
    message.kind === 'text' && message.group === undefined
      ? message.sender.flatMap(({ kind, value }) => (kind === 'phone' ? [{ ...place, phone: value }] : []))
      : [],
  );
  if (people.length === 0) return;
  await inWorkspace(mintScope(kernel, place.workspaceId, { kind: 'system' }), async tx => {
    await getToKnow(tx, [...(await newToPaced(tx, people))]);
  });
}

/** What the channels room calls: it knows nothing of messages. */
export function createPorts(
  kernel: Kernel,
  { books, settling, receipts }: Parts,
): { inboundSink: InboundSink; outboundPayloads: OutboundPayloads } {
  return {
    inboundSink: {
      inbound: async (workspaceId, channelId, inbound) => {
        await hearAll(kernel, { workspaceId, channelId }, inbound);
        await meetWriters(kernel, { workspaceId, channelId }, inbound);
      },
      receipts: async (workspaceId, channelId, facts) => {
        await Promise.all(facts.map(fact => receipts.add({ workspaceId, channelId, fact })));
      },
      late: async (workspaceId, channelId, answers) => {
        if (answers.length === 0) return;
        const scope = mintScope(kernel, workspaceId, { kind: 'system' });
        const channel = await inWorkspace(scope, tx => channelForSending(tx, scope, channelId));
        const answerMeans = channel?.capabilities.answerMeans ?? 'sent';
        const settlements = await findLate(books, { workspaceId, channelId, answerMeans }, answers);
        await Promise.all(settlements.map(settlement => settling.add(settlement)));
      },
    },
    outboundPayloads: {
      payloadOf: (workspaceId, channelId, providerId) =>
        kernel.database.inEngine('messages.payload', async tx => {
          const row = await tx
            .selectFrom('provider_ids as p')
            .innerJoin('attempts as a', join =>
              join.onRef('a.workspace_id', '=', 'p.workspace_id').onRef('a.id', '=', 'p.attempt_id'),
            )
            .select('a.payload')
            .where('p.workspace_id', '=', workspaceId)
            .where('p.channel_id', '=', channelId)
            .where('p.provider_id', '=', providerId)
            .executeTakeFirst();
          return row?.payload;
        }),
    },
  };
}
