import { describe, expect, it } from 'vitest';
import { good, onThings } from '../../../test/harness/things.ts';
import { newId } from '../ids.ts';

const things = onThings();

describe('wrong input', () => {
  it.each([
    ['a missing field', { kind: 'small' }, 'label', 'This field is required.'],
    ['a wrong type', { ...good, label: 7 }, 'label', 'Must be a text.'],
    ['an empty text', { ...good, label: '  ' }, 'label', 'Give it a name.'],
    [
      'a text that is too long',
      { ...good, label: 'x'.repeat(11) },
      'label',
      'Must have at most 10 characters.',
    ],
    ['a word that is not offered', { ...good, kind: 'huge' }, 'kind', 'Must be "small" or "large".'],
    ['a number with a fraction', { ...good, size: 1.5 }, 'size', 'Must be a whole number.'],
    ['a number out of range', { ...good, size: 0 }, 'size', 'Must be at least 1.'],
    [
      'an unknown field',
      { ...good, labl: 'x' },
      'labl',
      'There is no such field here. Remove it or check its spelling.',
    ],
    [
      'an unknown field deep inside',
      { ...good, content: { type: 'text', text: { body: 'a', x: 1 } } },
      'content.text.x',
      'There is no such field here. Remove it or check its spelling.',
    ],
    ['no recipient', { ...good, targets: [] }, 'targets', 'Choose at least one recipient.'],
    [
      'a recipient of no kind',
      { ...good, targets: [{}] },
      'targets.0',
      'Name either a `group_id` or a `phone` in international form.',
    ],
    [
      'a phone number without country',
      { ...good, targets: [{ phone: '0170 1234567' }] },
      'targets.0.phone',
      'Write the number in international form, such as +491701234567.',
    ],
    [
      'one form of several',
      { ...good, how: { method: 'code', phone: '123' } },
      'how.phone',
      'Write the number in international form, such as +491701234567.',
    ],
    [
      'a form without its field',
      { ...good, how: { method: 'code' } },
      'how.phone',
      'This field is required.',
    ],
    [
      'a form that there is not',
      { ...good, how: { method: 'post' } },
      'how.method',
      'Must be "qr" or "code".',
    ],
    [
      'NUL',
      { ...good, label: 'a\0b' },
      'label',
      'Contains a character that cannot be stored. Remove control characters.',
    ],
    [
      'half a surrogate pair',
      { ...good, label: 'a\ud800' },
      'label',
      'Contains a character that cannot be stored. Remove control characters.',
    ],
    ['a list instead of an object', [], '', 'Must be an object.'],
  ])('%s is named', async (_, payload, path, detail) => {
    const answer = await things.post(payload);
    expect(answer.statusCode).toBe(422);
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(answer.json()).toMatchObject({
      type: '/docs#validation_failed',
      title: 'Unprocessable Entity',
      status: 422,
      code: 'validation_failed',
      request_id: answer.headers['x-request-id'],
      errors: [{ path, detail }],
    });
  });

  it('names all wrong fields at once', async () => {
    const answer = await things.post({ label: 1, other: true });
    expect(
      answer
        .json()
        .errors.map((error: { path: string }) => error.path)
        .sort(),
    ).toEqual(['kind', 'label', 'other']);
  });

  it('asks for a body where there is none', async () => {
    const answer = await things.http.app.inject({ method: 'POST', url: '/v1/things' });
    expect(answer.json()).toMatchObject({
      status: 422,
      errors: [{ path: '', detail: 'Send a JSON object as the body.' }],
    });
  });

  it('refuses a body where none is taken', async () => {
    const answer = await things.http.app.inject({
      method: 'DELETE',
      url: `/v1/things/${newId()}`,
      payload: { force: true },
    });
    expect(answer.json()).toMatchObject({ status: 422, errors: [{ path: 'force' }] });
  });

  it.each([
    ['limit=many', 'limit'],
    ['limit=0', 'limit'],
    ['limit=1000', 'limit'],
    ['limt=3', 'limt'],
    ['limit=1&limit=2', 'limit'],
    ['cursor=a&cursor=b', 'cursor'],
    ['cursor=%00', 'cursor'],
  ])('names the wrong part of the query %s', async (query, path) => {
    const answer = await things.http.app.inject(`/v1/things?${query}`);
    expect(answer.json()).toMatchObject({ status: 422, errors: [{ path }] });
  });
});
