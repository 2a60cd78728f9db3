/**
 * messages – what is sent, and how far it has come.
 * Owns: messages, deliveries, attempts, receipts, the outbox.
 * Promises: a message that was answered with 202 is on its way to exactly one end; an attempt is
 *   committed before it enters the wire, with our own id and the very bytes; states only go forward; what got no
 *   answer is sent again only under the same id and after a look at all that came back, or is unknown.
 * Never: opens a connection, or knows what a provider is called.
 * Called by: routes, reminders (sendMany, cancelQueued), channels through the ports that main plugs.
 */
import type { Channels, InboundSink, OutboundPayloads } from '../channels/index.ts';
import { hint, type Kernel, sqlDueRows } from '../kernel/index.ts';
import { sqlBooks } from './book/index.ts';
import { guards } from './guards.ts';
import { createOutbox, type OutboxOptions } from './outbox.ts';
import { Pace } from './pacing/pace.ts';
import { Parked } from './parking/parked.ts';
import { createPorts } from './ports.ts';
import { createReceiptIntake } from './receipts.ts';
import { createSettling } from './settle.ts';
import { createWatch } from './watch.ts';

export { showMessages } from './metrics.ts';
export { registerParkingCommands } from './parking/commands.ts';
export { park } from './parking/service.ts';
export { checkContent, type Outcome, outcomeOf } from './policy.ts';
export { registerMessageRoutes } from './routes.ts';
export { DeliveryStatus } from './schema.ts';
export { cancelMessagesOf, cancelQueued, send, sendMany } from './service.ts';

export type Messages = {
  start(): void;
  stop(): Promise<void>;
  /** For the channels room: what comes back from providers. */
  inboundSink: InboundSink;
  /** For the channels room: what a recipient asks for again. */
  outboundPayloads: OutboundPayloads;
};

/**
 * `channels` says which channels this node drives. It is asked for late, because the channels room
 * wants the ports of this one first.
 */
export function createMessages(kernel: Kernel, channels: Channels, options: OutboxOptions = {}): Messages {
  const parked = new Parked(kernel);
  const pace = new Pace(kernel, channels);
  // Last of all, so that nothing is spent on what does not go.
  const books = sqlBooks(kernel, channels, [parked.guard, ...guards, pace.guard]);
  const due = sqlDueRows(kernel.database);
  const settling = createSettling(books, () => kernel.clock.now());
  // Most receipts change only a count and are no fact; open pages show the count all the same.
  const receipts = createReceiptIntake(books, workspaceIds => {
    for (const workspaceId of workspaceIds) hint({ kernel, workspaceId }, 'deliveries');
  });
  const outbox = createOutbox({ kernel, channels, books, due, settling, parked, pace }, options);
  const watch = createWatch(kernel, books, due);
  return {
    ...createPorts(kernel, { books, settling, receipts }),
    start() {
      parked.start();
      pace.start();
      outbox.start();
      watch.start();
    },
    async stop() {
      await outbox.stop();
      await watch.stop();
      pace.stop();
      await parked.stop();
      await receipts.idle();
    },
  };
}
