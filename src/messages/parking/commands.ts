import { z } from 'zod';
import {
  AppError,
  type Commands,
  type Kernel,
  recordAll,
  type Tx,
  wakeAfterCommit,
} from '../../kernel/index.ts';
import { type ParkingFacts, parkingFact } from '../activity.ts';
import { decideSome, type Overdue } from './overdue.ts';
import { PARKING } from './parked.ts';
import { readInstanceParking } from './queries.ts';
import { countKept, holdBackAll, sumOf } from './rows.ts';

const Park = z.strictObject({
  reason: z.string().trim().min(1, 'Say why, with --reason.').max(500, 'Use at most 500 characters.'),
});
const Arm = z.strictObject({ overdue: z.enum(['send', 'miss']).optional() });

/** What the operator does with the sending of the whole installation, while the server runs or not. */
export function registerParkingCommands(commands: Commands, kernel: Kernel): void {
  commands.register('park', Park, async ({ reason }) => {
    const before = await kernel.database.inEngine('messages.park', async tx => {
      await holdBackAll(tx);
      const known = await readInstanceParking(tx);
      if (known) return known;
      await tx.insertInto('instance_parking').values({ id: 1, reason }).execute();
      await tellEverybody(tx, 'sending.parked', { reason, by_operator: true });
    });
    if (before) return `Parked since ${before.since.toISOString()} already: ${before.reason}`;
    return 'Parked: messages are taken and kept, and none is sent. To go on: npm run convoke -- arm';
  });
  commands.register('arm', Arm, async ({ overdue }) => {
    while (!(await kernel.database.inEngine('messages.arm', tx => armOrDecide(tx, kernel, overdue))));
    return 'Armed: what was kept back is sent now.';
  });
}

/** True once it is armed; see `arm` of the service. */
async function armOrDecide(tx: Tx, kernel: Kernel, overdue: Overdue | undefined): Promise<boolean> {
  const parking = await tx.selectFrom('instance_parking').select('id').forUpdate().executeTakeFirst();
  if (!parking) throw new AppError('illegal_state', 'This Convoke is not parked.');
  if (overdue === undefined) await refuseUndecided(tx);
  else if (await decideSome(tx, { kernel, actor: { kind: 'system' } }, {}, overdue)) return false;
  await tx.deleteFrom('instance_parking').execute();
  await tellEverybody(tx, 'sending.armed', { overdue: overdue ?? null, by_operator: true });
  return true;
}

async function refuseUndecided(tx: Tx): Promise<void> {
  const { waiting, overdue } = sumOf(await countKept(tx, {}));
  if (overdue === 0) return;
  throw new AppError(
    'invalid_request',
    `Of ${waiting} messages that wait, ${overdue} are later than planned. Choose with --overdue send or --overdue miss.`,
  );
}

async function tellEverybody<T extends keyof ParkingFacts>(
  tx: Tx,
  type: T,
  payload: ParkingFacts[T],
): Promise<void> {
  const workspaces = await tx.selectFrom('workspaces').select('id').execute();
  await recordAll(
    tx,
    workspaces.map(({ id }) => ({
      workspaceId: id,
      actor: { kind: 'system' },
      ...parkingFact(type, { workspaceId: id }, payload),
    })),
  );
  wakeAfterCommit(PARKING);
}
