import { startWhatsAppSimulator } from './index.ts';
import { silenceConsole } from './phones/quiet.ts';

/** The simulator as its own process: prints one JSON line when ready (and sends it to a parent), runs until SIGTERM. */
silenceConsole();

const port = Number(process.env.CONVOKE_SIMULATOR_PORT ?? '0');
const seed = Number(process.env.CONVOKE_SIMULATOR_SEED ?? '1');
const stateFile = process.env.CONVOKE_SIMULATOR_STATE;
const simulator = await startWhatsAppSimulator({ port, seed, ...(stateFile ? { stateFile } : {}) }).catch(
  (error: NodeJS.ErrnoException) => {
    const busy = `Port ${port} on 127.0.0.1 is in use by another program. Stop that one, or set CONVOKE_SIMULATOR_PORT to another port (0 takes a free one).`;
    process.stderr.write(`${error.code === 'EADDRINUSE' ? busy : error.message}\n`);
    process.exit(1);
  },
);
const ready = {
  url: simulator.controlUrl,
  socket_url: simulator.socketUrl,
  root_key: simulator.rootKey.toString('hex'),
};
process.stdout.write(`${JSON.stringify(ready)}\n`);
process.send?.(ready);

let stopping = false;
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await simulator.close();
  process.exit(0);
}
process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => void stop());
// A parent that has gone needs no simulator any more.
process.on('disconnect', () => void stop());
