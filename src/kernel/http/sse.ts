import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { factsOf } from './request-facts.ts';

export type StreamEvent = { id?: string; event?: string; data: unknown };

/** One open stream of server-sent events. */
export type Stream = {
  /** False once the stream is over; a reader that does not keep up is cut off and comes back by itself. */
  send(event: StreamEvent): boolean;
  /** Called once, however the stream ends. */
  onClose(callback: () => void): void;
  close(): void;
};

const HEARTBEAT_MS = 15_000;
const RECHECK_EVERY = 4;
const UNREAD_LIMIT = 1_048_576;

type Waiting = { reply: FastifyReply; streams: Streams; recheck: () => Promise<unknown> };

type Listener = Pick<Waiting, 'recheck'> & { callerId: string | undefined };

const waiting = new WeakMap<FastifyRequest, Waiting>();

/** The streams of one server, ended together at its stop. */
export class Streams {
  readonly heartbeatMs: number;
  readonly #open = new Map<Stream, Listener>();

  constructor(heartbeatMs = HEARTBEAT_MS) {
    this.heartbeatMs = heartbeatMs;
  }

  /** Makes `openStream` possible for this request. `recheck` rejects once the caller may no longer listen. */
  expect(request: FastifyRequest, reply: FastifyReply, recheck: () => Promise<unknown>): void {
    waiting.set(request, { reply, streams: this, recheck });
  }

  add(stream: Stream, listener: Listener): void {
    this.#open.set(stream, listener);
    stream.onClose(() => this.#open.delete(stream));
  }

  /** Ends those whose listener may no longer listen, among the streams of one caller or, with an empty id, among all. */
  recheck(callerId: string): void {
    for (const [stream, listener] of [...this.#open]) {
      if (callerId === '' || listener.callerId === callerId) listener.recheck().catch(stream.close);
    }
  }

  closeAll(): void {
    for (const stream of [...this.#open.keys()]) stream.close();
  }
}

/**
 * Turns the answer of a route with `stream: true` into server-sent events. The connection is kept alive
 * by a comment every 15 s, and ended when the caller's login ends or the server stops. Whoever ends a login says so on
 * the topic `gate`; who was not heard is found after a minute.
 */
export function openStream(request: FastifyRequest): Stream {
  const found = waiting.get(request);
  if (!found) throw new Error('openStream works once, inside a route with `stream: true`.');
  waiting.delete(request);
  const { reply, streams, recheck } = found;
  reply.hijack();
  const headers = { ...reply.getHeaders(), ...STREAM_HEADERS } as Record<string, string>;
  reply.raw.writeHead(200, headers);
  const stream = streamOver(reply.raw, recheck, streams.heartbeatMs);
  const actor = factsOf(request).scope?.actor;
  streams.add(stream, { recheck, callerId: actor && 'id' in actor ? actor.id : undefined });
  return stream;
}

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
};

function streamOver(out: ServerResponse, recheck: () => Promise<unknown>, heartbeatMs: number): Stream {
  let open = true;
  let beats = 0;
  const callbacks: (() => void)[] = [];
  const end = () => {
    if (!open) return;
    open = false;
    clearInterval(heart);
    for (const callback of callbacks) callback();
  };
  const close = () => {
    end();
    out.end();
  };
  const write = (text: string): boolean => {
    if (!open) return false;
    out.write(text);
    if (out.writableLength > UNREAD_LIMIT) out.destroy();
    return open && !out.destroyed;
  };
  const heart = setInterval(() => {
    write(': beat\n\n');
    if (++beats % RECHECK_EVERY === 0) recheck().catch(close);
  }, heartbeatMs);
  heart.unref();
  out.on('close', end);
  out.on('error', end);
  // Whoever has gone already is not told of again.
  if (out.destroyed) end();
  write('retry: 2000\n\n');
  return {
    send: event => write(framed(event)),
    onClose: callback => {
      if (open) callbacks.push(callback);
      else callback();
    },
    close,
  };
}

/** JSON has no raw line breaks, so one `data` line is enough. */
function framed({ id, event, data }: StreamEvent): string {
  const lines = [id === undefined ? [] : `id: ${id}`, event === undefined ? [] : `event: ${event}`].flat();
  return `${[...lines, `data: ${JSON.stringify(data)}`].join('\n')}\n\n`;
}
