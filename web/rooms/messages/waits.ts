import type { WaitingFor } from '../../../src/messages/schema.ts';

/** Why a message that is due has not left yet: in a sentence, and in a word for lists. */
export const waits: Record<WaitingFor, { words: string; short: string }> = {
  parked: {
    words: 'Sending is parked. It waits until somebody arms it.',
    short: 'parked',
  },
  restriction: {
    words: 'WhatsApp has restricted the number. Convoke has paused it, and the message waits.',
    short: 'number restricted',
  },
  channel: {
    words: 'Its channel is not connected. It waits for it.',
    short: 'channel not connected',
  },
  new_people: {
    words: 'The number has written to as many new people as it may in a day. It waits until the day is over.',
    short: 'limit of new people',
  },
  pacing: {
    words: 'It waits for its turn, as the number sends a little at a time.',
    short: 'waits for its turn',
  },
};
