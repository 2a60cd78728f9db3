import { normalizeMessageContent } from 'baileys';
import type { Inbound, RawInbound } from '../contract.ts';
import { decodeMessage, MESSAGE, type Stored, UNDECRYPTABLE } from './convert.ts';
import { identitiesOf, isGroup } from './ids.ts';

/** Reads what intake kept. Pure; whatever it does not know comes back as `unrecognised`. */
export function parse(raw: RawInbound): Inbound[] {
  const stored = readStored(raw.payload);
  if (!stored) return [{ kind: 'unrecognised', key: raw.key }];
  const { from } = stored;
  const group = isGroup(stored.chat) ? stored.chat : undefined;
  const at = new Date(stored.at * 1000);
  if (raw.kind === UNDECRYPTABLE)
    return [{ kind: 'undecryptable', key: raw.standsFor ?? raw.key, from, group, at }];
  const text = raw.kind === MESSAGE ? textOf(stored) : undefined;
  if (text === undefined) return [{ kind: 'unrecognised', key: raw.key }];
  const sender = identitiesOf([from, stored.also]);
  return [{ kind: 'text', key: raw.key, from, sender, group, text, at }];
}

/** Undefined when the bytes are not what `convert` writes. */
export function readStored(payload: Uint8Array): Stored | undefined {
  try {
    const stored = JSON.parse(Buffer.from(payload).toString()) as Partial<Stored> | null;
    if (!stored || typeof stored.chat !== 'string' || typeof stored.from !== 'string') return undefined;
    if (typeof stored.id !== 'string' || typeof stored.at !== 'number') return undefined;
    const { chat, from, also, id, at, message } = stored;
    return {
      chat,
      from,
      id,
      at,
      ...(typeof also === 'string' ? { also } : {}),
      ...(typeof message === 'string' ? { message } : {}),
    };
  } catch {
    return undefined;
  }
}

function textOf(stored: Stored): string | undefined {
  if (stored.message === undefined) return undefined;
  try {
    const content = normalizeMessageContent(decodeMessage(Buffer.from(stored.message, 'base64')));
    return content?.conversation ?? content?.extendedTextMessage?.text ?? undefined;
  } catch {
    return undefined;
  }
}
