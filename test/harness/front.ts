import { randomUUID } from 'node:crypto';
import { type Answer, type Client, clientOf, loginOf } from './api.ts';
import { Book } from './book.ts';
import { CANARY } from './canary.ts';
import { completeSetup } from './convoke-process.ts';

const PASSWORD = `${CANARY}-password`;

/** What was asked for is not going to happen, and the answer says why. */
export class Refused extends Error {
  readonly answer: Answer;

  constructor(what: string, answer: Answer) {
    super(`${what} answered ${answer.status}.`);
    this.answer = answer;
  }
}

/** Where people and programs ask: one login over all starts of the program. */
export class Front {
  readonly book: Book;
  readonly client: Client;
  readonly #name: string;
  #where = { url: '', workspace: 'main', cookie: '' };
  #turn = 0;

  /** `ends` are those of its book. */
  constructor(name: string, ...ends: string[]) {
    this.#name = name;
    this.book = new Book(...ends);
    this.client = clientOf(() => this.#where);
  }

  /** From now on the program is there. */
  turnTo(url: string): void {
    this.#where.url = url;
  }

  /** The first user chooses a password and signs in, once. */
  async signUp(first: { url: string; setupLink?: string | undefined }): Promise<void> {
    this.turnTo(first.url);
    this.#where.cookie = await loginOf(await completeSetup(first, PASSWORD));
  }

  /** Asks for a text to be sent, as a client that tries again with the same key until it has an answer. */
  ask(path: string, what: object, recipients: string[], more = ''): Promise<void> {
    const text = this.words('out') + more;
    const body = { ...what, content: { type: 'text', text: { body: text } } };
    return this.book.ask({ text, recipients, ask: this.once('POST', path, body) });
  }

  /** A request under one key, however often it is made; rejects unless the answer is good. */
  once(method: string, path: string, body: object): () => Promise<void> {
    const key = { 'idempotency-key': randomUUID() };
    return async () => {
      const answer = await this.client(method, path, body, key);
      if (answer.status > 299) throw new Refused(`${method} ${path}`, answer);
    };
  }

  /** A text that nobody has written before. */
  words(way: string): string {
    return `${CANARY} ${this.#name} ${way} ${++this.#turn}`;
  }
}
