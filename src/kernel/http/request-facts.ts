import type { FastifyRequest } from 'fastify';
import type { Scope } from '../scope.ts';

/** What was learned about a request on its way; ends up in its log line. */
type RequestFacts = {
  scope?: Scope;
  userId?: string;
  /** Code of the error it was answered with. */
  code?: string;
  replayed?: true;
};

const known = new WeakMap<FastifyRequest, RequestFacts>();

export function factsOf(request: FastifyRequest): RequestFacts {
  const facts = known.get(request) ?? {};
  known.set(request, facts);
  return facts;
}
