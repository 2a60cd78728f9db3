import { z } from 'zod';
import { Content, Id, Instant, PageQuery, Phone, pageOf, Target } from '../kernel/index.ts';
import { BOUNDS } from './pacing/limits.ts';

export const DeliveryStatus = z.enum([
  'queued',
  'in_flight',
  'accepted',
  'sent',
  'delivered',
  'read',
  'failed',
  'unknown',
  'cancelled',
  'missed',
]);
export type DeliveryStatus = z.output<typeof DeliveryStatus>;

export const NewMessage = z.strictObject({
  channel_id: Id,
  to: Target,
  content: Content,
  send_at: Instant.optional().describe('Later than now; left out = at once'),
});

export const Recipient = z.object({
  group_id: Id.nullable(),
  phone: Phone.nullable(),
  name: z.string().nullable().describe('Subject of the group, or null'),
});

export const Attempt = z.object({
  id: Id,
  number: z.number().int(),
  status: z.enum(['in_flight', 'accepted', 'refused', 'deferred', 'unknown']),
  provider_id: z.string(),
  code: z.string().nullable(),
  detail: z.string().nullable(),
  started_at: Instant,
  settled_at: Instant.nullable(),
});

export const Receipt = z.object({
  recipient: z.string().describe('Masked number or id of the recipient'),
  kind: z.enum(['delivered', 'read']),
  at: Instant,
});

/** Why a message that is due has not left yet. */
export const WaitingFor = z
  .enum(['parked', 'restriction', 'channel', 'new_people', 'pacing'])
  .describe(
    'parked = somebody has parked it; restriction = the provider lets the number send less; channel = it is not connected; new_people = the limit of people who are new to the channel is reached for today; pacing = its turn has not come',
  );
export type WaitingFor = z.output<typeof WaitingFor>;

/** The journey of a message. Each `_at` is the moment of one step; counts stand beside in groups. */
export const Delivery = z.object({
  id: Id,
  status: DeliveryStatus,
  reason: z.string().nullable().describe('A stable code when it ended otherwise than sent'),
  detail: z.string().nullable().describe('The same in a plain sentence that says what to do'),
  due_at: Instant,
  in_flight_at: Instant.nullable(),
  accepted_at: Instant.nullable(),
  sent_at: Instant.nullable(),
  delivered_at: Instant.nullable(),
  read_at: Instant.nullable(),
  ended_at: Instant.nullable().describe('When it failed, was cancelled, missed or became unknown'),
  doubt_at: Instant.nullable().describe(
    'Since when no answer has come and nobody knows whether it left; until it is settled it may be sent again under the same id',
  ),
  resend_until: Instant.nullable().describe(
    'Until when it may be sent again by itself while that is not known; null = it is not',
  ),
  waiting_for: WaitingFor.nullable(),
  waiting_until: Instant.nullable().describe('When it is expected to go on, where that can be told'),
  recipients: z
    .number()
    .int()
    .nullable()
    .describe('How many people the group has besides the sender; 1 for a person'),
  delivered_count: z.number().int(),
  read_count: z.number().int(),
});
export type Delivery = z.output<typeof Delivery>;

/** What a person may decide about a message that got no answer. */
export const Resolution = z.enum(['arrived', 'send_again', 'give_up']);
export type Resolution = z.output<typeof Resolution>;
export const NewResolution = z.strictObject({
  as: Resolution.describe(
    'arrived = the recipient has it; send_again = send it once more (linked numbers: under the same id); give_up = it counts as failed',
  ),
});

const OnUnknown = z.enum(['ask', 'send_again', 'give_up']);
export const SendingPolicyChange = z.strictObject({
  resend: z
    .boolean()
    .optional()
    .describe(
      'Whether what got no answer is sent again by itself under the same id, after a reconnect that showed no sign of it; linked numbers only',
    ),
  unknown: z
    .strictObject({ api: OnUnknown.optional(), reminder: OnUnknown.optional() })
    .optional()
    .describe(
      'What happens with messages that stay unknown, by where they come from; ask = a person decides',
    ),
});
export const SendingPolicy = z.object({
  resend: z.boolean(),
  unknown: z.object({ api: OnUnknown, reminder: OnUnknown }),
  version: z.number().int(),
});
export type SendingPolicy = z.output<typeof SendingPolicy>;

export const Message = z.object({
  id: Id,
  channel_id: Id,
  channel_label: z.string(),
  to: Recipient,
  content: Content,
  source: z.enum(['api', 'reminder', 'consent']).describe('consent = the answer to STOP or START'),
  source_id: Id.nullable(),
  created_at: Instant,
  delivery: Delivery,
});
export type Message = z.output<typeof Message>;
export const MessageDetail = Message.extend({ attempts: z.array(Attempt), receipts: z.array(Receipt) });
export type MessageDetail = z.output<typeof MessageDetail>;
export const MessagePage = pageOf(Message);

/** Outcomes as the Activity page shows them: under way = accepted by us and not yet settled. */
export const Outcome = z.enum(['waiting', 'under_way', 'delivered', 'needs_you', 'stopped']);
export const MessageQuery = PageQuery.extend({
  channel_id: Id.optional(),
  status: DeliveryStatus.optional(),
  outcome: Outcome.optional().describe(
    'waiting = queued; under_way = in_flight, accepted; delivered = sent, delivered, read; needs_you = failed, unknown, missed; stopped = cancelled, given up',
  ),
  source_id: Id.optional().describe('Only messages of this reminder'),
});

const Overdue = z.enum(['send', 'miss']);
export const NewParking = z.strictObject({
  channel_id: Id.optional().describe('Left out = the whole workspace'),
  reason: z
    .string()
    .trim()
    .min(1, 'Say why, so that others understand it later.')
    .max(500, 'Use at most 500 characters.'),
});
export const Arming = z.strictObject({
  channel_id: Id.optional().describe('Left out = the whole workspace'),
  overdue: Overdue.optional().describe(
    'What becomes of messages whose time has passed meanwhile: send = they go out late; miss = they are missed. Needed only when there are some',
  ),
});

const Counts = {
  waiting: z.number().int().describe('Messages that are due and kept back'),
  overdue: z.number().int().describe('Those of them that are later than their catch-up window allows'),
};
export const Parking = z.object({
  of: z
    .enum(['instance', 'workspace', 'channel'])
    .describe('instance = all of this Convoke, by its operator'),
  channel_id: Id.nullable(),
  reason: z.string(),
  since: Instant,
  parked_by: Id.nullable().describe('The user; null = the operator'),
  ...Counts,
});
export type Parking = z.output<typeof Parking>;
/** All that is parked; a message that is kept back twice counts once in the sums. */
export const Parkings = z.object({ data: z.array(Parking), ...Counts });
export type Parkings = z.output<typeof Parkings>;

const perMinute = (most: number) => z.number().int().min(1).max(most).nullable();
/** Null = as advised for this kind of channel. */
export const PacingChange = z.strictObject({
  messages_per_minute: perMinute(BOUNDS.messages_per_minute.most)
    .optional()
    .describe('On average; the gaps vary, and a few may go at once after a pause'),
  groups_per_minute: perMinute(BOUNDS.groups_per_minute.most).optional(),
  new_people_per_day: z
    .number()
    .int()
    .min(0)
    .max(BOUNDS.new_people_per_day.most)
    .nullable()
    .optional()
    .describe('People who have neither written to the channel nor were written to by it'),
  warm_up_days: z
    .number()
    .int()
    .min(0)
    .max(BOUNDS.warm_up_days.most)
    .nullable()
    .optional()
    .describe('Days after pairing in which the limit of new people grows; 0 = none'),
});
const PacingSettings = z.object({
  messages_per_minute: z.number().int(),
  groups_per_minute: z.number().int(),
  new_people_per_day: z.number().int(),
  warm_up_days: z.number().int(),
});
const Bound = z.object({ least: z.number().int(), most: z.number().int() });
export const Pacing = z.object({
  channel_id: Id,
  settings: PacingSettings.describe('What holds'),
  advised: PacingSettings.describe('What holds where nothing was changed'),
  bounds: z.object({
    messages_per_minute: Bound,
    groups_per_minute: Bound,
    new_people_per_day: Bound,
    warm_up_days: Bound,
  }),
  today: z
    .object({
      new_people: z.number().int(),
      new_people_limit: z.number().int().describe('Lower than the setting while the channel is young'),
      until: Instant.nullable().describe('When the count begins anew'),
    })
    .describe('Of the running day, which begins with the first of them'),
  next_at: Instant.nullable().describe('From when on the next message may go; null = now'),
  restriction: z
    .object({ reason: z.string(), since: Instant, until: Instant })
    .nullable()
    .describe('Nothing is sent until then; then one message goes first'),
  waiting: z.number().int().describe('Messages that are due'),
  version: z.number().int(),
});
export type Pacing = z.output<typeof Pacing>;
