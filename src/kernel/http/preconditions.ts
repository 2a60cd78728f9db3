import { AppError } from '../errors.ts';

/**
 * The version that `If-Match` names: `"3"`, `W/"3"` or plain `3`. `*` and no header ask for nothing.
 * Throws 400 for anything else, so that a typo never turns into an unconditional write.
 */
export function readIfMatch(header: string | undefined): number | undefined {
  if (header === undefined || header.trim() === '*') return undefined;
  const version = /^(?:(?:W\/)?"(\d{1,9})"|(\d{1,9}))$/.exec(header.trim());
  if (!version) {
    const detail = 'Send the version of the resource as If-Match: "3", or leave the header out.';
    throw new AppError('invalid_request', detail, { fields: [{ path: 'If-Match', detail }] });
  }
  return Number(version[1] ?? version[2]);
}

/** The entity tag of an answer that carries its `version`. */
export function entityTag(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('version' in body)) return undefined;
  return Number.isInteger(body.version) ? `"${String(body.version)}"` : undefined;
}
