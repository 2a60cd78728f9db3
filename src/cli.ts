#!/usr/bin/env node
import './kernel/require-node.ts';
import { existsSync } from 'node:fs';
import { Argument, Command, Option } from 'commander';
import { registerStatusCommand } from './channels/index.ts';
import { registerIdentityCommands } from './identity/index.ts';
import {
  AppError,
  askRunning,
  createCommands,
  createLogger,
  hasDatabase,
  openKernel,
  readConfig,
  readPassword,
  registerDoctor,
  StartError,
  VERSION,
} from './kernel/index.ts';
import { runConvoke } from './main.ts';
import { registerParkingCommands } from './messages/index.ts';

/** For commands that walk through everything that there is. */
const HOURS_MS = 6 * 3_600_000;

const program = new Command('convoke').description('Convoke calls people together.').version(VERSION);

program.command('start').description('start the server, as npm start does').action(runConvoke);

program
  .command('set-password')
  .argument('<username>')
  .description('give a user a new password, read from standard input, and end all logins of that user')
  .action(async (username: string) => run('set-password', { username, password: await readPassword() }));

program
  .command('create-user')
  .argument('<username>')
  .addOption(
    new Option('--role <role>', 'what the user may do')
      .choices(['owner', 'admin', 'agent', 'host', 'door_staff', 'viewer'])
      .default('admin'),
  )
  .option('--workspace <name>', 'short name of the workspace; may be left out when there is only one')
  .description('create a user with a password read from standard input')
  .action(async (username: string, options: { role: string; workspace?: string }) =>
    run('create-user', { username, password: await readPassword(), ...options }),
  );

program
  .command('list-users')
  .option('--search <part>', 'part of a username, e-mail address or name')
  .description('show the users of this installation, newest first')
  .action((options: object) => run('list-users', options));

program
  .command('promote')
  .argument('<user>', 'username or e-mail address')
  .description('let a user run this installation, with the console at /admin')
  .action((user: string) => run('promote', { user }));

program
  .command('demote')
  .argument('<user>', 'username or e-mail address')
  .description('take that back; the last admin stays one')
  .action((user: string) => run('demote', { user }));

program
  .command('revoke-logins')
  .argument('[user]', 'username or e-mail address; without one, everybody')
  .description('end all logins of a user, or every login and API key of the whole installation')
  .action((user?: string) => run('revoke-logins', { user }));

program
  .command('maintenance')
  .addArgument(new Argument('<mode>').choices(['on', 'off']))
  .option('--note <text>', 'what people read meanwhile')
  .description('answer what would change something with 503 until it is off again')
  .action((mode: string, options: object) => run('maintenance', { mode, ...options }));

program
  .command('sign-up')
  .addArgument(new Argument('<mode>', 'who may make an account').choices(['open', 'invitation', 'closed']))
  .description('decide who may make an account')
  .action((mode: string) => run('sign-up', { mode }));

program
  .command('doctor')
  .description('show what this installation stands on')
  .action(() => run('doctor', {}));

program
  .command('status')
  .description('show the nodes, what each of them drives, and what waits')
  .action(() => run('status', {}));

program
  .command('park')
  .requiredOption('--reason <text>', 'why; everybody who uses this Convoke can read it')
  .description('take and keep all messages, and send none, until `arm`')
  .action((options: { reason: string }) => run('park', options));

program
  .command('arm')
  .addOption(
    new Option('--overdue <what>', 'what becomes of messages that are later than planned').choices([
      'send',
      'miss',
    ]),
  )
  .description('send again what `park` kept back')
  .action((options: { overdue?: string }) => run('arm', options));

const activity = program.command('activity').description('look after the record of what happened');

activity
  .command('verify')
  .option('--workspace <name>', 'only this workspace, by its short name')
  .option('--installation', 'only the facts of the whole installation')
  .option(
    '--since-head <seq:hash>',
    'a head that was printed before and kept elsewhere: nothing up to it may have changed since',
  )
  .description('find facts that were changed, deleted or cut off, and print the heads of the chains')
  .action((options: object) => run('activity verify', options, HOURS_MS));

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof StartError) && !(error instanceof AppError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

/** Has the running server do it; without one, opens the database for a moment. */
async function run(name: string, input: unknown, withinMs?: number): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const config = readConfig(process.env);
  const answer =
    config.databaseUrl === undefined ? await askRunning(config.dataDir, name, input, withinMs) : undefined;
  if (answer?.ok === false) throw new StartError(answer.error);
  console.log(answer ? answer.said : await runHere(config, name, input));
}

async function runHere(config: ReturnType<typeof readConfig>, name: string, input: unknown): Promise<string> {
  if (!hasDatabase(config)) {
    throw new StartError(
      `There is no database in ${config.dataDir} yet. Start Convoke once with npm start, or name another folder with CONVOKE_DATA_DIR.`,
    );
  }
  const kernel = await openKernel(config, createLogger('warn'), {
    onFault: error => {
      console.error(error.message);
      process.exit(1);
    },
  });
  try {
    const commands = createCommands();
    registerDoctor(commands, kernel);
    registerIdentityCommands(commands, kernel);
    registerStatusCommand(commands, kernel);
    registerParkingCommands(commands, kernel);
    return await commands.run(name, input);
  } finally {
    // Nodes that run hear of it at once.
    await kernel.wake.stop();
    await kernel.database.close();
  }
}
