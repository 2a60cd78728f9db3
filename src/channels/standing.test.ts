import { describe, expect, it } from 'vitest';
import { type NodeFacts, STANDING_REASONS, standingOf, type Work } from './standing.ts';

const node: NodeFacts = {
  bootId: 'b',
  nodeId: 'n',
  roles: [],
  startedAt: new Date(0),
  seenAt: new Date('2026-01-01T12:00:00Z'),
  gone: false,
  leaving: false,
  held: 0,
  limit: 150,
};
const work: Work = { embedded: false, wanted: 3, withTheGone: 0, free: 0 };

const table: [Partial<NodeFacts>, Partial<Work>, string, string][] = [
  [{ held: 2 }, {}, 'active', 'driving'],
  [{ held: 150 }, {}, 'active', 'at_limit'],
  [{ held: 150 }, { embedded: true }, 'active', 'at_limit'],
  [{ held: 2 }, { embedded: true }, 'active', 'single_node'],
  [{}, { embedded: true }, 'passive', 'single_node'],
  [{ limit: 0 }, {}, 'passive', 'drives_none'],
  [{}, { wanted: 0 }, 'passive', 'nothing_to_drive'],
  [{}, { free: 1 }, 'passive', 'about_to_take'],
  [{}, { withTheGone: 1 }, 'passive', 'awaits_takeover'],
  [{}, {}, 'passive', 'others_hold_all'],
  [{ held: 1, troubleSince: new Date(0) }, {}, 'active', 'cannot_renew'],
  [{ troubleSince: new Date(0) }, {}, 'passive', 'cannot_renew'],
  [{ gone: true, held: 5 }, {}, 'gone', 'not_seen'],
  [{ leaving: true, held: 5, gone: true }, {}, 'leaving', 'stopping'],
];

describe('the standing of a node', () => {
  it.each(table)('%o with %o is %s: %s', (facts, there, state, reason) => {
    expect(standingOf({ ...node, ...facts }, { ...work, ...there })).toMatchObject({ state, reason });
  });

  it('has a case here for each reason', () => {
    expect([...new Set(table.map(([, , , reason]) => reason))].toSorted()).toEqual(
      [...STANDING_REASONS].toSorted(),
    );
  });

  it('says what a person wants to know', () => {
    expect(standingOf({ ...node, held: 150 }, work).detail).toContain('limit of 150 channels');
    expect(standingOf({ ...node, gone: true }, work).detail).toContain('2026-01-01T12:00:00.000Z');
  });
});
