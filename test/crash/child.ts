import { writeFileSync } from 'node:fs';
import { sql } from 'kysely';
import { stopOnSignals } from '../../src/kernel/index.ts';
import { type Convoke, startConvoke } from '../../src/main.ts';
import { watchDatabase } from './database-steps.ts';
import { httpAdapter } from './http-adapter.ts';
import { watchMail } from './mail-steps.ts';
import { passedSteps, watchSteps } from './steps.ts';
import { watchWire } from './wire-steps.ts';

/** What the test asks of this process, beside what it asks of the program in it. */
export type Order =
  | { order: 'watch'; target?: { step: string; times: number } }
  | { order: 'passed' }
  /** A statement through the engine's door. */
  | { order: 'rows'; text: string };

export type Reply = { id: number; value?: unknown; fault?: string };

/**
 * The real program in a process that can be told to kill itself at a step. CRASH_AT arms it from the start:
 * `<times> <step>`. An orderly end leaves what it has passed in the file CRASH_PASSED. CRASH_FAR_END brings a
 * channel whose provider is there.
 */
watchDatabase();
watchWire();
watchMail(process.env.CONVOKE_SMTP_URL);
const [times, ...words] = (process.env.CRASH_AT ?? '').split(' ');
watchSteps(words.length > 0 ? { step: words.join(' '), times: Number(times) } : undefined);
const { CRASH_AT: _at, CRASH_PASSED: passedFile, CRASH_FAR_END: farEnd, ...env } = process.env;
if (passedFile !== undefined) {
  process.once('exit', () => writeFileSync(passedFile, JSON.stringify(passedSteps())));
}

const starting = startConvoke(env, {
  onFault: () => process.exit(1),
  ...(farEnd === undefined ? {} : { adapters: [httpAdapter(farEnd)] }),
});
stopOnSignals(async () => (await starting.catch(() => undefined))?.stop());
const convoke = await starting;
process.on('message', ({ id, ...order }: Order & { id: number }) => {
  obey(convoke, order).then(
    value => process.send?.({ id, value } satisfies Reply),
    error => process.send?.({ id, fault: String(error) } satisfies Reply),
  );
});
process.once('disconnect', () => process.exit(1));
process.send?.({ url: convoke.url, setupLink: convoke.setupLink });

async function obey({ kernel }: Convoke, order: Order): Promise<unknown> {
  if (order.order === 'watch') return watchSteps(order.target);
  if (order.order === 'passed') return passedSteps();
  const statement = sql.raw(order.text);
  return (await kernel.database.inEngine('test.rows', tx => statement.execute(tx))).rows;
}
