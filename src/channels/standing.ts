/** A node as the rows show it, and what it says of itself when it is the one that answers. */
export type NodeFacts = {
  bootId: string;
  nodeId: string;
  roles: string[];
  startedAt: Date;
  seenAt: Date;
  /** Not seen for two renewals. */
  gone: boolean;
  leaving: boolean;
  /** Channels that it holds, of all workspaces. */
  held: number;
  limit: number;
  /** Since when it cannot renew what it holds; known of the answering node only. */
  troubleSince?: Date | undefined;
};

/** What there is to drive in the whole installation. */
export type Work = {
  embedded: boolean;
  /** Channels that are wanted connected or paired. */
  wanted: number;
  /** Of these, those whose holder is gone and whose lease still runs. */
  withTheGone: number;
  /** And those that nobody holds. */
  free: number;
};

export type Standing = {
  state: 'active' | 'passive' | 'leaving' | 'gone';
  reason: StandingReason;
  detail: string;
};

export const STANDING_REASONS = [
  'driving',
  'at_limit',
  'single_node',
  'nothing_to_drive',
  'others_hold_all',
  'awaits_takeover',
  'about_to_take',
  'drives_none',
  'cannot_renew',
  'stopping',
  'not_seen',
] as const;
export type StandingReason = (typeof STANDING_REASONS)[number];

/** Whether a node drives channels, and why it does not or takes no more. The first reason that holds is told. */
export function standingOf(node: NodeFacts, work: Work): Standing {
  if (node.leaving)
    return { state: 'leaving', ...told('stopping', 'It is stopping and takes nothing more.') };
  if (node.gone) {
    const since = node.seenAt.toISOString();
    return { state: 'gone', ...told('not_seen', `It has not been seen since ${since}.`) };
  }
  const state = node.held > 0 ? 'active' : 'passive';
  if (node.troubleSince) {
    const since = node.troubleSince.toISOString();
    return {
      state,
      ...told('cannot_renew', `It cannot renew its leases: database unreachable since ${since}.`),
    };
  }
  return { state, ...reasonOf(node, work) };
}

function reasonOf(node: NodeFacts, work: Work): Omit<Standing, 'state'> {
  if (node.limit === 0) return told('drives_none', 'It is set to drive no channels.');
  if (node.held >= node.limit) return told('at_limit', `It is at its limit of ${node.limit} channels.`);
  if (work.embedded)
    return told('single_node', 'The embedded database has a single node, which drives every channel.');
  if (node.held > 0) return told('driving', 'It drives channels and has room for more.');
  if (work.wanted === 0) return told('nothing_to_drive', 'No channel is to be connected.');
  if (work.free > 0) return told('about_to_take', 'A channel is free and will be taken in a moment.');
  if (work.withTheGone > 0)
    return told('awaits_takeover', 'It takes over from a node that is gone as soon as its leases run out.');
  return told('others_hold_all', 'Another node holds all channels, or several do.');
}

function told(reason: StandingReason, detail: string): Omit<Standing, 'state'> {
  return { reason, detail };
}
