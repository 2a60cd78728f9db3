/** One of each thing that a workspace may have, by the word of the entries; every value is an id. */
export type Things = Record<Thing, string>;
export type Thing =
  | 'channel'
  | 'group'
  | 'message'
  | 'reminder'
  | 'opt_out'
  | 'invitation'
  | 'user'
  | 'login'
  | 'api_key';

/** How a route is tried: what its `{id}` stands for, and a body or query that would be taken with ids of one's own. */
export type Entry = {
  id?: Thing;
  body?: (things: Things) => object;
  query?: (things: Things) => Record<string, string>;
  /** Of a route for everybody, or for the caller's own person alone: why there is nothing of others to reach. */
  nothingOfOthers?: string;
};

const PHONE = { phone: '+4915551234567' };
const TEXT = { type: 'text', text: { body: 'Hello' } };
const LATER = { start_local: '2037-03-01T09:00', time_zone: 'UTC' };

const everybody = (why: string): Entry => ({ nothingOfOthers: why });
const own: Entry = { nothingOfOthers: 'the person who is signed in' };
/** Of the whole installation; who does not run it is told that there is nothing. */
const operators: Entry = { nothingOfOthers: 'those who run the installation' };
/** Only the workspace itself can be another's. */
const plain: Entry = {};

/** Every route of the API has an entry; the test refuses a route without one and an entry without a route. */
export const entries: Record<string, Entry> = {
  'GET /openapi.json': everybody('made of the program alone'),
  'GET /docs': everybody('made of the program alone'),
  'GET /health': everybody('made of the program alone'),
  'POST /v1/login': everybody('name and password'),
  'POST /v1/login/second-factor': everybody('a challenge that nobody can guess'),
  'POST /v1/login/refresh': everybody('a token that nobody can guess'),
  'POST /v1/logout': everybody('the own login'),
  'POST /v1/setup': everybody('a token that nobody can guess'),
  'GET /v1/instance': everybody('what anybody may know of the installation'),
  'POST /v1/sign-up': everybody('an address that is asked for a mail'),
  'POST /v1/sign-up/complete': everybody('a token that nobody can guess'),
  'POST /v1/password/forgot': everybody('a name that is asked for a mail'),
  'POST /v1/password/reset': everybody('a token that nobody can guess'),
  'POST /v1/invitations/look': everybody('a token that nobody can guess'),
  'POST /v1/invitations/join': everybody('a token that nobody can guess'),

  'GET /v1/me': own,
  'PATCH /v1/me': own,
  'DELETE /v1/me': own,
  'POST /v1/me/password': own,
  'POST /v1/me/email': own,
  'POST /v1/me/email/confirm': own,
  'POST /v1/me/terms': own,
  'POST /v1/me/stream-passes': own,
  'GET /v1/me/logins': own,
  'DELETE /v1/me/logins': own,
  'DELETE /v1/me/logins/{id}': { id: 'login' },
  'GET /v1/me/second-factor': own,
  'POST /v1/me/second-factor': own,
  'DELETE /v1/me/second-factor': own,
  'POST /v1/me/second-factor/confirm': own,
  'POST /v1/me/recovery-codes': own,
  'POST /v1/workspaces': own,
  'POST /v1/invitations/accept': own,

  'GET /v1/admin/users': operators,
  'POST /v1/admin/users': operators,
  'PATCH /v1/admin/users/{id}': operators,
  'POST /v1/admin/users/{id}/link': operators,
  'POST /v1/admin/users/{id}/logout': operators,
  'POST /v1/admin/users/{id}/mail': operators,
  'DELETE /v1/admin/users/{id}': operators,
  'GET /v1/admin/workspaces': operators,
  'POST /v1/admin/workspaces/{id}/deletion': operators,
  'DELETE /v1/admin/workspaces/{id}/deletion': operators,
  'GET /v1/admin/settings': operators,
  'PATCH /v1/admin/settings': operators,
  'POST /v1/admin/maintenance': operators,
  'DELETE /v1/admin/maintenance': operators,
  'POST /v1/admin/logout': operators,
  'GET /v1/admin/activity': operators,
  'GET /v1/admin/activity/export.csv': operators,

  'GET /v1/workspace': plain,
  'PATCH /v1/workspace': { body: () => ({ name: 'Taken over' }) },
  'POST /v1/workspace/deletion': { body: () => ({ slug: 'walls-a' }) },
  'DELETE /v1/workspace/deletion': plain,
  'POST /v1/workspace/leave': plain,
  'GET /v1/members': plain,
  'PATCH /v1/members/{id}': { id: 'user', body: () => ({ role: 'viewer' }) },
  'DELETE /v1/members/{id}': { id: 'user' },
  'GET /v1/invitations': plain,
  'POST /v1/invitations': { body: () => ({ role: 'agent' }) },
  'DELETE /v1/invitations/{id}': { id: 'invitation' },

  'GET /v1/api-keys': plain,
  'POST /v1/api-keys': {
    body: ({ channel }) => ({ name: 'Mine', scopes: ['read'], channels: [channel] }),
  },
  'PATCH /v1/api-keys/{id}': { id: 'api_key', body: () => ({ name: 'Mine now' }) },
  'DELETE /v1/api-keys/{id}': { id: 'api_key' },

  'GET /v1/activity': { query: ({ message, user }) => ({ subject_id: message, actor_id: user }) },
  'GET /v1/activity/export.csv': { query: ({ message }) => ({ subject_id: message }) },
  'GET /v1/live': plain,
  'GET /v1/status': plain,

  'GET /v1/channels': plain,
  'POST /v1/channels': { body: () => ({ kind: 'linked', label: 'Mine' }) },
  'GET /v1/channels/{id}': { id: 'channel' },
  'PATCH /v1/channels/{id}': { id: 'channel', body: () => ({ label: 'Mine now' }) },
  'DELETE /v1/channels/{id}': { id: 'channel' },
  'POST /v1/channels/{id}/unpair': { id: 'channel' },
  'POST /v1/channels/{id}/pairing': { id: 'channel', body: () => ({ method: 'qr' }) },
  'GET /v1/channels/{id}/pairing': { id: 'channel' },
  'DELETE /v1/channels/{id}/pairing': { id: 'channel' },
  'GET /v1/channels/{id}/pairing/qr.svg': { id: 'channel' },
  'POST /v1/channels/{id}/groups/refresh': { id: 'channel' },
  'GET /v1/channels/{id}/pacing': { id: 'channel' },
  'PATCH /v1/channels/{id}/pacing': { id: 'channel', body: () => ({ messages_per_minute: 5 }) },
  'POST /v1/channels/{id}/pacing/resume': { id: 'channel' },
  'GET /v1/groups': { query: ({ channel }) => ({ channel_id: channel }) },

  'GET /v1/contacts': plain,
  'GET /v1/opt-outs': plain,
  'POST /v1/opt-outs': { body: () => ({ ...PHONE, reason: 'Asked by phone' }) },
  'POST /v1/opt-outs/{id}/lift': { id: 'opt_out', body: () => ({ reason: 'Asked by phone' }) },

  'GET /v1/messages': { query: ({ channel, reminder }) => ({ channel_id: channel, source_id: reminder }) },
  'POST /v1/messages': { body: ({ channel }) => ({ channel_id: channel, to: PHONE, content: TEXT }) },
  'GET /v1/messages/{id}': { id: 'message' },
  'DELETE /v1/messages/{id}': { id: 'message' },
  'POST /v1/messages/{id}/resolve': { id: 'message', body: () => ({ as: 'arrived' }) },
  'GET /v1/sending-policy': plain,
  'PATCH /v1/sending-policy': { body: () => ({ resend: false }) },
  'GET /v1/parking': plain,
  'POST /v1/parking': { body: ({ channel }) => ({ channel_id: channel, reason: 'Because' }) },
  'POST /v1/parking/arm': { body: ({ channel }) => ({ channel_id: channel, overdue: 'miss' }) },

  'GET /v1/reminders': { query: ({ channel }) => ({ channel_id: channel }) },
  'POST /v1/reminders': {
    body: ({ channel, group }) => ({
      channel_id: channel,
      content: TEXT,
      schedule: LATER,
      targets: [{ group_id: group }],
    }),
  },
  'POST /v1/reminders/preview': { body: () => ({ schedule: LATER }) },
  'GET /v1/reminders/{id}': { id: 'reminder' },
  'PATCH /v1/reminders/{id}': {
    id: 'reminder',
    body: ({ group }) => ({ content: TEXT, targets: [{ group_id: group }] }),
  },
  'DELETE /v1/reminders/{id}': { id: 'reminder' },
  'GET /v1/reminders/{id}/runs': { id: 'reminder' },
  'POST /v1/reminders/{id}/pause': { id: 'reminder' },
  'POST /v1/reminders/{id}/resume': { id: 'reminder' },
};
