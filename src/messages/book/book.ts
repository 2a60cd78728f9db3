import type { Driven, Wire } from '../../channels/index.ts';
import type { Content, DueItem, DueKey } from '../../kernel/index.ts';
import type { Verdict } from '../guards.ts';
import type { AttemptVerdict, Journey, OnUnknown } from '../journey.ts';

export type DeliveryKey = { workspaceId: string; deliveryId: string };

/** A journey under the lock of this transaction. */
export type Locked = DeliveryKey & {
  messageId: string;
  channelId: string;
  groupId: string | null;
  phone: string | null;
  /** How long ago the catch-up window ended, by the database's clock; negative while it is open. */
  overdueMs: number;
  journey: Journey;
};

export type Change = { locked: Locked; next: Journey };

/** What there is to send, and how the workspace wants it sent. */
export type Letter = {
  content: Content;
  source: string;
  group: { providerId: string; size: number; archived: boolean } | null;
  /** The newest of the attempts before; null when this is the first. */
  last: PastAttempt | null;
  /** Whether what got no answer may be sent again under the same id. */
  resend: boolean;
  onUnknown: OnUnknown | null;
};

export type PastAttempt = { id: string; number: number; channelId: string; wire: Wire };

export type NewAttempt = DeliveryKey & {
  id: string;
  channelId: string;
  number: number;
  wire: Wire;
  fence: number;
  deadline: Date;
};

/** An attempt that was on the wire when nobody had an answer to it yet. */
export type OpenAttempt = PastAttempt & {
  locked: Locked;
  inFlight: boolean;
  /** How many attempts of its delivery may have left without an answer, this one among them. */
  doubted: number;
};

export type AttemptResult = DeliveryKey & {
  attemptId: string;
  channelId: string;
  verdict: AttemptVerdict;
  /** The provider's own id, where the answer names one. */
  providerId: string | null;
};

/** A word of the provider about one of its ids, and the delivery that it belongs to. */
export type Named<T> = DeliveryKey & { attemptId: string; word: T };

export type ReceiptKey = DeliveryKey & {
  id: string;
  recipient: string;
  kind: 'delivered' | 'read';
  at: Date;
  /** Follows from another receipt and was not sent by anybody. */
  implied: boolean;
};

/** How a channel stood at the end of a delivery's window; `away` = it may be back in a moment. */
export type Readiness = 'ready' | 'away' | 'not_ready' | 'restricted' | 'parked';

/**
 * The rows that the engine works on inside one transaction. Journeys are always locked before due work is touched,
 * and in the order of their ids, so that two transactions cannot block each other.
 */
export type Book = {
  /** By delivery id; what does not exist is left out. */
  lockJourneys(keys: DeliveryKey[]): Promise<Map<string, Locked>>;
  /** Writes what has changed and records the facts that follow from it. */
  writeJourneys(changes: Change[]): Promise<void>;

  /** Those of the items that are still claimed by this process for that very instant; they are off the list then. */
  takeDue(items: DueItem[]): Promise<DueItem[]>;
  scheduleDue(items: DueItem[]): Promise<void>;
  dropDue(keys: DueKey[]): Promise<void>;

  /** Those that this node still drives, proved until the end of the transaction. */
  stillDriven(driven: Driven[]): Promise<Driven[]>;
  /** By delivery id. */
  readLetters(of: Locked[]): Promise<Map<string, Letter>>;
  /** What keeps deliveries off the wire for now or for good; by delivery id, the others may go. */
  askGuards(of: Locked[], now: Date): Promise<Map<string, Verdict>>;
  insertAttempts(attempts: NewAttempt[]): Promise<void>;

  /**
   * An attempt is settled once; only `unknown` gives way to evidence, and only to evidence. Answers the ids of
   * those that changed.
   */
  settleAttempts(results: AttemptResult[]): Promise<Set<string>>;
  /**
   * Ends the attempts whose deadline is not after `at`. Answers the deadlines of those that are still within their
   * time, by delivery.
   */
  endOverdue(watched: { of: Locked; at: Date; status: 'unknown' | 'accepted' }[]): Promise<Map<string, Date>>;
  /** The newest attempt of each delivery of the channel that is on the wire, its journey locked. */
  lockOpen(of: { workspaceId: string; channelId: string }): Promise<OpenAttempt[]>;
  /** The newest attempt of each delivery that has had one; by delivery id. */
  lastAttempts(of: DeliveryKey[]): Promise<Map<string, { id: string; number: number }>>;
  /** Those of the deliveries that have an attempt of which it is not known that it did not get through. */
  perhapsArrived(of: DeliveryKey[]): Promise<Set<string>>;
  /** The provider has let us know that these channels may send less for now: they pause. */
  restrict(of: { workspaceId: string; channelId: string; reason: string }[], now: Date): Promise<void>;
  /** Whether what waited beyond its window waited for its turn or for its channel; by delivery id. */
  readReadiness(of: Locked[]): Promise<Map<string, Readiness>>;

  /** Finds whose ids the provider speaks of; words about what is not ours are left out. */
  findNamed<T>(
    words: { workspaceId: string; channelId: string; providerId: string; word: T }[],
  ): Promise<Named<T>[]>;
  /** Answers those that were not known yet. */
  insertReceipts(keys: ReceiptKey[]): Promise<ReceiptKey[]>;
  /** These unknown attempts turn out to have been sent. */
  clearUpAttempts(of: { workspaceId: string; attemptId: string }[]): Promise<void>;
};

/** Opens one transaction over the book: all of it happens or nothing. `name` is `room.verb`. */
export type Books = {
  open<T>(name: string, work: (book: Book) => Promise<T>): Promise<T>;
};
