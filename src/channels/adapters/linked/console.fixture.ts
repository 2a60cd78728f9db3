import { pino } from 'pino';
import { Linked, until } from './linked.fixture.ts';
import { readCredentials } from './store.ts';

/**
 * For tests only, as a process of its own: pairs, sends, receives and fails, and tells its parent at the end which
 * secrets it knew and how often a library tried to print. Only what is written to the console reaches its output.
 */
const [socketUrl = '', rootKey = ''] = process.argv.slice(2);

const ask = (word: string, detail: unknown = undefined) => process.send?.({ word, detail });
const answered = (word: string) =>
  new Promise<void>(resolve => {
    const listen = (message: unknown) => {
      if (message !== word) return;
      process.off('message', listen);
      resolve();
    };
    process.on('message', listen);
  });

const server = { socketUrl, rootKey: Buffer.from(rootKey, 'hex'), scan: (_: string, qr: string) => scan(qr) };
const linked = new Linked(server, { log: pino({ level: 'trace' }) });

let printed = 0;
for (const method of ['log', 'info', 'warn', 'error'] as const) {
  const guarded = console[method];
  console[method] = (...words: unknown[]) => {
    printed += 1;
    guarded(...words);
  };
}

await linked.pair(server, '+15550000001');
await linked.connect();
const toBen = (text: string) => linked.send(linked.wire({ kind: 'phone', phone: '+15550000002' }, text));
await toBen('before');
await request('inbound');
await until(() => linked.texts().length >= 2);
await request('damage');
await until(
  () => linked.messages().some(({ kind }) => kind === 'undecryptable') && linked.texts().length >= 3,
);
linked.store.refuses = true;
await toBen('refused');
linked.store.refuses = false;
await linked.connection?.close('release');
await linked.connect();
await toBen('after');
console.log('a word of the product');
ask('end', { printed: printed - 1, secrets: secrets() });
await answered('bye');
process.exit(0);

function scan(qr: string): number {
  ask('scan', qr);
  return 0;
}

async function request(word: string): Promise<void> {
  ask(word);
  await answered(word);
}

/** Every private or symmetric key that is stored, as base64. */
function secrets(): string[] {
  const found: string[] = [];
  const collect = (value: unknown, name: string): void => {
    if (typeof value === 'string' && /priv|secret|root|chain|key|seed/i.test(name) && value.length >= 40)
      found.push(value);
    if (typeof value !== 'object' || value === null) return;
    if (value instanceof Uint8Array) {
      if (/priv|secret|root|chain|seed/i.test(name)) found.push(Buffer.from(value).toString('base64'));
      return;
    }
    for (const [key, inner] of Object.entries(value)) collect(inner, `${name}.${key}`);
  };
  if (linked.store.credentials) collect(readCredentials(linked.store.credentials), '');
  for (const [name, value] of linked.store.keys) {
    if (name.startsWith('session')) collect(JSON.parse(Buffer.from(value).toString()), 'session');
  }
  return found;
}
