import type { Connection, SendOutcome, Wire } from '../../src/channels/index.ts';
import type { Process } from './process.ts';
import { type Arrival, HARMLESS, Mailbox, type Phones, type ProviderTrouble, type Word } from './provider.ts';
import type { World } from './world.ts';

/** What a connection tells the process that opened it. */
export type Ears = {
  opened(): void;
  closed(): void;
  /** Answers once it is stored; rejected = not stored. */
  word(word: Word): Promise<void>;
  /** All that had waited has been brought. */
  brought(): void;
};

export type Written = { process: Process; channelId: string; wire: Wire };

/**
 * A provider with one socket per number: a second one takes the place of the first. It acknowledges messages, and
 * brings at each connect what happened meanwhile.
 */
export class LinkedProvider {
  readonly world: World;
  readonly phones: Phones;
  readonly ledger: Arrival[];
  readonly mailboxes = new Map<string, Mailbox>();
  /** The socket of each number as the provider sees it. */
  readonly #sockets = new Map<string, Socket>();
  readonly #taken = new Set<string>();
  trouble: ProviderTrouble = HARMLESS;
  replaced = 0;
  onWrite: (written: Written) => void = () => {};
  onSend: (written: Written) => void = () => {};
  onReplaced: (old: Socket, by: Socket) => void = () => {};
  onArrival: (arrival: Arrival) => void = () => {};

  constructor(world: World, phones: Phones, ledger: Arrival[]) {
    this.world = world;
    this.phones = phones;
    this.ledger = ledger;
  }

  mailboxOf(channelId: string): Mailbox {
    const known = this.mailboxes.get(channelId) ?? new Mailbox();
    this.mailboxes.set(channelId, known);
    return known;
  }

  connect(process: Process, channelId: string, canWrite: () => boolean, ears: Ears): Socket {
    const socket = new Socket(this, process, channelId, canWrite, ears);
    this.world.after(this.world.random.between(20, 400), () => this.#open(socket));
    return socket;
  }

  /** Cuts the line of a number: both ends learn of it in their own time. */
  cut(channelId: string): void {
    const socket = this.#sockets.get(channelId);
    if (!socket) return;
    socket.isDead = true;
    const { random } = this.world;
    this.world.after(random.between(1, 5_000), () => socket.hangUp());
    this.world.after(random.between(1, 5_000), () => this.forget(socket));
  }

  forget(socket: Socket): void {
    if (this.#sockets.get(socket.channelId) === socket) this.#sockets.delete(socket.channelId);
  }

  isOpen(socket: Socket): boolean {
    return this.#sockets.get(socket.channelId) === socket;
  }

  take(socket: Socket, wire: Wire): void {
    const { random } = this.world;
    // What was under way when another socket took over may still be carried out.
    if (!this.isOpen(socket) && !(socket.wasReplaced && random.chance(0.5))) return;
    if (socket.isDead) return;
    const { channelId } = socket;
    const { providerId, to } = wire;
    const answer = (outcome: SendOutcome) => this.#acknowledge(socket, providerId, outcome);
    const now = this.world.date();
    if (random.chance(this.trouble.swallow)) return;
    if (!this.#taken.has(providerId)) {
      if (random.chance(this.trouble.refuse)) {
        answer({ outcome: 'refused', code: 'not_allowed', detail: 'No.' });
        return;
      }
      const until = new Date(now.getTime() + random.between(500, 15_000));
      if (random.chance(this.trouble.defer)) {
        answer({ outcome: 'deferred', code: 'slower', until });
        return;
      }
    }
    this.#taken.add(providerId);
    const text = Buffer.from(wire.payload).toString();
    const arrival = { at: this.world.now, channelId, providerId, text, to };
    this.ledger.push(arrival);
    this.world.note('provider', () => `has taken ${text} as ${providerId} from ${socket.process.name}`);
    this.onArrival(arrival);
    this.world.after(random.between(1, 300), () => this.phones.bring(arrival, this.mailboxOf(channelId)));
    answer({ outcome: 'accepted', at: now, providerId });
  }

  #open(socket: Socket): void {
    if (socket.isGone) return;
    const old = this.#sockets.get(socket.channelId);
    this.#sockets.set(socket.channelId, socket);
    this.world.note('provider', () => `${socket.process.name} is connected for ${socket.channelId}`);
    if (old) {
      this.replaced += 1;
      old.wasReplaced = true;
      this.onReplaced(old, socket);
      this.world.after(this.world.random.between(1, 50), () => old.hangUp());
    }
    this.#bring(socket);
  }

  #bring(socket: Socket): void {
    const mailbox = this.mailboxOf(socket.channelId);
    const { random } = this.world;
    let delay = random.between(1, 60);
    this.world.after(delay, () => socket.open());
    for (const word of mailbox.waiting) {
      delay += random.between(0.1, 40);
      this.world.after(delay, () => this.#tell(socket, word));
    }
    this.world.after(delay + random.between(1, 200), () => {
      if (this.isOpen(socket)) socket.brought();
    });
    mailbox.listen(word => {
      this.world.after(random.between(1, 100), () => this.#tell(socket, word));
    });
  }

  #tell(socket: Socket, word: Word): void {
    if (!this.isOpen(socket) || socket.isDead) return;
    socket.word(word, () => this.mailboxOf(socket.channelId).waiting.delete(word));
  }

  #acknowledge(socket: Socket, providerId: string, outcome: SendOutcome): void {
    const { random } = this.world;
    if (random.chance(this.trouble.mute)) {
      // Now and then the word comes after all, when nobody waits for it any more.
      if (random.chance(0.3))
        this.world.after(random.between(500, 20_000), () =>
          this.mailboxOf(socket.channelId).put({ late: { providerId, outcome } }),
        );
      return;
    }
    this.world.after(random.between(1, 150), () => {
      if (this.isOpen(socket) && !socket.isDead) socket.acknowledge(providerId, outcome);
    });
  }
}

type Waiting = { settle: (outcome: SendOutcome) => void };

/** Our end of a connection, as the linked adapter behaves. */
export class Socket {
  readonly process: Process;
  readonly channelId: string;
  readonly connection: Connection;
  readonly #provider: LinkedProvider;
  readonly #canWrite: () => boolean;
  readonly #ears: Ears;
  readonly #waiting = new Map<string, Waiting>();
  #storing: Promise<void> = Promise.resolve();
  #isOpen = false;
  #isClosed = false;
  /** Nothing gets through any more, and the ends may not know it yet. */
  isDead = false;
  wasReplaced = false;

  constructor(
    provider: LinkedProvider,
    process: Process,
    channelId: string,
    canWrite: () => boolean,
    ears: Ears,
  ) {
    this.#provider = provider;
    this.process = process;
    this.channelId = channelId;
    this.#canWrite = canWrite;
    this.#ears = ears;
    this.connection = {
      send: (wire, deadline) => this.#send(wire, deadline),
      close: async () => this.close(),
    };
  }

  get isGone(): boolean {
    return this.#isClosed || !this.process.isAlive;
  }

  open(): void {
    this.process.post(() => {
      if (this.#isClosed) return;
      this.#isOpen = true;
      this.#ears.opened();
    });
  }

  /** Closed from our side; the provider sees it a moment later. */
  close(): void {
    if (this.#isClosed) return;
    this.#end();
    const { world } = this.#provider;
    world.after(world.random.between(0.1, 20), () => this.#provider.forget(this));
  }

  /** The process is gone: its machine says so to the provider, sooner or later. */
  abandon(): void {
    const { world } = this.#provider;
    world.after(world.random.between(0.1, 2_000), () => this.#provider.forget(this));
  }

  /** The other end is gone, as far as we can see. */
  hangUp(): void {
    this.process.post(() => {
      if (this.#isClosed) return;
      this.#end();
      this.#ears.closed();
    });
  }

  word(word: Word, onStored: () => void): void {
    this.process.post(() => {
      if (this.#isClosed) return;
      const stored = this.#storing.then(() => this.#ears.word(word));
      this.#storing = stored;
      stored.then(onStored).catch(() => this.#fail());
    });
  }

  brought(): void {
    this.process.post(() => {
      const stored = this.#storing;
      stored.then(() => this.#isClosed || this.#ears.brought()).catch(() => this.#fail());
    });
  }

  acknowledge(providerId: string, outcome: SendOutcome): void {
    this.process.post(() => this.#waiting.get(providerId)?.settle(outcome));
  }

  /** What could not be stored is brought again by the next connection. */
  #fail(): void {
    if (this.#isClosed) return;
    this.close();
    this.#ears.closed();
  }

  #end(): void {
    this.#isClosed = true;
    this.#isOpen = false;
    for (const { settle } of [...this.#waiting.values()])
      settle({ outcome: 'unknown', cause: 'connection_lost' });
  }

  async #send(wire: Wire, deadline: Date): Promise<SendOutcome> {
    const { clock } = this.process;
    const { world } = this.#provider;
    const later = (): SendOutcome => ({
      outcome: 'deferred',
      code: 'not_connected',
      until: new Date(clock.now().getTime() + 1_000),
    });
    if (!this.#isOpen || !this.#canWrite()) return later();
    this.#provider.onSend({ process: this.process, channelId: this.channelId, wire });
    await new Promise<void>(resolve => clock.after(world.random.between(0.1, 40), resolve));
    if (!this.#isOpen || !this.#canWrite() || deadline <= clock.now()) return later();
    const answer = this.#wait(wire.providerId, deadline);
    this.#provider.onWrite({ process: this.process, channelId: this.channelId, wire });
    if (!this.isDead) world.after(world.random.between(1, 200), () => this.#provider.take(this, wire));
    return answer;
  }

  #wait(providerId: string, deadline: Date): Promise<SendOutcome> {
    const { clock } = this.process;
    return new Promise(resolve => {
      const noMoreWaiting = clock.after(deadline.getTime() - clock.now().getTime(), () =>
        settle({ outcome: 'unknown', cause: 'no_answer' }),
      );
      const settle = (outcome: SendOutcome) => {
        noMoreWaiting();
        this.#waiting.delete(providerId);
        resolve(outcome);
      };
      this.#waiting.set(providerId, { settle });
    });
  }
}
