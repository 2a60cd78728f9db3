import type { Channels, Driven } from '../channels/index.ts';
import type { DueItem } from '../kernel/index.ts';
import type { Picked } from './begin.ts';
import { channelOfLane, isNewPeopleLane, newPeopleLane } from './due-kinds.ts';
import type { Offer, Pace } from './pacing/pace.ts';
import type { Parked } from './parking/parked.ts';

export type LaneParts = {
  channels: Pick<Channels, 'driven' | 'drivenById'>;
  parked: Pick<Parked, 'holds' | 'onChange'>;
  pace: Pick<Pace, 'isPaced' | 'offer' | 'onOpen'>;
  /** Most attempts of one channel on the wire at the same time. */
  places: { socket: number; http: number };
};

/** What one channel has to send. */
type Lane = {
  ready: DueItem[];
  /** To people who are new to a paced channel: they wait apart. */
  newPeople: DueItem[];
  flying: number;
};

/** Most items of one lane in memory and in one claim; of a paced one no more than goes within the time of a claim. */
export const READY = { usual: 500, paced: 8 };
/** Claims of a paced channel are made so long before its next message may go. */
const CLAIM_AHEAD_MS = 1_000;

/** What the channels of this node have to send, claimed and kept in memory, and how many are on the wire. */
export class Lanes {
  readonly #parts: LaneParts;
  readonly #lanes = new Map<string, Lane>();
  #turn = 0;

  constructor(parts: LaneParts) {
    this.#parts = parts;
  }

  /** The lanes of channels that are not paced, for which more may be claimed. */
  withRoom(): string[] {
    return this.#sending(false)
      .map(driven => driven.channelId)
      .filter(id => this.#of(id).ready.length < READY.usual / 2);
  }

  /** The same of paced channels; one that may not send for a while has no room. */
  pacedWithRoom(): string[] {
    return this.#sending(true).flatMap(driven => {
      const { ready, newPeople } = this.#of(driven.channelId);
      const offer = this.#parts.pace.offer(driven, CLAIM_AHEAD_MS);
      const usual = offer.usual && ready.length < READY.paced / 2;
      const apart = offer.newPeople && newPeople.length < READY.paced / 2;
      return [...(usual ? [driven.channelId] : []), ...(apart ? [newPeopleLane(driven.channelId)] : [])];
    });
  }

  add(items: DueItem[]): void {
    for (const item of items) listOf(this.#of(channelOfLane(item.lane)), item.lane).push(item);
    for (const laneId of new Set(items.map(item => item.lane)))
      listOf(this.#of(channelOfLane(laneId)), laneId).sort(byTurn);
  }

  /** Takes turns between the channels, and keeps the order within each. What it takes counts as on the wire. */
  pick(most: number): Picked[] {
    const picked: Picked[] = [];
    const all = this.#parts.channels.driven();
    const first = this.#turn++ % Math.max(1, all.length);
    for (const driven of [...all.slice(first), ...all.slice(0, first)]) {
      const free = Math.min(this.#free(driven), most - picked.length);
      if (free <= 0) continue;
      const lane = this.#of(driven.channelId);
      lane.flying += free;
      for (const item of takeTurns(lane, this.#parts.pace.offer(driven), free)) picked.push({ item, driven });
    }
    return picked;
  }

  isPickable(): boolean {
    return this.#parts.channels.driven().some(driven => this.#free(driven) > 0);
  }

  launched(channelId: string, count: number): void {
    this.#of(channelId).flying += count;
  }

  landed(channelId: string): void {
    const lane = this.#lanes.get(channelId);
    if (lane) lane.flying -= 1;
  }

  /** Takes what is for somebody else to send, or for nobody: other nodes need not wait until our claims expire. */
  release(): DueItem[] {
    const released: DueItem[] = [];
    for (const [id, lane] of this.#lanes) {
      const driven = this.#parts.channels.drivenById(id);
      if (driven && !this.#parts.parked.holds(driven)) continue;
      released.push(...emptied(lane));
      if (!driven && lane.flying === 0) this.#lanes.delete(id);
    }
    return released;
  }

  /** Takes all that has not begun. */
  drain(): DueItem[] {
    return [...this.#lanes.values()].flatMap(emptied);
  }

  /** A node that has slept may not have noticed yet that a lease has lapsed: it must not keep others off the lane. */
  #sending(paced: boolean): Driven[] {
    const { channels, parked, pace } = this.#parts;
    return channels
      .driven()
      .filter(driven => driven.held() && !parked.holds(driven) && pace.isPaced(driven) === paced);
  }

  #of(channelId: string): Lane {
    const known = this.#lanes.get(channelId);
    if (known) return known;
    const lane: Lane = { ready: [], newPeople: [], flying: 0 };
    this.#lanes.set(channelId, lane);
    return lane;
  }

  /** How many of the channel may be begun now. */
  #free(driven: Driven): number {
    const { parked, pace, places } = this.#parts;
    const lane = this.#lanes.get(driven.channelId);
    if (!lane || !driven.held() || parked.holds(driven)) return 0;
    const { most, usual, newPeople } = pace.offer(driven);
    const waiting = (usual ? lane.ready.length : 0) + (newPeople ? lane.newPeople.length : 0);
    return Math.min(waiting, most, places[driven.adapter.capabilities.transport] - lane.flying);
  }
}

function emptied(lane: Lane): DueItem[] {
  return [...lane.ready.splice(0), ...lane.newPeople.splice(0)];
}

function listOf(lane: Lane, laneId: string): DueItem[] {
  return isNewPeopleLane(laneId) ? lane.newPeople : lane.ready;
}

/** Takes the first of what may go. */
function takeTurns(lane: Lane, { usual, newPeople }: Offer, count: number): DueItem[] {
  if (!newPeople || lane.newPeople.length === 0) return lane.ready.splice(0, count);
  if (!usual || lane.ready.length === 0) return lane.newPeople.splice(0, count);
  const all = emptied(lane).sort(byTurn);
  const taken = all.splice(0, count);
  for (const item of all) listOf(lane, item.lane).push(item);
  return taken;
}

/** Of what is due at the same moment, what was accepted first. */
function byTurn(a: DueItem, b: DueItem): number {
  const order = b.priority - a.priority || a.dueAt.getTime() - b.dueAt.getTime();
  return order || (a.subjectId < b.subjectId ? -1 : 1);
}
