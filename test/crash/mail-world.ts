import { randomUUID } from 'node:crypto';
import type { MailCatcher } from '../../sim/mail/index.ts';
import { Tally } from '../harness/tally.ts';
import { until } from '../harness/until.ts';
import type { Ground } from './ground.ts';
import { beginLife, type Life, served } from './life.ts';
import type { Point, World } from './world.ts';

const PATIENCE = { within: 30_000, every: 40 };
/** A process that dies between handing a mail over and saying so leaves it to the next, which cannot know. */
const MOST_COPIES = 2;

type Wish = { to: string; promised: boolean };

/** People who have forgotten their password; the mail server writes down what it was given. */
export class MailWorld implements World {
  readonly name: string;
  readonly ends = new Tally();
  readonly #ground: Ground;
  readonly #catcher: MailCatcher;
  #url = '';
  /** Of which it is not known yet what has become of them. */
  readonly #wishes: Wish[] = [];

  constructor(ground: Ground, catcher: MailCatcher, name: string) {
    this.name = name;
    this.#ground = ground;
    this.#catcher = catcher;
  }

  begin(at?: Point): Life {
    return beginLife({
      env: {
        ...this.#ground.env,
        CONVOKE_SANDBOX: '1',
        CONVOKE_SMTP_URL: this.#catcher.smtpUrl,
        CONVOKE_MAIL_FROM: 'Convoke <convoke@example.org>',
      },
      at,
      onReady: url => {
        this.#url = url;
      },
    });
  }

  async settle(life: Life): Promise<void> {
    await served(life);
  }

  async between(): Promise<void> {
    await this.#ground.expire();
  }

  readonly scenarios: World['scenarios'] = { mail: life => this.#forget(life) };

  goesOnAs(): boolean {
    return false;
  }

  async recover(life: Life): Promise<string[]> {
    await served(life);
    // As if the claim of the dead had run out.
    await this.#ground.rows(life, 'update jobs set claimed_by = null, claimed_until = null');
    await this.#quiet(life);
    return this.#wishes.splice(0).flatMap(wish => this.#faultsOf(wish));
  }

  close(): Promise<void> {
    return this.#ground.close();
  }

  async #forget(life: Life): Promise<void> {
    // Nobody here asks too often.
    await this.#ground.rows(life, 'delete from limit_hits');
    const wish: Wish = { to: `${randomUUID()}@example.org`, promised: false };
    await this.#ground.rows(
      life,
      `insert into users (id, username, email) values ('${randomUUID()}', '${wish.to}', '${wish.to}')`,
    );
    this.#wishes.push(wish);
    const answer = await fetch(`${this.#url}/v1/password/forgot`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: wish.to }),
    });
    if (answer.status !== 202) throw new Error(`Asking for a mail answered ${answer.status}.`);
    wish.promised = true;
    await this.#quiet(life);
  }

  #faultsOf({ to, promised }: Wish): string[] {
    const copies = this.#catcher.mails(to).length;
    this.ends.add(`${promised ? 'promised' : 'not promised'} and sent ${copies} times`);
    if (promised && copies === 0) return [`the mail to ${to} is lost`];
    return copies > MOST_COPIES ? [`${copies} mails went to ${to}`] : [];
  }

  async #quiet(life: Life): Promise<void> {
    await until(async () => (await this.#ground.rows(life, 'select from jobs')).length === 0, PATIENCE);
  }
}
