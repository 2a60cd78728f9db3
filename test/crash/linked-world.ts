import { randomUUID } from 'node:crypto';
import type { WhatsAppSimulator } from '../../sim/whatsapp/index.ts';
import { type Client, clientOf, loginOf } from '../harness/api.ts';
import { CANARY } from '../harness/canary.ts';
import { completeSetup } from '../harness/convoke-process.ts';
import { localIn, pairChannel } from '../harness/pairing.ts';
import { until } from '../harness/until.ts';
import { Book, type Row } from './book.ts';
import type { Ground } from './ground.ts';
import { beginLife, type Life } from './life.ts';
import { type Point, Tally, type World } from './world.ts';

const PASSWORD = `${CANARY}-password`;
const PATIENCE = { within: 12_000, every: 40 };
/** Receipts come at once or, where their process died at the wrong moment, not at all. */
const FOR_RECEIPTS = { within: 1_500, every: 40 };

type Known = { subject: string; ids: string[]; placeholders: number };

/** A linked number with two friends and a group, all of its own. */
export class LinkedWorld implements World {
  readonly name: string;
  readonly ends = new Tally();
  readonly #ground: Ground;
  readonly #simulator: WhatsAppSimulator;
  readonly #client: Client;
  readonly #book = new Book();
  readonly #owner: string;
  readonly #ben: string;
  readonly #chloe: string;
  readonly #chat: string;
  #where = { url: '', workspace: 'main', cookie: '' };
  #channelId = '';
  #groupId = '';
  #turn = 0;
  #inbound: string[] = [];
  #subject: string;

  /** `digits` makes the numbers of its people: five digits that no other world has. */
  constructor(ground: Ground, simulator: WhatsAppSimulator, name: string, digits: string) {
    this.name = name;
    this.#ground = ground;
    this.#simulator = simulator;
    this.#client = clientOf(() => this.#where);
    [this.#owner, this.#ben, this.#chloe] = [`+1555${digits}01`, `+1555${digits}02`, `+1555${digits}03`];
    for (const number of [this.#owner, this.#ben, this.#chloe])
      simulator.addPhone(number, `Person ${number}`);
    this.#subject = `Choir ${name}`;
    this.#chat = simulator.createGroup(this.#subject, [this.#owner, this.#ben, this.#chloe]).id;
  }

  begin(at?: Point): Life {
    const env = {
      ...this.#ground.env,
      CONVOKE_SANDBOX: '1',
      CONVOKE_PACING: '0',
      CONVOKE_WHATSAPP_URL: this.#simulator.socketUrl,
      CONVOKE_WHATSAPP_ROOT_KEY: this.#simulator.rootKey.toString('hex'),
    };
    const life = beginLife({ env, at });
    void life.ready.then(ready => {
      if (ready) this.#where.url = ready.url;
    });
    return life;
  }

  async settle(life: Life): Promise<void> {
    const { url, setupLink } = await served(life);
    const account = await completeSetup({ url, setupLink }, PASSWORD);
    this.#where.cookie = await loginOf(account);
    const simulator = { scan: async (number: string, qr: string) => this.#simulator.scan(number, qr) };
    const input = { label: 'Office', number: this.#owner };
    const { channelId, groups } = await pairChannel(this.#client, simulator, input);
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
    await served(life);
    await this.#connected(life);
    await this.#book.askAgain();
    await this.#giveUpWaiting(life);
    const atRest = () => this.#isQuiet(life, 'sent');
    const faults: string[] = [];
    await until(atRest, PATIENCE).catch(() => faults.push('does not come to rest'));
    await until(() => this.#isQuiet(life), FOR_RECEIPTS).catch(() => undefined);
    faults.push(...this.#book.close(await this.#rows(life), this.#simulator.ledger(), this.ends));
    faults.push(...(await this.#missing(life)));
    this.ends.add('messages in', this.#inbound.length);
    this.ends.add(
      'placeholders of messages that were readable later',
      (await this.#known(life)).placeholders,
    );
    this.#inbound = [];
    return faults;
  }

  close(): Promise<void> {
    return this.#ground.close();
  }

  async #start(life: Life): Promise<void> {
    await this.#connected(life);
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
    await until(async () => (await this.#ground.rows(life, unread)).length === 0, FOR_RECEIPTS);
  }

  /** Expanded at once, as its instant is near, and sent at the instant. */
  async #remind(life: Life): Promise<void> {
    const schedule = { start_local: localIn(2), time_zone: 'UTC' };
    const reminder = { schedule, targets: [{ group_id: this.#groupId }] };
    await this.#ask('/v1/reminders', reminder, [this.#ben, this.#chloe]);
    await this.#quiet(life);
  }

  async #regroup(life: Life): Promise<void> {
    this.#subject = `Choir ${this.name} ${++this.#turn}`;
    this.#simulator.renameGroup(this.#chat, this.#subject, this.#ben);
    await this.#quiet(life);
  }

  async #stop(life: Life): Promise<void> {
    await this.#ask('/v1/messages', { to: { phone: this.#ben } }, [this.#ben]);
    await life.end('SIGTERM');
  }

  #ask(path: string, what: object, recipients: string[]): Promise<void> {
    const text = this.#words('out');
    const body = { channel_id: this.#channelId, ...what, content: { type: 'text', text: { body: text } } };
    const key = { 'idempotency-key': randomUUID() };
    const ask = async () => {
      const answer = await this.#client('POST', path, body, key);
      if (answer.status > 299) throw new Error(`POST ${path} answered ${answer.status}.`);
    };
    return this.#book.ask({ text, recipients, ask });
  }

  #write(from: string, to: string): void {
    this.#inbound.push(this.#simulator.send(from, to, this.#words('in')));
  }

  #words(way: string): string {
    return `${CANARY} ${this.name} ${way} ${++this.#turn}`;
  }

  #connected(life: Life): Promise<unknown> {
    const text = `select status from channels where id = '${this.#channelId}' and status = 'connected'`;
    return until(async () => (await this.#ground.rows(life, text)).length > 0, PATIENCE);
  }

  async #quiet(life: Life): Promise<void> {
    await until(() => this.#isQuiet(life), PATIENCE);
  }

  async #isQuiet(life: Life, ...ends: string[]): Promise<boolean> {
    if (!this.#book.hasEnded(await this.#rows(life), ...ends)) return false;
    return (await this.#missing(life)).length === 0;
  }

  #rows(life: Life): Promise<Row[]> {
    return this.#ground.rows<Row>(life, this.#book.query());
  }

  /** What we should have got and have not exactly once. */
  async #missing(life: Life): Promise<string[]> {
    const { ids, subject } = await this.#known(life);
    const inbound = this.#inbound.flatMap(id => {
      const times = ids.filter(one => one === id).length;
      return times === 1 ? [] : [`a message in is there ${times} times`];
    });
    return subject === this.#subject ? inbound : [...inbound, `the group is called "${subject}"`];
  }

  async #known(life: Life): Promise<Known> {
    const inbound = ["''", ...this.#inbound.map(id => `'${id}'`)].join();
    const [known] = await this.#ground.rows<Known>(
      life,
      `with i as (
        select split_part(provider_key, '|', 3) as id, provider_key like '%|undecryptable' as placeholder
        from intake_keys where channel_id = '${this.#channelId}' and split_part(provider_key, '|', 3) in (${inbound})
      )
      select g.subject, (select count(*)::int from i where placeholder) as placeholders,
        (select coalesce(json_agg(id), '[]') from i where not placeholder) as ids
      from groups g where g.id = '${this.#groupId}'`,
    );
    return known ?? { subject: '', placeholders: 0, ids: [] };
  }

  /** The hour has come for what was on the wire when its process died. */
  async #giveUpWaiting(life: Life): Promise<void> {
    await this.#ground.rows(
      life,
      `with over as (
        update attempts set deadline_at = now() - interval '6 s' where status = 'in_flight' returning delivery_id
      )
      update due_work set due_at = now() - interval '1 s' from over
      where kind = 'delivery_watch' and subject_id = over.delivery_id`,
    );
  }
}

async function served(life: Life): Promise<{ url: string; setupLink?: string }> {
  const ready = await life.ready;
  if (!ready) throw new Error(`The process ended before it served:\n${life.output()}`);
  return ready;
}
