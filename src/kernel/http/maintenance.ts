import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors.ts';

/** Since when and why nothing may be changed, or undefined when all is as usual. Asked before every write. */
export type Maintenance = () => Promise<{ since: Date; note: string } | undefined>;

const RETRY_AFTER_S = 60;

/**
 * Throws 503 `maintenance` for what would change something while the installation is under maintenance. Routes of the
 * console and those with `duringMaintenance` are let through, so that whoever began it can end it.
 */
export async function refuseDuringMaintenance(
  request: FastifyRequest,
  maintenance: Maintenance,
): Promise<void> {
  if (request.method === 'GET' || request.method === 'HEAD') return;
  const { permission, duringMaintenance } = request.routeOptions.config;
  if (permission === undefined || permission === 'admin' || duringMaintenance) return;
  const found = await maintenance();
  if (!found) return;
  const { note, since } = found;
  throw new AppError(
    'maintenance',
    `Convoke is under maintenance, and nothing can be changed just now. ${note}`.trim(),
    {
      extra: { note, since: since.toISOString(), retry_after_s: RETRY_AFTER_S },
    },
  );
}
