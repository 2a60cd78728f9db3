import { decodeBinaryNode, encodeBinaryNode } from 'baileys';
import type { WebSocket } from 'ws';
import type { Account, Companion } from '../phones/account.ts';
import type { PairingState } from '../server/pairing.ts';
import type { World } from '../world/world.ts';
import type { LoggedConnection } from './connection-log.ts';
import { Link } from './link.ts';
import { Frames, type Login, Noise } from './noise.ts';
import { type Stanza, stanza } from './stanza.ts';

/** Time for a last stanza to be read before the close overtakes it; Baileys parses frames asynchronously. */
const LAST_WORD_MS = 40;

/** What the server does once a client is known, and with each stanza after that. */
export type Protocol = {
  admit(connection: Connection, login: Login): void;
  handle(connection: Connection, node: Stanza): void | Promise<void>;
};

/** One socket: frames, Noise and, after login, the companion that it speaks for. */
export class Connection {
  readonly world: World;
  readonly link: Link;
  account: Account | undefined;
  companion: Companion | undefined;
  pairing: PairingState | undefined;
  /** True from `passive active` on: only then the companion takes messages. */
  live = false;
  logged: LoggedConnection | undefined;
  readonly #protocol: Protocol;
  readonly #socket: WebSocket;
  readonly #noise: Noise;
  readonly #frames = new Frames();
  #handshakes = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #reason = 'closed';
  #ending = false;

  constructor(world: World, socket: WebSocket, protocol: Protocol) {
    this.world = world;
    this.#protocol = protocol;
    this.#socket = socket;
    this.#noise = new Noise(world.certificates);
    this.link = new Link(node => this.#write(node));
    socket.on('message', data => this.#read(Buffer.from(data as Buffer)));
    socket.on('error', () => socket.terminate());
    socket.on('close', () => this.#closed());
    world.connections.add(this);
  }

  /** Sends in order, after the account's latency. */
  send(node: Stanza): void {
    const latency = this.account ? this.world.faults.rate(this.account.digits, 'latency_ms') : 0;
    this.link.send(node, latency);
  }

  /** Says a last stanza and closes. */
  end(node: Stanza, reason: string): void {
    if (this.#ending) return;
    this.#stop(reason);
    this.#write(node);
    const timer = setTimeout(() => this.#socket.close(), LAST_WORD_MS);
    timer.unref();
  }

  endWithStreamError(code: string | undefined, reason: string, content?: Stanza[]): void {
    this.end(stanza('stream:error', { code }, content), reason);
  }

  /** Ends the TCP connection without a word. */
  cut(reason: string): void {
    this.#stop(reason);
    this.#socket.terminate();
  }

  /** From here on nothing is taken from it, so it counts as closed, whatever its last word still needs. */
  #stop(reason: string): void {
    this.#ending = true;
    this.#reason = reason;
    this.live = false;
    this.link.close();
    if (this.logged) this.world.connectionLog.closed(this.logged, reason);
  }

  #write(node: Stanza): void {
    if (this.#socket.readyState === this.#socket.OPEN)
      this.#socket.send(this.#noise.encrypt(encodeBinaryNode(node)));
  }

  #read(data: Buffer): void {
    const frames = this.#framesOf(data);
    for (const frame of frames) {
      this.#turn = this.#turn.then(() => this.#take(frame)).catch(() => this.cut('bad frame'));
    }
  }

  #framesOf(data: Buffer): Buffer[] {
    try {
      return this.#frames.push(data);
    } catch {
      this.cut('bad frame');
      return [];
    }
  }

  async #take(frame: Buffer): Promise<void> {
    if (this.#ending) {
      if (this.logged) this.logged.late = (this.logged.late ?? 0) + 1;
      return;
    }
    if (this.#noise.established) {
      await this.#protocol.handle(this, await decodeBinaryNode(this.#noise.decrypt(frame)));
      return;
    }
    if (this.#handshakes++ === 0) this.#socket.send(this.#noise.hello(frame));
    else this.#protocol.admit(this, this.#noise.finish(frame));
  }

  #closed(): void {
    this.link.close();
    this.live = false;
    this.world.connections.delete(this);
    for (const reference of this.pairing?.references ?? []) this.world.references.delete(reference);
    if (this.companion?.connection === this) this.companion.connection = undefined;
    if (this.logged) this.world.connectionLog.closed(this.logged, this.#reason);
    this.world.changes.announce();
  }
}
