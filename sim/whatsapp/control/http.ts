import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { Refusal } from '../world/refusal.ts';

export type Request = {
  /** Decoded values of the route's `:names`. */
  params: Record<string, string>;
  query: URLSearchParams;
  body: unknown;
};
export type Route = { method: string; path: string; handle: (request: Request) => unknown };

const MAX_BODY_BYTES = 1024 * 1024;

/** Finds the route; undefined when no path fits, 'method' when only the method does not. */
export function match(routes: Route[], method: string, pathname: string) {
  let pathFits = false;
  for (const route of routes) {
    const params = paramsOf(route.path, pathname);
    if (!params) continue;
    if (route.method === method) return { route, params };
    pathFits = true;
  }
  return pathFits ? 'method' : undefined;
}

/** Runs a handler and answers with JSON; refusals become problem details, anything else is a bug of the simulator. */
export async function respond(response: ServerResponse, work: () => unknown): Promise<void> {
  try {
    json(response, 200, await work());
  } catch (error) {
    const status = error instanceof Refusal ? error.status : 500;
    const detail = error instanceof Error ? error.message : String(error);
    json(response, status, { status, detail });
  }
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return;
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body ?? {}));
}

export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk as Buffer);
    size += bytes.length;
    if (size > MAX_BODY_BYTES) throw new Refusal(413, 'The body is larger than 1 MiB.');
    chunks.push(bytes);
  }
  const text = Buffer.concat(chunks).toString();
  if (text.length === 0) return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, 'The body is not JSON.');
  }
}

/** Checks a body against its shape; names the wrong field. */
export function shaped<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new Refusal(400, z.prettifyError(parsed.error));
  return parsed.data;
}

function paramsOf(path: string, pathname: string): Record<string, string> | undefined {
  const wanted = path.split('/');
  const given = pathname.split('/');
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? '';
    if (part.startsWith(':')) params[part.slice(1)] = decodeURIComponent(value);
    else if (part !== value) return undefined;
  }
  return params;
}
