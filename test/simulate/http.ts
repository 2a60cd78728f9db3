import type { Connection, SendOutcome, Wire } from '../../src/channels/index.ts';
import type { Written } from './linked.ts';
import type { Process } from './process.ts';
import { type Arrival, HARMLESS, Mailbox, type Phones, type ProviderTrouble, type Word } from './provider.ts';
import type { World } from './world.ts';

/**
 * A provider that is asked over HTTP and names the messages itself: what is asked twice is sent twice. Its word on
 * a request whose answer was lost may come later, with the reference that we gave.
 */
export class HttpProvider {
  readonly #world: World;
  readonly #phones: Phones;
  readonly #ledger: Arrival[];
  readonly mailboxes = new Map<string, Mailbox>();
  trouble: ProviderTrouble = HARMLESS;
  onSend: (written: Written) => void = () => {};
  onWrite: (written: Written) => void = () => {};
  onArrival: (arrival: Arrival) => void = () => {};
  #taken = 0;

  constructor(world: World, phones: Phones, ledger: Arrival[]) {
    this.#world = world;
    this.#phones = phones;
    this.#ledger = ledger;
  }

  mailboxOf(channelId: string): Mailbox {
    const known = this.mailboxes.get(channelId) ?? new Mailbox();
    this.mailboxes.set(channelId, known);
    return known;
  }

  connection(process: Process, channelId: string, canWrite: () => boolean): Connection {
    return {
      send: (wire, deadline) => this.#send(process, channelId, canWrite, wire, deadline),
      close: async () => {},
    };
  }

  /** Brings what waits to whoever drives the channel; tried again until it is stored. */
  deliver(process: Process, channelId: string, take: (word: Word) => Promise<void>): void {
    const mailbox = this.mailboxOf(channelId);
    const bring = (word: Word) => {
      this.#world.after(this.#world.random.between(1, 300), () => {
        process.post(() => {
          take(word).then(
            () => mailbox.waiting.delete(word),
            () => this.#world.after(this.#world.random.between(500, 3_000), () => bring(word)),
          );
        });
      });
    };
    for (const word of mailbox.waiting) bring(word);
    mailbox.listen(bring);
  }

  #send(
    process: Process,
    channelId: string,
    canWrite: () => boolean,
    wire: Wire,
    deadline: Date,
  ): Promise<SendOutcome> {
    const { random } = this.#world;
    const { clock } = process;
    if (!canWrite()) {
      const until = new Date(clock.now().getTime() + 1_000);
      return Promise.resolve({ outcome: 'deferred', code: 'not_connected', until });
    }
    this.onSend({ process, channelId, wire });
    this.onWrite({ process, channelId, wire });
    return new Promise(resolve => {
      const noMoreWaiting = clock.after(deadline.getTime() - clock.now().getTime(), () =>
        resolve({ outcome: 'unknown', cause: 'no_answer' }),
      );
      const answer = (outcome: SendOutcome) =>
        this.#world.after(random.between(1, 200), () =>
          process.post(() => {
            noMoreWaiting();
            resolve(outcome);
          }),
        );
      if (random.chance(this.trouble.swallow)) answer({ outcome: 'unknown', cause: 'reset' });
      else this.#world.after(random.between(1, 200), () => answer(this.#take(channelId, wire)));
    });
  }

  #take(channelId: string, wire: Wire): SendOutcome {
    const { random } = this.#world;
    const now = this.#world.date();
    if (random.chance(this.trouble.refuse)) return { outcome: 'refused', code: 'not_allowed', detail: 'No.' };
    if (random.chance(this.trouble.defer)) {
      return {
        outcome: 'deferred',
        code: 'slower',
        until: new Date(now.getTime() + random.between(500, 15_000)),
      };
    }
    const providerId = `taken-${++this.#taken}`;
    const text = Buffer.from(wire.payload).toString();
    const arrival = { at: this.#world.now, channelId, providerId, text, to: wire.to };
    this.#ledger.push(arrival);
    this.#world.note('provider', () => `has taken ${text} as ${providerId}`);
    this.onArrival(arrival);
    this.#world.after(random.between(1, 300), () => this.#phones.bring(arrival, this.mailboxOf(channelId)));
    const outcome: SendOutcome = { outcome: 'accepted', at: now, providerId };
    if (!random.chance(this.trouble.mute)) return outcome;
    if (random.chance(0.5)) this.#sayLater(channelId, wire.providerId, outcome);
    return { outcome: 'unknown', cause: 'reset' };
  }

  #sayLater(channelId: string, reference: string, outcome: SendOutcome): void {
    this.#world.after(this.#world.random.between(200, 20_000), () =>
      this.mailboxOf(channelId).put({ late: { providerId: reference, outcome } }),
    );
  }
}
