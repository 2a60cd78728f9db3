import { afterAll, beforeAll, describe, type ExpectStatic, it } from 'vitest';
import { type MailCatcher, startMailCatcher } from '../../sim/mail/index.ts';
import { startWhatsAppSimulator, type WhatsAppSimulator } from '../../sim/whatsapp/index.ts';
import { keepFigure } from '../harness/figures.ts';
import { type PostgresServer, startPostgres } from '../harness/postgres-server.ts';
import { Tally } from '../harness/tally.ts';
import { type Account, dryRun, runChain, settle } from './chain.ts';
import { type FarEnd, startFarEnd } from './far-end.ts';
import { folderGround, serverGround } from './ground.ts';
import { HttpWorld } from './http-world.ts';
import { LinkedWorld } from './linked-world.ts';
import { MailWorld } from './mail-world.ts';
import { PairingWorld } from './pairing-world.ts';
import { PurgeWorld } from './purge-world.ts';
import type { Point, World } from './world.ts';

const ONCE =
  'each accepted message comes to one end and is at most once on a screen; each message in is stored and handed on, once';
/** Also for a machine that has other things to do. */
const TEN_MINUTES = 600_000;

/** What happens after a login is the same whether a pairing went before it or not. */
const AS_AT_ANY_LOGIN = /^wire (ib|presence|iq (abt|blocklist|encrypt|passive|privacy|w:g2)) /;

/** For a quick look: so many points of each chain, spread over all. */
const MOST = Number(process.env.CRASH_POINTS ?? 1_000);

let server: PostgresServer;
let simulator: WhatsAppSimulator;
let farEnd: FarEnd;
let catcher: MailCatcher;
const worlds: World[] = [];

beforeAll(async () => {
  server = await startPostgres(18);
  simulator = await startWhatsAppSimulator({ world: 'empty' });
  farEnd = await startFarEnd();
  catcher = await startMailCatcher();
});
afterAll(async () => {
  for (const world of worlds) await world.close();
  await farEnd?.close();
  await catcher?.close();
  await simulator?.close();
  await server?.stop();
});

describe.concurrent('a SIGKILL at each step', { timeout: TEN_MINUTES }, () => {
  it('leaves nothing twice and nothing lost on a linked channel', async ({ expect }) => {
    const account = await endAtAll(['linked_a', 'linked_b'], async (name, at) => {
      return new LinkedWorld(await serverGround(server, name), simulator, name, `7101${at}`);
    });
    keep('linked', account, {
      fault: 'SIGKILL at each step of send, receive, receipts, expansion, group sync, start and stop',
      invariant: ONCE,
    });
    prove(expect, account);
  });

  it('leaves a number linked or cleanly not, and free to be linked again', async ({ expect }) => {
    const account = await endAtAll(
      ['pairing'],
      async name => new PairingWorld(await serverGround(server, name), simulator, name, '7103'),
      ({ step }) => !AS_AT_ANY_LOGIN.test(step),
    );
    keep('pairing', account, {
      fault:
        'SIGKILL at each step of pairing (code, scan, forced reconnect, login, credentials, keys) and removal',
      invariant:
        'the number is linked or cleanly not, and can be linked again; a removed one leaves no secret',
    });
    prove(expect, account);
  });

  it('sends nothing by itself again where the provider gives the ids', async ({ expect }) => {
    const account = await endAtAll(
      ['http'],
      async name => new HttpWorld(await serverGround(server, name), farEnd, name),
    );
    keep('http', account, {
      fault: 'SIGKILL at each step of send, expansion, start and stop, where the provider gives the ids',
      invariant: `${ONCE}; what was on the wire is unknown and never sent again by itself`,
    });
    prove(expect, account);
  });

  it('loses no mail, and sends one twice only where nobody could know that it had gone', async ({
    expect,
  }) => {
    const account = await endAtAll(
      ['mail'],
      async name => new MailWorld(await serverGround(server, name), catcher, name),
    );
    keep('mail', account, {
      fault: 'SIGKILL at each step of a mail: asked for, job taken, handed over to the mail server, settled',
      invariant:
        'each mail that was promised goes out; twice at most, where the process died before it was settled',
    });
    prove(expect, account);
  });

  it('purges a deleted workspace to its end, and counts each row once', async ({ expect }) => {
    const account = await endAtAll(
      ['purge'],
      async name => new PurgeWorld(await serverGround(server, name), name),
    );
    keep('purge', account, {
      fault: 'SIGKILL at each step of the purge of a workspace whose days are over',
      invariant:
        'no row of it is left, none of another is touched, the installation is told once and counts right',
    });
    prove(expect, account);
  });

  it('does no more harm on the embedded database, after each commit of a message', async ({ expect }) => {
    const account = await endAtAll(
      ['embedded'],
      async name => new LinkedWorld(folderGround(), simulator, name, '71020'),
      ({ scenario, step, times }) =>
        ['send', 'receive', 'remind'].includes(scenario) && step.endsWith(' after commit') && times === 1,
    );
    keep('embedded', account, {
      fault: 'SIGKILL after each commit of send, receive and expansion, on the embedded database',
      invariant: `${ONCE}; the folder opens again`,
    });
    prove(expect, account);
  });
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
  const points = (await dryRun(own[0] as World))
    .filter(wanted)
    .filter((_, at, all) => at % Math.ceil(all.length / MOST) === 0);
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

function keep(name: string, account: Account, what: { fault: string; invariant: string }): void {
  const { reached, missed, faults, ends } = account;
  const counted = `${reached} points, ${missed.length} not passed this time, ${faults.length} faults: ${ends}`;
  keepFigure(`1-crash-${name}`, { ...what, test: 'test/crash/points.test.ts', counted });
}

function prove(expect: ExpectStatic, { reached, missed, faults }: Account): void {
  expect(faults).toEqual([]);
  expect(missed.length, `not passed: ${missed.join('; ')}`).toBeLessThan(reached / 10);
}
