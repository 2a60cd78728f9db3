import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEMO, startWhatsAppSimulator, type WhatsAppSimulator } from '../../../../sim/whatsapp/index.ts';

const OWNER = `+${DEMO.owner}`;
const BEN = `+${DEMO.ben}`;
const PROGRAM = fileURLToPath(new URL('./console.fixture.ts', import.meta.url));

type End = { printed: number; secrets: string[] };
type Said = { word: string; detail: unknown };

describe('what a process with a linked number prints', () => {
  let simulator: WhatsAppSimulator;
  let output = '';
  let end: End | undefined;

  beforeAll(async () => {
    simulator = await startWhatsAppSimulator();
    const args = [simulator.socketUrl, simulator.rootKey.toString('hex')];
    const child = fork(PROGRAM, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    child.on('message', (said: Said) => play(child, said));
    await new Promise(resolve => child.once('close', resolve));
  });
  afterAll(async () => simulator.close());

  function play(child: ChildProcess, { word, detail }: Said): void {
    if (word === 'scan') simulator.scan(OWNER, String(detail));
    if (word === 'inbound') {
      simulator.send(BEN, OWNER, 'one');
      simulator.send(BEN, DEMO.class3A, 'two');
    }
    if (word === 'damage') {
      simulator.setFaults({ number: OWNER, corrupt_inbound: 1 });
      simulator.send(BEN, OWNER, 'three');
    }
    if (word === 'end') end = detail as End;
    child.send(word === 'end' ? 'bye' : word);
  }

  it('holds no key, though the library tried to print some', () => {
    expect(output).toContain('a word of the product');
    expect(end?.printed).toBeGreaterThan(0);
    const secrets = end?.secrets ?? [];
    expect(secrets.length).toBeGreaterThan(10);
    const forms = secrets.flatMap(secret => {
      const bytes = Buffer.from(secret, 'base64');
      const spaced = (bytes.toString('hex').match(/../g) ?? []).slice(0, 20).join(' ');
      return [
        secret,
        bytes.toString('base64url'),
        bytes.toString('hex'),
        spaced,
        [...bytes.subarray(0, 20)].join(','),
      ];
    });
    expect(forms.filter(form => output.includes(form))).toEqual([]);
  });

  it('holds no record of a session, no text and no number either', () => {
    for (const word of [
      'privKey',
      'chainKey',
      'rootKey',
      'SessionEntry',
      '<Buffer',
      'before',
      '15550000002',
    ]) {
      expect(output).not.toContain(word);
    }
  });
});
