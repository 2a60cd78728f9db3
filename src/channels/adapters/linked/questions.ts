import { DisconnectReason, type WASocket } from 'baileys';
import { readEnding } from './errors.ts';
import type { OpenSocket } from './socket.ts';

/** What we ask the server ourselves, beside all that Baileys asks. */

const SERVER = '@s.whatsapp.net';
const PING = [{ tag: 'ping', attrs: {} }];
const LOGOUT_MS = 10_000;

/**
 * Whether the server answers a ping in time, with whatever answer. Undefined when it cannot be told: the socket has
 * ended, or our own process was busy for so long that the time says nothing.
 */
export async function answersPing(sock: WASocket, withinMs: number): Promise<boolean | undefined> {
  const from = performance.now();
  try {
    const ping = { tag: 'iq', attrs: { to: SERVER, type: 'get', xmlns: 'w:p' }, content: PING };
    if (await sock.query(ping, withinMs)) return true;
  } catch (error) {
    const { code } = readEnding(error);
    if (code === DisconnectReason.connectionClosed) return undefined;
    if (code !== DisconnectReason.timedOut) return true;
  }
  return performance.now() - from > withinMs * 1.5 ? undefined : false;
}

/** Asks the server for what it has kept for this device and for what comes; Baileys asks only once. */
export async function askForBacklog(sock: WASocket): Promise<void> {
  const attrs = { to: SERVER, type: 'set', xmlns: 'passive' };
  await sock.query({ tag: 'iq', attrs, content: [{ tag: 'active', attrs: {} }] });
}

/** Asks WhatsApp to forget this device; its answer ends the socket. Best effort, bounded in time. */
export async function logOut(socket: OpenSocket): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, LOGOUT_MS);
  const { sock } = socket;
  const self = sock.user;
  if (self) {
    const removal = { tag: 'remove-companion-device', attrs: { jid: self.id, reason: 'user_initiated' } };
    const asked = sock
      .query({ tag: 'iq', attrs: { to: SERVER, type: 'set', xmlns: 'md' }, content: [removal] })
      .catch(() => undefined);
    await Promise.race([asked, socket.ended, late]);
  }
  clearTimeout(timer);
}
