import { encodeBigEndian, KEY_BUNDLE_TYPE } from 'baileys';
import { type Account, type Companion, type DeviceRef, deviceAt } from '../phones/account.ts';
import { child, childBytes, children, SERVER, type Stanza, seconds, stanza } from '../wire/stanza.ts';
import type { World } from '../world/world.ts';
import { deliver } from './delivery.ts';
import type { Answer } from './queries.ts';

export type PublicKey = { id: number; key: Buffer };

/** All that a peer needs to start an encrypted conversation with one device. */
export type KeyBundle = {
  registrationId: number;
  identity: Buffer;
  signed: PublicKey & { signature: Buffer };
  oneTime: PublicKey | undefined;
};

const LOW_WATER = 5;
const MAX_ONE_TIME_KEYS = 10_000;

/** The `encrypt` queries: how many keys are left, upload, rotation, check, and other devices' bundles. */
export async function answerKeyQuery(world: World, companion: Companion, node: Stanza): Promise<Answer> {
  const asked = children(node)[0];
  if (child(node, 'count')) return [stanza('count', { value: String(companion.oneTime.length) })];
  if (child(node, 'digest'))
    return companion.oneTime.length > 0 ? [stanza('digest', {}, [])] : { error: 404 };
  if (asked?.tag === 'key') return [await bundlesOf(world, children(asked, 'user'))];
  if (asked?.tag === 'rotate') {
    const signed = readSigned(child(asked, 'skey'));
    if (signed) companion.signed = signed;
    return [];
  }
  if (node.attrs.type !== 'set') return { error: 400 };
  return takeUpload(companion, node);
}

/** A bundle for the phone or a companion; takes one of its one-time keys for good. */
export async function takeBundle(
  world: World,
  { account, device }: DeviceRef,
): Promise<KeyBundle | undefined> {
  if (device === 0) return account.phone.bundle();
  const companion = account.companions.get(device);
  if (!companion) return undefined;
  const oneTime = companion.oneTime.shift();
  if (companion.oneTime.length === LOW_WATER - 1) tellKeysAreLow(world, account, companion);
  const { registrationId, identity, signed } = companion;
  return { registrationId, identity, signed, oneTime };
}

export function bundleContent(bundle: KeyBundle): Stanza[] {
  const { oneTime, signed } = bundle;
  return [
    stanza('registration', {}, encodeBigEndian(bundle.registrationId)),
    stanza('type', {}, KEY_BUNDLE_TYPE),
    stanza('identity', {}, bundle.identity),
    stanza('skey', {}, [...keyFields(signed), stanza('signature', {}, signed.signature)]),
    ...(oneTime ? [stanza('key', {}, keyFields(oneTime))] : []),
  ];
}

/** Reads the bundle that a retry receipt may carry in `keys`, with the registration beside it. */
export function readRetryBundle(receipt: Stanza): KeyBundle | undefined {
  const keys = child(receipt, 'keys');
  const registration = childBytes(receipt, 'registration');
  const signed = readSigned(child(keys, 'skey'));
  const identity = childBytes(keys, 'identity');
  if (!keys || !signed || identity.length !== 32 || registration.length !== 4) return undefined;
  const oneTime = readKey(child(keys, 'key'));
  return { registrationId: registration.readUInt32BE(0), identity, signed, oneTime };
}

async function bundlesOf(world: World, users: Stanza[]): Promise<Stanza> {
  const answered = users.map(async user => {
    const jid = user.attrs.jid;
    const device = deviceAt(world, jid);
    const bundle = device && (await takeBundle(world, device));
    if (!bundle) return stanza('user', { jid }, [stanza('error', { code: '404', text: 'item-not-found' })]);
    return stanza('user', { jid }, bundleContent(bundle));
  });
  return stanza('list', {}, await Promise.all(answered));
}

function takeUpload(companion: Companion, node: Stanza): Answer {
  const signed = readSigned(child(node, 'skey'));
  const fresh = children(child(node, 'list'), 'key').map(readKey);
  if (!signed || fresh.some(key => key === undefined)) return { error: 406 };
  if (companion.oneTime.length + fresh.length > MAX_ONE_TIME_KEYS) return { error: 406 };
  companion.signed = signed;
  const known = new Set(companion.oneTime.map(key => key.id));
  for (const key of fresh) if (key && !known.has(key.id)) companion.oneTime.push(key);
  return [];
}

function tellKeysAreLow(world: World, account: Account, companion: Companion): void {
  const attributes = { from: SERVER, type: 'encrypt', id: world.random.digits(10), t: seconds() };
  const count = stanza('count', { value: String(companion.oneTime.length) });
  deliver(world, account, companion, stanza('notification', attributes, [count]));
}

function keyFields(key: PublicKey): Stanza[] {
  return [stanza('id', {}, encodeBigEndian(key.id, 3)), stanza('value', {}, key.key)];
}

function readKey(node: Stanza | undefined): PublicKey | undefined {
  const id = childBytes(node, 'id');
  const key = childBytes(node, 'value');
  if (id.length !== 3 || key.length !== 32) return undefined;
  return { id: id.readUIntBE(0, 3), key };
}

function readSigned(node: Stanza | undefined): KeyBundle['signed'] | undefined {
  const key = readKey(node);
  const signature = childBytes(node, 'signature');
  return key && signature.length === 64 ? { ...key, signature } : undefined;
}
