import type { Tally } from '../harness/tally.ts';
import { until } from '../harness/until.ts';
import type { Life } from './life.ts';
import type { Point, World } from './world.ts';

/** Begins with a life, so that the life has to be told of its end beforehand. */
const START = 'start';
/** Of a step that a scenario takes over and over, as many times are points where each time is another matter. */
const MOST_TIMES = 3;
const EACH_TIME = /^(wire message|messages\.(begin|settle)|channels\.write_(keys|credentials|pairing)) /;
/** Taken by the clock, whatever goes on. */
const PERIODIC = /^(leases\.renew|kernel\.node_seen) /;
const STILL_MS = 700;
const TO_DIE = { within: 5_000, every: 20 };

/** What came of one chain of lives. */
export type Account = {
  reached: number;
  /** Points that were not passed this time. */
  missed: string[];
  faults: string[];
  ends: Tally;
};

/** Brings a new world to where scenarios can begin. */
export async function settle(world: World): Promise<void> {
  const life = world.begin();
  await world.settle(life);
  await life.end('SIGTERM');
}

/**
 * Goes through all scenarios of a settled world without a fault: every step that one takes is a point. Of one that
 * goes on like another, only the steps that are its own.
 */
export async function dryRun(world: World): Promise<Point[]> {
  await world.between();
  const life = world.begin();
  await life.ready;
  const points: Point[] = [];
  const known = new Set<string>();
  for (const [scenario, run] of Object.entries(world.scenarios)) {
    if (scenario !== START) await life.watch();
    await run(life);
    const passed = await passedInAll(life);
    const fresh = world.goesOnAs(scenario) ? passed.filter(([step]) => !known.has(step)) : passed;
    points.push(...fresh.flatMap(([step, count]) => pointsOf(scenario, step, count)));
    for (const [step] of passed) known.add(step);
  }
  if (!life.isOver()) await life.end('SIGTERM');
  return points;
}

/** Also what follows for a moment when all has been done. */
async function passedInAll(life: Life): Promise<[string, number][]> {
  const passed = async () => Object.entries(await life.passed()).filter(([step]) => !PERIODIC.test(step));
  if (life.isOver()) return passed();
  for (let before = -1; ; ) {
    const now = await passed();
    if (now.length === before) return now;
    before = now.length;
    await new Promise(resolve => setTimeout(resolve, STILL_MS));
  }
}

/** Ends one life after the other at these points, in a settled world, and compares in the life that follows. */
export async function runChain(world: World, points: Point[]): Promise<Account> {
  const account: Account = { reached: 0, missed: [], faults: [], ends: world.ends };
  const starts = points.filter(({ scenario }) => scenario === START);
  const others = points.filter(({ scenario }) => scenario !== START);
  const triedAgain = new Set<Point>();
  const note = (point: Point, died: boolean) => {
    if (died) account.reached += 1;
    else if (triedAgain.has(point)) account.missed.push(nameOf(point));
    else {
      triedAgain.add(point);
      (point.scenario === START ? starts : others).push(point);
    }
    return nameOf(point);
  };
  for (let after = ['nothing']; after.length > 0; ) {
    await world.between();
    const life = world.begin();
    account.faults.push(
      ...(await recovered(world, life)).map(fault => `after ${after.join(' and ')}: ${fault}`),
    );
    after = [];
    for (let point = others.shift(); point; point = life.isOver() ? undefined : others.shift()) {
      const died = await dies(life, point, () => world.scenarios[point?.scenario ?? '']?.(life));
      after.push(note(point, died));
    }
    await life.end('SIGKILL');
    const start = starts.shift();
    if (start) {
      await world.between();
      const short = world.begin(start);
      after.push(note(start, await dies(short, undefined, () => world.scenarios[START]?.(short))));
      await short.end('SIGKILL');
    }
  }
  return account;
}

/** A world that does not come back to rest is at fault as a whole. */
async function recovered(world: World, life: Life): Promise<string[]> {
  try {
    return await world.recover(life);
  } catch (error) {
    return [`does not recover: ${error instanceof Error ? error.message : error}`];
  }
}

/** Whether the life killed itself at the point while that was going on. */
async function dies(life: Life, point: Point | undefined, run: () => unknown): Promise<boolean> {
  if (point) await life.watch(point);
  // What was going on finds a dead process, as people do.
  const running = Promise.resolve()
    .then(run)
    .catch(() => undefined);
  const inVain = running.then(() => until(() => life.isOver(), TO_DIE)).catch(() => undefined);
  const how = await Promise.race([life.ended, inVain.then(() => (life.isOver() ? life.ended : undefined))]);
  return how === 'SIGKILL';
}

function pointsOf(scenario: string, step: string, count: number): Point[] {
  const times = EACH_TIME.test(step) ? Math.min(count, MOST_TIMES) : 1;
  return Array.from({ length: times }, (_, at) => ({ scenario, step, times: at + 1 }));
}

function nameOf({ scenario, step, times }: Point): string {
  return `${scenario}: ${step}${times > 1 ? `, time ${times}` : ''}`;
}
