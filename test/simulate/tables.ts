import type { Wire } from '../../src/channels/index.ts';
import type { DueItem, DueKey } from '../../src/kernel/index.ts';
import type { AttemptVerdict, Journey, OnUnknown, Why } from '../../src/messages/journey.ts';
import { Store, Table } from './store.ts';

export type DeliveryRow = {
  workspaceId: string;
  deliveryId: string;
  messageId: string;
  channelId: string;
  groupId: string | null;
  phone: string | null;
  text: string;
  source: string;
  journey: Journey;
};

export type AttemptRow = {
  workspaceId: string;
  deliveryId: string;
  id: string;
  channelId: string;
  number: number;
  wire: Wire;
  fence: number;
  deadline: Date;
  /** The process that began it. */
  by: string;
  status: 'in_flight' | AttemptVerdict['status'];
  code: string | null;
};

export type ProviderIdRow = { workspaceId: string; deliveryId: string; attemptId: string };

export type DueRow = DueItem & { claimedBy: string | null; claimedUntil: Date | null };

export type LeaseRecord = { holder: string | null; fence: number; expiresAt: Date; takenAt: Date };

export type ChannelRow = { status: string; statusAt: Date };

export type GroupRow = { providerId: string; size: number; archived: boolean };

export type PolicyRow = { resend: boolean; unknownApi: OnUnknown | null; unknownReminder: OnUnknown | null };

/** The rows that the engine works on, and those that it only reads. */
export class MemoryDatabase {
  readonly store: Store;
  readonly deliveries = new Table<DeliveryRow>('deliveries');
  readonly attempts = new Table<AttemptRow>('attempts');
  readonly providerIds = new Table<ProviderIdRow>('provider_ids');
  readonly receiptKeys = new Table<{ at: Date }>('receipt_keys');
  readonly due = new Table<DueRow>('due_work');
  readonly leases = new Table<LeaseRecord>('leases');
  readonly groups = new Table<GroupRow>('groups');
  readonly channels = new Table<ChannelRow>('channels');
  readonly policies = new Table<PolicyRow>('sending_policies');
  /** Why nothing goes to this phone. */
  readonly optOuts = new Table<Why>('opt_outs');
  /** Held by who lets messages enter the wire, waited for by who parks. */
  readonly gate = new Table<object>('gate');
  /** By channel. */
  readonly parkings = new Table<{ at: Date }>('parkings');
  /** Tells after the commit that there is something to look at. */
  wake: (topic: string) => void = () => {};

  constructor(clock: () => Date) {
    this.store = new Store(clock);
  }

  attemptsOf(deliveryId: string): AttemptRow[] {
    return [...this.attempts.committed.values()].filter(attempt => attempt.deliveryId === deliveryId);
  }
}

export function dueKeyOf(key: DueKey): string {
  return `${key.workspaceId} ${key.kind} ${key.subjectId}`;
}

export function deliveryKeyOf(key: { workspaceId: string; deliveryId: string }): string {
  return `${key.workspaceId} ${key.deliveryId}`;
}
