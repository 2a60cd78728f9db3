import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { StartError } from './errors.ts';

/** The first line of standard input; a person at a terminal is asked and types unseen. */
export async function readPassword(
  input: NodeJS.ReadableStream & { isTTY?: boolean } = process.stdin,
): Promise<string> {
  const terminal = input.isTTY === true;
  if (terminal) process.stderr.write('Password: ');
  const lines = createInterface({
    input,
    output: new Writable({ write: (_chunk, _encoding, done) => done() }),
    terminal,
  });
  try {
    for await (const line of lines) return line;
    throw new StartError('There was no password on standard input. Give it as the first line.');
  } finally {
    lines.close();
    if (terminal) process.stderr.write('\n');
  }
}
