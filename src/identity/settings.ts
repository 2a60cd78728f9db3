import type { Tx } from '../kernel/index.ts';

/** The epoch of the installation: what was given out in an earlier one opens nothing. */
export async function epochNow(tx: Tx): Promise<number> {
  const { epoch } = await tx.selectFrom('instance_settings').select('epoch').executeTakeFirstOrThrow();
  return epoch;
}

export async function moveEpoch(tx: Tx): Promise<void> {
  await tx
    .updateTable('instance_settings')
    .set(settings => ({ epoch: settings('epoch', '+', 1) }))
    .execute();
}
