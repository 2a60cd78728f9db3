import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWhatsAppSimulator, type WhatsAppSimulator } from '../../sim/whatsapp/index.ts';
import { keepFigure } from '../harness/figures.ts';
import { type PostgresServer, startPostgres } from '../harness/postgres-server.ts';
import { type Account, dryRun, runChain, settle } from './chain.ts';
import { folderGround, serverGround } from './ground.ts';
import { LinkedWorld } from './linked-world.ts';
import { type Point, Tally, type World } from './world.ts';

const FIVE_MINUTES = 300_000;
const ONCE =
  'each accepted message comes to one end and is at most once on a screen; each message in is stored once';
const TEST = 'test/crash/points.test.ts';

let server: PostgresServer;
let simulator: WhatsAppSimulator;
const worlds: World[] = [];

beforeAll(async () => {
  server = await startPostgres(18);
  simulator = await startWhatsAppSimulator({ world: 'empty' });
});
afterAll(async () => {
  for (const world of worlds) await world.close();
  await simulator?.close();
  await server?.stop();
});

describe('a SIGKILL at each step', () => {
  it(
    'leaves nothing twice and nothing lost on a linked channel',
    async () => {
      const account = await endAtAll(['a', 'b'], async (name, at) => {
        const ground = await serverGround(server, `linked_${name}`);
        return new LinkedWorld(ground, simulator, name, `7101${at}`);
      });
      keepFigure('10-crash-linked', {
        fault: 'SIGKILL at each step of send, receive, receipts, expansion, group sync, start and stop',
        invariant: ONCE,
        test: TEST,
        counted: said(account),
      });
      prove(account);
    },
    FIVE_MINUTES,
  );

  it(
    'does so on the embedded database too, at each commit on the way of a message',
    async () => {
      const account = await endAtAll(
        ['embedded'],
        async name => new LinkedWorld(folderGround(), simulator, name, '71020'),
        ({ scenario, step, times }) =>
          ['send', 'receive', 'remind'].includes(scenario) && step.endsWith(' after commit') && times === 1,
      );
      keepFigure('11-crash-embedded', {
        fault: 'SIGKILL after each commit of send, receive and expansion, on the embedded database',
        invariant: `${ONCE}; the folder opens again`,
        test: TEST,
        counted: said(account),
      });
      prove(account);
    },
    FIVE_MINUTES,
  );
});

/** One chain of lives per name, side by side; the first world also finds the points. */
async function endAtAll(
  names: string[],
  make: (name: string, at: number) => Promise<World>,
  wanted: (point: Point) => boolean = () => true,
): Promise<Account> {
  const own = await Promise.all(names.map(make));
  worlds.push(...own);
  await Promise.all(own.map(settle));
  const points = (await dryRun(own[0] as World)).filter(wanted);
  const shareOf = (at: number) => points.filter((_, index) => index % own.length === at);
  const accounts = await Promise.all(own.map((world, at) => runChain(world, shareOf(at))));
  const ends = new Tally();
  for (const account of accounts) ends.addAll(account.ends);
  return {
    reached: accounts.reduce((sum, { reached }) => sum + reached, 0),
    missed: accounts.flatMap(({ missed }) => missed),
    faults: accounts.flatMap(({ faults }) => faults),
    ends,
  };
}

function said({ reached, missed, faults, ends }: Account): string {
  const counted = `${reached} points reached, ${missed.length} not passed, ${faults.length} faults; ${ends}`;
  console.log([counted, ...missed.map(point => `not passed: ${point}`), ...faults].join('\n'));
  return counted;
}

function prove({ reached, missed, faults }: Account): void {
  expect(faults).toEqual([]);
  expect(missed.length).toBeLessThan(reached / 10);
}
