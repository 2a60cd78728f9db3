import type {
  Adapter,
  CredentialStore,
  LinkedAccount,
  PairingRequest,
  PairingStep,
} from '../adapters/contract.ts';
import type { Place } from '../place.ts';
import { isOver } from '../policy.ts';
import { pairingSeal } from '../queries.ts';
import { logOut } from './log-out.ts';
import {
  failPairing,
  finishPairing,
  type Goal,
  halt,
  labelByPhone,
  type PairingRow,
  readPairing,
  writePairingStep,
} from './rows.ts';

type Run = {
  place: Place;
  adapter: Adapter;
  store: CredentialStore;
  goal: Goal;
  pairing: PairingRow;
  signal: AbortSignal;
};

/**
 * Drives one pairing to its end and writes each step as a row. Returns the goal that follows: `connected` once a
 * number is linked, else undefined. An abort (another wish, a lost lease, the end of the program) leaves no word.
 */
export async function runPairing(
  place: Place,
  adapter: Adapter,
  store: CredentialStore,
  goal: Goal,
  signal: AbortSignal,
): Promise<Goal | undefined> {
  const pairing = await readPairing(place, goal);
  if (!pairing || isOver(pairing.step)) {
    await halt(place, goal, { status: 'unpaired', reason: null, until: null }, true);
    return undefined;
  }
  const run = { place, adapter, store, goal, pairing, signal };
  // Somebody else has begun it and is gone: what the phone agreed to meanwhile counts, a code on show does not.
  if (pairing.step !== 'starting') return concludeOr(run, 'interrupted');
  const left = pairing.expires_at.getTime() - place.kernel.clock.now().getTime();
  if (left <= 0) return concludeOr(run, 'timed_out');
  const expiry = AbortSignal.timeout(left);
  const last = await showSteps(run, AbortSignal.any([signal, expiry]));
  if (signal.aborted) return undefined;
  if (last?.step === 'failed') return fail(run, last.reason);
  if (last?.step === 'done') return conclude(run, last);
  return concludeOr(run, 'timed_out');
}

async function showSteps(run: Run, signal: AbortSignal): Promise<PairingStep | undefined> {
  const request = requestOf(run.pairing);
  const canWrite = () => run.place.lease.held();
  const steps = run.adapter.pair?.(request, run.store, signal, canWrite);
  if (!steps) return { step: 'failed', reason: 'not_supported' };
  let last: PairingStep | undefined;
  for await (const step of steps) {
    last = step;
    if (signal.aborted) break;
    if (step.step === 'connecting') await writePairingStep(run.place, run.pairing, 'connecting', null);
    else if (step.step === 'show_qr') await show(run, 'show_qr', step.qr);
    else if (step.step === 'show_code') await show(run, 'show_code', step.code);
  }
  return last;
}

async function show({ place, pairing }: Run, step: 'show_qr' | 'show_code', text: string): Promise<void> {
  const vault = await place.kernel.secrets.vault(place.workspaceId);
  const secret = vault.seal(Buffer.from(text), pairingSeal(place.channelId, pairing.id));
  await writePairingStep(place, pairing, step, secret);
}

function requestOf({ method, phone }: PairingRow): PairingRequest {
  return method === 'code' && phone !== null ? { method: 'code', phone } : { method: 'qr' };
}

/** A phone may have agreed at the last moment: its credentials are stored then. */
async function concludeOr(run: Run, reason: string): Promise<Goal | undefined> {
  const account = await run.adapter.linkedAccount(run.store).catch(() => undefined);
  return account ? conclude(run, account) : fail(run, reason);
}

async function conclude(run: Run, account: LinkedAccount): Promise<Goal | undefined> {
  const { place, goal, pairing } = run;
  const outcome = await finishPairing(place, goal, pairing, account);
  if (outcome === 'done') return { wanted: 'connected', generation: goal.generation };
  if (outcome === 'superseded') return undefined;
  const label = await labelByPhone(place, account.phone);
  await logOut(place, run.adapter, run.store, run.signal);
  return fail(run, 'number_already_linked', label);
}

async function fail(run: Run, reason: string, otherLabel?: string): Promise<undefined> {
  await failPairing(run.place, run.goal, run.pairing, reason, otherLabel);
  return undefined;
}
