import type { Scope } from '../src/kernel/index.ts';
import { sendMany } from '../src/messages/index.ts';

/** Accepts one message for each instant; its text is its number and its instant. */
export async function sendAt(scope: Scope, channelId: string, instants: number[]): Promise<void> {
  await sendMany(
    scope,
    instants.map((instant, n) => ({
      channelId,
      target: { phone: '+491701234567' },
      content: { type: 'text' as const, text: { body: `${n} ${instant}` } },
      dueAt: new Date(instant),
      catchUpMs: 60_000,
      source: 'api' as const,
      sourceId: null,
    })),
  );
}

export function instantOf(text: string): number {
  return Number(text.split(' ')[1]);
}
