import { createHash } from 'node:crypto';
import { addJob, type Kernel, type Limit, spend } from '../../kernel/index.ts';
import { network } from '../defence/login-limits.ts';

const HOUR_MS = 3_600_000;

/** How often mails may be asked for: by one network, for one person, and by everybody. */
const MOST = { network: 30, person: 5, everybody: 2_000 };

/**
 * Adds a job that will find out whom a mail goes to, if anybody: all that the caller can learn, by the answer or by the
 * time that it takes, is that it was asked for. `who` is the address or name as it was given. Throws 429.
 */
export function askForMail(
  kernel: Kernel,
  ask: { job: string; who: string; payload: object; address: string | undefined },
): Promise<void> {
  const person = createHash('sha256').update(ask.who.trim().toLowerCase()).digest('base64url');
  const limits: Limit[] = [
    { name: 'mail_network', key: network(ask.address), most: MOST.network, windowMs: HOUR_MS },
    { name: 'mail_person', key: `${ask.job}:${person}`, most: MOST.person, windowMs: HOUR_MS },
    { name: 'mail_everybody', key: 'all', most: MOST.everybody, windowMs: HOUR_MS },
  ];
  return kernel.database.inEngine('identity.ask_for_mail', async tx => {
    await spend(tx, limits);
    await addJob(tx, ask.job, ask.payload);
  });
}

/** Proofs that a link is known: nobody guesses 256 bits, but each try may cost a hash. Throws 429. */
export function spendLink(kernel: Kernel, address: string | undefined): Promise<void> {
  return kernel.database.inEngine('identity.spend_link', tx =>
    spend(tx, [{ name: 'link_network', key: network(address), most: 60, windowMs: HOUR_MS }]),
  );
}
