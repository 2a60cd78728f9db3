/**
 * messages/book – the rows that the engine works on.
 * Owns: the SQL of journeys, attempts, receipts and provider ids.
 * Promises: the same contract as any other `Book`; locks journeys before due work, in the order of their ids.
 * Never: decides what becomes of a message.
 * Called by: begin, recover, settle, watch, receipts.
 */
import { type Channels, restrict } from '../../channels/index.ts';
import { dropDue, type Kernel, moveDue, type Tx, takeDue } from '../../kernel/index.ts';
import { RESEND_MS, WATCH } from '../due-kinds.ts';
import { askAll, type Guard } from '../guards.ts';
import {
  clearUpAttempts,
  endOverdue,
  insertAttempts,
  lockOpen,
  perhapsArrived,
  readLast,
  settleAttempts,
} from './attempts.ts';
import type { Book, Books } from './book.ts';
import { lockJourneys, writeJourneys } from './journeys.ts';
import { readLetters, readReadiness } from './letters.ts';
import { findNamed, insertReceipts } from './named.ts';

export type {
  Book,
  Books,
  Change,
  Letter,
  Locked,
  Named,
  OpenAttempt,
  Readiness,
  ReceiptKey,
} from './book.ts';
export { lockJourneys, writeJourneys } from './journeys.ts';

/** Answers are waited for at most that much longer than a message may be sent again. */
const OPEN_WITHIN_MS = RESEND_MS + 5 * 60_000;

/** The book over the database, in the engine's door. */
export function sqlBooks(kernel: Kernel, channels: Channels, guards: readonly Guard[]): Books {
  return {
    open: (name, work) =>
      kernel.database.inEngine(name, tx => work(bookOver(tx, kernel, channels, guards)), { byKey: true }),
  };
}

function bookOver(tx: Tx, kernel: Kernel, channels: Channels, guards: readonly Guard[]): Book {
  return {
    lockJourneys: keys => lockJourneys(tx, keys),
    writeJourneys: changes => writeJourneys(tx, changes),
    takeDue: items => takeDue(tx, kernel.node.bootId, items),
    scheduleDue: items => moveDue(tx, items),
    dropDue: keys => dropDue(tx, keys),
    stillDriven: driven => channels.stillDriven(tx, driven),
    readLetters: of => readLetters(tx, of),
    askGuards: (of, now) => askAll(guards, tx, of, now),
    insertAttempts: attempts => insertAttempts(tx, attempts),
    settleAttempts: results => settleAttempts(tx, results),
    endOverdue: watched => endOverdue(tx, watched),
    lockOpen: of => lockOpen(tx, { ...of, kind: WATCH, withinMs: OPEN_WITHIN_MS }),
    lastAttempts: of => readLast(tx, of),
    perhapsArrived: async of => new Set((await perhapsArrived(tx, of)).keys()),
    restrict: (of, now) => restrict(tx, of, now),
    readReadiness: of => readReadiness(tx, of),
    findNamed: words => findNamed(tx, words),
    insertReceipts: keys => insertReceipts(tx, keys),
    clearUpAttempts: of => clearUpAttempts(tx, of),
  };
}
