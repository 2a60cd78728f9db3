import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { entityTag } from './preconditions.ts';
import type { Reply } from './route.ts';

/** Successful answers by status; null = no body. */
export type Answers = Record<number, z.ZodType | null>;

/** An answer ready for the wire. */
export type Answer = {
  status: number;
  headers: Record<string, string | string[]>;
  body: string | Readable | undefined;
};

/**
 * Checks what a handler gave back against what its route promises. Unknown fields are dropped, so that
 * a column added to a query never leaks; a missing or wrong one is our fault and answers 500.
 */
export function checkedAnswer(answers: Answers, reply: Reply): Answer {
  const status = reply.status ?? Number(Object.keys(answers)[0]);
  const shape = answers[status];
  if (shape === undefined) throw new Error(`The route does not promise an answer with status ${status}.`);
  const headers = reply.headers ?? {};
  if (shape === null) {
    if (reply.body !== undefined) throw new Error(`The answer ${status} of this route has no body.`);
    return { status, headers, body: undefined };
  }
  if (isRaw(reply)) return { status, headers, body: rawBody(reply.body) };
  return jsonAnswer(status, headers, z.encode(shape, reply.body));
}

function jsonAnswer(status: number, headers: Answer['headers'], body: unknown): Answer {
  const tag = entityTag(body);
  return {
    status,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      ...(tag === undefined ? {} : { etag: tag }),
      ...headers,
    },
    body: JSON.stringify(body),
  };
}

export function sendAnswer(reply: FastifyReply, answer: Answer): FastifyReply {
  return reply.code(answer.status).headers(answer.headers).send(answer.body);
}

/** What is too long to be held at once leaves as a stream; a fault in the middle breaks it off. */
function rawBody(body: unknown): string | Readable {
  return body instanceof Readable ? body : z.string().parse(body);
}

/** A handler that names its own content type answers something else than JSON: an image, a page. */
function isRaw(reply: Reply): boolean {
  const type = Object.entries(reply.headers ?? {}).find(
    ([name]) => name.toLowerCase() === 'content-type',
  )?.[1];
  return type !== undefined && !String(type).includes('json');
}
