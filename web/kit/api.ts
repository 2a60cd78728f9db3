import { noteServerDate } from './clock.ts';

type FieldFault = { path: string; detail: string };

/** An answer that is no success, in the words of RFC 9457, or a request that got no answer at all. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | undefined;
  readonly fields: FieldFault[];

  constructor(status: number, code: string, detail: string, requestId?: string, fields: FieldFault[] = []) {
    super(detail);
    this.name = 'Problem';
    this.status = status;
    this.code = code;
    this.requestId = requestId;
    this.fields = fields;
  }

  /** What is wrong with the field, if the answer named it. */
  of(path: string): string | undefined {
    return this.fields.find(field => field.path === path || field.path.startsWith(`${path}.`))?.detail;
  }
}

export type Page<T> = { data: T[]; page: { next_cursor: string | null } };
export type Query = Record<string, string | number | undefined>;

type Options = {
  body?: unknown;
  query?: Query | undefined;
  workspace?: string;
  /** Idempotency-Key of a POST that creates. */
  key?: string;
  /** The version that the change builds on. */
  version?: number | undefined;
  signal?: AbortSignal | undefined;
};

/** `T` is what the schema of the route promises; the server validates its own answers. Throws `Problem`. */
export async function request<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const response = await send(method, path, options);
  noteServerDate(response.headers.get('date'));
  if (!response.ok) throw await problemOf(response);
  const body = await response.text();
  return (body === '' ? undefined : JSON.parse(body)) as T;
}

export type Api = {
  get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T>;
  /** Reads page after page, at most `limit` rows. */
  all<T>(path: string, query?: Query, limit?: number): Promise<T[]>;
  post<T>(path: string, body?: unknown, key?: string): Promise<T>;
  patch<T>(path: string, body: unknown, version?: number): Promise<T>;
  remove(path: string): Promise<void>;
};

/** The API of one workspace. */
export function apiOf(workspace: string): Api {
  const get: Api['get'] = (path, query, signal) => request('GET', path, { workspace, query, signal });
  return {
    get,
    all: (path, query, limit = 1000) => readAll(cursor => get(path, { ...query, limit: 200, cursor }), limit),
    post: (path, body, key) => request('POST', path, { workspace, body, ...(key ? { key } : {}) }),
    patch: (path, body, version) => request('PATCH', path, { workspace, body, version }),
    remove: path => request('DELETE', path, { workspace }),
  };
}

async function readAll<T>(
  read: (cursor: string | undefined) => Promise<Page<T>>,
  limit: number,
): Promise<T[]> {
  const rows: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await read(cursor);
    rows.push(...page.data);
    cursor = page.page.next_cursor ?? undefined;
  } while (cursor !== undefined && rows.length < limit);
  return rows;
}

async function send(method: string, path: string, options: Options): Promise<Response> {
  const headers = new Headers({ accept: 'application/json' });
  if (options.workspace !== undefined) headers.set('convoke-workspace', options.workspace);
  if (options.key !== undefined) headers.set('idempotency-key', options.key);
  if (options.version !== undefined) headers.set('if-match', `"${options.version}"`);
  if (options.body !== undefined) headers.set('content-type', 'application/json');
  try {
    return await fetch(`${path}${queryOf(options.query)}`, {
      method,
      headers,
      credentials: 'same-origin',
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: options.signal ?? null,
    });
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw new Problem(0, 'unreachable', 'Convoke does not answer. Check your connection; nothing was lost.');
  }
}

async function problemOf(response: Response): Promise<Problem> {
  const requestId = response.headers.get('x-request-id') ?? undefined;
  const body: unknown = await response.json().catch(() => undefined);
  if (typeof body !== 'object' || body === null || !('code' in body)) {
    return new Problem(response.status, 'unexpected', 'Convoke could not answer just now.', requestId);
  }
  const said = body as { code: string; detail?: string; request_id?: string; errors?: FieldFault[] };
  const detail = said.detail ?? 'Convoke could not do this.';
  return new Problem(response.status, said.code, detail, said.request_id ?? requestId, said.errors);
}

function queryOf(query: Query | undefined): string {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs)}`;
}
