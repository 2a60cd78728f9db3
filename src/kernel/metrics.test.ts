import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';
import { createHttp, type Http } from './http/server.ts';
import type { Kernel } from './kernel.ts';
import { createMetrics, type Metrics, registerMetricsRoute } from './metrics.ts';

const silent = pino({ level: 'silent' });

async function linesOf(metrics: Metrics, name: string): Promise<string[]> {
  return (await metrics.read()).split('\n').filter(line => line.startsWith(name));
}

describe('metrics', () => {
  it('show what was told last, and forget what is gone', async () => {
    const metrics = createMetrics(silent);
    const gauge = metrics.gauge({ name: 'test_lag', help: 'Lag', labels: ['channel_id'] });
    let samples = [
      { labels: { channel_id: 'a' }, value: 1.5 },
      { labels: { channel_id: 'b' }, value: 2 },
    ];
    metrics.onRead(() => gauge.show(samples));
    expect(await linesOf(metrics, 'test_lag')).toEqual([
      'test_lag{channel_id="a"} 1.5',
      'test_lag{channel_id="b"} 2',
    ]);
    samples = [{ labels: { channel_id: 'b' }, value: 3 }];
    expect(await linesOf(metrics, 'test_lag')).toEqual(['test_lag{channel_id="b"} 3']);
    expect(await metrics.read()).toContain('process_resident_memory_bytes');
  });

  it('count as counters do', async () => {
    const metrics = createMetrics(silent);
    const counter = metrics.counter({ name: 'test_total', help: 'Total' });
    counter.show([{ value: 3 }]);
    counter.show([{ value: 5 }]);
    expect(await linesOf(metrics, 'test_total')).toEqual(['test_total 5']);
  });

  it('show the rest when some of it cannot be brought up to date', async () => {
    const metrics = createMetrics(silent);
    const gauge = metrics.gauge({ name: 'test_good', help: 'Good' });
    metrics.onRead(async () => {
      throw new Error('The database is away.');
    });
    metrics.onRead(() => gauge.show([{ value: 1 }]));
    expect(await linesOf(metrics, 'test_good')).toEqual(['test_good 1']);
  });

  it('are read once for all who ask at the same time', async () => {
    const metrics = createMetrics(silent);
    let reads = 0;
    metrics.onRead(async () => {
      reads += 1;
      await new Promise(resolve => setImmediate(resolve));
    });
    const texts = await Promise.all([metrics.read(), metrics.read(), metrics.read()]);
    expect([reads, new Set(texts).size]).toEqual([1, 1]);
    await metrics.read();
    expect(reads).toBe(2);
  });
});

describe('the page of metrics', () => {
  let http: Http;

  beforeAll(async () => {
    const kernel = {
      config: readConfig({}),
      log: silent,
      wake: { on: () => () => undefined },
    } as unknown as Kernel;
    const nobody = async () => {
      throw new Error('No route here asks the gate.');
    };
    http = await createHttp(kernel, { enter: nobody, user: nobody });
    registerMetricsRoute(http, createMetrics(silent), 'a-token-of-our-own');
    await http.app.ready();
  });
  afterAll(() => http.close());

  it.each([
    ['nothing', undefined],
    ['another token', 'Bearer another-token-of-ours'],
    ['the beginning of it', 'Bearer a-token-of-our'],
    ['another scheme', 'Basic a-token-of-our-own'],
  ])('stays closed to who brings %s', async (_what, authorization) => {
    const headers = authorization === undefined ? {} : { authorization };
    const answer = await http.app.inject({ url: '/metrics', headers });
    expect(answer.statusCode).toBe(401);
    expect(answer.body).not.toContain('process_');
  });

  it('opens to the token, as text', async () => {
    const headers = { authorization: 'Bearer a-token-of-our-own' };
    const answer = await http.app.inject({ url: '/metrics', headers });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.body).toContain('# TYPE process_cpu_seconds_total counter');
  });
});
