import { sql } from 'kysely';
import type { Channels } from '../src/channels/index.ts';
import { createSealer, type Kernel, type Leases, type Scope } from '../src/kernel/index.ts';
import { createMessages, sendMany } from '../src/messages/index.ts';
import { between, type Cpu, type Meter } from './cpu.ts';

export type Phase = { name: string; seconds: number; cpu: Cpu; messages: number };

/** What a round sends over, and to whom. */
export type Way = {
  kernel: Kernel;
  leases: Leases;
  scope: Scope;
  channelId: string;
  channels: Channels;
  phone: string;
  /** Resolves when the far end has got so many messages in all. */
  arrived(messages: number): Promise<void>;
};

export const TEXT = 'The rehearsal begins at half past seven. Please bring the new scores and be on time.';
export const content = { type: 'text' as const, text: { body: TEXT } };

const ACCEPT_BATCH = 100;

/**
 * The full protocol for so many messages: accepted first; then claimed, attempt committed, sent, answer committed and
 * facts sealed, which is the second phase. `before` = how many went this way in earlier rounds.
 */
export async function sendRound(way: Way, meter: Meter, messages: number, before = 0): Promise<Phase[]> {
  const { kernel, channels, leases } = way;
  const room = createMessages(kernel, channels);
  const sealer = createSealer(kernel, leases);
  const accepting = await measured('accept, 100 at a time', meter, messages, () => acceptAll(way, messages));
  const sending = await measured('claim, commit, send, settle, seal', meter, messages, async () => {
    sealer.start();
    room.start();
    await way.arrived(before + messages);
    await room.stop();
    await allSealed(way);
  });
  await sealer.stop();
  return [accepting, sending];
}

export async function measured(
  name: string,
  meter: Meter,
  messages: number,
  work: () => Promise<void>,
): Promise<Phase> {
  const [from, before] = [performance.now(), meter()];
  await work();
  return { name, messages, seconds: (performance.now() - from) / 1_000, cpu: between(before, meter()) };
}

/** What was sent over this way, as our rows have it. */
export async function recorded({ kernel, scope }: Way): Promise<{ accepted: number; due: number }> {
  const { workspaceId } = scope;
  return kernel.database.inEngine('bench.counts', async tx => {
    const { rows } = await sql<{ accepted: number; due: number }>`
      select (select count(*)::int from due_work where workspace_id = ${workspaceId}) as due,
        count(*)::int as accepted
      from attempts where workspace_id = ${workspaceId} and status = 'accepted' and provider_id is not null
    `.execute(tx);
    return rows[0] ?? { accepted: 0, due: 0 };
  });
}

export async function acceptAll({ scope, channelId, phone }: Way, messages: number): Promise<void> {
  const dueAt = new Date();
  for (let done = 0; done < messages; done += ACCEPT_BATCH) {
    const intents = Array.from({ length: Math.min(ACCEPT_BATCH, messages - done) }, () => ({
      channelId,
      target: { phone },
      content,
      dueAt,
      catchUpMs: 3_600_000,
      source: 'api' as const,
      sourceId: null,
    }));
    await sendMany(scope, intents);
  }
}

/** Asks for one row of the newest: under a pinned transaction all older ones are still there to be walked over. */
async function allSealed({ kernel, scope }: Way): Promise<void> {
  const { workspaceId } = scope;
  for (;;) {
    const sealed = await kernel.database.inEngine('bench.sealed', async tx => {
      const { rows } = await sql<{ done: boolean }>`
        select exists (
          select from activity_seals s where s.workspace_id = a.workspace_id and s.activity_id = a.id) as done
        from activity a where a.workspace_id = ${workspaceId} order by a.id desc limit 1
      `.execute(tx);
      return rows[0]?.done === true;
    });
    if (sealed) return;
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
