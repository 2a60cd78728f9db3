import { sql } from 'kysely';
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

type Chain = { id: string; label: string; option: string; purge: Purge };

/** Of the workspace of a chain: not begun, begun after its days, or begun though it has days left. */
type Purge = 'none' | 'due' | 'undue';

type Report = { lines: string[]; isProven: boolean };

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
    const reports: Report[] = [];
    for (const chain of chains) reports.push(await reportOn(kernel, chain, kept));
    const said = reports.flatMap(({ lines }) => lines).join('\n');
    if (reports.some(({ isProven }) => !isProven)) throw new AppError('illegal_state', said);
    return `${said}\n\nKeep these heads where nobody can change them together with the database. Given back with\n--since-head, each proves that nothing up to it was changed since.`;
  });
}

async function chainsOf(kernel: Kernel, workspace?: string, installation?: true): Promise<Chain[]> {
  const all = await kernel.database.inEngine('identity.chains', tx =>
    tx
      .selectFrom('workspaces')
      .fullJoin('activity_heads', 'activity_heads.workspace_id', 'workspaces.id')
      .select(['workspaces.slug', 'workspaces.id', 'activity_heads.workspace_id'])
      .select(
        sql<Purge>`case when purge_began_at is null then 'none' when deletion_due_at <= now() then 'due' else 'undue' end`.as(
          'purge',
        ),
      )
      .orderBy('workspaces.slug')
      .execute(),
  );
  const chains = all.map(({ slug, id, workspace_id, purge }) =>
    chainOf(id ?? workspace_id ?? INSTANCE, slug, purge),
  );
  if (!chains.some(chain => chain.id === INSTANCE)) chains.push(chainOf(INSTANCE, null));
  if (workspace === undefined) return installation ? chains.filter(chain => chain.id === INSTANCE) : chains;
  const found = chains.filter(chain => chain.option === `--workspace ${workspace}`);
  if (found.length === 0)
    throw new AppError('not_found', `There is no workspace with the short name "${workspace}".`);
  return found;
}

/** A workspace that is gone has left its chain behind. */
function chainOf(id: string, slug: string | null, purge: Purge = 'none'): Chain {
  if (id === INSTANCE) return { id, label: 'installation', option: '--installation', purge };
  return { id, label: `workspace ${slug ?? `${id}, deleted`}`, option: `--workspace ${slug ?? id}`, purge };
}

function headIn(text: string): ChainHead {
  const [seq = '', hash = ''] = text.split(':');
  return { seq: Number(seq), hash: Buffer.from(hash, 'hex') };
}

/** A chain that is being purged is cut on purpose: it cannot be held against a head any more. */
async function reportOn(kernel: Kernel, chain: Chain, kept: ChainHead | undefined): Promise<Report> {
  if (chain.purge === 'due')
    return { lines: [`${chain.label}: being purged, not verified.`], isProven: kept === undefined };
  const { flaws, flawCount, ...report } = await verifyChain(kernel.database, chain.id, kept);
  const undue = chain.purge === 'undue' ? ['Its purge has begun, though nobody deleted it 14 days ago.'] : [];
  const all = { ...report, flaws: [...undue, ...flaws], flawCount: flawCount + undue.length };
  return { lines: linesOf(chain, all), isProven: all.flawCount === 0 };
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
