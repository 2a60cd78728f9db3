/** The closed catalogue of errors that leave the program: code → HTTP status. */
export const errorCatalogue = {
  invalid_request: 400,
  malformed_body: 400,
  workspace_required: 400,
  unauthenticated: 401,
  forbidden: 403,
  foreign_origin: 403,
  opted_out: 403,
  not_found: 404,
  method_not_allowed: 405,
  idempotency_key_reused: 409,
  illegal_state: 409,
  conflict: 409,
  number_already_linked: 409,
  version_conflict: 412,
  body_too_large: 413,
  unsupported_media_type: 415,
  validation_failed: 422,
  rate_limited: 429,
  internal: 500,
  stopping: 503,
  maintenance: 503,
  database_unavailable: 503,
  storage_full: 507,
} as const;

export type ErrorCode = keyof typeof errorCatalogue;

/** One wrong field of the input: `path` as in the request body (`targets.0.phone`), `detail` says the remedy. */
export type FieldError = { path: string; detail: string };

export type ErrorOptions = { fields?: FieldError[]; cause?: unknown; extra?: Record<string, unknown> };

/** An error that a caller may see. `detail` is a plain sentence that says what to do. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly detail: string;
  readonly fields: FieldError[] | undefined;
  /** Further members of the problem document, such as the choices of `workspace_required`. */
  readonly extra: Record<string, unknown> | undefined;

  constructor(code: ErrorCode, detail: string, options: ErrorOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.status = errorCatalogue[code];
    this.detail = detail;
    this.fields = options.fields;
    this.extra = options.extra;
  }
}

/** The same words for what is missing and what belongs to another workspace. */
export function notFound(): AppError {
  return new AppError('not_found', 'There is nothing at this address. Check the id and the workspace.');
}

/** A 422 about one field. */
export function invalidField(path: string, detail: string): AppError {
  return new AppError('validation_failed', detail, { fields: [{ path, detail }] });
}

/**
 * A fault that stops the program at start (wrong key, folder in use, database refused).
 * Printed as plain text with its remedy; never carries a stack to the person who starts the program.
 */
export class StartError extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'StartError';
  }
}
