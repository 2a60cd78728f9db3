import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export type Simulators = {
  whatsapp: { url: string; socketUrl: string; rootKey: string };
  stop(): Promise<void>;
};

/**
 * Starts the simulators of the outside world, each as a process of its own, and waits until they are
 * ready. `stateFile` keeps the virtual phones over a restart of the demo.
 */
export async function startSimulators(options: { port: number; stateFile?: string }): Promise<Simulators> {
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
