import './kernel/require-node.ts';
import { existsSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type Adapter,
  channelsOfKeys,
  createChannels,
  createLinkedAdapter,
  declareKind,
  type RunningChannels,
  registerChannelRoutes,
  registerStatusCommand,
  registerStatusRoute,
  releaseChannels,
  showChannels,
} from './channels/index.ts';
import { registerContactRoutes } from './contacts/index.ts';
import {
  actorNames,
  createGate,
  createMaintenance,
  prepareFirstStart,
  purgeLogins,
  registerAdminRoutes,
  registerIdentityCommands,
  registerIdentityRoutes,
  registerInvitationJob,
  registerKeyRoutes,
  registerPeopleJobs,
  registerPurgeJob,
  registerWorkspaceRoutes,
  requireArgon2,
} from './identity/index.ts';
import {
  appearAsNode,
  createCommands,
  createHttp,
  createJobs,
  createLeases,
  createLifecycle,
  createLogger,
  createMailer,
  createMetrics,
  createSealer,
  type Environment,
  type Jobs,
  type Kernel,
  type Leases,
  type Lifecycle,
  listenForCommands,
  openKernel,
  readConfig,
  refuseBusyPort,
  registerActivityRoutes,
  registerDoctor,
  registerLiveRoute,
  registerMetricsRoute,
  type Scope,
  StartError,
  showJobs,
  startUpkeep,
  stopOnSignals,
  stopWithParent,
} from './kernel/index.ts';
import {
  cancelMessagesOf,
  createMessages,
  park,
  registerMessageRoutes,
  registerParkingCommands,
  showMessages,
} from './messages/index.ts';
import { createReminders, endRemindersOf, registerReminderRoutes } from './reminders/index.ts';

export type Convoke = {
  /** Address of the web page and the API, `http://127.0.0.1:3000`. */
  url: string;
  kernel: Kernel;
  /** One-time link for the first user; only until that user has a password. */
  setupLink: string | undefined;
  /** Stops everything in order. Safe to call again. */
  stop(): Promise<void>;
};

type Extras = {
  /** Runs once the database is open and before the first start is prepared; the demo puts its users there. */
  seed?: (kernel: Kernel) => Promise<void>;
  /** Further kinds of channels, each declared before. */
  adapters?: Adapter[];
  /** The database is gone for good and everything has been stopped. */
  onFault?: (error: Error) => void;
};

/**
 * The whole program, started in order. Throws StartError with the remedy; then nothing is left running.
 */
export async function startConvoke(env: Environment, extras: Extras = {}): Promise<Convoke> {
  const config = readConfig(env);
  requireArgon2();
  await refuseBusyPort(config);
  const log = createLogger(config.logLevel);
  const life = createLifecycle(log);
  const onFault = (error: Error) => {
    log.fatal({ event: 'kernel.database_lost', err: error });
    void life.stop().then(() => extras.onFault?.(error));
  };
  try {
    const kernel = await openKernel(config, log, { onFault });
    life.add('database', () => kernel.database.close());
    await extras.seed?.(kernel);
    const first = await prepareFirstStart(kernel);
    const rooms = await startRooms(kernel, life, extras.adapters ?? []);
    const url = await openDoors(kernel, rooms, life);
    startJobs(kernel, rooms.jobs, life, config.publicUrl ?? url);
    const setupLink = first && `${config.publicUrl ?? url}/setup/${first.token}`;
    return { url, kernel, setupLink, stop: () => life.stop() };
  } catch (error) {
    await life.stop();
    throw error;
  }
}

/** Shown where somebody asks why nothing goes out. */
const CLOSED = 'This workspace was to be deleted.';

type Rooms = { leases: Leases; channels: RunningChannels; jobs: Jobs };

/** Plugs the rooms together from left to right. What is started first is stopped last. */
async function startRooms(kernel: Kernel, life: Lifecycle, more: Adapter[]): Promise<Rooms> {
  life.add('upkeep', startUpkeep(kernel, [purgeLogins]));
  const node = await appearAsNode(kernel);
  life.add('node', () => node.stop());
  life.add('wake', () => kernel.wake.stop());
  await kernel.wake.start();
  const leases = createLeases(kernel);
  life.add('leases', () => leases.stop());
  const sealer = createSealer(kernel, leases);
  life.add('sealer', () => sealer.stop());
  sealer.start();

  const channels = createChannels(kernel, { leases, adapters: [linkedAdapter(kernel), ...more] });
  const messages = createMessages(kernel, channels);
  const reminders = createReminders(kernel);
  channels.plug({ sink: messages.inboundSink, payloads: messages.outboundPayloads });
  life.add('channels', () => channels.stop());
  await channels.start();
  life.add('messages', () => messages.stop());
  messages.start();
  life.add('reminders', () => reminders.stop());
  reminders.start();
  life.add('place among the nodes', () => node.leave());
  return { leases, channels, jobs: createJobs(kernel) };
}

/** Opens the way in: the commands of the operator, then the web page and the API. Returns the address. */
async function openDoors(kernel: Kernel, { leases, channels }: Rooms, life: Lifecycle): Promise<string> {
  if (kernel.database.engine.kind === 'embedded') {
    const commands = createCommands();
    registerDoctor(commands, kernel);
    registerIdentityCommands(commands, kernel);
    registerStatusCommand(commands, kernel, leases);
    registerParkingCommands(commands, kernel);
    const socket = await listenForCommands(kernel.config.dataDir, commands, kernel.log);
    life.add('admin socket', () => socket.close());
  }
  const http = await createHttp(kernel, createGate(kernel), { maintenance: createMaintenance(kernel) });
  registerIdentityRoutes(http, kernel);
  const closing = (scope: Scope) => park(scope, { reason: CLOSED });
  registerWorkspaceRoutes(http, kernel, closing);
  registerAdminRoutes(http, kernel, closing);
  registerActivityRoutes(http, actorNames);
  registerKeyRoutes(http, channelsOfKeys);
  registerLiveRoute(http);
  registerChannelRoutes(http, async (tx, scope, channelId) => {
    await endRemindersOf(tx, scope, channelId);
    await cancelMessagesOf(tx, scope, channelId);
  });
  registerStatusRoute(http, kernel, leases);
  registerContactRoutes(http);
  registerMessageRoutes(http);
  registerReminderRoutes(http);
  if (kernel.config.metricsToken !== undefined) {
    const metrics = createMetrics(kernel.log);
    showJobs(metrics, kernel);
    showChannels(metrics, kernel, channels);
    showMessages(metrics, kernel, channels);
    registerMetricsRoute(http, metrics, kernel.config.metricsToken);
  }
  life.add('http', () => http.close());
  return http.listen();
}

/** Last of all, since jobs may want anything that runs; their links lead to `webUrl`. */
function startJobs(kernel: Kernel, jobs: Jobs, life: Lifecycle, webUrl: string): void {
  const mailer = createMailer(kernel);
  life.add('mailer', () => mailer.close());
  registerPeopleJobs(jobs, kernel, mailer, webUrl);
  registerInvitationJob(jobs, kernel, mailer, webUrl);
  registerPurgeJob(jobs, kernel, releaseChannels);
  life.add('jobs', () => jobs.stop());
  jobs.start();
}

function linkedAdapter({ config, log }: Kernel) {
  const { sandbox, whatsappUrl, whatsappRootKey, pacing } = config;
  const trust = { sandbox, socketUrl: whatsappUrl, rootKey: whatsappRootKey };
  const adapter = createLinkedAdapter({ ...trust, log, paced: pacing });
  declareKind(adapter.kind, adapter.capabilities);
  return adapter;
}

/** `npm start`: runs until a signal comes, and prints what a person needs to know. */
export async function runConvoke(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  try {
    const starting = startConvoke(process.env, { onFault: () => process.exit(1) });
    // A signal during the start is obeyed at its end, so that nothing is left half-made.
    stopOnSignals(async () => (await starting.catch(() => undefined))?.stop());
    if (process.env.npm_lifecycle_event !== undefined) stopWithParent();
    const convoke = await starting;
    if (convoke.setupLink) {
      console.log(`Choose a password for the user "admin" within 24 hours:\n  ${convoke.setupLink}`);
    }
    console.log(`Convoke is ready at ${convoke.url}`);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await runConvoke();
