import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';
import {
  type Adapter,
  type Connection,
  declareKind,
  type SendOutcome,
  type Wire,
} from '../src/channels/index.ts';
import { newId } from '../src/kernel/index.ts';
import type { Provider } from '../test/harness/scripted-adapter.ts';

export const KIND = 'bench_http';

export const IN_FLIGHT = 64;

export type FarEnd = {
  /** One POST as the provider wants it; its answer read and parsed. */
  post(ref: string, to: string, body: Uint8Array): Promise<string>;
  ledger(): Promise<{ posts: number; distinct: number }>;
  clear(): Promise<void>;
  close(): Promise<void>;
};

/** Starts the provider and one pool of connections to it, which all contenders share. */
export async function startFarEnd(): Promise<FarEnd> {
  const child = fork(fileURLToPath(new URL('far-end.ts', import.meta.url)), { stdio: 'inherit' });
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (said: { port: number }) => resolve(said.port));
    child.once('exit', () => reject(new Error('The far end did not start.')));
  });
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: IN_FLIGHT, pipelining: 1 });
  const ask = async (method: 'GET' | 'DELETE') => {
    const { body } = await pool.request({ path: '/ledger', method });
    return (await body.json()) as { posts: number; distinct: number };
  };
  return {
    post: async (ref, to, text) => {
      const { statusCode, body } = await pool.request({
        path: '/messages',
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ref, to, type: 'text', text: { body: Buffer.from(text).toString() } }),
      });
      const answer = (await body.json()) as { messages: { id: string }[] };
      if (statusCode !== 200 || !answer.messages[0]) throw new Error(`The far end answered ${statusCode}.`);
      return answer.messages[0].id;
    },
    ledger: () => ask('GET'),
    clear: async () => {
      await ask('DELETE');
    },
    close: async () => {
      await pool.close();
      child.disconnect();
    },
  };
}

/** An adapter over the far end: the real contract, the least of a provider. */
export function httpProvider(farEnd: FarEnd): Provider & { accepted(messages: number): Promise<void> } {
  let count = 0;
  const capabilities = {
    content: ['text'],
    textLimit: 4_096,
    groups: false,
    pairing: [],
    providerId: 'ours',
    answerMeans: 'accepted',
    transport: 'http',
  } as const;
  declareKind(KIND, capabilities);
  const connection: Connection = {
    send: async wire => {
      const outcome = await send(farEnd, wire);
      if (outcome.outcome === 'accepted') count += 1;
      return outcome;
    },
    close: async () => undefined,
  };
  const adapter: Adapter = {
    kind: KIND,
    capabilities,
    connect: () => connection,
    linkedAccount: async () => undefined,
    newProviderId: newId,
    address: target => (target.kind === 'phone' ? target.phone : target.providerId),
    encode: content => Buffer.from(content.text.body),
    parse: raw => [{ kind: 'unrecognised', key: raw.key }],
  };
  return {
    adapter,
    connectionOf: () => connection,
    accepted: async messages => {
      while (count < messages) await new Promise(resolve => setTimeout(resolve, 10));
    },
  };
}

async function send(farEnd: FarEnd, wire: Wire): Promise<SendOutcome> {
  try {
    await farEnd.post(wire.providerId, wire.to, wire.payload);
    return { outcome: 'accepted', at: new Date(), providerId: wire.providerId };
  } catch (error) {
    return { outcome: 'unknown', cause: (error as Error).message };
  }
}
