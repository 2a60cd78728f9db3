import type { FastifyInstance } from 'fastify';
import { malformedBody } from './problem.ts';

/** JSON is the only body that is read; an empty one counts as none. `__proto__` in a body is refused. */
export function readJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (text.length === 0) return done(null, undefined);
    void parse(request, text as string, (error, body) =>
      error ? done(malformedBody(error)) : done(null, body),
    );
  });
}
