import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createLifecycle } from './lifecycle.ts';

const silent = pino({ level: 'silent' });

describe('a lifecycle', () => {
  it('stops in the opposite order, once, whoever asks', async () => {
    const life = createLifecycle(silent);
    const stopped: string[] = [];
    for (const name of ['database', 'engines', 'http']) {
      life.add(name, async () => {
        await new Promise(resolve => setImmediate(resolve));
        stopped.push(name);
      });
    }
    await Promise.all([life.stop(), life.stop()]);
    await life.stop();
    expect(stopped).toEqual(['http', 'engines', 'database']);
  });

  it('goes on when one part fails', async () => {
    const life = createLifecycle(silent);
    let closed = false;
    life.add('database', () => {
      closed = true;
    });
    life.add('broken', () => {
      throw new Error('no');
    });
    life.add('also broken', () => Promise.reject(new Error('no')));
    await life.stop();
    expect(closed).toBe(true);
  });
});

describe('signals', () => {
  /** A program that says when it is ready and when it has stopped; `stop` is what it does about it. */
  function program(stop: string, patienceMs = 30_000, shell = false) {
    const module = fileURLToPath(new URL('./lifecycle.ts', import.meta.url));
    const source = `import { stopOnSignals, stopWithParent } from ${JSON.stringify(module)};
      stopOnSignals(${stop}, ${patienceMs});
      ${shell ? 'stopWithParent();' : ''}
      setInterval(() => {}, 1000);
      console.log('ready');`;
    const run = [process.execPath, '--input-type=module-typescript', '-e', source];
    const [command = '', ...words] = shell ? ['sh', '-c', '"$@"; exit', 'sh', ...run] : run;
    const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'ignore'] });
    const ready = new Promise<void>(resolve => child.stdout.once('data', () => resolve()));
    const exited = new Promise<{ code: number | null; said: string }>(resolve => {
      let said = '';
      child.stdout.on('data', chunk => {
        said += chunk;
      });
      child.once('close', code => resolve({ code, said }));
    });
    return { child, ready, exited };
  }

  it.each(['SIGTERM', 'SIGINT'] as const)('%s stops and exits with 0', async signal => {
    const { child, ready, exited } = program(`async () => { console.log('stopped'); }`);
    await ready;
    child.kill(signal);
    expect(await exited).toEqual({ code: 0, said: 'ready\nstopped\n' });
  });

  it('that come twice end it at once', async () => {
    const { child, ready, exited } = program(
      `() => { console.log('stopping'); return new Promise(() => {}); }`,
    );
    await ready;
    const stopping = new Promise(resolve => child.stdout.once('data', resolve));
    child.kill('SIGINT');
    await stopping;
    const again = setInterval(() => child.kill('SIGINT'), 50);
    expect(await exited).toMatchObject({ code: 1 });
    clearInterval(again);
  });

  it('that come twice in the same moment, as from npm, count as one', async () => {
    const { child, ready, exited } = program(
      `async () => { console.log('stopping'); await new Promise(resolve => setTimeout(resolve, 100)); }`,
    );
    await ready;
    const stopping = new Promise(resolve => child.stdout.once('data', resolve));
    child.kill('SIGINT');
    await stopping;
    child.kill('SIGINT');
    expect(await exited).toMatchObject({ code: 0 });
  });

  it('to npm end only its shell: the program notices that and stops', async () => {
    const { child, ready, exited } = program(`async () => { console.log('stopped'); }`, 30_000, true);
    await ready;
    child.kill('SIGTERM');
    expect(await exited).toMatchObject({ said: 'ready\nstopped\n' });
  });

  it('do not wait for ever', async () => {
    const { child, ready, exited } = program('() => new Promise(() => {})', 50);
    await ready;
    child.kill('SIGTERM');
    expect(await exited).toMatchObject({ code: 1 });
  });
});
