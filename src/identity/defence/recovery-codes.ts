import { createHash, randomInt } from 'node:crypto';
import type { Tx } from '../../kernel/index.ts';

const HOW_MANY = 10;
const GROUPS = 4;
/** Without what is taken for something else when it is written down. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';

/** Ten new codes in place of the old ones, to be shown once. Each has 79 bits and opens once. */
export async function makeRecoveryCodes(tx: Tx, userId: string): Promise<string[]> {
  const codes = Array.from({ length: HOW_MANY }, newCode);
  await tx.deleteFrom('recovery_codes').where('user_id', '=', userId).execute();
  await tx
    .insertInto('recovery_codes')
    .values(codes.map(code => ({ user_id: userId, code_hash: codeHash(userId, code) })))
    .execute();
  return codes;
}

/** Whether the code fits; then it never does again. */
export async function takeRecoveryCode(tx: Tx, userId: string, code: string, now: Date): Promise<boolean> {
  const taken = await tx
    .updateTable('recovery_codes')
    .set({ used_at: now })
    .where('user_id', '=', userId)
    .where('code_hash', '=', codeHash(userId, code))
    .where('used_at', 'is', null)
    .executeTakeFirst();
  return taken.numUpdatedRows > 0n;
}

function newCode(): string {
  const group = () => Array.from({ length: 4 }, () => LETTERS[randomInt(LETTERS.length)]).join('');
  return Array.from({ length: GROUPS }, group).join('-');
}

/** Typed with or without dashes, in whatever case. */
function codeHash(userId: string, code: string): Buffer {
  const bare = code.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return createHash('sha256').update(`${userId}:${bare}`).digest();
}
