/** What a statement gave back. `affected` counts changed rows, or returned ones for a query. */
export type Answer = { rows: Record<string, unknown>[]; affected: number };

/** One connection, used by one transaction at a time. */
export type EngineConnection = {
  query(text: string, params: readonly unknown[]): Promise<Answer>;
  /** Several statements without parameters in one round trip; the answer of the last is dropped. */
  script(text: string): Promise<void>;
  /** Gives the connection back. A broken one is thrown away. */
  release(broken?: boolean): void;
};

/**
 * The least that a database must do for us; the embedded and the server engine both answer it.
 * Errors carry PostgreSQL's `code` (SQLSTATE) and, for constraints, `constraint`.
 */
export type Engine = {
  readonly kind: 'embedded' | 'server';
  acquire(): Promise<EngineConnection>;
  /** Calls back with the payload of each NOTIFY on `channel` until the returned function is called. */
  listen(channel: string, onPayload: (payload: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
};

export function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Whether `error` is a violation of a UNIQUE constraint, of the one named if a name is given. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  if (sqlState(error) !== '23505') return false;
  return constraint === undefined || (error as { constraint?: string }).constraint === constraint;
}
