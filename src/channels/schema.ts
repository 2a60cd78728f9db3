import { z } from 'zod';
import { Id, Instant, PageQuery, Phone, pageOf } from '../kernel/index.ts';
import { STANDING_REASONS } from './standing.ts';

const ChannelKind = z.enum(['linked']);
export const ChannelStatus = z.enum([
  'unpaired',
  'pairing',
  'connecting',
  'connected',
  'degraded',
  'restricted',
  'failed',
]);
export type ChannelStatus = z.output<typeof ChannelStatus>;

export const Capabilities = z.object({
  content: z.array(z.enum(['text'])),
  text_limit: z.number().int().describe('Longest text in characters'),
  groups: z.boolean(),
  pairing: z.array(z.enum(['qr', 'code'])),
});

export const Channel = z.object({
  id: Id,
  kind: ChannelKind,
  label: z.string(),
  status: ChannelStatus,
  status_reason: z.string().nullable().describe('A stable code, such as `logged_out` or `pairing_timed_out`'),
  status_at: Instant,
  status_until: Instant.nullable(),
  restriction: z
    .object({ reason: z.string(), since: Instant, until: Instant })
    .nullable()
    .describe('The provider lets the number send less: nothing is sent until then'),
  phone: Phone.nullable(),
  profile_name: z.string().nullable(),
  groups_count: z.number().int(),
  capabilities: Capabilities,
  version: z.number().int(),
  created_at: Instant,
  updated_at: Instant,
});
export type Channel = z.output<typeof Channel>;
export const ChannelPage = pageOf(Channel);

const Label = z.string().trim().min(1, 'Give the channel a name.').max(80, 'Use at most 80 characters.');
export const NewChannel = z.strictObject({ kind: ChannelKind, label: Label });
export const ChannelChange = z.strictObject({ label: Label });

/** No body at all means the QR code. */
export const NewPairing = z
  .discriminatedUnion('method', [
    z.strictObject({ method: z.literal('qr').default('qr') }),
    z.strictObject({ method: z.literal('code'), phone: Phone }),
  ])
  .default({ method: 'qr' });

export const PairingStep = z.enum([
  'starting',
  'show_qr',
  'show_code',
  'connecting',
  'done',
  'failed',
  'cancelled',
]);
export const Pairing = z.object({
  id: Id,
  method: z.enum(['qr', 'code']),
  step: PairingStep,
  qr: z.string().optional().describe('The text of the QR code now on show; it changes about every 20 s'),
  code: z.string().optional().describe('The 8 characters to type on the phone'),
  reason: z.string().optional().describe('Why it failed: `timed_out`, `number_already_linked`, …'),
  detail: z.string().optional().describe('The same in a plain sentence'),
  phone: Phone.optional().describe('The number that was linked, once done'),
  started_at: Instant,
  expires_at: Instant,
});
export type Pairing = z.output<typeof Pairing>;

export const Group = z.object({
  id: Id,
  channel_id: Id,
  subject: z.string(),
  size: z.number().int(),
  archived_at: Instant.nullable(),
  synced_at: Instant,
});
export type Group = z.output<typeof Group>;
export const GroupPage = pageOf(Group);
export const GroupQuery = PageQuery.extend({
  channel_id: Id.optional(),
  archived: z.enum(['include', 'exclude']).default('exclude'),
});

const NodeStatus = z.object({
  boot_id: Id.describe('Names this very process; a restart has another'),
  node_id: z.string().describe('CONVOKE_NODE_ID; stable across restarts'),
  roles: z.array(z.string()),
  started_at: Instant,
  seen_at: Instant,
  state: z.enum(['active', 'passive', 'leaving', 'gone']).describe('`active` = it drives channels'),
  reason: z.enum(STANDING_REASONS).describe('Why it is so, or why it takes no more'),
  detail: z.string().describe('The same in a plain sentence'),
});

const LeaseStatus = z.object({
  channel_id: Id,
  boot_id: Id,
  fence: z.number().int().describe('Grows with every new holder'),
  taken_at: Instant,
  expires_in_ms: z.number().int().describe('Until it expires unless its holder renews it'),
});

const WaitingChannel = z.object({
  channel_id: Id,
  reason: z
    .enum(['no_room', 'holder_gone', 'free'])
    .describe(
      '`holder_gone` = its node is gone and its lease still runs; `free` = a node takes it in a moment',
    ),
});

export const Status = z.object({
  answered_by: Id.describe('`boot_id` of the node that answers'),
  nodes: z.array(NodeStatus),
  leases: z.array(LeaseStatus).describe('Of the channels of this workspace'),
  waiting: z
    .array(WaitingChannel)
    .describe('Channels of this workspace that should be connected and have no node'),
});
export type Status = z.output<typeof Status>;
