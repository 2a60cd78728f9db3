import { addJob, type Kernel, type Tx } from '../../kernel/index.ts';
import { deviceName, isKnownDevice } from '../logins/devices.ts';
import type { Visitor } from '../logins/logins.ts';

/** What a person is told by mail when it has happened to the account. */
export type Notice = 'password_changed' | 'new_device' | 'stolen_login';

/** Tells the person by mail, once the transaction has committed; who has no address is not told. */
export async function addNotice(
  tx: Tx,
  kernel: Kernel,
  userId: string,
  notice: Notice,
  visitor: Visitor,
): Promise<void> {
  await addJob(tx, 'identity.notice_mail', { user_id: userId, notice, ...happenedTo(kernel, visitor) });
}

/** The first browser of an account is no news; another one is. To be asked before the browser is made known. */
export async function tellNewDevice(tx: Tx, kernel: Kernel, userId: string, visitor: Visitor): Promise<void> {
  if (await isFirstOrKnown(tx, userId, visitor)) return;
  await addNotice(tx, kernel, userId, 'new_device', visitor);
}

/** What a mail tells of a visit; in a job. */
export function happenedTo(kernel: Kernel, { address, userAgent }: Visitor) {
  return {
    at: kernel.clock.now().toISOString(),
    device: deviceName(userAgent ?? null),
    address: address ?? null,
  };
}

async function isFirstOrKnown(tx: Tx, userId: string, { device }: Visitor): Promise<boolean> {
  if (await isKnownDevice(tx, userId, device)) return true;
  const other = await tx
    .selectFrom('known_devices')
    .select('user_id')
    .where('user_id', '=', userId)
    .limit(1)
    .executeTakeFirst();
  return other === undefined;
}
