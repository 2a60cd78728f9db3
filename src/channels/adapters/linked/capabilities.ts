import type { Capabilities, PacingAdvice } from '../contract.ts';

/** Where each number comes from is in docs/PACING.md. */
const PACING: PacingAdvice = {
  messagesPerMinute: 10,
  burst: 5,
  groupsPerMinute: 6,
  groupBurst: 4,
  newPeoplePerDay: 30,
  warmUpDays: 14,
  warmUpFrom: 5,
};

/** WhatsApp refuses longer texts; the apps cut them off at this length. */
export const UNPACED_CAPABILITIES: Capabilities = {
  content: ['text'],
  textLimit: 65_536,
  groups: true,
  pairing: ['qr', 'code'],
  providerId: 'ours',
  answerMeans: 'sent',
  transport: 'socket',
};

export const LINKED_CAPABILITIES: Capabilities = { ...UNPACED_CAPABILITIES, pacing: PACING };
