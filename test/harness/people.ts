import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { type MailCatcher, startMailCatcher } from '../../sim/mail/index.ts';
import {
  createGate,
  createUser,
  registerIdentityRoutes,
  registerPeopleJobs,
} from '../../src/identity/index.ts';
import {
  createHttp,
  createJobs,
  createMailer,
  type Http,
  type Jobs,
  readConfig,
  type Tx,
} from '../../src/kernel/index.ts';
import { type TestKernel, testKernel } from './database.ts';
import { mailTo, tokenIn } from './mail.ts';
import { until } from './until.ts';

export const PASSWORD = 'four crooked lampposts';
export const OTHER = 'seven patient herons';
const WEB = 'http://convoke.test';
const SIGN_UP = /Finish your sign-up/;
const RESET = /Choose a new password/;

export type PeopleHouse = ReturnType<typeof peopleHouse>;
export type Answer = Awaited<ReturnType<PeopleHouse['post']>>;

/**
 * The accounts of people behind HTTP, with the jobs that mail them and a catcher for the mails. To be called at the top of
 * a test file: it opens before the tests, is swept before each, and closes after them.
 */
export function peopleHouse() {
  let kernel: TestKernel;
  let http: Http;
  let jobs: Jobs;
  let catcher: MailCatcher;
  let count = 0;

  beforeAll(async () => {
    catcher = await startMailCatcher();
    const config = readConfig({
      CONVOKE_SANDBOX: '1',
      CONVOKE_SMTP_URL: catcher.smtpUrl,
      CONVOKE_MAIL_FROM: 'Convoke <convoke@example.org>',
    });
    kernel = await testKernel({ config });
    http = await createHttp(kernel, createGate(kernel));
    registerIdentityRoutes(http, kernel);
    await http.app.ready();
    jobs = createJobs(kernel);
    registerPeopleJobs(jobs, kernel, createMailer(kernel), WEB);
    jobs.start();
  });
  afterAll(async () => {
    await jobs.stop();
    await http.close();
    await kernel.close();
    await catcher.close();
  });
  beforeEach(async () => {
    await inEngine(async tx => {
      await tx.deleteFrom('limit_hits').execute();
      await tx.deleteFrom('login_failures').execute();
      const fresh = { sign_up: 'open', terms_version: null, terms_url: null };
      await tx.updateTable('instance_settings').set(fresh).execute();
    });
  });

  const inEngine = <T>(work: (tx: Tx) => Promise<T>) => kernel.database.inEngine('test', work);
  const send = (method: 'POST' | 'PATCH' | 'DELETE', url: string, payload: object, cookie = '') =>
    http.app.inject({ method, url, payload, headers: { host: 'convoke.test', origin: WEB, cookie } });
  const post = (url: string, payload: object, cookie?: string) => send('POST', url, payload, cookie);
  const get = (url: string, cookie = '') => http.app.inject({ url, headers: { cookie } });
  const login = (username: string, password: string) => post('/v1/login', { username, password });
  const mailFor = (to: string, subject: RegExp) => mailTo(address => catcher.mails(address), to, subject);
  const newEmail = () => `person${++count}@example.org`;

  return {
    /** What stands only once the house is open. */
    get kernel() {
      return kernel;
    },
    get jobs() {
      return jobs;
    },
    get catcher() {
      return catcher;
    },
    inEngine,
    send,
    post,
    get,
    me: (cookie: string) => get('/v1/me', cookie),
    login,
    signedIn: async (username: string, password = PASSWORD): Promise<string> => {
      const answer = await login(username, password);
      expect(answer.statusCode).toBe(200);
      return cookieOf(answer);
    },
    newEmail,
    /** Somebody with a proven address. */
    person: async (): Promise<{ id: string; username: string; email: string }> => {
      const email = newEmail();
      const username = `person${count}`;
      const id = await createUser(kernel, { username, password: PASSWORD });
      await inEngine(tx => tx.updateTable('users').set({ email }).where('id', '=', id).execute());
      return { id, username, email };
    },
    addSecondFactor: (userId: string) =>
      inEngine(tx =>
        tx
          .insertInto('second_factors')
          .values({ user_id: userId, secret: Buffer.alloc(20), confirmed_at: new Date() })
          .execute(),
      ),
    usersWith: (email: string) =>
      inEngine(tx =>
        tx.selectFrom('users').select(['id', 'terms_version']).where('email', '=', email).execute(),
      ),
    mailFor,
    /** The token of the newest sign-up mail to the address. */
    signUpTokenIn: async (email: string) => tokenIn(await mailFor(email, SIGN_UP), '/sign-up/'),
    /** Asks for a sign-up and takes the token from the mail. */
    signUpToken: async (email: string): Promise<string> => {
      expect((await post('/v1/sign-up', { email })).statusCode).toBe(202);
      return tokenIn(await mailFor(email, SIGN_UP), '/sign-up/');
    },
    resetTokenIn: async (email: string) => tokenIn(await mailFor(email, RESET), '/reset/'),
    resetToken: async (name: string, email: string): Promise<string> => {
      const before = catcher.mails(email).length;
      expect((await post('/v1/password/forgot', { name })).statusCode).toBe(202);
      await until(() => catcher.mails(email).length > before);
      return tokenIn(await mailFor(email, RESET), '/reset/');
    },
    /** All mails that were asked for have been dealt with. */
    settled: () =>
      until(async () => (await inEngine(tx => tx.selectFrom('jobs').select('id').execute())).length === 0),
    /** Every link that was sent is older than it may be. */
    endLinks: () =>
      inEngine(tx => sql`update user_links set expires_at = now() - interval '1 second'`.execute(tx)),
  };
}

type Reply = { headers: Record<string, unknown> };

/** The login that a browser would keep of the answer. */
export function cookieOf(answer: Reply): string {
  const cookies = [answer.headers['set-cookie'] ?? []]
    .flat()
    .map(cookie => String(cookie).split(';')[0] ?? '');
  return cookies.find(cookie => cookie.startsWith('convoke_login=')) ?? '';
}

/** The same mailbox, typed by somebody else. */
export const loud = (email: string) => email.replace('person', 'PERSON');

/** What whoever has a link to a sign-up sends along. */
export const completion = (token: string, more: object = {}) => ({
  token,
  name: 'Anna',
  password: PASSWORD,
  ...more,
});

/** All of the answers that somebody could tell apart. */
export const alike = (answers: Answer[]) =>
  answers.map(({ statusCode, body, headers }) => ({
    statusCode,
    body: body === '' ? '' : { ...JSON.parse(body), request_id: undefined },
    headers: Object.keys(headers).sort(),
  }));

export const errorsOf = (answer: Answer) => [answer.statusCode, answer.json().errors?.[0]?.path];
