import { sql } from 'kysely';
import { z } from 'zod';
import type { Commands } from './commands.ts';
import { ROLES_SQL } from './database/probe.ts';
import type { Kernel } from './kernel.ts';
import { VERSION } from './version.ts';

/** `convoke doctor`: what this installation stands on, and what an operator could make better. */
export function registerDoctor(commands: Commands, kernel: Kernel): void {
  commands.register('doctor', z.strictObject({}), async () => {
    const { database, config } = kernel;
    const facts = await database.inEngine('kernel.doctor', async tx => {
      const server = await sql<{
        version: string;
      }>`select current_setting('server_version') as version`.execute(tx);
      const nodes = await tx
        .selectFrom('nodes')
        .select('node_id')
        .where('stopped_at', 'is', null)
        .where('seen_at', '>', sql<Date>`now() - interval '1 minute'`)
        .execute();
      return { version: server.rows[0]?.version, nodes: nodes.map(node => node.node_id) };
    });
    const embedded = database.engine.kind === 'embedded';
    return [
      `Convoke        ${VERSION}`,
      `Node           ${process.versions.node}`,
      `Database       PostgreSQL ${facts.version}, ${embedded ? `embedded in ${config.dataDir}` : 'on a server'}`,
      `Walls          ${database.walls === 'roles' ? 'roles and row level security' : 'row level security alone, one wall fewer'}`,
      `Running nodes  ${facts.nodes.length === 0 ? 'none' : facts.nodes.join(', ')}`,
      `Sandbox        ${config.sandbox ? 'yes: this may speak to a simulated WhatsApp' : 'no'}`,
      ...(database.walls === 'roles'
        ? []
        : [`\nAn administrator of the database can add the second wall:\n${ROLES_SQL}`]),
    ].join('\n');
  });
}
