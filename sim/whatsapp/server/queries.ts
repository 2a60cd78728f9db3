import { type Account, deviceAt } from '../phones/account.ts';
import type { Connection } from '../wire/connection.ts';
import { child, children, SERVER, type Stanza, stanza } from '../wire/stanza.ts';
import { answerGroupQuery } from './group-queries.ts';
import { finishLinkCode, startLinkCode } from './link-code.ts';
import { goLive } from './login.ts';
import { finishPairing, unlink } from './pairing.ts';
import { answerKeyQuery } from './prekeys.ts';
import { answerUsync } from './usync.ts';

/** The content of a result, or the code of an error. */
export type Answer = Stanza[] | { error: number };

const TEXTS: Record<number, string> = {
  400: 'bad-request',
  401: 'not-authorized',
  403: 'forbidden',
  404: 'item-not-found',
  406: 'not-acceptable',
  429: 'rate-overlimit',
  500: 'internal-server-error',
  503: 'service-unavailable',
};

export async function answerQuery(connection: Connection, node: Stanza): Promise<void> {
  if (node.attrs.type === 'result') {
    const signed = child(node, 'pair-device-sign');
    if (signed) finishPairing(connection, signed);
    return;
  }
  if (node.attrs.type === 'error') return;
  const answer = faultOf(connection, node) ?? (await answerOf(connection, node));
  const { id, to = SERVER } = node.attrs;
  if (Array.isArray(answer)) {
    connection.send(stanza('iq', { from: to, type: 'result', id }, answer.length > 0 ? answer : undefined));
  } else {
    const error = stanza('error', { code: String(answer.error), text: TEXTS[answer.error] ?? 'error' });
    connection.send(stanza('iq', { from: to, type: 'error', id }, [error]));
  }
  if (Array.isArray(answer)) afterwards(connection, node);
}

function faultOf(connection: Connection, node: Stanza): Answer | undefined {
  if (!connection.account) return undefined;
  const error = connection.world.faults.spendQueryError(connection.account.digits, node.attrs.xmlns ?? '');
  return error ? { error } : undefined;
}

async function answerOf(connection: Connection, node: Stanza): Promise<Answer> {
  const { world, account, companion } = connection;
  const xmlns = node.attrs.xmlns;
  if (xmlns === 'md') return answerLinking(connection, node);
  if (!account || !companion) return [];
  switch (xmlns) {
    case 'encrypt':
      return answerKeyQuery(world, companion, node);
    case 'usync':
      return answerUsync(world, node);
    case 'w:g2':
      return answerGroupQuery(world, account, node);
    case 'privacy':
      return answerPrivacy(node);
    case 'w:sync:app:state':
      return answerAppState(node);
    case 'w:mex':
      return answerMex(connection, account);
    default:
      return [];
  }
}

/** Things that may only happen once the answer is on its way. */
function afterwards(connection: Connection, node: Stanza): void {
  const { world, account, companion } = connection;
  if (!account || !companion) return;
  if (node.attrs.xmlns === 'passive' && child(node, 'active')) goLive(connection);
  const removal = child(node, 'remove-companion-device');
  const removed = deviceAt(world, removal?.attrs.jid);
  if (removed && removed.account === account) unlink(world, account, removed.device);
}

function answerLinking(connection: Connection, node: Stanza): Answer {
  const stage = child(node, 'link_code_companion_reg')?.attrs.stage;
  if (stage === 'companion_hello') return startLinkCode(connection, node);
  if (stage === 'companion_finish')
    return finishLinkCode(connection, node) === 'agreed' ? [] : { error: 400 };
  return [];
}

function answerPrivacy(node: Stanza): Answer {
  if (node.attrs.type !== 'get') return [];
  return [stanza('privacy', {}, [stanza('category', { name: 'readreceipts', value: 'all' })])];
}

/** The app-state collections stay at version 0: nothing is archived, muted or starred here. */
function answerAppState(node: Stanza): Answer {
  const collections = children(child(node, 'sync'), 'collection').map(one =>
    stanza('collection', { name: one.attrs.name, version: '0', has_more_patches: 'false' }),
  );
  return [stanza('sync', {}, collections)];
}

/** The one GraphQL question that Baileys asks by itself: whether the account may start new chats. */
function answerMex(connection: Connection, account: Account): Answer {
  const restricted = connection.world.faults.isRestricted(account.digits);
  const ends = String(Math.floor(Date.now() / 1000) + 3600);
  const lock = { is_active: restricted, ...(restricted ? { time_enforcement_ends: ends } : {}) };
  const data = { data: { xwa2_fetch_account_reachout_timelock: lock } };
  return [stanza('result', {}, Buffer.from(JSON.stringify(data)))];
}
