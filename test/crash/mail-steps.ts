import { Socket } from 'node:net';
import { step } from './steps.ts';

const END_OF_TEXT = /(?:^|\r\n)\.\r\n$/;

/** Makes each write to the mail server a pair of steps: before it, and when the operating system has all of it. */
export function watchMail(smtpUrl: string | undefined): void {
  if (smtpUrl === undefined) return;
  const port = Number(new URL(smtpUrl).port);
  const { write } = Socket.prototype;
  const watched = function (this: Socket, chunk: Uint8Array | string, ...more: unknown[]): boolean {
    const given = more.filter(one => typeof one !== 'function');
    const done = more.find(one => typeof one === 'function') as ((error?: Error | null) => void) | undefined;
    if (this.remotePort !== port) return write.apply(this, [chunk, ...more] as Parameters<typeof write>);
    const kind = kindOf(chunk);
    step(`smtp ${kind} before`);
    const after = (error?: Error | null) => {
      if (!error) step(`smtp ${kind} after`);
      done?.(error);
    };
    return write.apply(this, [chunk, ...given, after] as unknown as Parameters<typeof write>);
  };
  Object.assign(Socket.prototype, { write: watched });
}

function kindOf(chunk: Uint8Array | string): string {
  const text = Buffer.from(chunk as Uint8Array).toString('latin1');
  const [, verb] = /^(EHLO|HELO|MAIL|RCPT|DATA|QUIT)\b/.exec(text) ?? [];
  return verb ?? (END_OF_TEXT.test(text) ? 'end of text' : 'text');
}
