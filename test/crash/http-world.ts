import { randomUUID } from 'node:crypto';
import type { Row } from '../harness/book.ts';
import { Front } from '../harness/front.ts';
import { localIn } from '../harness/pairing.ts';
import { Tally } from '../harness/tally.ts';
import { until } from '../harness/until.ts';
import type { FarEnd } from './far-end.ts';
import type { Ground } from './ground.ts';
import { HTTP_KIND } from './http-adapter.ts';
import { beginLife, type Life, served } from './life.ts';
import type { Point, World } from './world.ts';

const PATIENCE = { within: 30_000, every: 40 };
const PEOPLE = ['+15557200001', '+15557200002'];
/** Where no receipts come, `accepted` is the last that is heard. */
const TAKEN = 'accepted';

/** A channel whose provider gives its own ids: a second call would be a second message. */
export class HttpWorld implements World {
  readonly name: string;
  readonly ends = new Tally();
  readonly #front: Front;
  readonly #ground: Ground;
  readonly #farEnd: FarEnd;
  readonly #channelId = randomUUID();

  constructor(ground: Ground, farEnd: FarEnd, name: string) {
    this.name = name;
    this.#front = new Front(name, TAKEN);
    this.#ground = ground;
    this.#farEnd = farEnd;
  }

  begin(at?: Point): Life {
    return beginLife({
      env: { ...this.#ground.env, CRASH_FAR_END: this.#farEnd.url },
      at,
      onReady: url => this.#front.turnTo(url),
    });
  }

  async settle(life: Life): Promise<void> {
    await this.#front.signUp(await served(life));
    await this.#ground.rows(
      life,
      `insert into channels (workspace_id, id, kind, label, wanted, status)
      select id, '${this.#channelId}', '${HTTP_KIND}', 'Far end', 'connected', 'connecting' from workspaces`,
    );
    await this.#connected(life);
  }

  between(): Promise<void> {
    return this.#ground.expire();
  }

  readonly scenarios: World['scenarios'] = {
    start: life => served(life),
    send: life => this.#send(life),
    remind: life => this.#remind(life),
    stop: life => this.#stop(life),
  };

  goesOnAs(scenario: string): boolean {
    return scenario === 'remind' || scenario === 'stop';
  }

  async recover(life: Life): Promise<string[]> {
    const { book } = this.#front;
    await served(life);
    await this.#connected(life);
    await book.askAgain();
    const faults: string[] = [];
    await this.#quiet(life).catch(() => faults.push('does not come to rest'));
    return [...faults, ...book.close(await this.#rows(life), this.#farEnd.ledger(), this.ends)];
  }

  close(): Promise<void> {
    return this.#ground.close();
  }

  async #send(life: Life): Promise<void> {
    await Promise.all(PEOPLE.map(phone => this.#ask('/v1/messages', { to: { phone } }, [phone])));
    await this.#quiet(life);
  }

  async #remind(life: Life): Promise<void> {
    const [phone = ''] = PEOPLE;
    const schedule = { start_local: localIn(2), time_zone: 'UTC' };
    await this.#ask('/v1/reminders', { schedule, targets: [{ phone }] }, [phone]);
    await this.#quiet(life);
  }

  async #stop(life: Life): Promise<void> {
    const [phone = ''] = PEOPLE;
    await this.#ask('/v1/messages', { to: { phone } }, [phone]);
    await life.end('SIGTERM');
  }

  #ask(path: string, what: object, recipients: string[]): Promise<void> {
    return this.#front.ask(path, { channel_id: this.#channelId, ...what }, recipients);
  }

  #connected(life: Life): Promise<unknown> {
    const text = `select from channels where id = '${this.#channelId}' and status = 'connected'`;
    return until(async () => (await this.#ground.rows(life, text)).length > 0, PATIENCE);
  }

  async #quiet(life: Life): Promise<void> {
    await until(async () => this.#front.book.hasEnded(await this.#rows(life)), PATIENCE);
  }

  #rows(life: Life): Promise<Row[]> {
    return this.#ground.rows<Row>(life, this.#front.book.query());
  }
}
