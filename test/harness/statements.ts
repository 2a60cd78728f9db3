import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PostgresServer } from './postgres-server.ts';

/** Makes a server write down each statement that it has carried out, with the transaction that it was part of. */
export const STATEMENTS = {
  logging_collector: 'on',
  log_destination: 'jsonlog',
  log_filename: 'statements.log',
  log_rotation_age: '0',
  log_rotation_size: '0',
  log_min_duration_statement: '0',
};

/** What one program has done. Only a transaction that has changed or locked a row has a number of its own. */
export type Deeds = {
  /** Tables that statements of committed transactions with a number were to change. */
  changed: string[];
  /** Statements that were to change rows and met none. */
  metNoRow: number;
  /** Transactions with a number that were rolled back. */
  rolledBack: number;
  /** Committed transactions of what any node may do at any time: the watch over deliveries, occurrences. */
  ofAnyNode: number;
  /** Committed transactions that only tell what became of attempts of its own that were still on the wire. */
  told: number;
  /** Committed transactions that only free deliveries that it had claimed and not begun, for whoever sends them now. */
  gaveBack: number;
  statements: number;
};

type Transaction = {
  number: number;
  changed: string[];
  ofAnyNode: boolean;
  tells: boolean;
  givesBack: boolean;
};

type Line = { pid: number; application_name?: string; message?: string; detail?: string; txid?: number };

const STATEMENT = /^duration: \S+ ms {2}(?:statement|execute [^:]*): ([\s\S]*)$/;
/** Due work that belongs to no lease: who has claimed it does it. The parameters say of which kind it is. */
const CLAIM = /update due_work d set claimed_by/;
const TAKE = /^\s*delete from due_work using unnest\(\$1::uuid\[\], \$2::text\[\], \$3::uuid\[\], \$4/;
const OF_ANY_NODE = {
  claimed: /\$1 = '(delivery_watch|occurrence)'/,
  taken: /\$2 = '\{"?(delivery_watch|occurrence)/,
};
/** What became of attempts, and where that shows. */
const TELLS = /^\s*update attempts a set status = s\.status/;
const TOLD_IN = new Set(['attempts', 'deliveries', 'due_work', 'activity', 'activity_pending']);
/** Only what carries the number of this process. */
const GIVES_BACK = /^\s*update due_work set claimed_by = null,[\s\S]* and claimed_by = \$5::uuid$/;
const CHANGES = /\b(?:insert into|update|delete from)\s+(?:only\s+)?"?([a-z_]+)"?/gi;

/** How much there is so far, to read on from there. */
export function statementsSoFar(server: PostgresServer): number {
  return readFileSync(fileOf(server)).length;
}

/** What a program of that name has done since; `tables` are those that there are. */
export function deedsSince(
  server: PostgresServer,
  from: number,
  program: string,
  tables: ReadonlySet<string>,
): Deeds {
  const deeds: Deeds = {
    changed: [],
    metNoRow: 0,
    rolledBack: 0,
    ofAnyNode: 0,
    told: 0,
    gaveBack: 0,
    statements: 0,
  };
  const open = new Map<number, Transaction>();
  for (const text of readFileSync(fileOf(server)).subarray(from).toString().split('\n')) {
    const line = text.startsWith('{') && text.endsWith('}') ? (JSON.parse(text) as Line) : undefined;
    const statement = line?.application_name === program && STATEMENT.exec(line.message ?? '')?.[1];
    if (!line || !statement) continue;
    deeds.statements += 1;
    const transaction = open.get(line.pid) ?? newTransaction();
    open.set(line.pid, transaction);
    transaction.ofAnyNode ||= isOfAnyNode(statement, line.detail ?? '');
    transaction.tells ||= TELLS.test(statement);
    transaction.givesBack ||= GIVES_BACK.test(statement);
    const end = /^\s*(commit|rollback)/i.exec(statement)?.[1]?.toLowerCase();
    if (end === undefined) {
      const changed = [...statement.matchAll(CHANGES)]
        .map(([, name = '']) => name)
        .filter(name => tables.has(name));
      transaction.number = Math.max(transaction.number, line.txid ?? 0);
      if (transaction.number === 0) deeds.metNoRow += changed.length > 0 ? 1 : 0;
      else transaction.changed.push(...changed);
      continue;
    }
    open.delete(line.pid);
    if (transaction.number === 0) continue;
    if (end === 'rollback') deeds.rolledBack += 1;
    else if (transaction.ofAnyNode) deeds.ofAnyNode += 1;
    else if (transaction.tells && transaction.changed.every(table => TOLD_IN.has(table))) deeds.told += 1;
    else if (transaction.givesBack && transaction.changed.every(table => table === 'due_work'))
      deeds.gaveBack += 1;
    else deeds.changed.push(...transaction.changed);
  }
  return deeds;
}

function newTransaction(): Transaction {
  return { number: 0, changed: [], ofAnyNode: false, tells: false, givesBack: false };
}

function isOfAnyNode(statement: string, parameters: string): boolean {
  if (CLAIM.test(statement)) return OF_ANY_NODE.claimed.test(parameters);
  return TAKE.test(statement) && OF_ANY_NODE.taken.test(parameters);
}

function fileOf(server: PostgresServer): string {
  return join(server.folder, 'log', 'statements.json');
}
