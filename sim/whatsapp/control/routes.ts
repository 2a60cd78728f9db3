import { z } from 'zod';
import { faultsPatch } from '../world/faults.ts';
import { Refusal } from '../world/refusal.ts';
import type { Control } from './control.ts';
import { type Route, shaped } from './http.ts';

const text = z.string().min(1);
const bodies = {
  phone: z.strictObject({ number: text, name: text.max(100) }),
  habits: z.strictObject({ auto_delivered: z.boolean().optional(), auto_read: z.boolean().optional() }),
  scan: z.strictObject({ qr: text.max(4096) }),
  code: z.strictObject({ code: text.max(20) }),
  send: z.strictObject({ to: text, text: text.max(65_536) }),
  typing: z.strictObject({ to: text, typing: z.boolean() }),
  read: z.strictObject({ chat: text }),
  unlink: z.strictObject({ device: z.number().int().positive().optional() }),
  group: z.strictObject({ subject: text.max(100), members: z.array(text).min(1).max(1024) }),
  subject: z.strictObject({ subject: text.max(100), by: text.optional() }),
  member: z.strictObject({ number: text, by: text.optional() }),
};

/** The control API: each route checks its body and calls the method of the same name. */
export function controlRoutes(control: Control): Route[] {
  return [...phoneRoutes(control), ...groupRoutes(control), ...worldRoutes(control)];
}

function phoneRoutes(control: Control): Route[] {
  const number = (params: Record<string, string>) => params.number ?? '';
  return [
    { method: 'GET', path: '/phones', handle: () => ({ data: control.phones() }) },
    {
      method: 'POST',
      path: '/phones',
      handle({ body }) {
        const phone = shaped(bodies.phone, body);
        return control.addPhone(phone.number, phone.name);
      },
    },
    {
      method: 'PATCH',
      path: '/phones/:number',
      handle: ({ params, body }) => control.setHabits(number(params), shaped(bodies.habits, body)),
    },
    {
      method: 'POST',
      path: '/phones/:number/scan',
      handle: ({ params, body }) => ({ device: control.scan(number(params), shaped(bodies.scan, body).qr) }),
    },
    {
      method: 'POST',
      path: '/phones/:number/link-code',
      async handle({ params, body }) {
        return { device: await control.linkCode(number(params), shaped(bodies.code, body).code) };
      },
    },
    {
      method: 'POST',
      path: '/phones/:number/send',
      handle({ params, body }) {
        const message = shaped(bodies.send, body);
        return { id: control.send(number(params), message.to, message.text) };
      },
    },
    {
      method: 'POST',
      path: '/phones/:number/typing',
      handle({ params, body }) {
        const { to, typing } = shaped(bodies.typing, body);
        control.typing(number(params), to, typing);
      },
    },
    {
      method: 'POST',
      path: '/phones/:number/read',
      handle: ({ params, body }) => ({ read: control.read(number(params), shaped(bodies.read, body).chat) }),
    },
    {
      method: 'POST',
      path: '/phones/:number/unlink',
      handle: ({ params, body }) => ({
        unlinked: control.unlink(number(params), shaped(bodies.unlink, body).device),
      }),
    },
  ];
}

function groupRoutes(control: Control): Route[] {
  const id = (params: Record<string, string>) => params.id ?? '';
  return [
    { method: 'GET', path: '/groups', handle: () => ({ data: control.groups() }) },
    {
      method: 'POST',
      path: '/groups',
      handle({ body }) {
        const group = shaped(bodies.group, body);
        return control.createGroup(group.subject, group.members);
      },
    },
    {
      method: 'PATCH',
      path: '/groups/:id',
      handle({ params, body }) {
        const change = shaped(bodies.subject, body);
        return control.renameGroup(id(params), change.subject, change.by);
      },
    },
    {
      method: 'POST',
      path: '/groups/:id/members',
      handle({ params, body }) {
        const member = shaped(bodies.member, body);
        return control.addMember(id(params), member.number, member.by);
      },
    },
    {
      method: 'DELETE',
      path: '/groups/:id/members/:number',
      handle: ({ params, query }) =>
        control.removeMember(id(params), params.number ?? '', query.get('by') ?? undefined),
    },
  ];
}

function worldRoutes(control: Control): Route[] {
  return [
    {
      method: 'GET',
      path: '/ledger',
      handle: ({ query }) => ({ data: control.ledger(sinceOf(query.get('since'))) }),
    },
    { method: 'GET', path: '/connections', handle: () => ({ data: control.connections() }) },
    { method: 'GET', path: '/faults', handle: () => control.faults() },
    {
      method: 'POST',
      path: '/faults',
      handle({ body }) {
        shaped(faultsPatch, body);
        return control.setFaults(body as z.input<typeof faultsPatch>);
      },
    },
  ];
}

/** An ISO instant or milliseconds since 1970. */
function sinceOf(given: string | null): Date | undefined {
  if (!given) return undefined;
  const since = new Date(/^\d+$/.test(given) ? Number(given) : given);
  if (Number.isNaN(since.getTime()))
    throw new Refusal(400, 'since: is neither an ISO instant nor epoch milliseconds.');
  return since;
}
