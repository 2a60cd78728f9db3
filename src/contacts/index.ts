/**
 * contacts – the people whom messages go to, and whether they want any.
 * Owns: contacts, their addresses, opt-outs, the words STOP and START.
 * Promises: an opt-out holds for all addresses of a person and all channels of the workspace; a word counts once
 *   however often it is handed on; every change is an activity with its actor and reason.
 * Never: sends anything, or takes a provider's own id for a phone number.
 * Called by: messages (before a message is accepted, before it enters the wire, with what came in), reminders
 *   (before a target is taken), channels (names of one person), main (routes).
 */
export { type ConsentAnswer, hear } from './hear.ts';
export { OPTED_OUT, optedOutAmong, optedOutWords, refuseOptedOut } from './opt-outs.ts';
export { type Identity, linkNames } from './people.ts';
export { checkPhone } from './phone.ts';
export { registerContactRoutes } from './routes.ts';
export { readWord } from './words.ts';
