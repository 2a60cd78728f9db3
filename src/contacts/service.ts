import type { z } from 'zod';
import { invalidField, inWorkspace, notFound, type Scope, type Tx } from '../kernel/index.ts';
import { addOptOut, endOptOut, optOutOf } from './opt-outs.ts';
import { addressId, lockPeople, personOf } from './people.ts';
import { checkPhone } from './phone.ts';
import type { NewOptOut } from './schema.ts';

/** Opts a number out by hand. Repeating it changes nothing and gives back the one that holds. */
export function optOut(
  scope: Scope,
  { phone, reason, name }: z.output<typeof NewOptOut>,
): Promise<{ id: string; fresh: boolean }> {
  const fault = checkPhone(phone);
  if (fault) throw invalidField('phone', fault);
  return inWorkspace(scope, async tx => {
    await lockPeople(tx, scope);
    const identity = { kind: 'phone' as const, value: phone };
    const contactId = await personOf(tx, scope, [identity], 'by_hand');
    if (name) await callThem(tx, scope, contactId, name);
    const of = {
      contactId,
      addressId: await addressId(tx, scope, identity),
      since: scope.kernel.clock.now(),
    };
    const id = await addOptOut(tx, scope, of, { how: 'by_hand', reason });
    if (id !== undefined) return { id, fresh: true };
    const standing = await optOutOf(tx, scope, contactId);
    if (!standing) throw new Error('An opt-out was neither written nor there.');
    return { id: standing.id, fresh: false };
  });
}

/** Ends an opt-out; the person may be written to again. 404 when it is over already. */
export function lift(scope: Scope, id: string, reason: string): Promise<void> {
  return inWorkspace(scope, async tx => {
    await lockPeople(tx, scope);
    const standing = await tx
      .selectFrom('opt_outs')
      .select(['id', 'contact_id'])
      .where('workspace_id', '=', scope.workspaceId)
      .where('id', '=', id)
      .executeTakeFirst();
    if (!standing) throw notFound();
    await endOptOut(tx, scope, standing, { how: 'by_hand', reason });
  });
}

async function callThem(tx: Tx, scope: Scope, contactId: string, name: string): Promise<void> {
  await tx
    .updateTable('contacts')
    .set({ name })
    .where('workspace_id', '=', scope.workspaceId)
    .where('id', '=', contactId)
    .execute();
}
