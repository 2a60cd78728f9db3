import type { Message, MessageDetail } from '../../../src/messages/schema.ts';

export type Attempt = MessageDetail['attempts'][number];
export type Delivery = Message['delivery'];

export type TimelineStep = {
  key: 'taken' | `try-${number}` | 'sent' | 'delivered' | 'read' | 'ended';
  title: string;
  /**
   * done = it happened; over = it happened and led nowhere; put_off = its
   * time had not come; now = it is happening; doubt = nobody knows what
   * happened; ahead = it may come; trouble, stopped = it ended here.
   */
  state: 'done' | 'over' | 'put_off' | 'now' | 'doubt' | 'ahead' | 'trouble' | 'stopped';
  at: string | null;
  /** Plain words below the title. */
  words?: string;
  /** When it is expected to go on. */
  goesOnAt?: string;
  /** When a doubt ends without having been cleared up. */
  givesUpAt?: string;
};
