import { addAccount } from '../phones/account.ts';
import { createGroup } from '../server/groups.ts';
import type { World } from './world.ts';

/** The three people of the demo; numbers, LIDs and group ids are always the same. */
export const DEMO = {
  owner: '15550000001',
  ben: '15550000002',
  chloe: '15550000003',
  class3A: '120363000000000001@g.us',
  class3B: '120363000000000002@g.us',
} as const;

/** An owner with two groups: "Class 3A" holds everyone, "Class 3B" the owner and Ben. */
export function seedDemo(world: World): void {
  const owner = addAccount(world, DEMO.owner, 'Olivia Owner', '900000000000001');
  const ben = addAccount(world, DEMO.ben, 'Ben', '900000000000002');
  const chloe = addAccount(world, DEMO.chloe, 'Chloe', '900000000000003');
  createGroup(world, owner, 'Class 3A', [ben, chloe], DEMO.class3A);
  createGroup(world, owner, 'Class 3B', [ben], DEMO.class3B);
}
