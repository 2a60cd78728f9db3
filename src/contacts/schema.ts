import { z } from 'zod';
import { Id, Instant, PageQuery, Phone, pageOf } from '../kernel/index.ts';

const Reason = z
  .string()
  .trim()
  .min(1, 'Say why, so that others understand it later.')
  .max(500, 'Use at most 500 characters.');

const How = z.enum(['message', 'by_hand']).describe('message = the person wrote a word such as STOP');

export const OptOut = z.object({
  id: Id,
  contact_id: Id,
  name: z.string().nullable(),
  phone: Phone.nullable().describe('Null while only the own id of the provider is known'),
  how: How,
  word: z.string().nullable().describe('What the person wrote, in the spelling of the word list'),
  reason: z.string().nullable().describe('What was given as the reason, by hand'),
  channel_id: Id.nullable().describe('The channel that the word came in on'),
  created_by: Id.nullable().describe('The user who entered it'),
  since: Instant,
});
export type OptOut = z.output<typeof OptOut>;
export const OptOutPage = pageOf(OptOut);
export const OptOutQuery = PageQuery.extend({
  phone: Phone.optional().describe('Only the opt-out of who has this number'),
});

export const NewOptOut = z.strictObject({
  phone: Phone,
  reason: Reason,
  name: z.string().trim().max(80, 'Use at most 80 characters.').optional().describe('Who this is'),
});
export const Lift = z.strictObject({ reason: Reason });

const Address = z.object({
  kind: z.enum(['phone', 'whatsapp_lid']),
  value: z.string().describe('E.164, or the own id of the provider'),
  source: z.enum(['inbound', 'provider', 'by_hand']).describe('Where it became known'),
  created_at: Instant,
});

export const Contact = z.object({
  id: Id,
  name: z.string().nullable(),
  addresses: z.array(Address),
  opted_out_since: Instant.nullable(),
  created_at: Instant,
});
export type Contact = z.output<typeof Contact>;
export const ContactPage = pageOf(Contact);
