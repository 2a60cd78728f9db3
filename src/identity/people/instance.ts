import { type Kernel, type Tx, VERSION } from '../../kernel/index.ts';
import type { Instance } from './schema.ts';

/** What anybody may know of this installation before signing in. */
export async function readInstance(tx: Tx, { config }: Pick<Kernel, 'config'>): Promise<Instance> {
  const settings = await tx
    .selectFrom('instance_settings')
    .select(['sign_up', 'terms_version', 'terms_url'])
    .executeTakeFirstOrThrow();
  const { terms_version: version, terms_url: url } = settings;
  return {
    name: 'Convoke',
    version: VERSION,
    sign_up: settings.sign_up as Instance['sign_up'],
    terms: version === null ? null : { version, url },
    mail: config.smtpUrl !== undefined,
  };
}

/** Who may make an account now. */
export async function signUpMode(kernel: Kernel): Promise<Instance['sign_up']> {
  const instance = await kernel.database.inEngine('identity.sign_up_mode', tx => readInstance(tx, kernel));
  return instance.sign_up;
}
