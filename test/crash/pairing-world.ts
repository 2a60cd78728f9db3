import type { WhatsAppSimulator } from '../../sim/whatsapp/index.ts';
import { Front } from '../harness/front.ts';
import { Tally } from '../harness/tally.ts';
import { until } from '../harness/until.ts';
import type { Ground } from './ground.ts';
import { beginLife, type Life, served } from './life.ts';
import { outsideOf } from './linked-world.ts';
import type { Point, World } from './world.ts';

const PATIENCE = { within: 30_000, every: 40 };

type Channel = {
  id: string;
  wanted: string;
  status: string;
  phone: string | null;
  secrets: number;
  groups: number;
};

/** Numbers that are linked and let go again, each with a channel of its own. */
export class PairingWorld implements World {
  readonly name: string;
  readonly ends = new Tally();
  readonly #front: Front;
  readonly #ground: Ground;
  readonly #simulator: WhatsAppSimulator;
  readonly #digits: string;
  #turn = 0;
  #number = '';
  #label = '';
  #create: () => Promise<void> = async () => undefined;

  /** `digits` makes its numbers: four digits that no other world has. */
  constructor(ground: Ground, simulator: WhatsAppSimulator, name: string, digits: string) {
    this.name = name;
    this.#front = new Front(name);
    this.#ground = ground;
    this.#simulator = simulator;
    this.#digits = digits;
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
  }

  between(): Promise<void> {
    return this.#ground.expire();
  }

  readonly scenarios: World['scenarios'] = { link: life => this.#link(life) };

  goesOnAs(): boolean {
    return false;
  }

  /** The number is linked or was never; either way it can be linked now, and let go of without a trace. */
  async recover(life: Life): Promise<string[]> {
    await served(life);
    if (this.#label === '') return [];
    this.ends.add('pairings');
    await this.#create();
    const found = await until(() => this.#resting(life), PATIENCE);
    this.ends.add(`${found.wanted}, ${found.status}`);
    const faults: string[] = [];
    if (found.wanted === 'unpaired' && found.secrets > 0)
      faults.push('is unpaired and still has credentials or keys');
    if (found.wanted !== 'deleted') {
      if (found.status !== 'connected') await this.#pair(life, found.id);
      await this.#remove(life, found.id);
    }
    const gone = await this.#channel(life);
    if (gone && gone.secrets > 0) faults.push('was removed and still has credentials or keys');
    const linked = this.#simulator.phones().find(({ number }) => number === this.#number)?.linked ?? [];
    this.ends.add('devices that only the phone still knows', linked.length);
    this.#label = '';
    return faults;
  }

  close(): Promise<void> {
    return this.#ground.close();
  }

  async #link(life: Life): Promise<void> {
    this.#turn += 1;
    this.#number = `+1555${this.#digits}${String(this.#turn).padStart(3, '0')}`;
    this.#label = this.#front.words('channel');
    this.#simulator.addPhone(this.#number, `Person ${this.#number}`);
    this.#simulator.createGroup(this.#label, [this.#number]);
    this.#create = this.#front.once('POST', '/v1/channels', { kind: 'linked', label: this.#label });
    await this.#create();
    const id = (await until(() => this.#channel(life), PATIENCE)).id;
    await this.#pair(life, id);
    await this.#remove(life, id);
  }

  /** Shows the code to the phone, as often as a new one is shown, until the number is linked and its group is there. */
  async #pair(life: Life, id: string): Promise<void> {
    const at = `/v1/channels/${id}/pairing`;
    await this.#front.client('POST', at, {});
    let shown: string | undefined;
    await until(async () => {
      const { qr } = (await this.#front.client<{ qr?: string }>('GET', at)).body;
      if (qr !== undefined && qr !== shown) {
        shown = qr;
        this.#simulator.scan(this.#number, qr);
      }
      const channel = await this.#channel(life);
      return channel?.status === 'connected' && channel.groups > 0;
    }, PATIENCE);
  }

  async #remove(life: Life, id: string): Promise<void> {
    await this.#front.client('DELETE', `/v1/channels/${id}`);
    await until(async () => (await this.#channel(life))?.status === 'unpaired', PATIENCE);
  }

  /** The channel once nothing happens to it by itself: linked, not linked, or gone. */
  async #resting(life: Life): Promise<Channel | undefined> {
    const channel = await this.#channel(life);
    if (channel?.wanted === 'pairing') {
      const at = `/v1/channels/${channel.id}/pairing`;
      const { qr } = (await this.#front.client<{ qr?: string }>('GET', at)).body;
      return qr === undefined ? undefined : channel;
    }
    const rests =
      channel?.wanted === 'connected' ? channel.status === 'connected' : channel?.status === 'unpaired';
    return rests ? channel : undefined;
  }

  async #channel(life: Life): Promise<Channel | undefined> {
    const [channel] = await this.#ground.rows<Channel>(
      life,
      `select c.id, c.wanted, c.status, c.phone,
        (select count(*)::int from channel_credentials k where k.channel_id = c.id)
          + (select count(*)::int from channel_keys k where k.channel_id = c.id) as secrets,
        (select count(*)::int from groups g where g.channel_id = c.id and g.archived_at is null) as groups
      from channels c where c.label = '${this.#label}'`,
    );
    return channel;
  }
}
