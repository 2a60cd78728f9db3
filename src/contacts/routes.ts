import { IdParams, PageQuery, type Routes } from '../kernel/index.ts';
import * as queries from './queries.ts';
import { ContactPage, Lift, NewOptOut, OptOut, OptOutPage, OptOutQuery } from './schema.ts';
import * as service from './service.ts';

const tag = 'contacts';

export function registerContactRoutes(routes: Routes): void {
  routes.workspace({
    method: 'GET',
    url: '/v1/contacts',
    summary: 'List the people of whom something is kept, newest first',
    tag,
    permission: 'contacts.read',
    query: PageQuery,
    answers: { 200: ContactPage },
    handler: async ({ scope, query }) => ({ body: await queries.listContacts(scope, query) }),
  });
  routes.workspace({
    method: 'GET',
    url: '/v1/opt-outs',
    summary: 'List the opt-outs that hold, newest first',
    tag,
    permission: 'contacts.read',
    query: OptOutQuery,
    answers: { 200: OptOutPage },
    handler: async ({ scope, query }) => ({ body: await queries.listOptOuts(scope, query) }),
  });
  routes.workspace({
    method: 'POST',
    url: '/v1/opt-outs',
    summary: 'Opt a number out by hand; 200 with the one that holds when it has opted out already',
    tag,
    permission: 'contacts.opt_out',
    creates: true,
    body: NewOptOut,
    answers: { 200: OptOut, 201: OptOut },
    handler: async ({ scope, body }) => {
      const { id, fresh } = await service.optOut(scope, body);
      return { status: fresh ? 201 : 200, body: await queries.getOptOut(scope, id) };
    },
  });
  routes.workspace({
    method: 'POST',
    url: '/v1/opt-outs/:id/lift',
    summary: 'End an opt-out, with the reason: the person may be written to again',
    tag,
    permission: 'contacts.manage',
    params: IdParams,
    body: Lift,
    answers: { 204: null },
    handler: async ({ scope, params, body }) => {
      await service.lift(scope, params.id, body.reason);
      return { status: 204 };
    },
  });
}
