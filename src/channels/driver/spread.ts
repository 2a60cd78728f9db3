/** A node that drives channels, as all nodes see it in the same rows. */
export type Peer = {
  bootId: string;
  /** Channels that it holds. */
  held: number;
  /** Most that it takes. */
  limit: number;
};

/**
 * Who takes which of the free channels: each goes to whoever holds least and has room. Nodes that see the same rows
 * come to the same answer without asking each other; where they do not, the lease decides. A channel that nobody has
 * room for is left out.
 */
export function sharesOf(free: readonly string[], peers: readonly Peer[]): Map<string, string> {
  const loads = peers.map(peer => ({ ...peer }));
  const shares = new Map<string, string>();
  for (const channelId of free) {
    const next = idlest(loads);
    if (!next) break;
    next.held += 1;
    shares.set(channelId, next.bootId);
  }
  return shares;
}

/** Differences up to this are not worth a reconnect. */
const ALLOWANCE = 2;

/**
 * Whether a node holds so much more than its fair share that a channel should move to an idle one: more than half as
 * much again. Each move costs the channel a reconnect, so smaller differences even out as channels get free anyway.
 */
export function holdsFarTooMany(bootId: string, peers: readonly Peer[]): boolean {
  const own = peers.find(peer => peer.bootId === bootId);
  const next = idlest(peers);
  if (!own || !next || next.bootId === bootId) return false;
  const total = peers.reduce((sum, peer) => sum + peer.held, 0);
  return own.held > (total / peers.length) * 1.5 + ALLOWANCE;
}

function idlest<T extends Peer>(peers: readonly T[]): T | undefined {
  const withRoom = peers.filter(peer => peer.held < peer.limit);
  return withRoom.reduce<T | undefined>((best, peer) => {
    if (!best || peer.held < best.held) return peer;
    return peer.held === best.held && peer.bootId < best.bootId ? peer : best;
  }, undefined);
}
