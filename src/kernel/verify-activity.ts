import { digestOf } from './activity.ts';
import { BEGINNING, CHAINED_COLUMNS, type ChainedFact, hashOf } from './chain.ts';
import type { Database, Tx } from './database/database.ts';
import { kept } from './database/kept.ts';

/** A place in a chain: whoever keeps one elsewhere can prove that nothing up to it was changed since. */
export type ChainHead = { seq: number; hash: Buffer };

export type ChainReport = {
  facts: number;
  /** Facts whose payload was erased on purpose, with its salt: nobody can tell any more what it was. */
  erased: number;
  /** The last seal that is there. */
  head: ChainHead;
  /** What is wrong, one sentence each, the first ones of `flawCount`. */
  flaws: string[];
  flawCount: number;
};

const BATCH = 1_000;
const FLAWS_TOLD = 20;

/**
 * Walks the chain of one workspace, or of the installation, and compares every fact with its digest, its seal and the
 * seal before. In short transactions, so that it may run beside everything else. An edit, a deletion or a cut that went
 * on to rewrite all later seals and the head shows only against a head that was `kept` elsewhere.
 */
export async function verifyChain(
  database: Database,
  workspaceId: string,
  keptHead?: ChainHead,
): Promise<ChainReport> {
  const inEngine = <T>(work: (tx: Tx) => Promise<T>) =>
    database.inEngine('activity.verify', work, { byKey: true });
  const walk = new Walk(keptHead);
  const end = await inEngine(async tx => (await readEnd(tx, workspaceId))[0]);
  while (walk.head.seq < (end?.last ?? 0)) {
    const rows = await inEngine(tx => readSealed(tx, workspaceId, walk.head.seq, end?.last, BATCH));
    if (rows.length === 0) break;
    for (const row of rows) walk.take(row);
  }
  walk.end(end);
  let after: string | undefined = NO_ID;
  while (after !== undefined) {
    const rows: Loose[] = await inEngine(tx => readLoose(tx, workspaceId, after, BATCH));
    for (const { id, type } of rows.filter(row => row.loose))
      walk.tell(`The fact ${id} (${type}) was recorded, and has no seal.`);
    after = rows.at(-1)?.id;
  }
  return walk.report();
}

const NO_ID = '00000000-0000-0000-0000-000000000000';

/** One pass over the seals in their order. */
class Walk {
  head: ChainHead = { seq: 0, hash: BEGINNING };
  readonly #kept: ChainHead | undefined;
  #facts = 0;
  #erased = 0;
  #flaws: string[] = [];
  #flawCount = 0;

  constructor(keptHead: ChainHead | undefined) {
    this.#kept = keptHead;
  }

  tell(flaw: string): void {
    this.#flawCount += 1;
    if (this.#flaws.length < FLAWS_TOLD) this.#flaws.push(flaw);
  }

  take(row: Sealed): void {
    const { seq, hash, fact } = sealedOf(row);
    const gap = seq - this.head.seq - 1;
    if (gap > 0) this.tell(`${gap === 1 ? 'Seal' : 'Seals'} ${rangeOf(this.head.seq + 1, seq - 1)} missing.`);
    if (fact) this.#check(seq, hash, fact, gap > 0);
    else this.tell(`Seal ${seq}: the fact that it was made for is missing.`);
    if (seq === this.#kept?.seq && !hash.equals(this.#kept.hash))
      this.tell(`Seal ${seq} is not the one that was kept elsewhere: the chain was written anew.`);
    this.#facts += 1;
    this.head = { seq, hash };
  }

  #check(seq: number, hash: Buffer, fact: Fact, afterGap: boolean): void {
    const erased = fact.payload === null && fact.salt === null;
    if (erased) this.#erased += 1;
    else if (!digestOf(fact.salt ?? Buffer.alloc(0), fact.payload).equals(fact.digest))
      this.tell(`Seal ${seq} (${fact.type}): the payload is not the one that was recorded.`);
    if (!afterGap && !hashOf(this.head.hash, seq, fact).equals(hash))
      this.tell(`Seal ${seq} (${fact.type}): the fact, its seal or the seal before it was changed.`);
  }

  /** `end` as it was before the walk: what was sealed meanwhile is left to the next one. */
  end(end: End | undefined): void {
    const { seq, hash } = this.head;
    if (seq !== (end?.seq ?? 0))
      this.tell(
        `The chain ends at seal ${seq}, and the head names ${end?.seq ?? 'none'}: its end was cut off.`,
      );
    else if (end?.hash && !end.hash.equals(hash))
      this.tell(`The head does not fit seal ${seq}, the last one.`);
    if (this.#kept && this.#kept.seq > seq)
      this.tell(
        `The chain ends at seal ${seq}, before the head that was kept elsewhere: its end was cut off.`,
      );
  }

  report(): ChainReport {
    const [facts, erased, flaws, flawCount] = [this.#facts, this.#erased, this.#flaws, this.#flawCount];
    return { facts, erased, head: this.head, flaws, flawCount };
  }
}

function rangeOf(from: number, to: number): string {
  return from === to ? `${from} is` : `${from} to ${to} are`;
}

type End = { seq: number | null; hash: Buffer | null; last: number | null };

/** The head and the last seal, of one moment. */
const readEnd = kept<End>(`
  select h.seq, h.hash, s.seq as last
  from (select 1) one
  left join lateral (
    select seq from activity_seals where workspace_id = $1::uuid order by seq desc limit 1
  ) s on true
  left join activity_heads h on h.workspace_id = $1::uuid`);

type Fact = ChainedFact & { salt: Buffer | null; payload: unknown };
type Sealed = { [K in keyof Fact]: Fact[K] | null } & { seq: number; hash: Buffer };

function sealedOf(row: Sealed): { seq: number; hash: Buffer; fact: Fact | undefined } {
  const { seq, hash, ...fact } = row;
  return { seq, hash, fact: fact.id === null ? undefined : (fact as Fact) };
}

const readSealed = kept<Sealed>(`
  select s.seq, s.hash, f.*
  from (
    select * from activity_seals where workspace_id = $1::uuid and seq > $2::bigint and seq <= $3::bigint
    order by seq limit $4::int
  ) s
  left join lateral (
    select ${CHAINED_COLUMNS}, a.salt, a.payload from activity a
    where a.workspace_id = s.workspace_id and a.id = s.activity_id offset 0
  ) f on true
  order by s.seq`);

type Loose = { id: string; type: string; loose: boolean };

/** Facts in the order of their ids, and whether one neither has a seal nor waits for it. */
const readLoose = kept<Loose>(`
  select a.id, a.type, not exists (
      select from activity_seals s where s.workspace_id = a.workspace_id and s.activity_id = a.id
    ) and not exists (
      select from activity_pending p where p.workspace_id = a.workspace_id and a.id = any(p.activity_ids)
    ) as loose
  from (
    select workspace_id, id, type from activity
    where workspace_id = $1::uuid and id > $2::uuid order by id limit $3::int
  ) a order by a.id`);
