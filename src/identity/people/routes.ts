import type { Kernel, Routes } from '../../kernel/index.ts';
import { visitorOf, welcome } from '../entry.ts';
import { signedOut } from '../logins/cookies.ts';
import { loginOf } from '../logins/gate.ts';
import { me } from '../queries.ts';
import { Me } from '../schema.ts';
import { deleteAccount } from './account.ts';
import { askToChangeEmail, confirmEmail } from './email.ts';
import { readInstance } from './instance.ts';
import { changePassword, forgetPassword, resetPassword } from './password.ts';
import { acceptTerms, changeProfile } from './profile.ts';
import {
  AccountDeletion,
  EmailChange,
  EmailConfirmation,
  Forgotten,
  Instance,
  PasswordChange,
  ProfileChange,
  Reset,
  SignUp,
  SignUpCompletion,
  TermsConsent,
} from './schema.ts';
import { askToSignUp, completeSignUp } from './sign-up.ts';

const tag = 'identity';

/** For people without a login, and for those with one about themselves. */
export function registerPeopleRoutes(routes: Routes, kernel: Kernel): void {
  addSignUpRoutes(routes, kernel);
  addForgottenRoutes(routes, kernel);
  addSecretRoutes(routes, kernel);
  addProfileRoutes(routes, kernel);
}

function addSignUpRoutes(routes: Routes, kernel: Kernel): void {
  routes.open({
    method: 'GET',
    url: '/v1/instance',
    permission: 'public',
    summary: 'What anybody may know of this installation: who may sign up, and its terms',
    tag,
    answers: { 200: Instance },
    handler: async () => ({
      body: await kernel.database.inEngine('identity.instance', tx => readInstance(tx, kernel)),
    }),
  });
  routes.open({
    method: 'POST',
    url: '/v1/sign-up',
    permission: 'public',
    summary: 'Ask for a mail with the link to an account; the answer is the same whoever has the address',
    tag,
    body: SignUp,
    answers: { 202: null },
    handler: async ({ body, request }) => {
      await askToSignUp(kernel, body.email, request.ip);
      return { status: 202 };
    },
  });
  routes.open({
    method: 'POST',
    url: '/v1/sign-up/complete',
    permission: 'public',
    summary: 'Make the account that a link was for, and sign in',
    tag,
    body: SignUpCompletion,
    answers: { 200: Me },
    handler: async ({ body, request }) =>
      welcome(kernel, request, await completeSignUp(kernel, body, visitorOf(kernel, request))),
  });
}

function addForgottenRoutes(routes: Routes, kernel: Kernel): void {
  routes.open({
    method: 'POST',
    url: '/v1/password/forgot',
    permission: 'public',
    summary:
      'Ask for a mail with the link to a new password; the answer is the same whether there is such a user',
    tag,
    body: Forgotten,
    answers: { 202: null },
    handler: async ({ body, request }) => {
      await forgetPassword(kernel, body.name, request.ip);
      return { status: 202 };
    },
  });
  routes.open({
    method: 'POST',
    url: '/v1/password/reset',
    permission: 'public',
    summary:
      'Set the password by a link and sign in; 204 where a second factor has to be shown at the sign-in',
    tag,
    body: Reset,
    answers: { 200: Me, 204: null },
    handler: async ({ body, request }) => {
      const opened = await resetPassword(kernel, body, visitorOf(kernel, request));
      return opened ? welcome(kernel, request, opened) : { status: 204 };
    },
  });
}

function addSecretRoutes(routes: Routes, kernel: Kernel): void {
  routes.open({
    method: 'POST',
    url: '/v1/me/password',
    permission: 'login',
    summary: 'Change the own password; all other logins end',
    tag,
    body: PasswordChange,
    answers: { 200: Me },
    handler: async ({ body, request }) => {
      const visitor = visitorOf(kernel, request);
      return welcome(kernel, request, await changePassword(kernel, loginOf(request).userId, body, visitor));
    },
  });
  routes.open({
    method: 'POST',
    url: '/v1/me/email',
    permission: 'login',
    summary: 'Ask for a mail to another address; it becomes the own one when its link is followed',
    tag,
    body: EmailChange,
    answers: { 202: null },
    handler: async ({ body, request }) => {
      await askToChangeEmail(kernel, loginOf(request).userId, body, request.ip);
      return { status: 202 };
    },
  });
  routes.open({
    method: 'POST',
    url: '/v1/me/email/confirm',
    permission: 'login',
    summary: 'Confirm the own new address by the link that was sent to it',
    tag,
    body: EmailConfirmation,
    answers: { 200: Me },
    handler: async ({ body, request }) => {
      const user = loginOf(request).userId;
      await confirmEmail(kernel, user, body.token, visitorOf(kernel, request));
      return { body: await me(kernel, user) };
    },
  });
}

function addProfileRoutes(routes: Routes, kernel: Kernel): void {
  routes.open({
    method: 'PATCH',
    url: '/v1/me',
    permission: 'login',
    summary: 'Change the own name, username, language, time zone or theme',
    tag,
    body: ProfileChange,
    answers: { 200: Me },
    handler: async ({ body, request }) => {
      const user = loginOf(request).userId;
      await changeProfile(kernel, user, body, request.ip);
      return { body: await me(kernel, user) };
    },
  });
  routes.open({
    method: 'DELETE',
    url: '/v1/me',
    permission: 'login',
    summary:
      'Delete the own account for good, with the password, and a code where a second factor is set up; 409 for the only owner of a workspace (`workspaces` names which) and for the last admin',
    tag,
    body: AccountDeletion,
    answers: { 204: null },
    handler: async ({ body, request }) => {
      await deleteAccount(kernel, loginOf(request).userId, body, visitorOf(kernel, request));
      return { headers: { 'set-cookie': signedOut(kernel.config, request) } };
    },
  });
  routes.open({
    method: 'POST',
    url: '/v1/me/terms',
    permission: 'login',
    summary: 'Accept the terms in the version that one has read',
    tag,
    body: TermsConsent,
    answers: { 200: Me },
    handler: async ({ body, request }) => {
      const user = loginOf(request).userId;
      await acceptTerms(kernel, user, body.version, request.ip);
      return { body: await me(kernel, user) };
    },
  });
}
