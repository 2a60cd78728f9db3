import { type By, record, type Tx } from '../kernel/index.ts';

/** The facts that this room records about a person. Numbers and names stay out of them. */
export type ContactFacts = {
  'contact.opted_out': {
    opt_out_id: string;
    how: 'message' | 'by_hand';
    word?: string;
    reason?: string;
    channel_id?: string;
  };
  'contact.opted_in': {
    opt_out_id: string;
    how: 'message' | 'by_hand';
    word?: string;
    reason?: string;
    channel_id?: string;
  };
  /** Two turned out to be one person; the other one's addresses and opt-out are kept with this one. */
  'contact.merged': { contact_id: string };
};

export function recordContact<T extends keyof ContactFacts>(
  tx: Tx,
  by: By,
  type: T,
  contactId: string,
  payload: ContactFacts[T],
): Promise<void> {
  return record(tx, by, { type, subject: { type: 'contact', id: contactId }, payload });
}
