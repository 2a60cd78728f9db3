import type { FastifyRequest } from 'fastify';
import { AppError, type Gate, type Kernel, notFound } from '../../kernel/index.ts';

/** Lets admins into the console. Everybody else, signed in or not, is answered as at an address that does not exist. */
export async function enterConsole(
  kernel: Kernel,
  request: FastifyRequest,
  user: Gate['user'],
): Promise<string> {
  const userId = await user(request).catch(error => {
    throw error instanceof AppError ? notFound() : error;
  });
  const admin = await kernel.database.inEngine('identity.enter_console', tx =>
    tx
      .selectFrom('users')
      .select('id')
      .where('id', '=', userId)
      .where('is_admin', '=', true)
      .executeTakeFirst(),
  );
  if (!admin) throw notFound();
  return userId;
}
