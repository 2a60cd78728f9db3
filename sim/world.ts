import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startMailCatcher } from './mail/index.ts';

export type Simulators = {
  whatsapp: { url: string; socketUrl: string; rootKey: string };
  mail: { url: string; smtpUrl: string };
  stop(): Promise<void>;
};

/**
 * Starts the simulators of the outside world and waits until they are ready: that of WhatsApp as a process of its own,
 * the mail catcher here, its page on the next port. `stateFile` keeps the virtual phones over a restart of the demo.
 */
export async function startSimulators(options: { port: number; stateFile?: string }): Promise<Simulators> {
  const whatsapp = await startWhatsApp(options);
  try {
    const mail = await startMailCatcher({ port: options.port === 0 ? 0 : options.port + 1 });
    return {
      whatsapp: whatsapp.whatsapp,
      mail,
      stop: async () => {
        await mail.close();
        await whatsapp.stop();
      },
    };
  } catch (error) {
    await whatsapp.stop();
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE') throw error;
    throw new Error(
      `Port ${options.port + 1} on 127.0.0.1, where the demo shows its mails, is in use by another program. Stop that one, or set CONVOKE_SIMULATOR_PORT to another port (0 takes free ones).`,
    );
  }
}

async function startWhatsApp(options: {
  port: number;
  stateFile?: string;
}): Promise<Omit<Simulators, 'mail'>> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./whatsapp/main.ts', import.meta.url))], {
    env: {
      ...process.env,
      CONVOKE_SIMULATOR_PORT: String(options.port),
      ...(options.stateFile === undefined ? {} : { CONVOKE_SIMULATOR_STATE: options.stateFile }),
    },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const out = child.stdout;
  if (!out) throw new Error('The simulator has no output to read.');
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()));
  const ready = await new Promise<{ url: string; socket_url: string; root_key: string }>(
    (resolve, reject) => {
      child.once('error', reject);
      child.once('exit', code =>
        reject(new Error(`The WhatsApp simulator could not start (exit code ${code}).`)),
      );
      createInterface({ input: out }).once('line', line => resolve(JSON.parse(line)));
    },
  );
  return {
    whatsapp: { url: ready.url, socketUrl: ready.socket_url, rootKey: ready.root_key },
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
