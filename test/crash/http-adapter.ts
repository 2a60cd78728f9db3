import {
  type Adapter,
  type Capabilities,
  declareKind,
  type SendOutcome,
  type Wire,
} from '../../src/channels/index.ts';
import { newId } from '../../src/kernel/index.ts';
import { step } from './steps.ts';

export const HTTP_KIND = 'scripted_http';

/** A provider that gives its own ids and knows nothing of ours: what got no answer may or may not have arrived. */
const capabilities: Capabilities = {
  content: ['text'],
  textLimit: 4_096,
  groups: false,
  pairing: [],
  providerId: 'theirs',
  answerMeans: 'accepted',
  transport: 'http',
};

/** The real contract over HTTP to the far end of a test. Its requests are steps. */
export function httpAdapter(farEnd: string): Adapter {
  declareKind(HTTP_KIND, capabilities);
  return {
    kind: HTTP_KIND,
    capabilities,
    connect(_store, sink) {
      const begin = async () => {
        sink.state({
          status: 'connected',
          phone: '+15550009999',
          account: 'scripted',
          profileName: undefined,
        });
        await sink.caughtUp();
      };
      setImmediate(() => void begin());
      return { send: wire => post(farEnd, wire), close: async () => undefined };
    },
    linkedAccount: async () => undefined,
    newProviderId: newId,
    address: target => (target.kind === 'phone' ? target.phone : target.providerId),
    encode: content => Buffer.from(content.text.body),
    parse: raw => [{ kind: 'unrecognised', key: raw.key }],
  };
}

async function post(farEnd: string, wire: Wire): Promise<SendOutcome> {
  step('http request before');
  try {
    const response = await fetch(farEnd, {
      method: 'POST',
      body: JSON.stringify({ to: wire.to, text: Buffer.from(wire.payload).toString() }),
    });
    step('http answer before');
    const { id } = (await response.json()) as { id: string };
    step('http answer after');
    return { outcome: 'accepted', at: new Date(), providerId: id };
  } catch {
    return { outcome: 'unknown', cause: 'connection_lost' };
  }
}
