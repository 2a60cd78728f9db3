import type { Attempt, Delivery, TimelineStep } from './timeline-step.ts';

/**
 * What went before the step to WhatsApp: tries that got no answer or were put off. The try under way and the one
 * that was taken are told by that step itself, a refusal that ended the message by its end.
 */
export function triesOf(delivery: Delivery, attempts: Attempt[]): TimelineStep[] {
  const steps: TimelineStep[] = [];
  let putOff = 0;
  for (const [index, attempt] of attempts.entries()) {
    const last = index === attempts.length - 1;
    putOff = attempt.status === 'deferred' ? putOff + 1 : 0;
    // However often it was put off in a row, it is one step.
    if (attempt.status === 'deferred' && attempts[index + 1]?.status === 'deferred') continue;
    const step = stepOf(delivery, attempt, { last, putOff });
    if (step) steps.push(step);
  }
  return steps;
}

/** Whether the message, after a try without an answer, was taken under the id of that try. */
export function wasSentAgain(attempts: Attempt[]): boolean {
  const taken = attempts.findLast(({ status }) => status === 'accepted');
  return attempts.some(
    ({ status, number, provider_id }) =>
      status === 'unknown' && number < (taken?.number ?? 0) && provider_id === taken?.provider_id,
  );
}

/** Whether a person, and not WhatsApp, said that the message arrived. */
export function wasSaidToHaveArrived({ sent_at }: Delivery, attempts: Attempt[]): boolean {
  return sent_at !== null && attempts.length > 0 && attempts.every(({ status }) => status !== 'accepted');
}

function stepOf(
  delivery: Delivery,
  attempt: Attempt,
  { last, putOff }: { last: boolean; putOff: number },
): TimelineStep | undefined {
  const base = {
    key: `try-${attempt.number}` as const,
    at: attempt.settled_at ?? attempt.started_at,
    state: 'over' as const,
  };
  switch (attempt.status) {
    case 'in_flight':
    case 'accepted':
      return undefined;
    case 'refused':
      if (last && delivery.status === 'failed') return undefined;
      return {
        ...base,
        title: 'WhatsApp refused this try',
        ...(attempt.detail === null ? {} : { words: attempt.detail }),
      };
    case 'deferred':
      return { ...base, state: 'put_off', ...putOffWords(attempt.code, putOff) };
    case 'unknown':
      return {
        ...base,
        title: lost[attempt.code ?? ''] ?? 'It got no clear answer',
        ...(last && isInDoubt(delivery) ? doubtOf(delivery) : {}),
      };
  }
}

/** On the wire, and nobody knows whether it left. */
export function isInDoubt({ status, doubt_at }: Pick<Delivery, 'status' | 'doubt_at'>): boolean {
  return status === 'in_flight' && doubt_at !== null;
}

function doubtOf({ resend_until }: Delivery): Pick<TimelineStep, 'state' | 'words' | 'givesUpAt'> {
  return {
    state: 'doubt',
    words:
      'It may have left. Convoke waits until the number is connected again and looks for a sign of it. If there is none, the same message goes out again under the same id; phones show it once, as far as is known.',
    ...(resend_until === null ? {} : { givesUpAt: resend_until }),
  };
}

const lost: Record<string, string> = {
  connection_lost: 'The connection broke before WhatsApp answered',
  no_answer: 'WhatsApp did not answer in time',
  interrupted: 'Convoke was interrupted before WhatsApp answered',
};

function putOffWords(code: string | null, times: number): { title: string; words?: string } {
  const { title, words } = putOff[code ?? ''] ?? { title: 'Put off' };
  const counted = times > 1 ? `${title} (${times} times)` : title;
  return { title: counted, words: words ?? 'It did not leave; Convoke tries again by itself.' };
}

const putOff: Record<string, { title: string; words?: string }> = {
  rate_limited: { title: 'WhatsApp asked to wait', words: 'The number sent a lot in a short time.' },
  server_error: { title: 'WhatsApp had trouble' },
  server_busy: { title: 'WhatsApp was busy' },
  not_connected: { title: 'The number was not connected' },
  devices_changed: {
    title: 'Put off',
    words: 'The recipient changed a phone or linked device. Convoke looks it up and tries again.',
  },
  devices_unknown: {
    title: 'Put off',
    words: 'WhatsApp did not say which phones the recipient uses. Convoke asks again.',
  },
  channel_moved: { title: 'Put off', words: 'Another node took over the number before it left.' },
};
