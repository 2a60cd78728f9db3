import type { Capabilities } from '../contract.ts';

/** WhatsApp refuses longer texts; the apps cut them off at this length. */
export const LINKED_CAPABILITIES: Capabilities = {
  content: ['text'],
  textLimit: 65_536,
  groups: true,
  pairing: ['qr', 'code'],
  providerId: 'ours',
  answerMeans: 'sent',
  transport: 'socket',
};
