import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import { malformedBody } from './problem.ts';

/**
 * JSON in UTF-8 is the only body that is read; an empty one counts as none. `__proto__` in a body is refused, and so
 * are bytes that are no text: they would be stored as something else than was sent.
 */
export function readJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, sent, done) => {
    const bytes = sent as Buffer;
    if (bytes.length === 0) return done(null, undefined);
    if (!isUtf8(bytes)) return done(malformedBody(undefined));
    void parse(request, bytes.toString('utf8'), (error, body) =>
      error ? done(malformedBody(error)) : done(null, body),
    );
  });
}
