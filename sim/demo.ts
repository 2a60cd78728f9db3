import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildWeb } from '../scripts/build-web.ts';
import { addMember, createUser, createWorkspace } from '../src/identity/index.ts';
import {
  type Environment,
  type Kernel,
  refuseHeldFolder,
  StartError,
  stopOnSignals,
  stopWithParent,
} from '../src/kernel/index.ts';
import { startConvoke } from '../src/main.ts';
import { type Simulators, startSimulators } from './world.ts';

const WORKSPACE = 'demo';
const USERNAME = 'admin';

/**
 * `npm run demo`: the program as it is, simulators of WhatsApp and of mail beside it, and a workspace to play in.
 * Everything is kept in one folder, so a second start finds the same numbers, links and reminders.
 * Resolves, once it is ready, with what stops it.
 */
async function demo(): Promise<() => Promise<void>> {
  const port = simulatorPort();
  const dataDir = resolve(process.env.CONVOKE_DATA_DIR || join('data', 'demo'));
  const factsFile = join(dataDir, 'demo.json');
  await prepare(dataDir);
  rmSync(factsFile, { force: true });
  const building = buildWeb();
  const simulators = await startSimulators({
    port,
    stateFile: join(dataDir, 'whatsapp-simulator.json'),
  }).catch((error: Error) => {
    throw new StartError(error.message);
  });
  const password = passwordOf(dataDir);
  try {
    await building;
    const convoke = await startConvoke(environment(dataDir, simulators), {
      seed: kernel => seed(kernel, password),
      onFault: () => process.exit(1),
    });
    const facts = {
      url: convoke.url,
      username: USERNAME,
      password,
      workspace: WORKSPACE,
      simulator_url: simulators.whatsapp.url,
      mail_url: simulators.mail.url,
      phones: await phonesOf(simulators),
    };
    writeWhole(factsFile, JSON.stringify(facts, null, 2));
    console.log(welcome(facts));
    return async () => {
      rmSync(factsFile, { force: true });
      await convoke.stop();
      await simulators.stop();
    };
  } catch (error) {
    await simulators.stop();
    throw error;
  }
}

function simulatorPort(): number {
  const given = process.env.CONVOKE_SIMULATOR_PORT?.trim() || '3100';
  if (/^\d{1,5}$/.test(given) && Number(given) <= 65_535) return Number(given);
  throw new StartError(`CONVOKE_SIMULATOR_PORT must be a whole number from 0 to 65535 (it is "${given}").`);
}

/** Nothing is written beside a demo that runs: the virtual phones' state is not behind the lock of the database. */
async function prepare(dataDir: string): Promise<void> {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StartError(`The data folder ${dataDir} cannot be made: ${(error as Error).message}`);
  }
  await refuseHeldFolder(dataDir);
}

function environment(dataDir: string, simulators: Simulators): Environment {
  return {
    ...process.env,
    CONVOKE_DATA_DIR: dataDir,
    CONVOKE_LOG_LEVEL: process.env.CONVOKE_LOG_LEVEL ?? 'warn',
    CONVOKE_SANDBOX: '1',
    CONVOKE_WHATSAPP_URL: simulators.whatsapp.socketUrl,
    CONVOKE_WHATSAPP_ROOT_KEY: simulators.whatsapp.rootKey,
    CONVOKE_SMTP_URL: simulators.mail.smtpUrl,
    CONVOKE_MAIL_FROM: process.env.CONVOKE_MAIL_FROM || 'Convoke <convoke@example.org>',
    ...(process.env.DATABASE_URL === undefined ? {} : { CONVOKE_MASTER_KEY: keyringOf(dataDir) }),
  };
}

/** With a server the keyring must be given; the demo keeps one of its own beside its other things. */
function keyringOf(dataDir: string): string {
  if (process.env.CONVOKE_MASTER_KEY !== undefined) return process.env.CONVOKE_MASTER_KEY;
  return keptIn(join(dataDir, 'demo.key'), () => `demo:${randomBytes(32).toString('base64')}`);
}

function passwordOf(dataDir: string): string {
  return keptIn(join(dataDir, 'demo.password'), () => randomBytes(9).toString('base64url'));
}

function keptIn(file: string, make: () => string): string {
  if (!existsSync(file)) writeWhole(file, make());
  return readFileSync(file, 'utf8');
}

function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

async function seed(kernel: Kernel, password: string): Promise<void> {
  const known = await kernel.database.inEngine('demo.seed', tx =>
    tx.selectFrom('workspaces').select('id').where('slug', '=', WORKSPACE).executeTakeFirst(),
  );
  if (known) return;
  const userId = await createUser(kernel, { username: USERNAME, password, isAdmin: true });
  const workspaceId = await createWorkspace(kernel, { slug: WORKSPACE, name: 'Demo' });
  await addMember(kernel, { workspaceId, userId, role: 'owner' });
}

async function phonesOf(simulators: Simulators): Promise<{ number: string; name: string }[]> {
  const response = await fetch(`${simulators.whatsapp.url}/phones`);
  const { data } = (await response.json()) as { data: { number: string; name: string }[] };
  return data.map(({ number, name }) => ({ number, name }));
}

type Facts = { url: string; username: string; password: string; simulator_url: string; mail_url: string };

function welcome(facts: Facts): string {
  return `
  Convoke           ${facts.url}
  sign in as        ${facts.username}  /  ${facts.password}
  virtual phones    ${facts.simulator_url}
  mails             ${facts.mail_url}

  Channels → New channel, then scan the code with a virtual phone. Ctrl-C ends the demo.
`;
}

try {
  const starting = demo();
  stopOnSignals(async () => (await starting.catch(() => undefined))?.());
  if (process.env.npm_lifecycle_event !== undefined) stopWithParent();
  await starting;
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
