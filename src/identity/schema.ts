import { z } from 'zod';
import { Id, Instant } from '../kernel/index.ts';

export const Username = z
  .string()
  .trim()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{1,63}$/, 'Use 2 to 64 letters, digits, dots, dashes or underscores.');
export const Password = z
  .string()
  .min(10, 'Use at least 10 characters.')
  .max(256, 'Use at most 256 characters.');

export const LoginBody = z.strictObject({
  username: z.string().min(1).max(200),
  password: z.string().min(1).max(256),
  kind: z
    .enum(['browser', 'client'])
    .default('browser')
    .describe('A browser gets a cookie; a client gets tokens in the answer'),
});
const Code = z.string().min(6).max(30).describe('Of the authenticator app, or one of the recovery codes');
export const CodeLoginBody = z.strictObject({ challenge: z.string().min(1).max(100), code: Code });
export const SecondFactorWanted = z.object({
  challenge: z.string().describe('For POST /v1/login/second-factor'),
  expires_at: Instant,
});
export const RefreshBody = z.strictObject({ refresh_token: z.string().min(1).max(100) });
export const ClientTokens = z.object({
  access_token: z.string().describe('For 15 minutes, as `Authorization: Bearer …`'),
  access_expires_at: Instant,
  refresh_token: z.string().describe('Works once, for POST /v1/login/refresh'),
  refresh_expires_at: Instant,
});
export const StreamPass = z.object({
  pass: z.string().describe('Opens one stream, once, as `?pass=…`'),
  expires_at: Instant,
});
export const Login = z.object({
  id: Id,
  kind: z.enum(['browser', 'client']),
  device: z.string().nullable().describe('What the device says to be, such as "Firefox on Linux"'),
  address: z.string().nullable().describe('From where it was seen last'),
  created_at: Instant,
  seen_at: Instant,
  expires_at: Instant,
  current: z.boolean().describe('This is the login that asks'),
});
export type Login = z.output<typeof Login>;
export const EndLoginsQuery = z.strictObject({
  keep_this: z.enum(['true', 'false']).default('false').describe('Whether the login that asks stays'),
});

export const PasswordProof = z.strictObject({ password: z.string().min(1).max(256) });
export const FullProof = PasswordProof.extend({ code: Code });
export const NewCode = z.strictObject({ code: Code });
export const SecondFactor = z.object({
  enabled: z.boolean(),
  recovery_codes_left: z.number().int(),
});
export const SecondFactorSetup = z.object({
  secret: z.string().describe('To type into an authenticator app'),
  otpauth_uri: z.string().describe('The same as an address, to be shown as a QR code'),
});
export const RecoveryCodes = z.object({ recovery_codes: z.array(z.string()).describe('Shown this once') });

export const KeyScope = z.enum(['read', 'send', 'manage']);
export type KeyScope = z.output<typeof KeyScope>;
export const SetupBody = z.strictObject({ token: z.string().min(1).max(100), password: Password });

export const Role = z.enum(['owner', 'admin', 'agent', 'host', 'door_staff', 'viewer']);
export type Role = z.output<typeof Role>;

export const Me = z.object({
  user: z.object({
    id: Id,
    username: z.string().nullable(),
    email: z.string().nullable().describe('Proven to be theirs'),
    name: z.string(),
    is_admin: z.boolean().describe('May use the console of the whole installation'),
    locale: z.string(),
    time_zone: z.string().nullable().describe('Null: that of the browser'),
    theme: z.enum(['auto', 'light', 'dark']),
    terms_due: z.boolean().describe('The terms have moved since they were accepted, or never were'),
  }),
  workspaces: z.array(
    z.object({
      id: Id,
      slug: z.string(),
      name: z.string(),
      role: Role,
      permissions: z.array(z.string()),
      deletion_due_at: Instant.nullable().describe(
        'Set when it is to be deleted; only its owners see it then',
      ),
    }),
  ),
  /** What the web app may show only in this installation: a sandbox has virtual phones instead of real ones. */
  instance: z.object({
    version: z.string(),
    sandbox: z.boolean(),
    virtual_phones_url: z.string().nullable().describe('Page of the virtual phones, in a sandbox'),
  }),
});
export type Me = z.output<typeof Me>;

const KeyName = z.string().trim().min(1, 'Give the key a name.').max(100);
export const NewApiKey = z.strictObject({
  name: KeyName,
  scopes: z
    .array(KeyScope)
    .min(1, 'Choose at least one scope.')
    .max(3)
    .transform(scopes => [...new Set(scopes)])
    .describe('`read` sees, `send` writes to people, `manage` changes channels, reminders and contacts'),
  expires_at: Instant.optional().describe('Left out: until it is revoked'),
  channels: z
    .array(Id)
    .min(1, 'Name at least one channel, or leave the field out.')
    .max(100)
    .optional()
    .describe('Only these; such a key sees and does nothing that concerns others'),
});
export const ApiKeyChange = z.strictObject({ name: KeyName });
export const ApiKey = z.object({
  id: Id,
  name: z.string(),
  prefix: z.string().describe('The beginning of the key'),
  scopes: z.array(KeyScope),
  channels: z.array(Id).nullable().describe('Null: all'),
  created_by: Id,
  created_at: Instant,
  expires_at: Instant.nullable(),
  used_at: Instant.nullable().describe('To the minute'),
});
export type ApiKey = z.output<typeof ApiKey>;
export const NewApiKeyAnswer = ApiKey.extend({ key: z.string().describe('Shown this once') });
