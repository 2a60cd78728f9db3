import { describe, expect, it } from 'vitest';
import { hashPassword, requireArgon2, verifyPassword } from './passwords.ts';

describe('passwords', () => {
  it('are stored as argon2id in PHC form, each with its own salt', async () => {
    const [one, two] = await Promise.all([hashPassword('correct horse'), hashPassword('correct horse')]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(one).not.toBe(two);
  });

  it('fit only themselves, however they were typed', async () => {
    const stored = await hashPassword('Größe Ⅳ');
    expect(await verifyPassword('Größe Ⅳ', stored)).toBe(true);
    expect(await verifyPassword('Gro\u0308ße Ⅳ'.normalize('NFD'), stored)).toBe(true);
    expect(await verifyPassword('größe Ⅳ', stored)).toBe(false);
    expect(await verifyPassword('', stored)).toBe(false);
  });

  it('of nobody never fit', async () => {
    expect(await verifyPassword('', undefined)).toBe(false);
    expect(await verifyPassword('correct horse', null)).toBe(false);
  });

  it('are checked with the cost that they were stored with', async () => {
    // From the reference implementation: echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1
    const stored = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
    expect(await verifyPassword('password', stored)).toBe(true);
    expect(await verifyPassword('passwort', stored)).toBe(false);
  });

  it('are refused rather than queued without end', async () => {
    const all = await Promise.allSettled(Array.from({ length: 120 }, () => verifyPassword('x', undefined)));
    const refused = all.filter(one => one.status === 'rejected');
    expect(refused.length).toBe(18);
    expect(refused[0]?.reason).toMatchObject({ status: 429 });
    expect(await verifyPassword('x', undefined)).toBe(false);
  });

  it('can be hashed by this Node', () => {
    expect(requireArgon2).not.toThrow();
  });
});
