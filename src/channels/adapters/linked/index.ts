/**
 * channels/adapters/linked – a WhatsApp number as a linked device, over Baileys.
 * Owns: the socket and its Noise, Signal and pairing state; how WhatsApp's addresses, acks, receipts and
 *   disconnects are read.
 * Promises: only the server's ack is `accepted`; a ratchet step is stored before its bytes are used, and an
 *   opened message together with it; nothing is written once the right to write has ended; never throws.
 * Never: touches the database, prints a key, sends twice by itself, or gives an address to other rooms that
 *   `ids` has not named.
 * Called by: the driver of the channels room, through `Adapter`.
 */
import type { Logger } from 'pino';
import type { Adapter } from '../contract.ts';
import { LINKED_CAPABILITIES, UNPACED_CAPABILITIES } from './capabilities.ts';
import { LinkedConnection, type LinkedSetup } from './connect.ts';
import { guardConsole } from './console-guard.ts';
import { encodeContent } from './convert.ts';
import { accountOf, addressOf, newMessageId } from './ids.ts';
import { pairSteps } from './pair.ts';
import { parse } from './parse.ts';
import { readAuth } from './store.ts';
import { type Trust, trustedUrl } from './trust.ts';

export type LinkedOptions = Trust &
  Pick<LinkedSetup, 'qrMs' | 'patience' | 'liveness'> & {
    log: Logger;
    /** False = as fast as it goes, for a simulator. */
    paced?: boolean;
  };

/**
 * The adapter for linked numbers. Throws when another server than WhatsApp is named outside a sandbox. The root key
 * holds for the whole process, as Baileys keeps it in a module.
 */
export function createLinkedAdapter(options: LinkedOptions): Adapter {
  const { log, qrMs, patience, liveness } = options;
  const setup: LinkedSetup = { url: trustedUrl(options), log, qrMs, patience, liveness };
  guardConsole();
  return {
    kind: 'linked',
    capabilities: options.paced === false ? UNPACED_CAPABILITIES : LINKED_CAPABILITIES,
    connect: (store, sink, canWrite) => new LinkedConnection(store, sink, canWrite, setup),
    pair: (request, store, signal, canWrite) => pairSteps(request, store, { signal, canWrite }, setup),
    linkedAccount: async store => accountOf((await readAuth(store))?.creds.me),
    newProviderId: newMessageId,
    address: addressOf,
    encode: encodeContent,
    parse,
  };
}
