import type { HttpProvider } from './http.ts';
import { NO_TROUBLE } from './link.ts';
import type { LinkedProvider } from './linked.ts';
import type { Channel, Node } from './node.ts';
import { HARMLESS } from './provider.ts';
import type { World } from './world.ts';

type Parts = {
  world: World;
  nodes: readonly Node[];
  linked: LinkedProvider;
  http: HttpProvider;
  channels: readonly Channel[];
  mode: 'safety' | 'liveness';
};

export type Faults = {
  readonly crashes: number;
  readonly pauses: number;
  /** Everything works from now on, and everybody is there. */
  stop(): void;
};

/** What goes wrong: how much of which kind is drawn from the seed, so that some runs are quiet and some are not. */
export function troubles(parts: Parts): Faults {
  return new Troubles(parts);
}

class Troubles implements Faults {
  readonly #parts: Parts;
  crashes = 0;
  pauses = 0;
  #isOver = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { world, nodes, linked, http } = parts;
    const { random } = world;
    const some = (most: number) => (random.chance(0.5) ? random.unit() * most : 0);
    linked.trouble = { refuse: some(0.15), defer: some(0.2), mute: some(0.3), swallow: some(0.2) };
    http.trouble = { refuse: some(0.15), defer: some(0.2), mute: some(0.3), swallow: some(0.2) };
    for (const node of nodes) {
      node.link.trouble = {
        lostRequest: some(0.02),
        lostAnswer: some(0.02),
        refusedCommit: some(0.05),
        slow: some(0.05),
      };
      // These do not sleep: a machine that sleeps, so that its steady clock stands still, and whose wall clock is
      // set back at the same time cannot know that its lease is over.
      node.machine.jumps = random.chance(0.4);
      if (random.chance(0.3)) node.machine.wallMs = random.whole(-20_000, 20_000);
    }
    const kinds = [
      () => this.#crash(),
      () => this.#crash(),
      () => this.#pause(),
      () => this.#cutDatabase(),
      () => this.#restartDatabase(),
      () => this.#jump(),
      () => this.#stop(),
      () => this.#cutLine(),
      () => this.#cutLine(),
    ].filter(() => random.chance(0.6));
    if (kinds.length > 0) this.#next(kinds, random.between(1_000, 12_000));
  }

  stop(): void {
    const { nodes, linked, http } = this.#parts;
    this.#isOver = true;
    linked.trouble = HARMLESS;
    http.trouble = HARMLESS;
    for (const node of nodes) {
      node.link.trouble = NO_TROUBLE;
      node.link.cutUntil = 0;
      node.machine.wallMs = 0;
      if (node.isStopping) node.crash('is killed because it did not stop');
      node.goOn();
      node.start();
    }
    this.#parts.world.note('world', () => 'nothing goes wrong any more');
  }

  #next(kinds: (() => void)[], everyMs: number): void {
    const { world } = this.#parts;
    world.after(world.random.between(0, 2 * everyMs), () => {
      if (this.#isOver) return;
      world.random.pick(kinds)();
      this.#next(kinds, everyMs);
    });
  }

  #node(): Node {
    const { world, nodes } = this.#parts;
    const driving = nodes.filter(node => node.drives);
    return world.random.pick(driving.length > 0 && world.random.chance(0.7) ? driving : nodes);
  }

  #crash(): void {
    const { random } = this.#parts.world;
    const node = this.#node();
    if (!node.process) return;
    this.crashes += 1;
    node.crash();
    this.#later(random.between(100, 15_000), () => node.start());
  }

  #stop(): void {
    const node = this.#node();
    if (node.process?.isPaused !== false || node.isStopping) return;
    const { random } = this.#parts.world;
    void node.stop();
    // Whoever does not stop in time is killed.
    this.#later(random.between(1_000, 30_000), () => {
      node.crash('is killed because it did not stop');
      node.start();
    });
  }

  #pause(): void {
    const { random } = this.#parts.world;
    const node = this.#node();
    if (!node.process || node.process.isPaused) return;
    const { process } = node;
    this.pauses += 1;
    const ms = random.chance(0.5) ? random.between(50, 4_000) : random.between(4_000, 25_000);
    const sleeps = random.chance(0.5) && !node.machine.jumps;
    node.pause();
    this.#later(ms, () => {
      if (sleeps && node.process === process) node.machine.steadyMs -= ms;
      if (node.process === process) node.goOn();
    });
  }

  #cutDatabase(): void {
    const { world } = this.#parts;
    const node = this.#node();
    const ms = world.random.between(100, 12_000);
    node.link.cutUntil = world.now + ms;
    world.note(node.name, () => `cannot reach the database for ${Math.round(ms)} ms`);
  }

  #restartDatabase(): void {
    const { world, nodes } = this.#parts;
    const ms = world.random.between(500, 6_000);
    world.note('database', () => `restarts and is away for ${Math.round(ms)} ms`);
    for (const node of nodes) {
      node.link.cutUntil = world.now + ms;
      for (const session of [...(node.process?.sessions ?? [])]) session.abort();
    }
  }

  #cutLine(): void {
    const { world, linked, channels } = this.#parts;
    const { id } = world.random.pick(channels);
    world.note('world', () => `the line of ${id} is cut`);
    linked.cut(id);
  }

  #jump(): void {
    const { world, mode } = this.#parts;
    const node = this.#node();
    if (!node.machine.jumps) return;
    const most = mode === 'safety' ? 3_600_000 : 30_000;
    const ms = world.random.whole(-most, most);
    node.machine.wallMs += ms;
    world.note(node.name, () => `its clock jumps by ${ms} ms`);
  }

  #later(ms: number, what: () => void): void {
    this.#parts.world.after(ms, () => {
      if (!this.#isOver) what();
    });
  }
}
