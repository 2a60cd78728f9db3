import { z } from 'zod';
import { digitsOf } from '../wire/stanza.ts';

const probability = z.number().min(0).max(1);
const times = z.number().int().min(0).max(1_000_000);
const number = z.string().transform((value, context) => {
  const digits = digitsOf(value);
  if (!digits) context.addIssue({ code: 'custom', message: 'is not a phone number in E.164' });
  return digits ?? '';
});

const settings = z.strictObject({
  /** Delay of each stanza from the server to the companions, and of each message to the phone. */
  latency_ms: z.number().int().min(0).max(600_000).nullish(),
  /** Chance that a message or receipt is lost on its way between companion and server. */
  drop: probability.nullish(),
  /** Chance that the companion gets a message or receipt twice. */
  duplicate: probability.nullish(),
  /** Chance that a message or receipt to the companion is overtaken by the next one. */
  reorder: probability.nullish(),
  /** The next n messages: socket cut, nothing delivered. */
  cut_on_arrival: times.nullish(),
  /** The next n messages: delivered, socket cut instead of the ack. */
  cut_before_ack: times.nullish(),
  /** The next n messages: delivered and acked, then the socket is cut. */
  cut_after_ack: times.nullish(),
  /** The next n ciphertexts that reach the phone are damaged, so that it asks for a retry. */
  corrupt_outbound: times.nullish(),
  /** The next n ciphertexts to the companions are damaged. */
  corrupt_inbound: times.nullish(),
  /** Messages to the companions name their senders by LID alone. */
  hide_numbers: z.boolean().nullish(),
  /** The next n messages to the companions come without their content, as those that only the phone may show. */
  withhold: times.nullish(),
  /** Once a companion takes messages: what it sends is taken, and nothing is answered. */
  deaf: z.boolean().nullish(),
  /** The next n messages come back to the device that wrote them, as an echo without content. */
  echo: times.nullish(),
  /** Refuses messages with this error in the ack; without a count until cleared. */
  nack: z.strictObject({ code: z.number().int().min(100).max(999), count: times.optional() }).nullish(),
  /** Answers the login with this failure. */
  refuse_login: z
    .strictObject({
      reason: z.union([z.literal(401), z.literal(403), z.literal(405)]),
      count: times.optional(),
    })
    .nullish(),
  /** Answers queries (all, or those of one xmlns such as w:g2, usync, encrypt) with this error. */
  query_error: z
    .strictObject({
      code: z.number().int().min(100).max(999),
      xmlns: z.string().max(40).optional(),
      count: times.optional(),
    })
    .nullish(),
});

/** Body of POST /faults: null clears one field, `clear` all of them first; `number` limits the rest to one account. */
export const faultsPatch = settings.extend({
  number: number.optional(),
  clear: z.boolean().optional(),
  /** Numbers whose phones are switched off; replaces the list. */
  offline: z.array(number).max(1000).optional(),
  /** At once: ends the matching sockets with this stream error. */
  stream_error: z.strictObject({ code: z.number().int().min(100).max(999) }).optional(),
  /** At once: ends the matching sockets without a word. */
  cut: z.boolean().optional(),
});

export type FaultsPatch = z.input<typeof faultsPatch>;
type FaultSettings = z.infer<typeof settings>;
type RateName = 'latency_ms' | 'drop' | 'duplicate' | 'reorder';
type CountName =
  | 'cut_on_arrival'
  | 'cut_before_ack'
  | 'cut_after_ack'
  | 'withhold'
  | 'echo'
  | 'corrupt_outbound'
  | 'corrupt_inbound';
type FaultsView = { world: FaultSettings; numbers: Record<string, FaultSettings>; offline: string[] };

/** The switched-on troubles, for the whole world and per account; an account's own setting goes before the world's. */
export class Faults {
  #world: FaultSettings = {};
  #accounts = new Map<string, FaultSettings>();
  #offline = new Set<string>();

  apply(patch: z.output<typeof faultsPatch>): void {
    const { number: digits, clear, offline, stream_error: _now, cut: _cut, ...fields } = patch;
    if (clear) this.#clear(digits);
    if (offline) this.#offline = new Set(offline);
    const target = digits ? this.#ofAccount(digits) : this.#world;
    Object.assign(target, structuredClone(fields));
  }

  setOffline(digits: string, offline: boolean): void {
    if (offline) this.#offline.add(digits);
    else this.#offline.delete(digits);
  }

  isOffline(digits: string): boolean {
    return this.#offline.has(digits);
  }

  rate(digits: string, name: RateName): number {
    return this.#accounts.get(digits)?.[name] ?? this.#world[name] ?? 0;
  }

  hidesNumbers(digits: string): boolean {
    return this.#accounts.get(digits)?.hide_numbers ?? this.#world.hide_numbers ?? false;
  }

  /** Uses up one of the next n; false when there is none left. */
  spend(digits: string, name: CountName): boolean {
    for (const set of this.#setsOf(digits)) {
      const left = set[name] ?? 0;
      if (left <= 0) continue;
      set[name] = left - 1;
      return true;
    }
    return false;
  }

  spendNack(digits: string): number | undefined {
    for (const set of this.#setsOf(digits)) if (set.nack && spendOne(set.nack)) return set.nack.code;
    return undefined;
  }

  spendLoginRefusal(digits: string): number | undefined {
    for (const set of this.#setsOf(digits)) {
      if (set.refuse_login && spendOne(set.refuse_login)) return set.refuse_login.reason;
    }
    return undefined;
  }

  spendQueryError(digits: string, xmlns: string): number | undefined {
    for (const set of this.#setsOf(digits)) {
      const fault = set.query_error;
      if (fault && (fault.xmlns ?? xmlns) === xmlns && spendOne(fault)) return fault.code;
    }
    return undefined;
  }

  isDeaf(digits: string): boolean {
    return this.#accounts.get(digits)?.deaf ?? this.#world.deaf ?? false;
  }

  isRestricted(digits: string): boolean {
    return this.#setsOf(digits).some(set => set.nack?.code === 463 && (set.nack.count ?? 1) > 0);
  }

  view(): FaultsView {
    const numbers = [...this.#accounts].map(([digits, set]) => [`+${digits}`, withoutEmpty(set)] as const);
    return {
      world: withoutEmpty(this.#world),
      numbers: Object.fromEntries(numbers.filter(([, set]) => Object.keys(set).length > 0)),
      offline: [...this.#offline].map(digits => `+${digits}`),
    };
  }

  #clear(digits: string | undefined): void {
    if (digits) {
      this.#accounts.delete(digits);
      this.#offline.delete(digits);
      return;
    }
    this.#world = {};
    this.#accounts.clear();
    this.#offline.clear();
  }

  #ofAccount(digits: string): FaultSettings {
    const known = this.#accounts.get(digits) ?? {};
    this.#accounts.set(digits, known);
    return known;
  }

  #setsOf(digits: string): FaultSettings[] {
    const own = this.#accounts.get(digits);
    return own ? [own, this.#world] : [this.#world];
  }
}

function spendOne(fault: { count?: number | undefined }): boolean {
  if (fault.count === undefined) return true;
  if (fault.count <= 0) return false;
  fault.count -= 1;
  return true;
}

function withoutEmpty(set: FaultSettings): FaultSettings {
  return Object.fromEntries(Object.entries(set).filter(([, value]) => value !== null && value !== undefined));
}
