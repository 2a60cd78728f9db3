import type { WhatsAppSimulator } from '../../sim/whatsapp/index.ts';
import type { Row } from '../harness/book.ts';
import { Front } from '../harness/front.ts';
import { localIn, pairChannel } from '../harness/pairing.ts';
import { Tally } from '../harness/tally.ts';
import { until } from '../harness/until.ts';
import type { Ground } from './ground.ts';
import { beginLife, type Life, served } from './life.ts';
import type { Point, World } from './world.ts';

const PATIENCE = { within: 30_000, every: 40 };

/** What the rows say of the channel's inbound messages and of its group. */
type Known = { subject: string; ids: string[]; placeholders: number; pending: number };

/** A linked number with two friends and a group, all of its own. */
export class LinkedWorld implements World {
  readonly name: string;
  readonly ends = new Tally();
  readonly #front: Front;
  readonly #ground: Ground;
  readonly #simulator: WhatsAppSimulator;
  readonly #owner: string;
  readonly #ben: string;
  readonly #chloe: string;
  readonly #chat: string;
  #channelId = '';
  #groupId = '';
  #inbound: string[] = [];
  #subject: string;

  /** `digits` makes the numbers of its people: five digits that no other world has. */
  constructor(ground: Ground, simulator: WhatsAppSimulator, name: string, digits: string) {
    this.name = name;
    this.#front = new Front(name);
    this.#ground = ground;
    this.#simulator = simulator;
    [this.#owner, this.#ben, this.#chloe] = [`+1555${digits}01`, `+1555${digits}02`, `+1555${digits}03`];
    for (const number of [this.#owner, this.#ben, this.#chloe])
      simulator.addPhone(number, `Person ${number}`);
    this.#subject = `Choir ${name}`;
    this.#chat = simulator.createGroup(this.#subject, [this.#owner, this.#ben, this.#chloe]).id;
  }

  begin(at?: Point): Life {
    return beginLife({
      env: { ...this.#ground.env, ...outsideOf(this.#simulator) },
      at,
      onReady: url => this.#front.turnTo(url),
    });
  }

  async settle(life: Life): Promise<void> {
    await this.#front.signUp(await served(life));
    const simulator = { scan: async (number: string, qr: string) => this.#simulator.scan(number, qr) };
    const input = { label: 'Office', number: this.#owner };
    const { channelId, groups } = await pairChannel(this.#front.client, simulator, input);
    this.#channelId = channelId;
    this.#groupId = groups[0]?.id ?? '';
  }

  async between(): Promise<void> {
    await this.#ground.expire();
    this.#write(this.#ben, this.#owner);
    this.#write(this.#chloe, this.#chat);
  }

  readonly scenarios: World['scenarios'] = {
    start: life => this.#start(life),
    send: life => this.#send(life),
    receive: life => this.#receive(life),
    read: life => this.#read(life),
    remind: life => this.#remind(life),
    regroup: life => this.#regroup(life),
    stop: life => this.#stop(life),
  };

  /** Once expanded, a reminder is sent as any message; a stop waits for what is on the wire. */
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
    const known = await this.#known(life);
    faults.push(...book.close(await this.#rows(life), this.#simulator.ledger(), this.ends));
    faults.push(...this.#missing(known));
    this.ends.add('messages in', this.#inbound.length);
    this.ends.add('placeholders of messages that were readable later', known.placeholders);
    this.#inbound = [];
    return faults;
  }

  close(): Promise<void> {
    return this.#ground.close();
  }

  async #start(life: Life): Promise<void> {
    await served(life);
    await this.#quiet(life);
  }

  async #send(life: Life): Promise<void> {
    await Promise.all([
      this.#ask('/v1/messages', { to: { phone: this.#ben } }, [this.#ben]),
      this.#ask('/v1/messages', { to: { group_id: this.#groupId } }, [this.#ben, this.#chloe]),
    ]);
    await this.#quiet(life);
  }

  async #receive(life: Life): Promise<void> {
    this.#write(this.#ben, this.#owner);
    this.#write(this.#chloe, this.#chat);
    await this.#quiet(life);
  }

  /** Ben opens the chat with what came before. */
  async #read(life: Life): Promise<void> {
    const unread = `select from deliveries where phone = '${this.#ben}' and status in ('sent', 'delivered')`;
    this.#simulator.read(this.#ben, this.#owner);
    await until(async () => (await this.#ground.rows(life, unread)).length === 0, PATIENCE);
  }

  /** Expanded at once, as its instant is near, and sent at the instant. */
  async #remind(life: Life): Promise<void> {
    const schedule = { start_local: localIn(2), time_zone: 'UTC' };
    const reminder = { schedule, targets: [{ group_id: this.#groupId }] };
    await this.#ask('/v1/reminders', reminder, [this.#ben, this.#chloe]);
    await this.#quiet(life);
  }

  async #regroup(life: Life): Promise<void> {
    this.#subject = this.#front.words('group');
    this.#simulator.renameGroup(this.#chat, this.#subject, this.#ben);
    await this.#quiet(life);
  }

  async #stop(life: Life): Promise<void> {
    await this.#ask('/v1/messages', { to: { phone: this.#ben } }, [this.#ben]);
    await life.end('SIGTERM');
  }

  #ask(path: string, what: object, recipients: string[]): Promise<void> {
    return this.#front.ask(path, { channel_id: this.#channelId, ...what }, recipients);
  }

  #write(from: string, to: string): void {
    this.#inbound.push(this.#simulator.send(from, to, this.#front.words('in')));
  }

  #connected(life: Life): Promise<unknown> {
    const text = `select from channels where id = '${this.#channelId}' and status = 'connected'`;
    return until(async () => (await this.#ground.rows(life, text)).length > 0, PATIENCE);
  }

  async #quiet(life: Life): Promise<void> {
    await until(() => this.#isQuiet(life), PATIENCE);
  }

  async #isQuiet(life: Life): Promise<boolean> {
    if (!this.#front.book.hasEnded(await this.#rows(life))) return false;
    return this.#missing(await this.#known(life)).length === 0;
  }

  #rows(life: Life): Promise<Row[]> {
    return this.#ground.rows<Row>(life, this.#front.book.query());
  }

  /** What we should have got and have not exactly once. */
  #missing({ ids, subject, pending }: Known): string[] {
    const faults = this.#inbound.flatMap(id => {
      const times = ids.filter(one => one === id).length;
      return times === 1 ? [] : [`a message in is there ${times} times`];
    });
    if (subject !== this.#subject) faults.push(`the group is called "${subject}"`);
    if (pending > 0) faults.push(`${pending} messages in were not handed on`);
    return faults;
  }

  async #known(life: Life): Promise<Known> {
    const inbound = ["''", ...this.#inbound.map(id => `'${id}'`)].join();
    const [known] = await this.#ground.rows<Known>(
      life,
      `with i as (
        select split_part(message_key, '|', 3) as id, kind = 'undecryptable' as placeholder
        from intake where channel_id = '${this.#channelId}' and split_part(message_key, '|', 3) in (${inbound})
      )
      select g.subject, (select count(*)::int from i where placeholder) as placeholders,
        (select coalesce(json_agg(id), '[]') from i where not placeholder) as ids,
        (select count(*)::int from intake_pending) as pending
      from groups g where g.id = '${this.#groupId}'`,
    );
    return known ?? { subject: '', ids: [], placeholders: 0, pending: 0 };
  }
}

/** The settings that make the simulator the program's WhatsApp. */
export function outsideOf(simulator: WhatsAppSimulator): Record<string, string> {
  return {
    CONVOKE_SANDBOX: '1',
    CONVOKE_PACING: '0',
    CONVOKE_WHATSAPP_URL: simulator.socketUrl,
    CONVOKE_WHATSAPP_ROOT_KEY: simulator.rootKey.toString('hex'),
  };
}
