import type { z } from 'zod';
import { AppError, inWorkspace, record, type Scope, type Tx } from '../kernel/index.ts';
import type { SendingPolicy, SendingPolicyChange } from './schema.ts';

const DEFAULTS: SendingPolicy = { resend: true, unknown: { api: 'ask', reminder: 'ask' }, version: 0 };

/** What a workspace wants done with messages that got no answer; the defaults until it says otherwise. */
export function readSendingPolicy(scope: Scope): Promise<SendingPolicy> {
  return inWorkspace(scope, async tx => (await read(tx, scope)) ?? DEFAULTS);
}

/** Holds for what enters the wire from now on. 412 `version_conflict` when `ifMatch` is not the version stored. */
export function changeSendingPolicy(
  scope: Scope,
  change: z.output<typeof SendingPolicyChange>,
  ifMatch: number | undefined,
): Promise<SendingPolicy> {
  return inWorkspace(scope, async tx => {
    await tx
      .insertInto('sending_policies')
      .values({ workspace_id: scope.workspaceId, version: DEFAULTS.version })
      .onConflict(conflict => conflict.doNothing())
      .execute();
    const before = (await read(tx, scope)) ?? DEFAULTS;
    if (ifMatch !== undefined && ifMatch !== before.version) {
      throw new AppError(
        'version_conflict',
        'Somebody changed these rules meanwhile. Load them again, then repeat your change.',
        { extra: { version: before.version } },
      );
    }
    const next: SendingPolicy = {
      resend: change.resend ?? before.resend,
      unknown: {
        api: change.unknown?.api ?? before.unknown.api,
        reminder: change.unknown?.reminder ?? before.unknown.reminder,
      },
      version: before.version + 1,
    };
    await tx
      .updateTable('sending_policies')
      .set({
        resend: next.resend,
        unknown_api: next.unknown.api,
        unknown_reminder: next.unknown.reminder,
        version: next.version,
        updated_at: scope.kernel.clock.now(),
      })
      .where('workspace_id', '=', scope.workspaceId)
      .execute();
    const { resend, unknown } = next;
    const subject = { type: 'workspace', id: scope.workspaceId };
    await record(tx, scope, { type: 'sending_policy.changed', subject, payload: { resend, unknown } });
    return next;
  });
}

/** Locked until the end of the transaction, so that two changes cannot undo each other. */
async function read(tx: Tx, scope: Scope): Promise<SendingPolicy | undefined> {
  const row = await tx
    .selectFrom('sending_policies')
    .selectAll()
    .where('workspace_id', '=', scope.workspaceId)
    .forUpdate()
    .executeTakeFirst();
  return (
    row && {
      resend: row.resend,
      unknown: {
        api: row.unknown_api as SendingPolicy['unknown']['api'],
        reminder: row.unknown_reminder as SendingPolicy['unknown']['reminder'],
      },
      version: row.version,
    }
  );
}
