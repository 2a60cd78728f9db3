import { sql } from 'kysely';
import { z } from 'zod';
import type { Kernel } from '../kernel.ts';
import { VERSION } from '../version.ts';
import type { Reply, Routes } from './route.ts';

const PATIENCE_MS = 2_000;

const Health = z.object({
  status: z.enum(['ok', 'stopping', 'unhealthy']),
  version: z.string(),
  database: z.enum(['ok', 'unreachable', 'full']),
});

/** `GET /health`: for load balancers and supervisors; 503 takes this node out of service. */
export function addHealth(routes: Routes, kernel: Kernel, life: { stopping: boolean }): void {
  routes.open({
    method: 'GET',
    url: '/health',
    permission: 'public',
    summary: 'Whether this node can serve',
    tag: 'health',
    answers: { 200: Health, 503: Health },
    handler: async (): Promise<Reply> => {
      const reachable = await answers(kernel);
      const database = !reachable ? 'unreachable' : kernel.database.isFull ? 'full' : 'ok';
      const status = life.stopping ? 'stopping' : database === 'ok' ? 'ok' : 'unhealthy';
      return { status: status === 'ok' ? 200 : 503, body: { status, version: VERSION, database } };
    },
  });
}

async function answers(kernel: Kernel): Promise<boolean> {
  const asked = kernel.database
    .inEngine('kernel.health', tx => sql`select 1`.execute(tx), { withinMs: PATIENCE_MS })
    .then(
      () => true,
      () => false,
    );
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>(resolve => {
    timer = setTimeout(() => resolve(false), PATIENCE_MS);
  });
  const result = await Promise.race([asked, late]);
  clearTimeout(timer);
  return result;
}
