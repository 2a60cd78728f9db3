import { WA_CERT_DETAILS } from 'baileys';
import { afterEach, describe, expect, it } from 'vitest';
import { trustedUrl, WHATSAPP_URL } from './trust.ts';

const genuine = WA_CERT_DETAILS.PUBLIC_KEY;
const foreign = 'ab'.repeat(32);

describe('which server is WhatsApp', () => {
  afterEach(() => {
    WA_CERT_DETAILS.PUBLIC_KEY = genuine;
  });

  it('is WhatsApp itself, unless said otherwise', () => {
    expect(trustedUrl({ sandbox: false })).toBe(WHATSAPP_URL);
    expect(trustedUrl({ sandbox: true })).toBe(WHATSAPP_URL);
    expect(WA_CERT_DETAILS.PUBLIC_KEY).toBe(genuine);
  });

  it.each([
    { socketUrl: 'ws://127.0.0.1:1/ws/chat', sandbox: false },
    { rootKey: foreign, sandbox: false },
  ])('refuses a foreign address or root key outside a sandbox', trust => {
    expect(() => trustedUrl(trust)).toThrow(/sandbox/);
    expect(WA_CERT_DETAILS.PUBLIC_KEY).toBe(genuine);
  });

  it('takes both inside a sandbox', () => {
    const url = 'ws://127.0.0.1:1/ws/chat';
    expect(trustedUrl({ socketUrl: url, rootKey: foreign, sandbox: true })).toBe(url);
    expect(Buffer.from(WA_CERT_DETAILS.PUBLIC_KEY).toString('hex')).toBe(foreign);
  });
});
