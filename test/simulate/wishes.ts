import type { Channel } from './node.ts';
import { CATCH_UP_MS, type People } from './people.ts';
import type { MemoryDatabase } from './tables.ts';
import type { World } from './world.ts';

type Parts = {
  world: World;
  people: People;
  db: MemoryDatabase;
  channels: readonly Channel[];
  forMs: number;
};

const PHONES = ['+491', '+492', '+493', '+494'];
const WINDOWS_MS = [3_000, 15_000, 40_000];

/** What people ask for over a while: messages now and later, to one and to groups, and second thoughts. */
export function wishes(parts: Parts): void {
  const { world, people, db, channels, forMs } = parts;
  const { random } = world;
  const workspaceId = 'workspace';
  for (const name of ['group:a', 'group:b'])
    db.groups.committed.set(name, { providerId: name, size: 4, archived: random.chance(0.1) });
  for (const { id } of channels) db.channels.committed.set(id, { status: 'waiting', statusAt: world.date() });
  db.policies.committed.set(workspaceId, {
    resend: random.chance(0.85),
    unknownApi: random.pick([null, null, 'send_again', 'give_up'] as const),
    unknownReminder: random.pick([null, 'send_again', 'give_up'] as const),
  });
  const atSomeMoment = (times: number, what: () => void) => {
    for (let i = 0; i < times; i++) world.after(random.between(500, forMs), what);
  };
  atSomeMoment(random.whole(6, 24), () => accept(parts));
  if (random.chance(0.3)) {
    const burst = random.between(500, forMs);
    for (let i = random.whole(5, 20); i > 0; i--) world.after(burst, () => accept(parts));
  }
  const someone = (then: (row: (typeof people.accepted)[number]) => void) => () => {
    if (people.accepted.length > 0) then(random.pick(people.accepted));
  };
  atSomeMoment(
    random.whole(0, 8),
    someone(row => void people.cancel(row)),
  );
  atSomeMoment(
    random.whole(0, 12),
    someone(row => void people.resolve(row, random.pick(['arrived', 'send_again', 'give_up'] as const))),
  );
  if (random.chance(0.3)) atSomeMoment(1, () => void people.optOut(random.pick(PHONES)));
  if (random.chance(0.3))
    atSomeMoment(1, () => {
      const { id } = random.pick(channels);
      const parkedMs = random.between(1_000, 30_000);
      // Nobody arms what is not known to be parked yet.
      void people.park(id).then(() => world.after(parkedMs, () => void people.arm(id)));
    });
}

function accept({ world, people, channels }: Parts): void {
  const { random } = world;
  const toGroup = random.chance(0.2);
  const isLater = random.chance(0.4);
  const now = world.date().getTime();
  void people.accept({
    workspaceId: 'workspace',
    channelId: random.pick(channels).id,
    phone: toGroup ? null : random.pick(PHONES),
    groupId: toGroup ? random.pick(['group:a', 'group:b']) : null,
    source: isLater ? 'reminder' : 'api',
    dueAt: new Date(isLater ? now + random.whole(200, 25_000) : now),
    catchUpMs: isLater ? random.pick(WINDOWS_MS) : CATCH_UP_MS,
  });
}
