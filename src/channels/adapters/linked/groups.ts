import type { BinaryNode, GroupMetadata, WASocket } from 'baileys';
import type { GroupSnapshot, Sink } from '../contract.ts';
import { BoundedCache, type Caches } from './bounded-cache.ts';
import { queryErrorCode } from './errors.ts';
import { isGroup, isSelf, phoneOf, type Self } from './ids.ts';

type GroupSink = Pick<Sink, 'groups' | 'groupsChanged' | 'groupMetadata'>;

/** A busy group changes often; one look a little later answers for all changes in between. */
const SETTLE_MS = 200;
const KEPT = 2_000;
const HOUR_MS = 3_600_000;

/** What WhatsApp answers about a group that we are not in (any more). */
const GONE = new Set([401, 403, 404, 406, 410]);

/**
 * Knows the groups of one connection: all of them on open, each again when a notification says that something
 * about it changed. Sending reads from here, so that WhatsApp is not asked before each message.
 */
export class GroupBook {
  readonly #sink: GroupSink;
  readonly #known = new BoundedCache(KEPT, HOUR_MS);
  readonly caches: Caches = { groups: this.#known };
  readonly #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(sink: GroupSink) {
    this.#sink = sink;
  }

  /** Asks for all groups and reports them. Rejects when WhatsApp does not answer. */
  refresh(sock: WASocket): Promise<void> {
    return this.#inTurn(async () => {
      const all = Object.values(await sock.groupFetchAllParticipating()).filter(canBeWrittenTo);
      for (const group of all) this.#known.set(group.id, group);
      await learnAddresses(sock, all);
      await this.#sink.groups(all.map(snapshot));
    });
  }

  /** Takes note of a stanza that says something about a group. */
  follow(sock: WASocket, node: BinaryNode, onFault: (error: unknown) => void): void {
    if (isDirtyGroups(node)) this.refresh(sock).catch(onFault);
    const { from, type } = node.attrs;
    if (node.tag !== 'notification' || type !== 'w:gp2' || !from || !isGroup(from)) return;
    this.#changed.add(from);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const groups = [...this.#changed];
      this.#changed.clear();
      this.#inTurn(() => this.#look(sock, groups)).catch(onFault);
    }, SETTLE_MS);
  }

  async metadata(group: string): Promise<GroupMetadata | undefined> {
    const known = this.#known.get<GroupMetadata>(group);
    if (known) return known;
    const stored = await this.#sink.groupMetadata(group);
    return isMetadata(stored) ? stored : undefined;
  }

  forget(group: string): void {
    this.#known.del(group);
  }

  /** Called when the socket is over: what was to be asked is asked anew on the next open. */
  pause(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#changed.clear();
  }

  async #look(sock: WASocket, groups: string[]): Promise<void> {
    const changed: GroupMetadata[] = [];
    const gone: string[] = [];
    for (const group of groups) {
      const found = await fetchGroup(sock, group);
      if (found) {
        this.#known.set(group, found);
        changed.push(found);
      } else {
        this.#known.del(group);
        gone.push(group);
      }
    }
    await learnAddresses(sock, changed);
    await this.#sink.groupsChanged(changed.map(snapshot), gone);
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const next = this.#turn.then(work);
    this.#turn = next.catch(() => undefined);
    return next;
  }
}

/** How many people a message to the group goes to, ourselves not counted. */
export function othersIn(group: GroupMetadata, self: Self): number {
  return group.participants.filter(
    ({ id, phoneNumber }) => !isSelf(id, self) && !(phoneNumber && isSelf(phoneNumber, self)),
  ).length;
}

async function fetchGroup(sock: WASocket, group: string): Promise<GroupMetadata | undefined> {
  try {
    const found = await sock.groupMetadata(group);
    const self = sock.user;
    const listed = found.participants.some(
      ({ id, phoneNumber }) => self && (isSelf(id, self) || (phoneNumber && isSelf(phoneNumber, self))),
    );
    return listed ? found : undefined;
  } catch (error) {
    if (GONE.has(queryErrorCode(error) ?? 0)) return undefined;
    throw error;
  }
}

/** Members come as LIDs; their numbers stand beside, and receipts are shown by number. */
async function learnAddresses(sock: WASocket, groups: GroupMetadata[]): Promise<void> {
  const pairs = groups.flatMap(group =>
    group.participants.flatMap(({ id, phoneNumber, lid }) => {
      if (phoneNumber) return [{ lid: id, pn: phoneNumber }];
      return lid && phoneOf(id) ? [{ lid, pn: id }] : [];
    }),
  );
  await sock.signalRepository.lidMapping.storeLIDPNMappings(pairs);
}

/** A community's parent holds groups but takes no messages itself. */
function canBeWrittenTo(group: GroupMetadata): boolean {
  return group.isCommunity !== true;
}

function snapshot(group: GroupMetadata): GroupSnapshot {
  const size = group.size ?? group.participants.length;
  return { providerId: group.id, subject: group.subject ?? '', size, metadata: group };
}

function isMetadata(stored: unknown): stored is GroupMetadata {
  return (
    typeof stored === 'object' &&
    stored !== null &&
    'id' in stored &&
    'participants' in stored &&
    Array.isArray(stored.participants)
  );
}

function isDirtyGroups(node: BinaryNode): boolean {
  if (node.tag !== 'ib' || !Array.isArray(node.content)) return false;
  return node.content.some(({ tag, attrs }) => tag === 'dirty' && attrs.type === 'groups');
}
