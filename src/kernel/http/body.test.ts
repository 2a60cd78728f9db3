import { describe, expect, it } from 'vitest';
import { good, onThings } from '../../../test/harness/things.ts';

const things = onThings();

const raw = (body: string | Buffer, type = 'application/json') =>
  things.post(body, { headers: { 'content-type': type } });

const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const wide = (keys: number) => Object.fromEntries(Array.from({ length: keys }, (_, at) => [`k${at}`, 0]));

describe('a body that is no JSON', () => {
  it.each([
    ['cut off', '{'],
    ['cut off in a list', '[1,'],
    ['cut off in a text', '"a'],
    ['cut off in an escape', '["\\u00'],
    ['only an opening', '['.repeat(100_000)],
    ['a field without a value', '{"label":}'],
    ['a field without quotes', '{label:"One"}'],
    ['single quotes', "{'label':'One'}"],
    ['a comma at the end', '{"label":"One",}'],
    ['a comma at the end of a list', '[1,]'],
    ['two values', '{}{}'],
    ['something behind', '{}x'],
    ['a comment', '{"label":"One"/**/}'],
    ['a number of another language', '{"size":0x10}'],
    ['a number with a zero in front', '{"size":01}'],
    ['a number without an end', '{"size":1.}'],
    ['a plus', '{"size":+1}'],
    ['no number', '{"size":NaN}'],
    ['no number that ends', '{"size":Infinity}'],
    ['an escape that is none', '["\\x41"]'],
    ['a line break in a text', '["a\nb"]'],
    ['a NUL in a text', '["a\0b"]'],
    ['a space of another kind', '{\u00a0}'],
    ['two marks of byte order', '\u{feff}\u{feff}{}'],
    ['another case of a word', '[True]'],
    ['a word that is none', 'undefined'],
    ['spaces', '   '],
  ])('is malformed: %s', async (_, body) => {
    expect((await raw(body)).json()).toMatchObject({ status: 400, code: 'malformed_body' });
  });

  it.each([
    ['a byte that begins nothing', Buffer.from([0xff])],
    ['half a character', Buffer.from([0xc3])],
    ['a slash written too long', Buffer.from([0xc0, 0xaf])],
    ['half a pair', Buffer.from([0xed, 0xa0, 0x80])],
  ])('is malformed when its bytes are no text: %s', async (_, bytes) => {
    const body = Buffer.concat([Buffer.from('{"kind":"small","label":"'), bytes, Buffer.from('"}')]);
    expect((await raw(body)).json()).toMatchObject({ status: 400, code: 'malformed_body' });
  });

  it('is malformed in another encoding than UTF-8', async () => {
    const wideText = Buffer.from(JSON.stringify(good), 'utf16le');
    for (const type of ['application/json', 'application/json; charset=utf-16'])
      expect((await raw(wideText, type)).json()).toMatchObject({ status: 400, code: 'malformed_body' });
  });

  it.each(['null', '1', '-1e400', '"text"', 'true', '[]', '[{}]', '[[[]]]'])(
    'is no object: %s is a 422',
    async body => {
      expect((await raw(body)).json()).toMatchObject({ status: 422, code: 'validation_failed' });
    },
  );

  it('may be written in any way that JSON allows', async () => {
    for (const body of [
      '\u{feff}{"label":"One","kind":"small"}',
      ' {\n"\\u006cabel" :"One" , "kind":"small"}\r\n',
    ])
      expect((await raw(body)).statusCode).toBe(201);
  });
});

describe('a body that reaches for the inside', () => {
  it.each([
    '{"__proto__":{"label":"One"}}',
    '{"__proto__":null}',
    '{"\\u005f\\u005fproto__":{"x":1}}',
    '{"label":"One","kind":"small","content":{"__proto__":{"type":"text"}}}',
    '[{"__proto__":[]}]',
    '{"constructor":{"prototype":{"x":1}}}',
    '{"c\\u006fnstructor":{"prototype":null}}',
  ])('is malformed: %s', async body => {
    expect((await raw(body)).json()).toMatchObject({ status: 400, code: 'malformed_body' });
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it.each([
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    'valueOf',
    '__defineGetter__',
    'then',
    'toJSON',
  ])('has no field %j, and a query has none', async name => {
    const answer = await raw(`{"label":"One","kind":"small",${JSON.stringify(name)}:1}`);
    expect(answer.json()).toMatchObject({ status: 422, errors: [{ path: name }] });
    const asked = await things.http.app.inject(`/v1/things?${name}=1`);
    expect(asked.json()).toMatchObject({ status: 422, errors: [{ path: name }] });
  });

  it('is no way in by the query either', async () => {
    for (const query of [
      '__proto__=1',
      '__proto__[x]=1',
      'constructor[prototype][x]=1',
      '%5f%5fproto%5f%5f.x=1',
    ]) {
      expect((await things.http.app.inject(`/v1/things?${query}`)).statusCode).toBe(422);
      expect(({} as Record<string, unknown>).x).toBeUndefined();
    }
  });

  it('means of two fields of one name the last, for the check as for what is done', async () => {
    expect((await raw('{"label":7,"label":"Two","kind":"small"}')).json()).toMatchObject({ label: 'Two' });
    expect((await raw('{"label":"Two","label":7,"kind":"small"}')).statusCode).toBe(422);
  });
});

describe('a body of a shape that nobody means', () => {
  const deep = (levels: number) => `{"label":"One","kind":"small","more":${nested(levels)}}`;

  it('is refused when it is deeper than 32 levels, at any depth in the same time', async () => {
    const said = async (levels: number) => (await raw(deep(levels))).json().errors;
    expect(await said(31)).toEqual([expect.objectContaining({ path: 'more' })]);
    for (const levels of [33, 1_000, 100_000])
      expect(await said(levels)).toContainEqual({
        path: ['more', ...Array(31).fill('0')].join('.'),
        detail: 'Nested more than 32 levels deep.',
      });
  });

  it('is refused when an object has more than 200 fields, and only its first faults are named', async () => {
    const most = JSON.stringify({ ...good, more: wide(200) });
    expect((await raw(most)).json().errors).toEqual([expect.objectContaining({ path: 'more' })]);
    for (const count of [201, 20_000]) {
      const [first, ...others] = (await raw(JSON.stringify({ ...good, more: wide(count) }))).json().errors;
      expect(first).toEqual({ path: 'more', detail: 'Has more than 200 fields.' });
      expect(others).toEqual([expect.objectContaining({ path: 'more' })]);
    }
    expect((await raw(JSON.stringify({ ...good, ...wide(20_000) }))).json().errors).toHaveLength(20);
  });

  it('is refused beyond 256 KiB, whatever the header says of its length', async () => {
    const large = JSON.stringify({ ...good, more: 'x'.repeat(256 * 1024) });
    expect((await raw(large)).json()).toMatchObject({ status: 413, code: 'body_too_large' });
    const short = await things.post(large, {
      headers: { 'content-type': 'application/json', 'content-length': '10' },
    });
    expect(short.statusCode).toBeGreaterThanOrEqual(400);
    expect(short.statusCode).toBeLessThan(500);
  });

  it('costs little, however it is made', async () => {
    const bodies = [
      nested(100_000),
      deep(100_000),
      '['.repeat(200_000),
      JSON.stringify(wide(20_000)),
      JSON.stringify({ ...good, targets: Array(60_000).fill(0) }),
      JSON.stringify({ ...good, targets: Array(20_000).fill({}) }),
      JSON.stringify({ ...good, label: '\\'.repeat(120_000) }),
    ];
    for (const body of bodies) {
      const from = process.cpuUsage();
      const { statusCode } = await raw(body);
      expect([400, 422]).toContain(statusCode);
      const { user, system } = process.cpuUsage(from);
      expect((user + system) / 1_000, body.slice(0, 40)).toBeLessThan(2_000);
    }
  });
});

describe('a body of another kind', () => {
  it.each([
    'text/plain',
    'text/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/octet-stream',
    'application/merge-patch+json',
    'application/jsonp',
    'application/xml',
    'x',
    '',
  ])('is refused: %j', async type => {
    expect((await raw(JSON.stringify(good), type)).json()).toMatchObject({
      status: 415,
      code: 'unsupported_media_type',
    });
  });

  it('is not unpacked', async () => {
    const answer = await things.post(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]), {
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    });
    expect(answer.json()).toMatchObject({ status: 400, code: 'malformed_body' });
  });
});
