import { queryOptions } from '@tanstack/react-query';
import type { SendingPolicy } from '../../../src/messages/schema.ts';
import type { Api } from '../../kit/api.ts';
import type { Workspace } from '../../kit/workspace.tsx';

export type { SendingPolicy };
export type Source = keyof SendingPolicy['unknown'];
export type OnUnknown = SendingPolicy['unknown'][Source];
export type PolicyChange = { resend?: boolean; unknown?: Partial<SendingPolicy['unknown']> };

export function sendingPolicyQuery({ slug, api }: Pick<Workspace, 'slug' | 'api'>) {
  return queryOptions({
    queryKey: [slug, 'sending', 'policy'],
    queryFn: ({ signal }) => api.get<SendingPolicy>('/v1/sending-policy', undefined, signal),
  });
}

export function changeSendingPolicy(
  api: Api,
  change: PolicyChange,
  version: number | undefined,
): Promise<SendingPolicy> {
  return api.patch('/v1/sending-policy', change, version);
}

/** The policy as it is after the change; its version is the server's to give. */
export function changed(policy: SendingPolicy, { resend, unknown }: PolicyChange): SendingPolicy {
  return { ...policy, resend: resend ?? policy.resend, unknown: { ...policy.unknown, ...unknown } };
}

/** The change that undoes another, seen from before it. */
export function undoing(policy: SendingPolicy, { resend, unknown }: PolicyChange): PolicyChange {
  const sources = Object.keys(unknown ?? {}) as Source[];
  return {
    ...(resend === undefined ? {} : { resend: policy.resend }),
    unknown: Object.fromEntries(sources.map(source => [source, policy.unknown[source]])),
  };
}
