import { Curve, hmacSign, proto, WA_ADV_ACCOUNT_SIG_PREFIX, WA_ADV_DEVICE_SIG_PREFIX } from 'baileys';
import { type Account, createCompanion, deviceIds, lid, MAX_COMPANIONS, pn } from '../phones/account.ts';
import type { Connection } from '../wire/connection.ts';
import { childBytes, SERVER, type Stanza, seconds, stanza } from '../wire/stanza.ts';
import { Refusal } from '../world/refusal.ts';
import type { World } from '../world/world.ts';
import { deliverToAll } from './delivery.ts';
import { groupsOf } from './groups.ts';
import type { LinkCode } from './link-code.ts';

type Registration = proto.ClientPayload.IDevicePairingRegistrationData;

export type PairingState = {
  registration: Registration;
  noiseKey: Buffer;
  references: string[];
  linkCode: LinkCode | undefined;
  /** Set once a phone has agreed; the companion exists when it has signed. */
  agreed: { account: Account; device: number; details: Uint8Array; identity: Buffer } | undefined;
};

/** How many references a client gets, of which it shows the first for 60 s and the others for 20 s each. */
const REFERENCES = 6;

export function offerPairing(connection: Connection, registration: Registration, noiseKey: Buffer): void {
  const { world } = connection;
  const references = Array.from(
    { length: REFERENCES },
    () => `2@${world.random.bytes(24).toString('base64url')}`,
  );
  connection.pairing = { registration, noiseKey, references, linkCode: undefined, agreed: undefined };
  for (const reference of references) world.references.set(reference, connection);
  const shown = references.map(reference => stanza('ref', {}, Buffer.from(reference)));
  const attributes = { from: SERVER, type: 'set', id: world.random.digits(10), xmlns: 'md' };
  connection.send(stanza('iq', attributes, [stanza('pair-device', {}, shown)]));
}

/**
 * The phone reads a QR code: `ref,noise key,identity key,adv secret[,platform]`, bare or behind a URL's '#'.
 * Returns the number of the new device. Refuses with 422 what is no pairing code and 409 what is stale or too much.
 */
export function scan(world: World, account: Account, qr: string): number {
  const [reference, , identity, advSecret] = qr.trim().split('#').at(-1)?.split(',') ?? [];
  if (!reference || !identity || !advSecret) throw new Refusal(422, 'That is not a WhatsApp pairing code.');
  const connection = world.references.get(reference);
  if (!connection?.pairing || connection.pairing.agreed) {
    throw new Refusal(409, 'This pairing code is no longer valid. Show a new one and scan again.');
  }
  return agree(connection, account, Buffer.from(identity, 'base64'), Buffer.from(advSecret, 'base64'));
}

/** The phone vouches for the companion: signs its identity and proves knowledge of the secret. */
export function agree(connection: Connection, account: Account, identity: Buffer, advSecret: Buffer): number {
  const { pairing, world } = connection;
  if (!pairing) throw new Refusal(409, 'That device is not pairing any more.');
  if (account.companions.size >= MAX_COMPANIONS) {
    throw new Refusal(409, `This number already has ${MAX_COMPANIONS} linked devices. Unlink one first.`);
  }
  const device = account.nextDevice++;
  const deviceIdentity = { rawId: 1, timestamp: Number(seconds()), keyIndex: device };
  const details = proto.ADVDeviceIdentity.encode(deviceIdentity).finish();
  const signed = proto.ADVSignedDeviceIdentity.encode({
    details,
    accountSignatureKey: account.phone.identity.public,
    accountSignature: Curve.sign(
      account.phone.identity.private,
      Buffer.concat([WA_ADV_ACCOUNT_SIG_PREFIX, details, identity]),
    ),
  }).finish();
  const proof = proto.ADVSignedDeviceIdentityHMAC.encode({
    details: signed,
    hmac: hmacSign(signed, advSecret),
  }).finish();
  pairing.agreed = { account, device, details, identity };
  for (const reference of pairing.references) world.references.delete(reference);
  const success = stanza('pair-success', {}, [
    stanza('device-identity', {}, proof),
    stanza('biz', { name: account.name }),
    stanza('device', { jid: pn(account, device), lid: lid(account, device) }),
    stanza('platform', { name: 'android' }),
  ]);
  const attributes = { from: SERVER, type: 'set', id: world.random.digits(10), xmlns: 'md', t: seconds() };
  connection.send(stanza('iq', attributes, [success]));
  return device;
}

/** The companion's signed answer: checked, then the device exists and the client has to come back (515). */
export function finishPairing(connection: Connection, answer: Stanza): void {
  const { pairing, world } = connection;
  if (!pairing?.agreed) return;
  const { account, device, details, identity } = pairing.agreed;
  const signed = proto.ADVSignedDeviceIdentity.decode(childBytes(answer, 'device-identity'));
  const message = Buffer.concat([WA_ADV_DEVICE_SIG_PREFIX, details, identity, account.phone.identity.public]);
  if (!signed.deviceSignature || !Curve.verify(identity, message, signed.deviceSignature)) {
    connection.endWithStreamError('401', 'bad device signature');
    return;
  }
  const { eRegid, eSkeyId, eSkeyVal, eSkeySig } = pairing.registration;
  const companion = createCompanion({
    id: device,
    platform: platformOf(pairing.registration),
    noiseKey: pairing.noiseKey,
    registrationId: bigEndian(eRegid),
    identity,
    signed: {
      id: bigEndian(eSkeyId),
      key: Buffer.from(eSkeyVal ?? []),
      signature: Buffer.from(eSkeySig ?? []),
    },
    oneTime: [],
  });
  account.companions.set(device, companion);
  announceDevices(world, account);
  world.changes.announce();
  connection.endWithStreamError('515', 'restart after pairing');
}

/** Ends a companion's link: from the phone, or because the companion logged out. */
export function unlink(world: World, account: Account, device: number): boolean {
  const companion = account.companions.get(device);
  if (!companion) return false;
  account.companions.delete(device);
  const conflict = stanza('conflict', { type: 'device_removed' });
  companion.connection?.endWithStreamError('401', 'device removed', [conflict]);
  announceDevices(world, account);
  world.changes.announce();
  return true;
}

/** Tells the companions of everyone who knows this account that their list of its devices is stale. */
function announceDevices(world: World, account: Account): void {
  for (const reader of peopleWhoKnow(world, account)) {
    const devices = deviceIds(account).flatMap(id => [
      stanza('device', { jid: pn(account, id) }),
      stanza('device', { jid: lid(account, id) }),
    ]);
    const attributes = { from: pn(account), type: 'devices', id: world.random.digits(10), t: seconds() };
    deliverToAll(world, reader, stanza('notification', attributes, [stanza('update', {}, devices)]));
  }
}

function peopleWhoKnow(world: World, account: Account): Set<Account> {
  const people = new Set([account, ...groupsOf(world, account).flatMap(group => group.members)]);
  for (const chat of account.screen.chats().keys()) {
    const peer = world.accounts.get(chat.slice(1));
    if (peer) people.add(peer);
  }
  return people;
}

function platformOf(registration: Registration): string {
  const props = proto.DeviceProps.decode(registration.deviceProps ?? new Uint8Array());
  const kind = proto.DeviceProps.PlatformType[props.platformType ?? 0] ?? 'UNKNOWN';
  return `${kind.charAt(0)}${kind.slice(1).toLowerCase()} (${props.os || 'unknown'})`;
}

function bigEndian(bytes: Uint8Array | null | undefined): number {
  const buffer = Buffer.from(bytes ?? []);
  return buffer.length > 0 ? buffer.readUIntBE(0, buffer.length) : 0;
}
