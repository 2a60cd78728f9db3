import type { Adapter, Capabilities, LateAnswer, ReceiptFact } from '../../src/channels/index.ts';
import type { World } from './world.ts';

/** What reached the provider and took effect: written by the provider, read by nobody but the checks. */
export type Arrival = { at: number; channelId: string; providerId: string; text: string; to: string };

/** What a provider does while faults are on. */
export type ProviderTrouble = {
  refuse: number;
  defer: number;
  /** Takes effect, and the answer is lost. */
  mute: number;
  /** Gets lost before it takes effect, and nobody says so. */
  swallow: number;
};

export const HARMLESS: ProviderTrouble = { refuse: 0, defer: 0, mute: 0, swallow: 0 };

/** What the provider has to say later; kept until it is stored on our side. */
export type Word = { receipt: ReceiptFact } | { late: LateAnswer };

/** The words of a provider about our messages that wait to be taken. */
export class Mailbox {
  readonly waiting = new Set<Word>();
  #onWord: (word: Word) => void = () => {};

  put(word: Word): void {
    this.waiting.add(word);
    this.#onWord(word);
  }

  listen(onWord: (word: Word) => void): void {
    this.#onWord = onWord;
  }
}

export const LINKED: Capabilities = {
  content: ['text'],
  textLimit: 1_000,
  groups: true,
  pairing: [],
  providerId: 'ours',
  answerMeans: 'sent',
  transport: 'socket',
};

export const HTTP: Capabilities = {
  ...LINKED,
  providerId: 'theirs',
  answerMeans: 'accepted',
  transport: 'http',
};

/** Of an adapter, what the engine uses; ids are drawn in order. */
export function adapterOf(kind: string, capabilities: Capabilities): Adapter {
  let drawn = 0;
  return {
    kind,
    capabilities,
    newProviderId: () => `${kind}-${++drawn}`,
    address: target => (target.kind === 'group' ? target.providerId : `tel:${target.phone}`),
    encode: content => Buffer.from(content.text.body),
    connect: () => {
      throw new Error('The simulation connects by itself.');
    },
    linkedAccount: async () => undefined,
    parse: raw => [{ kind: 'unrecognised', key: raw.key }],
  };
}

/**
 * The phones of the recipients: each shows one copy per id, comes online when it likes, and then confirms.
 */
export class Phones {
  readonly #world: World;
  /** Ids that a phone shows, by recipient and text. */
  readonly screens = new Map<string, Set<string>>();
  readonly #sizes: (to: string) => string[];
  readonly #confirmed = new Set<string>();

  constructor(world: World, membersOf: (to: string) => string[]) {
    this.#world = world;
    this.#sizes = membersOf;
  }

  bring({ to, text, providerId }: Arrival, mailbox: Mailbox): void {
    for (const person of this.#sizes(to)) {
      const shown = this.screens.get(`${person} ${text}`) ?? new Set();
      this.screens.set(`${person} ${text}`, shown.add(providerId));
      const name = `${person} ${providerId}`;
      if (this.#confirmed.has(name)) continue;
      this.#confirmed.add(name);
      this.#confirm(person, providerId, mailbox);
    }
  }

  #confirm(person: string, providerId: string, mailbox: Mailbox): void {
    const { random } = this.#world;
    const say = (kind: 'delivered' | 'read') =>
      mailbox.put({ receipt: { providerId, kind, recipient: person, at: this.#world.date() } });
    if (random.chance(0.1)) return;
    this.#world.after(random.chance(0.7) ? random.between(20, 500) : random.between(500, 40_000), () => {
      if (random.chance(0.8)) say('delivered');
      if (random.chance(0.4)) this.#world.after(random.between(100, 10_000), () => say('read'));
    });
  }
}
