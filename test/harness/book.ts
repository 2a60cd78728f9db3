import type { Tally } from './tally.ts';

/** A message that the program was asked to send. */
export type Intent = {
  text: string;
  /** Who must have it on the screen when it is sent. */
  recipients: string[];
  /** Asks for it under a key of its own, so that to ask again is to ask for the same; rejects without an answer. */
  ask(): Promise<void>;
  answered: boolean;
};

/** One message at one recipient, as the outside world has written it down. */
export type Arrived = { id: string; to: string; text: string; copies: number };

/** What the program has written down of one message. */
export type Row = { text: string; status: string; reason: string | null; attempts: number };

/** Statuses after which nothing more is expected to happen; each phone of the simulator says that it has a message. */
const ENDS = ['delivered', 'read', 'failed', 'unknown', 'cancelled', 'missed'];
const ARRIVES = ['accepted', 'sent', 'delivered', 'read'];
const STAYS = ['failed', 'cancelled', 'missed'];

/** All that was asked of the program since the last comparison. */
export class Book {
  readonly #ends: string[];
  #intents: Intent[] = [];

  /** `more` are the statuses that are an end as well: where no receipts come, `accepted` is the last that is heard. */
  constructor(...more: string[]) {
    this.#ends = [...ENDS, ...more];
  }

  async ask(intent: Omit<Intent, 'answered'>): Promise<void> {
    const written: Intent = { ...intent, answered: false };
    this.#intents.push(written);
    await written.ask();
    written.answered = true;
  }

  /** Who got no answer asks once more, as a client does. */
  async askAgain(): Promise<void> {
    for (const intent of this.#intents.filter(({ answered }) => !answered)) {
      await intent.ask();
      intent.answered = true;
    }
  }

  /** A statement for the rows of all that was asked. */
  query(): string {
    return `
      select m.content->'text'->>'body' as text, d.status, d.reason, (select count(*)::int from attempts a
        where a.workspace_id = d.workspace_id and a.delivery_id = d.id) as attempts
      from messages m join deliveries d on d.workspace_id = m.workspace_id and d.message_id = m.id
      where m.content->'text'->>'body' in (${["''", ...this.#intents.map(({ text }) => `'${text}'`)].join()})`;
  }

  /** Whether all of it has come to an end. */
  hasEnded(rows: Row[]): boolean {
    const ended = new Set(rows.filter(row => this.#ends.includes(row.status)).map(row => row.text));
    return this.#intents.every(({ text }) => ended.has(text));
  }

  /** Compares and begins a new page. */
  close(rows: Row[], arrived: Arrived[], ends: Tally): string[] {
    const faults = this.#intents.flatMap(intent => {
      const own = rows.filter(({ text }) => text === intent.text);
      const seen = arrived.filter(({ text }) => text === intent.text);
      const [row] = own;
      ends.add('messages');
      if (row) ends.add(row.status);
      for (const { copies } of seen)
        if (copies > 1) ends.add('copies more on the wire with the same id', copies - 1);
      const said = `"${intent.text}" (${row?.status ?? 'no row'}, ${row?.attempts ?? 0} attempts): `;
      return [...faultsIn(intent, own, seen, this.#ends)].map(fault => said + fault);
    });
    this.#intents = [];
    return faults;
  }
}

function* faultsIn(intent: Intent, own: Row[], seen: Arrived[], ends: string[]): Generator<string> {
  const [row] = own;
  if (!row) return yield 'was accepted and is lost';
  if (own.length > 1) yield `was accepted once and is there ${own.length} times`;
  if (!ends.includes(row.status)) yield `has come to no end (${row.reason ?? 'no reason'})`;
  for (const to of intent.recipients) {
    const bubbles = seen.filter(one => one.to === to).length;
    if (bubbles > 1) yield `stands ${bubbles} times on a screen`;
    if (bubbles === 0 && ARRIVES.includes(row.status)) yield 'has not arrived';
    if (bubbles > 0 && STAYS.includes(row.status)) yield 'has arrived all the same';
  }
  if (seen.some(({ to }) => !intent.recipients.includes(to))) yield 'reached somebody else';
}
