import { z } from 'zod';
import {
  AppError,
  type ChainHead,
  type ChainReport,
  type Commands,
  INSTANCE,
  type Kernel,
  verifyChain,
} from '../../kernel/index.ts';

const Verify = z.strictObject({
  workspace: z.string().min(1).max(200).optional(),
  installation: z.literal(true).optional(),
  sinceHead: z
    .string()
    .regex(
      /^[0-9]{1,15}:[0-9a-f]{64}$/,
      'Give a head as it was printed: its number, a colon and 64 hex digits.',
    )
    .optional(),
});

type Chain = { id: string; label: string; option: string };

/** `convoke activity verify`: proves that nobody changed what was recorded, also not on the database itself. */
export function registerVerifyCommand(commands: Commands, kernel: Kernel): void {
  commands.register('activity verify', Verify, async ({ workspace, installation, sinceHead }) => {
    const chains = await chainsOf(kernel, workspace, installation);
    if (sinceHead !== undefined && chains.length !== 1)
      throw new AppError(
        'invalid_request',
        'Name the chain of the head, with --workspace or --installation.',
      );
    const kept = sinceHead === undefined ? undefined : headIn(sinceHead);
    const reports: { chain: Chain; report: ChainReport }[] = [];
    for (const chain of chains)
      reports.push({ chain, report: await verifyChain(kernel.database, chain.id, kept) });
    const said = reports.flatMap(({ chain, report }) => linesOf(chain, report)).join('\n');
    if (reports.some(({ report }) => report.flawCount > 0)) throw new AppError('illegal_state', said);
    return `${said}\n\nKeep these heads where nobody can change them together with the database. Given back with\n--since-head, each proves that nothing up to it was changed since.`;
  });
}

async function chainsOf(kernel: Kernel, workspace?: string, installation?: true): Promise<Chain[]> {
  const all = await kernel.database.inEngine('identity.chains', tx =>
    tx
      .selectFrom('workspaces')
      .fullJoin('activity_heads', 'activity_heads.workspace_id', 'workspaces.id')
      .select(['workspaces.slug', 'workspaces.id', 'activity_heads.workspace_id'])
      // A chain that is being purged is cut on purpose.
      .where('workspaces.purge_began_at', 'is', null)
      .orderBy('workspaces.slug')
      .execute(),
  );
  const chains = all.map(({ slug, id, workspace_id }) => chainOf(id ?? workspace_id ?? INSTANCE, slug));
  if (!chains.some(chain => chain.id === INSTANCE)) chains.push(chainOf(INSTANCE, null));
  if (workspace === undefined) return installation ? chains.filter(chain => chain.id === INSTANCE) : chains;
  const found = chains.filter(chain => chain.option === `--workspace ${workspace}`);
  if (found.length === 0)
    throw new AppError('not_found', `There is no workspace with the short name "${workspace}".`);
  return found;
}

/** A workspace that is gone has left its chain behind. */
function chainOf(id: string, slug: string | null): Chain {
  if (id === INSTANCE) return { id, label: 'installation', option: '--installation' };
  return { id, label: `workspace ${slug ?? `${id}, deleted`}`, option: `--workspace ${slug ?? id}` };
}

function headIn(text: string): ChainHead {
  const [seq = '', hash = ''] = text.split(':');
  return { seq: Number(seq), hash: Buffer.from(hash, 'hex') };
}

function linesOf({ label, option }: Chain, report: ChainReport): string[] {
  const { facts, erased, head, flaws, flawCount } = report;
  const count = `${facts} ${facts === 1 ? 'fact' : 'facts'}${erased > 0 ? `, of ${erased} the content was erased` : ''}`;
  if (flawCount === 0)
    return [
      `${label}: ${count}, in order.`,
      `  ${option} --since-head ${head.seq}:${head.hash.toString('hex')}`,
    ];
  const more = flawCount - flaws.length;
  return [
    `${label}: ${count}, ${flawCount} ${flawCount === 1 ? 'fault' : 'faults'}.`,
    ...flaws.map(flaw => `  ${flaw}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}
