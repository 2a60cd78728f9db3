/** What a statement gave back. `affected` counts changed rows, or returned ones for a query. */
export type Answer = { rows: Record<string, unknown>[]; affected: number };

/** One connection, used by one transaction at a time. */
export type EngineConnection = {
  /**
   * With a `name`, which must stand for this very text, the connection keeps the statement and its plan, where
   * the engine can.
   */
  query(text: string, params: readonly unknown[], name?: string): Promise<Answer>;
  /** Several statements without parameters in one round trip; the answer of the last is dropped. */
  script(text: string): Promise<void>;
  /** Gives the connection back. A broken one is thrown away. */
  release(broken?: boolean): void;
};

/** How long a caller waits for a server; the embedded engine has no link that could fall silent. */
export type Patience = {
  /** On the connection that is kept for leases, which no crowd can take. One caller at a time. */
  urgent?: boolean;
  /** Everything together, from getting the connection to the last answer. */
  withinMs?: number;
  /** Statements may take minutes: for changes of the schema. */
  patient?: boolean;
};

/**
 * The least that a database must do for us; the embedded and the server engine both answer it.
 * Errors carry PostgreSQL's `code` (SQLSTATE) and, for constraints, `constraint`.
 */
export type Engine = {
  readonly kind: 'embedded' | 'server';
  /** Rejects with LinkFault when there is none in time. */
  acquire(patience?: Patience): Promise<EngineConnection>;
  /** Settings of one transaction, as statements: how long the server waits for us. */
  limits?(patience: Patience): string;
  /** Calls back with the payload of each NOTIFY on `channel` until the returned function is called. */
  listen(channel: string, onPayload: (payload: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
};

/** The way to the database fails: too slow, no connection left, or cut. Never the answer of a statement. */
export class LinkFault extends Error {
  readonly code = 'ETIMEDOUT';
  /** Whether the statement may have reached the database. */
  readonly sent: boolean;

  constructor(message: string, sent: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'LinkFault';
    this.sent = sent;
  }
}

export function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Whether `error` is a violation of a UNIQUE constraint, of the one named if a name is given. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  if (sqlState(error) !== '23505') return false;
  return constraint === undefined || (error as { constraint?: string }).constraint === constraint;
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
  // Ended for leaving a transaction idle.
  '25P03',
  '53300',
  // Cancelled for taking too long.
  '57014',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
]);

const UNREACHABLE_WORDS = /Connection terminated|connection error|not queryable|pool after calling end/i;

/** Whether the database does not answer just now, rather than answering with a refusal. */
export function isUnreachable(error: unknown): boolean {
  const code = sqlState(error);
  if (code !== undefined) return UNREACHABLE.has(code) || /^08...$/.test(code);
  return error instanceof Error && UNREACHABLE_WORDS.test(error.message);
}

/** Whether the database has no room left for what it was to store. */
export function isFull(error: unknown): boolean {
  return sqlState(error) === '53100';
}

/** Of what is answered to a COMMIT, the refusals: classes of SQLSTATE after which nothing was stored. */
const REFUSALS = /^(0[9A-Z]|2[0-9A-Z]|3[0-9A-Z]|4[0-9A-Z]|5[345]|P0|57014)/;

/** Whether an error that a COMMIT met leaves open if it was carried out. */
export function leavesOpen(error: unknown): boolean {
  if (error instanceof LinkFault) return error.sent;
  // The server breaks off in the middle; what it has written by then counts when it starts again.
  if ((error as { severity?: unknown } | undefined)?.severity === 'PANIC') return true;
  const code = sqlState(error);
  return code === undefined || code.length !== 5 || !REFUSALS.test(code);
}
