import type { BinaryNode, WAMessage, WASocket } from 'baileys';
import type { RawInbound, Sink } from '../contract.ts';
import type { BoundedCache, Caches } from './bounded-cache.ts';
import type { CatchUp } from './catch-up.ts';
import { keyOfStanza, placeholderFor, upsertedMessage } from './convert.ts';
import { isEndOfBacklog, provenSent } from './evidence.ts';
import type { HoldBack } from './hold-back.ts';
import { isLid, type Self } from './ids.ts';
import { readReceipt, receiptFacts } from './receipts.ts';
import type { Reports } from './reports.ts';
import { isRequest, type Requests } from './requests.ts';
import type { OpenSocket } from './socket.ts';
import { type Auth, StoreFault } from './store.ts';

/** One socket and what belongs to it alone. */
export type Line = {
  readonly socket: OpenSocket;
  readonly caches: Caches;
  readonly catchUp: CatchUp;
  readonly holdBack: HoldBack;
  readonly over: AbortController;
  /** Why we have ended it ourselves. */
  why: string | undefined;
};

type Parts = {
  line: Line;
  auth: Auth;
  sink: Sink;
  reports: Reports;
  requests: Requests;
  /** Ends the socket, which comes back, before anything else is confirmed on it. */
  breakOff(why: string): void;
  /** Keys of messages that were stored with their ratchet. */
  kept: BoundedCache;
};

/**
 * Takes to the sink what a socket brings: receipts, proof that something was sent, messages that do not come through
 * Signal. What the server keeps until it is confirmed is stored before Baileys gets to confirm it.
 */
export function hear({ line, auth, sink, reports, requests, breakOff, kept }: Parts): void {
  const { sock } = line.socket;
  const proof = (node: BinaryNode, self: Self): Promise<boolean> | undefined => {
    const proven = provenSent(node, self);
    return proven.length > 0 ? reports.add(line, () => sink.late(proven)) : undefined;
  };
  const told = (node: BinaryNode): Promise<boolean> | undefined => {
    const self = auth.creds.me;
    if (!self) return undefined;
    if (readReceipt(node, self)) return reports.receipt(line, () => receiptFacts(node, sock));
    return proof(node, self);
  };
  line.holdBack.stand(sock, 'receipt', told, async (node, pass) => {
    if (!isRequest(node)) return pass(node);
    const why = await requests.answered(node, line.caches.retries, pass);
    if (why) breakOff(why);
  });
  line.holdBack.stand(sock, 'message', node => {
    const self = auth.creds.me;
    if (!self) return undefined;
    if (!isClosed(node) || keyOfStanza(node, self) === undefined) return proof(node, self);
    return reports.add(line, async () => {
      const { participant, from } = node.attrs;
      const placeholder = placeholderFor(node, self, await lidOf(sock, participant ?? from));
      if (placeholder) await sink.inbound([placeholder]);
    });
  });
  line.socket.onStanza(node => {
    if (node.attrs.offline !== undefined) line.catchUp.moved();
    if (isEndOfBacklog(node)) line.catchUp.handedOver();
  });
  sock.ev.on('messages.upsert', ({ messages }) => {
    const self = auth.creds.me;
    if (self) void reports.add(undefined, () => takeUpserted(messages, self));
  });

  async function takeUpserted(messages: WAMessage[], self: Self): Promise<void> {
    const raw: RawInbound[] = [];
    for (const message of messages) {
      const { fromMe, participant, remoteJid } = message.key;
      const one = fromMe
        ? undefined
        : upsertedMessage(message, self, await lidOf(sock, participant || remoteJid));
      if (one && !kept.get(one.key)) raw.push(one);
    }
    if (raw.length > 0) await sink.inbound(raw);
  }
}

const READABLE = new Set(['pkmsg', 'msg', 'skmsg']);

/** There is nothing in it that this device could ever open; the phone shows it, or it comes another way. */
function isClosed(node: BinaryNode): boolean {
  const parts = Array.isArray(node.content) ? node.content : [];
  return !parts.some(
    ({ tag, attrs }) => tag === 'plaintext' || (tag === 'enc' && READABLE.has(attrs.type ?? '')),
  );
}

/** The LID that belongs to a phone address, where it is known. */
async function lidOf(sock: WASocket, address: string | null | undefined): Promise<string | undefined> {
  if (!address || isLid(address)) return undefined;
  try {
    return (await sock.signalRepository.lidMapping.getLIDForPN(address)) ?? undefined;
  } catch (error) {
    if (error instanceof StoreFault) throw error;
    return undefined;
  }
}
