/**
 * WhatsApp simulator: a WhatsApp Web server with phones, at protocol level, for the demo and for tests.
 *
 * Owns: the simulated accounts, phones, groups, companions, and the ledger of what phones really decrypted.
 * Promises: an unmodified Baileys client works against it; the ledger is written by the recipients' phones alone.
 * Never: reaches any outside host, imports product code, or claims to know WhatsApp's policy.
 * Called by: `npm run demo`, tests, benchmarks; product code never imports it.
 */
import { type Control, createControl } from './control/control.ts';
import { listen, SOCKET_PATH } from './control/listener.ts';
import { seedDemo } from './world/seed.ts';
import { keepState, loadState } from './world/state-file.ts';
import { createWorld, type World, type WorldOptions } from './world/world.ts';

type SimulatorOptions = WorldOptions & {
  /** Loopback port for socket and control API; 0 (the default) takes a free one. */
  port?: number;
  /** 'demo' (the default) brings the people of `DEMO`; 'empty' nobody. */
  world?: 'demo' | 'empty';
  /** Keeps phones, links and chats in this file, so that a restarted simulator is the same world. */
  stateFile?: string;
};

export type WhatsAppSimulator = Control & {
  /** For `waWebSocketUrl`. */
  socketUrl: string;
  /** Of the control API and the virtual phones' page. */
  controlUrl: string;
  /** Public key for `WA_CERT_DETAILS.PUBLIC_KEY`. */
  rootKey: Buffer;
  /** Calls back after each change of the world; gives the way to stop. */
  onChange(listener: () => void): () => void;
  close(): Promise<void>;
};

/** Starts a simulator; its methods mirror the control API. Throws when the port is taken. */
export async function startWhatsAppSimulator(options: SimulatorOptions = {}): Promise<WhatsAppSimulator> {
  const world = createWorld(options);
  const known = options.stateFile !== undefined && loadState(world, options.stateFile);
  if (!known && options.world !== 'empty') seedDemo(world);
  const control = createControl(world);
  const listener = await listen(world, control, options.port ?? 0);
  const stopSaving = options.stateFile === undefined ? undefined : keepState(world, options.stateFile);
  return {
    ...control,
    socketUrl: `ws://127.0.0.1:${listener.port}${SOCKET_PATH}`,
    controlUrl: `http://127.0.0.1:${listener.port}`,
    rootKey: world.certificates.rootKey,
    onChange: changed => world.changes.listen(changed),
    async close() {
      await listener.close();
      await closePhones(world);
      stopSaving?.();
    },
  };
}

async function closePhones(world: World): Promise<void> {
  for (const { phone } of world.accounts.values()) {
    await phone.settled();
    phone.close();
  }
}

export type { Control } from './control/control.ts';
export type { ChatView, GroupView, MessageView, PhoneView } from './control/views.ts';
export type { FaultsPatch } from './world/faults.ts';
export type { LedgerEntry } from './world/ledger.ts';
export { Refusal } from './world/refusal.ts';
export { DEMO } from './world/seed.ts';
