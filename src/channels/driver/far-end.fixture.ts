import type { Adapter, Capabilities, SendOutcome } from '../adapters/contract.ts';
import { declareKind } from '../adapters/kinds.ts';

const CAPABILITIES: Capabilities = {
  content: ['text'],
  textLimit: 1_000,
  groups: false,
  pairing: [],
  providerId: 'ours',
  answerMeans: 'sent',
  transport: 'socket',
};

/** One thing that happened at the far end of a channel, in order. */
export type FarEvent = { kind: string; what: 'open' | 'close' };

/**
 * Providers in memory that several nodes share, each its own kind of channel with one account: they count who is
 * connected, and answer when the test says so.
 */
export class FarEnd {
  readonly kinds: string[];
  readonly events: FarEvent[] = [];
  readonly #open = new Map<string, number>();
  /** The most connections that any account has had at once. */
  mostAtOnce = 0;
  answer: () => Promise<SendOutcome> = async () => ({ outcome: 'accepted', at: new Date(), providerId: 'x' });

  constructor(name: string, many: number) {
    this.kinds = Array.from({ length: many }, (_, index) => `${name}-${index}`);
    for (const kind of this.kinds) declareKind(kind, CAPABILITIES);
  }

  /** For one node. */
  adapters(): Adapter[] {
    return this.kinds.map(kind => this.#adapter(kind));
  }

  #adapter(kind: string): Adapter {
    return {
      kind,
      capabilities: CAPABILITIES,
      connect: (_store, sink) => {
        this.#note(kind, 'open');
        setImmediate(() =>
          sink.state({ status: 'connected', phone: '+15550000001', account: kind, profileName: undefined }),
        );
        return {
          send: () => this.answer(),
          close: async () => this.#note(kind, 'close'),
        };
      },
      linkedAccount: async () => undefined,
      newProviderId: () => 'x',
      address: () => 'x',
      encode: () => new Uint8Array(),
      parse: raw => [{ kind: 'unrecognised', key: raw.key }],
    };
  }

  #note(kind: string, what: 'open' | 'close'): void {
    this.events.push({ kind, what });
    const open = (this.#open.get(kind) ?? 0) + (what === 'open' ? 1 : -1);
    this.#open.set(kind, open);
    this.mostAtOnce = Math.max(this.mostAtOnce, open);
  }
}
