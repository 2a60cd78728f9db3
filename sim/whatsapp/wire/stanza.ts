import type { BinaryNode } from 'baileys';
import { getAllBinaryNodeChildren, getBinaryNodeChild, getBinaryNodeChildBuffer, jidDecode } from 'baileys';

export type Stanza = BinaryNode;
type Attributes = Record<string, string | undefined>;

/** The server's own address in queries and notifications. */
export const SERVER = 's.whatsapp.net';

/** Builds one stanza; attributes that are undefined are left out, as the wire has no empty ones. */
export function stanza(tag: string, attributes: Attributes = {}, content?: Stanza['content']): Stanza {
  const attrs: Record<string, string> = {};
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) attrs[name] = value;
  return content === undefined ? { tag, attrs } : { tag, attrs, content };
}

export function child(node: Stanza | undefined, tag: string): Stanza | undefined {
  return getBinaryNodeChild(node, tag);
}

export function children(node: Stanza | undefined, tag?: string): Stanza[] {
  const all = node ? getAllBinaryNodeChildren(node) : [];
  return tag === undefined ? all : all.filter(one => one.tag === tag);
}

/** Bytes of a child, or an empty buffer: callers check the length, as a missing field is the sender's fault. */
export function childBytes(node: Stanza | undefined, tag: string): Buffer {
  return Buffer.from(getBinaryNodeChildBuffer(node, tag) ?? []);
}

export function bytesOf(node: Stanza): Buffer {
  const { content } = node;
  return content instanceof Uint8Array
    ? Buffer.from(content)
    : Buffer.from(typeof content === 'string' ? content : '');
}

export function seconds(at: Date = new Date()): string {
  return String(Math.floor(at.getTime() / 1000));
}

export type Address = { user: string; device: number; form: 'pn' | 'lid' | 'group' | 'other' };

/** Splits a wire address; `form` says which of an account's two names it uses. */
export function readAddress(jid: string | undefined): Address | undefined {
  const decoded = jidDecode(jid);
  if (!decoded?.user) return undefined;
  return { user: decoded.user, device: decoded.device ?? 0, form: formOf(decoded.server) };
}

function formOf(server: string): Address['form'] {
  if (server === 's.whatsapp.net') return 'pn';
  if (server === 'lid') return 'lid';
  return server === 'g.us' ? 'group' : 'other';
}

export function pnAddress(digits: string, device = 0): string {
  return device ? `${digits}:${device}@s.whatsapp.net` : `${digits}@s.whatsapp.net`;
}

export function lidAddress(lid: string, device = 0): string {
  return device ? `${lid}:${device}@lid` : `${lid}@lid`;
}

export function isGroupId(id: string): boolean {
  return id.endsWith('@g.us');
}

/** '+15550000001', '15550000001' and '+1 555 000-0001' → '15550000001'; undefined when it is no E.164 number. */
export function digitsOf(number: string): string | undefined {
  const digits = number.replace(/^\+/, '').replace(/[\s()-]/g, '');
  return /^[1-9]\d{6,14}$/.test(digits) ? digits : undefined;
}
