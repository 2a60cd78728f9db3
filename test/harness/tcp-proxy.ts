import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** `up` = from the client to the target, `down` = the answers. */
export type Way = 'up' | 'down';

/** A TCP link between a client and a target whose faults a test chooses. */
export type TcpProxy = {
  readonly port: number;
  /** Bytes that were let through so far. */
  readonly bytes: Readonly<Record<Way, number>>;
  /** How many connections are open now. */
  connections(): number;
  /** The same address by way of this proxy. */
  through(url: string): string;
  /** Resets all connections; new ones are reset too until `mend`. */
  cut(): void;
  /** Resets all connections; new ones pass. */
  drop(): void;
  /**
   * Lets nothing through, and tells nobody: connections stay open, new ones seem to open. What is sent meanwhile,
   * ends included, arrives at `mend`, as TCP would send it again.
   */
  blackhole(ways?: Way | 'both'): void;
  /** Everything arrives this much later, in order. */
  delay(ms: number): void;
  /** Ends `cut`, `blackhole` and `delay`. */
  mend(): void;
  close(): Promise<void>;
};

/** What each direction of each connection asks before it lets something through. */
type Weather = { cut: boolean; held: Record<Way, boolean>; delayMs: number; bytes: Record<Way, number> };

/** More than this waiting in one direction stops its sender, as a full window would. */
const WINDOW = 1024 * 1024;

/** Listens on a free port of 127.0.0.1 and passes bytes on to the target, both ways. */
export async function startTcpProxy(target: { host?: string; port: number }): Promise<TcpProxy> {
  const weather: Weather = {
    cut: false,
    held: { up: false, down: false },
    delayMs: 0,
    bytes: { up: 0, down: 0 },
  };
  const links = new Set<Link>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, client => {
    if (weather.cut) {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const link = new Link(client, target, weather, () => links.delete(link));
    links.add(link);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const drop = () => {
    for (const link of links) link.reset();
  };
  const flow = () => {
    for (const link of links) link.flow();
  };
  return {
    port,
    bytes: weather.bytes,
    connections: () => links.size,
    through: url => {
      const other = new URL(url);
      other.host = `127.0.0.1:${port}`;
      return other.href;
    },
    cut: () => {
      weather.cut = true;
      drop();
    },
    drop,
    blackhole: (ways = 'both') => {
      weather.held = { up: ways !== 'down', down: ways !== 'up' };
    },
    delay: ms => {
      weather.delayMs = ms;
    },
    mend: () => {
      Object.assign(weather, { cut: false, held: { up: false, down: false }, delayMs: 0 });
      flow();
    },
    close: () => {
      drop();
      return new Promise<void>(resolve => server.close(() => resolve()));
    },
  };
}

/** One client and its own connection to the target. */
class Link {
  readonly #sockets: readonly [Socket, Socket];
  readonly #flows: readonly [Flow, Flow];
  readonly #onOver: () => void;

  constructor(client: Socket, target: { host?: string; port: number }, weather: Weather, onOver: () => void) {
    const options = { host: target.host ?? '127.0.0.1', port: target.port };
    const far = connect({ ...options, allowHalfOpen: true, noDelay: true });
    this.#sockets = [client, far];
    this.#flows = [new Flow(client, far, 'up', weather), new Flow(far, client, 'down', weather)];
    this.#onOver = onOver;
    for (const socket of this.#sockets) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        if (this.#sockets.every(one => one.destroyed)) onOver();
      });
    }
  }

  flow(): void {
    for (const flow of this.#flows) flow.pass();
  }

  reset(): void {
    for (const flow of this.#flows) flow.stop();
    for (const socket of this.#sockets) {
      if (socket.connecting) socket.destroy();
      else socket.resetAndDestroy();
    }
    this.#onOver();
  }
}

type Parcel = { what: Buffer | 'end' | 'reset'; at: number };

/** One direction of a link: what came in waits here until the weather lets it through. */
class Flow {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #way: Way;
  readonly #weather: Weather;
  readonly #waiting: Parcel[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #full = false;
  #stopped = false;

  constructor(from: Socket, to: Socket, way: Way, weather: Weather) {
    this.#from = from;
    this.#to = to;
    this.#way = way;
    this.#weather = weather;
    let ended = false;
    from.on('data', chunk => this.#take(chunk));
    from.on('end', () => {
      ended = true;
      this.#take('end');
    });
    from.on('close', () => {
      if (!ended) this.#take('reset');
    });
    to.on('drain', () => {
      this.#full = false;
      this.pass();
    });
    to.on('connect', () => this.pass());
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
  }

  /** Lets through what may go now and looks again when the next may. */
  pass(): void {
    clearTimeout(this.#timer);
    while (!this.#stopped && !this.#full && !this.#to.connecting && !this.#weather.held[this.#way]) {
      const [first] = this.#waiting;
      if (!first) break;
      const wait = this.#weather.delayMs === 0 ? 0 : first.at - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.pass(), wait);
        break;
      }
      this.#waiting.shift();
      this.#give(first.what);
    }
    if (this.#bytes <= WINDOW) this.#from.resume();
  }

  #take(what: Parcel['what']): void {
    if (this.#stopped) return;
    this.#waiting.push({ what, at: performance.now() + this.#weather.delayMs });
    if (what instanceof Buffer) this.#bytes += what.length;
    if (this.#bytes > WINDOW) this.#from.pause();
    this.pass();
  }

  #give(what: Parcel['what']): void {
    if (what === 'end') this.#to.end();
    else if (what === 'reset') this.#to.resetAndDestroy();
    else {
      this.#bytes -= what.length;
      this.#weather.bytes[this.#way] += what.length;
      this.#full = !this.#to.write(what);
    }
  }
}
