import { describe, expect, it } from 'vitest';
import type { NodeStatus, Status } from './api.ts';
import { lookOfNode, lookOfStanding, standingOf, verdictOn, waitingWords } from './words.ts';

const at = '2026-11-24T12:00:00Z';
const CHANNELS = [{ id: 'c1' }, { id: 'c2' }];

function node(id: string, over: Partial<NodeStatus> = {}): NodeStatus {
  return {
    boot_id: `boot-${id}`,
    node_id: id,
    roles: ['all'],
    started_at: at,
    seen_at: at,
    state: 'active',
    reason: 'driving',
    detail: '',
    ...over,
  };
}

function status(over: Partial<Status>): Status {
  return { answered_by: 'boot-a', nodes: [node('a')], leases: [], waiting: [], ...over };
}

const lease = (channel_id: string, boot = 'boot-a') => ({
  channel_id,
  boot_id: boot,
  fence: 7,
  taken_at: at,
  expires_in_ms: 26_400,
});

describe('how a channel stands', () => {
  it('names the node that drives it', () => {
    expect(standingOf('c1', status({ leases: [lease('c1')] }))).toEqual({
      kind: 'driven',
      node: 'a',
      since: at,
      leftMs: 26_400,
    });
  });

  it('waits for a takeover as long as the hold of the node that is gone lasts', () => {
    const standing = standingOf(
      'c1',
      status({ leases: [lease('c1', 'boot-b')], waiting: [{ channel_id: 'c1', reason: 'holder_gone' }] }),
    );
    expect(standing).toMatchObject({ kind: 'waiting', reason: 'holder_gone', leftMs: 26_400 });
    expect(standing.kind === 'waiting' && waitingWords(standing)).toMatch(/in about 27 seconds/);
  });

  it('needs no node when nobody wants it connected', () => {
    expect(standingOf('c2', status({ leases: [lease('c1')] }))).toEqual({ kind: 'idle' });
  });

  it.each([
    ['free', 'blue'],
    ['no_room', 'orange'],
    ['holder_gone', 'orange'],
  ] as const)('shows %s in %s', (reason, color) => {
    const standing = standingOf('c1', status({ waiting: [{ channel_id: 'c1', reason }] }));
    expect(lookOfStanding(standing).color).toBe(color);
  });
});

describe('the page in a sentence', () => {
  const verdict = (over: Partial<Status>) => verdictOn(status(over), CHANNELS);

  it('is calm when all is driven', () => {
    expect(verdict({ leases: [lease('c1'), lease('c2')] })).toMatchObject({
      color: 'green',
      words: '1 node runs, 2 channels driven.',
    });
    expect(verdict({ nodes: [node('a'), node('b', { state: 'passive' })] }).words).toBe(
      '2 nodes run. No channel is connected.',
    );
  });

  it('names the database first, as everything hangs on it', () => {
    const nodes = [node('a', { reason: 'cannot_renew' }), node('b', { state: 'gone', reason: 'not_seen' })];
    const waiting = [{ channel_id: 'c1', reason: 'no_room' as const }];
    expect(verdict({ nodes, waiting }).words).toMatch(/database/);
    expect(lookOfNode(nodes[0] ?? node('a'))).toMatchObject({ color: 'orange', word: 'No database' });
  });

  it('counts what has no room', () => {
    const waiting = CHANNELS.map(({ id }) => ({ channel_id: id, reason: 'no_room' as const }));
    expect(verdict({ waiting })).toMatchObject({ color: 'orange', words: '2 channels have no node.' });
  });

  it('says that a node is gone only while something of it waits', () => {
    const nodes = [node('a'), node('b', { state: 'gone', reason: 'not_seen' })];
    const waiting = [{ channel_id: 'c1', reason: 'holder_gone' as const }];
    expect(verdict({ nodes, waiting, leases: [lease('c1', 'boot-b')] }).words).toBe('A node is gone.');
    expect(verdict({ nodes, leases: [lease('c1')] })).toMatchObject({
      color: 'green',
      words: '1 node runs, 1 channel driven.',
    });
  });
});
