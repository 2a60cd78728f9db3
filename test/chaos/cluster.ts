import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startWhatsAppSimulator, type WhatsAppSimulator } from '../../sim/whatsapp/index.ts';
import { type ConvokeProcess, startConvokeProcess } from '../harness/convoke-process.ts';
import { Front } from '../harness/front.ts';
import { heardFile, keepSecret } from '../harness/heard.ts';
import { pairChannel } from '../harness/pairing.ts';
import { type PostgresServer, startPostgres } from '../harness/postgres-server.ts';
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts';
import { until } from '../harness/until.ts';

/** Of the leases; `TTL_MS + 10 s` is the time within which another node must drive. */
export const TTL_MS = 1_500;

/** One process of the program, each of its links by way of a proxy of its own. */
export type Node = {
  name: string;
  process: ConvokeProcess;
  database: TcpProxy;
  whatsapp: TcpProxy;
};

/** As a production server is: what it has confirmed survives its own end. */
const DURABLE = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' };

const OWNER = '+15557300001';
const BEN = '+15557300002';
const CHLOE = '+15557300003';

/** Two nodes on one PostgreSQL, and one linked number that either may drive. */
export class Cluster {
  readonly server: PostgresServer;
  readonly simulator: WhatsAppSimulator;
  readonly front = new Front('chaos');
  readonly nodes = new Map<string, Node>();
  readonly #rows: pg.Pool;
  readonly #dataDir = mkdtempSync(join(tmpdir(), 'convoke-chaos-'));
  readonly #key = `chaos:${randomBytes(32).toString('base64')}`;
  readonly #chat: string;
  channelId = '';
  groupId = '';
  /** Ids of the messages that people have written to the number. */
  readonly inbound: string[] = [];

  static async start(settings: Record<string, string> = {}): Promise<Cluster> {
    const [server, simulator] = await Promise.all([
      startPostgres(18, { ...DURABLE, ...settings }),
      startWhatsAppSimulator({ world: 'empty' }),
    ]);
    return new Cluster(server, simulator);
  }

  private constructor(server: PostgresServer, simulator: WhatsAppSimulator) {
    this.server = server;
    this.simulator = simulator;
    this.#rows = new pg.Pool({ connectionString: server.url(), max: 2 });
    this.#rows.on('error', () => undefined);
    keepSecret(this.#key.slice('chaos:'.length));
    for (const number of [OWNER, BEN, CHLOE]) simulator.addPhone(number, `Person ${number}`);
    this.#chat = simulator.createGroup('Choir', [OWNER, BEN, CHLOE]).id;
  }

  /** Starts a node; one of the same name takes its place. */
  async begin(name: string): Promise<Node> {
    const before = this.nodes.get(name);
    const database = before?.database ?? (await startTcpProxy({ port: portOf(this.server.url()) }));
    const whatsapp = before?.whatsapp ?? (await startTcpProxy({ port: portOf(this.simulator.socketUrl) }));
    const env = {
      CONVOKE_DATA_DIR: this.#dataDir,
      CONVOKE_NODE_ID: name,
      CONVOKE_LOG_LEVEL: 'debug',
      CONVOKE_LEASE_TTL_MS: String(TTL_MS),
      CONVOKE_MASTER_KEY: this.#key,
      CONVOKE_SANDBOX: '1',
      CONVOKE_PACING: '0',
      CONVOKE_WHATSAPP_URL: whatsapp.through(this.simulator.socketUrl),
      CONVOKE_WHATSAPP_ROOT_KEY: this.simulator.rootKey.toString('hex'),
      DATABASE_URL: `${database.through(this.server.url())}?application_name=node_${name}`,
    };
    const process = await startConvokeProcess(env, { heard: heardFile(`chaos-${name}`) });
    const node = { name, process, database, whatsapp };
    this.nodes.set(name, node);
    return node;
  }

  /** The first node, its user and the linked number. */
  async settle(): Promise<Node> {
    const first = await this.begin('a');
    await this.front.signUp(first.process);
    const simulator = { scan: async (number: string, qr: string) => this.simulator.scan(number, qr) };
    const { channelId, groups } = await pairChannel(this.front.client, simulator, {
      label: 'Office',
      number: OWNER,
    });
    this.channelId = channelId;
    this.groupId = groups[0]?.id ?? '';
    return first;
  }

  async rows<T>(text: string): Promise<T[]> {
    return (await this.#rows.query(text)).rows;
  }

  /** Who has the lease of the number now. */
  async holder(): Promise<Node | undefined> {
    const [row] = await this.rows<{ node_id: string }>(
      `select n.node_id from leases l join nodes n on n.boot_id::text = l.holder
      where l.name = 'channel:${this.channelId}' and l.expires_at > now()`,
    );
    return row && this.nodes.get(row.node_id);
  }

  /** Resolves once a socket that was opened after that instant is open; with the ms since then. */
  async drivenAfter(instant: number): Promise<number> {
    const opened = await until(
      () => this.sockets().find(one => one.closed_at === undefined && Date.parse(one.opened_at) >= instant),
      { within: 30_000, every: 10, what: () => 'a node to connect the number' },
    );
    return Date.parse(opened.opened_at) - instant;
  }

  /** Every socket that the number ever had, in the order of opening. */
  sockets() {
    const { open, closed } = this.simulator.connections();
    return [...closed, ...open].sort((a, b) => Date.parse(a.opened_at) - Date.parse(b.opened_at));
  }

  /** Asks for a message to Ben or to the group, in turn. */
  ask(turn: number, more: object = {}): Promise<void> {
    const single = turn % 2 === 0;
    const to = single ? { phone: BEN } : { group_id: this.groupId };
    const what = { channel_id: this.channelId, to, ...more };
    return this.front.ask('/v1/messages', what, single ? [BEN] : [BEN, CHLOE]);
  }

  remind(startLocal: string): Promise<void> {
    const schedule = { start_local: startLocal, time_zone: 'UTC' };
    const what = { channel_id: this.channelId, schedule, targets: [{ group_id: this.groupId }] };
    return this.front.ask('/v1/reminders', what, [BEN, CHLOE]);
  }

  /** Ben writes to the number, Chloe to the group. */
  write(turn: number): void {
    const [from, to] = turn % 2 === 0 ? [BEN, OWNER] : [CHLOE, this.#chat];
    this.inbound.push(this.simulator.send(from, to, this.front.words('in')));
  }

  /** What was put off for a while, as its channel was not connected, is due now. */
  async hurry(): Promise<void> {
    await this.#rows.query(
      `with put_off as (update deliveries set due_at = now() where status = 'queued' and due_at > now() returning id)
      update due_work set due_at = now(), claimed_by = null, claimed_until = null
      from put_off where kind = 'delivery' and subject_id = put_off.id`,
    );
  }

  async close(): Promise<void> {
    for (const { process, database, whatsapp } of this.nodes.values()) {
      process.signal('SIGCONT');
      await process.end('SIGKILL');
      await Promise.all([database.close(), whatsapp.close()]);
    }
    await this.#rows.end();
    await this.simulator.close();
    await this.server.stop();
    rmSync(this.#dataDir, { recursive: true, force: true });
  }
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
