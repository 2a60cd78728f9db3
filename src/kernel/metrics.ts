import type { Logger } from 'pino';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { z } from 'zod';
import { AppError } from './errors.ts';
import type { Routes } from './http/route.ts';
import { sameSecret } from './same-secret.ts';

/** One number with its labels. A label has few values; of ids only those of channels are allowed. */
export type Sample = { labels?: Record<string, string>; value: number };

type Shown = {
  /** All its samples; those of the last time are forgotten. */
  show(samples: Sample[]): void;
};

type Spec = { name: string; help: string; labels?: string[] };

/** What the program tells Prometheus. Rooms declare what they show and bring it up to date for each reading. */
export type Metrics = {
  gauge(spec: Spec): Shown;
  /** For numbers that only grow while the program runs, as they are now. */
  counter(spec: Spec): Shown;
  /** Called before each reading, within about two seconds. What fails is left as it was. */
  onRead(refresh: () => Promise<void> | void): void;
  /** All of it as text. Readers at the same time share one reading. */
  read(): Promise<string>;
};

const REFRESH_MS = 2_000;

export function createMetrics(log: Logger): Metrics {
  const registry = new Registry();
  const refreshes: (() => Promise<void> | void)[] = [];
  let reading: Promise<string> | undefined;
  const refresh = async (one: () => Promise<void> | void) => {
    try {
      await inTime(Promise.resolve(one()));
    } catch (error) {
      log.warn({ event: 'kernel.metrics', err: error });
    }
  };
  const readAll = async () => {
    await Promise.all(refreshes.map(refresh));
    return registry.metrics();
  };
  collectDefaultMetrics({ register: registry });
  return {
    gauge: spec => {
      const gauge = new Gauge({ ...optionsOf(spec), registers: [registry] });
      return {
        show: samples => {
          gauge.reset();
          for (const { labels, value } of samples) gauge.set(labels ?? {}, value);
        },
      };
    },
    counter: spec => {
      const counter = new Counter({ ...optionsOf(spec), registers: [registry] });
      return {
        show: samples => {
          counter.reset();
          for (const { labels, value } of samples) counter.inc(labels ?? {}, value);
        },
      };
    },
    onRead: one => void refreshes.push(one),
    read: () => {
      reading ??= readAll().finally(() => {
        reading = undefined;
      });
      return reading;
    },
  };
}

/** `GET /metrics` for whoever knows the token; to anybody else it says no more than that. */
export function registerMetricsRoute(routes: Routes, metrics: Metrics, token: string): void {
  routes.open({
    method: 'GET',
    url: '/metrics',
    permission: 'public',
    summary: 'How this node fares, in the text format of Prometheus',
    tag: 'health',
    answers: { 200: z.string() },
    handler: async ({ request }) => {
      if (!knows(request.headers.authorization, token)) {
        throw new AppError(
          'unauthenticated',
          'Send the token that the operator has put into CONVOKE_METRICS_TOKEN: Authorization: Bearer <token>.',
        );
      }
      const headers = {
        'content-type': 'text/plain; version=0.0.4; charset=utf-8',
        'cache-control': 'no-store',
      };
      return { body: await metrics.read(), headers };
    },
  });
}

function optionsOf({ name, help, labels }: Spec) {
  return { name, help, labelNames: labels ?? [] };
}

function knows(header: string | undefined, token: string): boolean {
  const given = /^Bearer (.+)$/i.exec(header ?? '')?.[1] ?? '';
  return sameSecret(given, token);
}

async function inTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('It took too long to bring them up to date.')), REFRESH_MS);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
