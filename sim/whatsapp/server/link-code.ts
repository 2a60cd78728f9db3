import { aesDecryptCTR, aesDecryptGCM, aesEncryptCTR, Curve, derivePairingCodeKey, hkdf } from 'baileys';
import type { Account } from '../phones/account.ts';
import type { Connection } from '../wire/connection.ts';
import { child, childBytes, readAddress, SERVER, type Stanza, seconds, stanza } from '../wire/stanza.ts';
import { Refusal } from '../world/refusal.ts';
import type { World } from '../world/world.ts';
import { agree } from './pairing.ts';

export type LinkCode = {
  /** The number that the client wants to be linked to. */
  digits: string;
  wrapped: Buffer;
  reference: Buffer;
  entered: { account: Account; shared: Buffer; settle: (device: number | Refusal) => void } | undefined;
};

const EMPTY = Buffer.alloc(0);
const CODE = /^[0-9A-Z]{8}$/;
const HELLO_MS = 1500;
const ANSWER_MS = 10_000;

/** First stage: the client has a code on its screen and sends its key, wrapped with that code. */
export function startLinkCode(connection: Connection, query: Stanza): Stanza[] {
  const hello = child(query, 'link_code_companion_reg');
  const wrapped = childBytes(hello, 'link_code_pairing_wrapped_companion_ephemeral_pub');
  const digits = readAddress(hello?.attrs.jid)?.user ?? '';
  const reference = connection.world.random.bytes(16);
  if (connection.pairing) connection.pairing.linkCode = { digits, wrapped, reference, entered: undefined };
  connection.world.changes.announce();
  const content = [stanza('link_code_pairing_ref', {}, reference)];
  return [stanza('link_code_companion_reg', { stage: 'companion_hello' }, content)];
}

/**
 * The owner types the eight characters into the phone; resolves with the new device once the client has answered.
 * A wrong code shows only then, as in the real protocol, because the wrapped key carries no check of its own.
 */
export async function enterCode(world: World, account: Account, typed: string): Promise<number> {
  const code = typed.replace(/[\s-]/g, '').toUpperCase();
  if (!CODE.test(code)) throw new Refusal(422, 'A code has eight letters or digits.');
  const { connection, linkCode } = await waitingDevice(world, account);
  const companionKey = await unwrap(linkCode.wrapped, code);
  const ephemeral = Curve.generateKeyPair();
  const shared = Curve.sharedKey(ephemeral.private, companionKey);
  const answered = new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Refusal(409, 'The device did not answer.')), ANSWER_MS);
    const settle = (result: number | Refusal) => {
      clearTimeout(timer);
      linkCode.entered = undefined;
      if (result instanceof Refusal) reject(result);
      else resolve(result);
    };
    linkCode.entered = { account, shared, settle };
  });
  const wrapped = await wrap(world, Buffer.from(ephemeral.public), code);
  const content = [
    stanza('link_code_pairing_ref', {}, linkCode.reference),
    stanza('primary_identity_pub', {}, Buffer.from(account.phone.identity.public)),
    stanza('link_code_pairing_wrapped_primary_ephemeral_pub', {}, wrapped),
  ];
  const attributes = {
    from: SERVER,
    type: 'link_code_companion_reg',
    id: world.random.digits(10),
    t: seconds(),
  };
  const hello = stanza('link_code_companion_reg', { stage: 'primary_hello' }, content);
  connection.send(stanza('notification', attributes, [hello]));
  return answered;
}

/** The client shows its code a moment before its request is here, so a quick typist waits for it. */
async function waitingDevice(world: World, account: Account) {
  const deadline = Date.now() + HELLO_MS;
  for (;;) {
    const connection = [...world.connections].findLast(
      one => one.pairing?.linkCode?.digits === account.digits,
    );
    const linkCode = connection?.pairing?.linkCode;
    if (connection && linkCode && !linkCode.entered) return { connection, linkCode };
    if (Date.now() > deadline) throw new Refusal(409, 'No device is waiting for a code for this number.');
    await world.changes.next(deadline - Date.now());
  }
}

/** Last stage: the client's key bundle must open with the shared key; then the pairing goes on as after a scan. */
export function finishLinkCode(connection: Connection, query: Stanza): 'agreed' | 'wrong code' {
  const finish = child(query, 'link_code_companion_reg');
  const entered = connection.pairing?.linkCode?.entered;
  const identity = childBytes(finish, 'companion_identity_public');
  const random = entered ? openBundle(finish, entered.account, entered.shared, identity) : undefined;
  if (!entered || !random) {
    entered?.settle(new Refusal(422, 'Wrong code. Look at the code on the device and type it again.'));
    return 'wrong code';
  }
  const { account, shared, settle } = entered;
  const known = Curve.sharedKey(account.phone.identity.private, identity);
  const advSecret = Buffer.from(hkdf(Buffer.concat([shared, known, random]), 32, { info: 'adv_secret' }));
  try {
    settle(agree(connection, account, identity, advSecret));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    settle(error);
    return 'wrong code';
  }
  return 'agreed';
}

function openBundle(
  finish: Stanza | undefined,
  account: Account,
  shared: Buffer,
  identity: Buffer,
): Buffer | undefined {
  const bundle = childBytes(finish, 'link_code_pairing_wrapped_key_bundle');
  const info = 'link_code_pairing_key_bundle_encryption_key';
  const key = Buffer.from(hkdf(shared, 32, { salt: bundle.subarray(0, 32), info }));
  try {
    const plain = aesDecryptGCM(bundle.subarray(44), key, bundle.subarray(32, 44), EMPTY);
    const own = Buffer.from(account.phone.identity.public);
    const fits = plain.subarray(0, 32).equals(identity) && plain.subarray(32, 64).equals(own);
    return fits ? plain.subarray(64) : undefined;
  } catch {
    return undefined;
  }
}

async function unwrap(wrapped: Buffer, code: string): Promise<Buffer> {
  const key = await derivePairingCodeKey(code, wrapped.subarray(0, 32));
  return aesDecryptCTR(wrapped.subarray(48, 80), key, wrapped.subarray(32, 48));
}

async function wrap(world: World, plain: Buffer, code: string): Promise<Buffer> {
  const salt = world.random.bytes(32);
  const iv = world.random.bytes(16);
  return Buffer.concat([salt, iv, aesEncryptCTR(plain, await derivePairingCodeKey(code, salt), iv)]);
}
