import type { FastifySchemaCompiler } from 'fastify';
import type { z } from 'zod';
import { AppError, type FieldError, notFound } from '../errors.ts';

type Issue = z.core.$ZodIssue;

const MOST_ERRORS = 20;
const DEEPEST = 32;
/** Several times what the widest shape of the API has. */
const MOST_KEYS = 200;

/** Checks one part of a request. An id in the path that cannot exist is simply not found. */
export const compileValidator: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  return (sent: unknown) => {
    // Fastify says null where no body came; a shape may have a default for that.
    const data = httpPart === 'body' ? (sent ?? undefined) : sent;
    const refused = unstorable(data, []);
    const result = schema.safeParse(data);
    if (result.success && refused === undefined) return { value: result.data };
    if (httpPart === 'params') return { error: notFound() };
    const errors = result.success ? [] : fieldErrors(result.error.issues, data);
    return { error: validationError(refused ? [refused, ...errors] : errors) };
  };
};

/** A 422 that names each wrong field. */
export function validationError(all: FieldError[]): AppError {
  const fields = all.slice(0, MOST_ERRORS);
  const [first] = fields;
  const detail =
    first && fields.length === 1
      ? `${first.path === '' ? '' : `${first.path}: `}${first.detail}`
      : `Check these fields: ${fields.map(field => field.path || 'the body').join(', ')}.`;
  return new AppError('validation_failed', detail, { fields });
}

/** What Zod found, as paths into the input and plain sentences. */
export function fieldErrors(issues: readonly Issue[], data: unknown): FieldError[] {
  return issues.flatMap(issue => explained(issue, data, []));
}

function explained(issue: Issue, data: unknown, above: PropertyKey[]): FieldError[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(key => ({
      path: joined([...path, key]),
      detail: 'There is no such field here. Remove it or check its spelling.',
    }));
  }
  if (issue.code === 'invalid_union') {
    const meant = meantBranch(issue.errors, valueAt(data, path));
    if (meant) return meant.flatMap(inner => explained(inner, data, path));
  }
  return [{ path: joined(path), detail: sentence(issue, valueAt(data, path), path) }];
}

/** The one alternative that the caller seems to have meant: all its fields there, none unknown. */
function meantBranch(branches: readonly Issue[][], value: unknown): Issue[] | undefined {
  const fitting = branches.filter(branch =>
    branch.every(
      issue =>
        issue.code !== 'unrecognized_keys' &&
        issue.code !== 'invalid_value' &&
        issue.path.length > 0 &&
        valueAt(value, issue.path) !== undefined,
    ),
  );
  return fitting.length === 1 ? fitting[0] : undefined;
}

const ZOD_OWN_WORDS = /^(Invalid|Too small|Too big|Unrecognized)/;

function sentence(issue: Issue, value: unknown, path: PropertyKey[]): string {
  const missing = value === undefined || (value === null && path.length === 0);
  if (missing && (issue.code === 'invalid_type' || ZOD_OWN_WORDS.test(issue.message))) {
    return path.length === 0 ? 'Send a JSON object as the body.' : 'This field is required.';
  }
  if (!ZOD_OWN_WORDS.test(issue.message)) return issue.message;
  if (issue.code === 'invalid_type') return `Must be ${TYPES[issue.expected] ?? issue.expected}.`;
  if (issue.code === 'invalid_value')
    return `Must be ${issue.values.map(one => JSON.stringify(one)).join(' or ')}.`;
  if (issue.code === 'invalid_format') return FORMATS[issue.format] ?? `Must be a valid ${issue.format}.`;
  if (issue.code === 'too_small' || issue.code === 'too_big') return boundsSentence(issue);
  if (issue.code === 'invalid_union') return unionSentence(issue);
  return `${issue.message}.`;
}

/** Where one field tells the forms apart, its words are named; `undefined` among them means that it may be left out. */
function unionSentence(issue: Issue & { code: 'invalid_union' }): string {
  const options = 'options' in issue ? (issue.options ?? []) : [];
  const words = options.filter(word => word !== undefined);
  if (words.length === 0) return 'None of the allowed forms fits. See /docs.';
  return `Must be ${words.map(word => JSON.stringify(word)).join(' or ')}.`;
}

const TYPES: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

const FORMATS: Record<string, string> = {
  uuid: 'Must be an id as the API gave it, a uuid.',
  datetime: 'Must be an instant such as 2026-11-24T08:00:00Z or 2026-11-24T09:00:00+01:00.',
};

function boundsSentence(issue: Issue & { code: 'too_small' | 'too_big' }): string {
  const bound = issue.code === 'too_small' ? `at least ${issue.minimum}` : `at most ${issue.maximum}`;
  if (issue.origin === 'string') return `Must have ${bound} characters.`;
  if (issue.origin === 'array' || issue.origin === 'set') return `Must have ${bound} entries.`;
  return `Must be ${bound}.`;
}

/**
 * PostgreSQL stores neither NUL nor half a surrogate pair; better said here than by a failing insert. Nothing that is
 * meant for us is very deep or wide either.
 */
function unstorable(value: unknown, path: PropertyKey[]): FieldError | undefined {
  if (typeof value === 'string') {
    if (!value.includes('\0') && value.isWellFormed()) return undefined;
    return {
      path: joined(path),
      detail: 'Contains a character that cannot be stored. Remove control characters.',
    };
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (path.length >= DEEPEST)
    return { path: joined(path), detail: `Nested more than ${DEEPEST} levels deep.` };
  const entries = Object.entries(value);
  if (entries.length > MOST_KEYS && !Array.isArray(value))
    return { path: joined(path), detail: `Has more than ${MOST_KEYS} fields.` };
  for (const [key, inner] of entries) {
    const found = unstorable(inner, [...path, key]);
    if (found) return found;
  }
  return undefined;
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  let value = data;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function joined(path: PropertyKey[]): string {
  return path.map(String).join('.');
}
