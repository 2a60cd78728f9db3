import { z } from 'zod';

/** Shapes that the API of every room shares. */
export const Id = z.uuid().describe('uuidv7');
export const Instant = z.iso.datetime({ offset: true }).describe('An instant, RFC 3339 with offset or Z');
export const Phone = z
  .string()
  .regex(/^\+[1-9][0-9]{6,14}$/, 'Write the number in international form, such as +491701234567.')
  .describe('E.164 with the leading +');

export const IdParams = z.strictObject({ id: Id });

export const PageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional().describe('`page.next_cursor` of the page before'),
});

/** A list: `{data, page: {next_cursor}}`, newest first unless said otherwise. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ data: z.array(item), page: z.object({ next_cursor: z.string().nullable() }) });
}

/** Content has one shape everywhere: `{type, <type>: {…}}`. */
export const Content = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('text'),
    text: z.strictObject({ body: z.string().trim().min(1, 'Write a text.').max(65_536) }),
  }),
]);
export type Content = z.output<typeof Content>;

/** One recipient of a message or reminder. */
export const Target = z.union(
  [z.strictObject({ group_id: Id }), z.strictObject({ phone: Phone })],
  'Name either a `group_id` or a `phone` in international form.',
);
export type Target = z.output<typeof Target>;
