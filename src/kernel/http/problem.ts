import { STATUS_CODES } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CommitUnknown } from '../database/database.ts';
import { isFull, isUnreachable } from '../database/engine.ts';
import { AppError, type ErrorCode, notFound } from '../errors.ts';
import type { Kernel } from '../kernel.ts';
import { factsOf } from './request-facts.ts';

/** RFC 9457. `code` is stable; `detail` is for people. */
export type Problem = {
  type: string;
  title: string;
  status: number;
  code: ErrorCode;
  detail: string;
  request_id: string;
  errors?: { path: string; detail: string }[];
};

const RETRY_AFTER_S = 5;

export const BODY_LIMIT = 256 * 1024;

/** The last stop of every error: turns it into a problem document and keeps the inside inside. */
export function sendProblem(
  kernel: Kernel,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const shown = toAppError(error);
  factsOf(request).code = shown.code;
  if (shown.status >= 500) {
    kernel.log.error({ event: 'http.fault', request_id: request.id, code: shown.code, err: error });
  }
  // Fastify closes the connection after a refused body; a reset would swallow the answer.
  reply.removeHeader('connection');
  if (shown.status === 503) reply.header('retry-after', String(RETRY_AFTER_S));
  const retryAfter = shown.extra?.retry_after_s;
  if (typeof retryAfter === 'number') reply.header('retry-after', String(retryAfter));
  reply
    .code(shown.status)
    .header('cache-control', 'no-store')
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify(problemOf(shown, request.id)));
}

export function problemOf(error: AppError, requestId: string): Problem {
  return {
    type: `/docs#${error.code}`,
    title: STATUS_CODES[error.status] ?? 'Error',
    status: error.status,
    code: error.code,
    detail: error.detail,
    request_id: requestId,
    ...(error.fields ? { errors: error.fields } : {}),
    ...error.extra,
  };
}

/** Whatever was thrown, in the words of the catalogue. */
function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  const known = typeof code === 'string' ? FRAMEWORK[code] : undefined;
  if (known) return known(error);
  if (error instanceof CommitUnknown) {
    return new AppError(
      'database_unavailable',
      'The database went away while this was being stored, so it may have been. Repeat the request with the same ' +
        'Idempotency-Key, or look first.',
      { cause: error },
    );
  }
  if (isFull(error)) {
    return new AppError(
      'storage_full',
      'The disk of the database is full, so nothing of this was stored. Make room there, then repeat the request.',
      { cause: error },
    );
  }
  if (isUnreachable(error)) {
    return new AppError(
      'database_unavailable',
      'The database does not answer just now. Try again in a few seconds.',
      {
        cause: error,
      },
    );
  }
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new AppError('invalid_request', 'The request could not be understood.', { cause: error });
  }
  return new AppError('internal', 'Something went wrong here. Tell the operator the request id.', {
    cause: error,
  });
}

const FRAMEWORK: Record<string, (cause: unknown) => AppError> = {
  FST_ERR_CTP_BODY_TOO_LARGE: cause =>
    new AppError('body_too_large', `Send at most ${BODY_LIMIT / 1024} KiB in one request.`, { cause }),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: cause =>
    new AppError(
      'unsupported_media_type',
      'Send the body as JSON with the header "Content-Type: application/json".',
      {
        cause,
      },
    ),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: cause =>
    new AppError('malformed_body', 'The body is shorter or longer than its Content-Length says.', { cause }),
  FST_ERR_BAD_URL: () => notFound(),
  FST_ERR_CTP_INVALID_JSON_BODY: cause => malformedBody(cause),
};

export function malformedBody(cause: unknown): AppError {
  return new AppError('malformed_body', 'The body is not valid JSON. Check quotes, commas and brackets.', {
    cause,
  });
}
