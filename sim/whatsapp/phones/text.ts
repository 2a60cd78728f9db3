import type { proto } from 'baileys';
import { normalizeMessageContent } from 'baileys';

/** What a decrypted message means to a reader. */
export type Reading =
  | { kind: 'text'; text: string }
  | { kind: 'edit'; id: string; text: string }
  | { kind: 'silent' };

const MEDIA = [
  'image',
  'video',
  'audio',
  'document',
  'sticker',
  'location',
  'contact',
  'pollCreation',
] as const;

/** Text as the screen shows it; other content as its kind in brackets, keys and protocol talk as nothing. */
export function read(message: proto.IMessage): Reading {
  const content = normalizeMessageContent(message);
  if (!content) return { kind: 'silent' };
  const change = content.protocolMessage;
  if (change?.editedMessage && change.key?.id) {
    const edited = read(change.editedMessage);
    return { kind: 'edit', id: change.key.id, text: edited.kind === 'text' ? edited.text : '' };
  }
  if (change?.key?.id) return { kind: 'edit', id: change.key.id, text: 'This message was deleted' };
  const text = content.conversation || content.extendedTextMessage?.text;
  if (text) return { kind: 'text', text };
  for (const kind of MEDIA) {
    const media = content[`${kind}Message`];
    if (!media) continue;
    const caption = 'caption' in media ? media.caption : undefined;
    return { kind: 'text', text: caption ? `[${kind}] ${caption}` : `[${kind}]` };
  }
  if (content.reactionMessage) return { kind: 'silent' };
  const others = Object.entries(content).filter(([key, value]) => value && !PLUMBING.has(key));
  return others.length > 0 ? { kind: 'text', text: `[${others[0]?.[0]}]` } : { kind: 'silent' };
}

const PLUMBING = new Set(['senderKeyDistributionMessage', 'messageContextInfo', 'protocolMessage']);
