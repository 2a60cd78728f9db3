import { sql } from 'kysely';
import type { Tx, Vault } from '../kernel/index.ts';
import type { CredentialStore, KeyChange } from './adapters/contract.ts';
import { readIntake, takeIn } from './intake.ts';
import { fenced, type Place, unfenced } from './place.ts';

/**
 * Credentials and keys of one channel as encrypted rows, each bound to its place. Every write proves the lease
 * in its own transaction and waits for the one before, so that none can come to lie over a later one. `onStored` is
 * called afterwards when new messages were stored together with keys, or may have been.
 */
export async function credentialStore(place: Place, onStored: () => void): Promise<CredentialStore> {
  const vault = await place.kernel.secrets.vault(place.workspaceId);
  const { workspaceId, channelId } = place;
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(write: () => Promise<T>): Promise<T> => {
    const turn = last.then(write);
    last = turn.catch(() => undefined);
    return turn;
  };
  return {
    readCredentials: () =>
      unfenced(place, 'channels.read_credentials', async tx => {
        const row = await tx
          .selectFrom('channel_credentials')
          .select('ciphertext')
          .where('workspace_id', '=', workspaceId)
          .where('channel_id', '=', channelId)
          .executeTakeFirst();
        return row && vault.open(row.ciphertext, credentialsSeal(channelId));
      }),
    writeCredentials: plain => {
      const ciphertext = vault.seal(plain, credentialsSeal(channelId));
      return inTurn(() =>
        fenced(place, 'channels.write_credentials', tx => writeCredentials(tx, place, ciphertext)),
      );
    },
    readKeys: (type, ids) =>
      unfenced(place, 'channels.read_keys', tx => readKeys(tx, place, vault, type, ids)),
    writeKeys: async (changes, opened) => {
      let mayBeNew = opened.length > 0;
      try {
        mayBeNew = await inTurn(() =>
          fenced(place, 'channels.write_keys', async tx => {
            await writeKeys(tx, place, vault, changes);
            return takeIn(tx, place, vault, opened);
          }),
        );
      } finally {
        if (mayBeNew) onStored();
      }
    },
    readInbound: key => unfenced(place, 'channels.read_inbound', tx => readIntake(tx, place, vault, key)),
    clear: () => inTurn(() => fenced(place, 'channels.clear_credentials', tx => eraseCredentials(tx, place))),
  };
}

/** Credentials and keys are gone with the commit of the caller's transaction. */
export async function eraseCredentials(tx: Tx, place: Place): Promise<void> {
  for (const table of ['channel_keys', 'channel_credentials'] as const) {
    await tx
      .deleteFrom(table)
      .where('workspace_id', '=', place.workspaceId)
      .where('channel_id', '=', place.channelId)
      .execute();
  }
}

async function writeCredentials(tx: Tx, place: Place, ciphertext: Buffer): Promise<void> {
  await tx
    .insertInto('channel_credentials')
    .values({ workspace_id: place.workspaceId, channel_id: place.channelId, ciphertext })
    .onConflict(conflict =>
      conflict
        .columns(['workspace_id', 'channel_id'])
        .doUpdateSet({ ciphertext, updated_at: sql<Date>`now()` }),
    )
    .execute();
}

async function readKeys(
  tx: Tx,
  place: Place,
  vault: Vault,
  type: string,
  ids: string[],
): Promise<Map<string, Uint8Array>> {
  const rows = await tx
    .selectFrom('channel_keys')
    .select(['key_id', 'ciphertext'])
    .where('workspace_id', '=', place.workspaceId)
    .where('channel_id', '=', place.channelId)
    .where('type', '=', type)
    .where('key_id', 'in', ids)
    .execute();
  return new Map(
    rows.map(row => [row.key_id, vault.open(row.ciphertext, keySeal(place.channelId, type, row.key_id))]),
  );
}

/** One statement for what is set and one for what goes, however many there are. */
async function writeKeys(tx: Tx, place: Place, vault: Vault, changes: KeyChange[]): Promise<void> {
  const { workspaceId, channelId } = place;
  const set = changes.flatMap(({ type, id, value }) =>
    value ? [{ type, id, sealed: vault.seal(value, keySeal(channelId, type, id)).toString('hex') }] : [],
  );
  const gone = changes.flatMap(({ type, id, value }) => (value ? [] : [{ type, id }]));
  if (set.length > 0) {
    await sql`
      insert into channel_keys (workspace_id, channel_id, type, key_id, ciphertext)
      select ${workspaceId}::uuid, ${channelId}::uuid, k.type, k.id, decode(k.sealed, 'hex')
      from json_to_recordset(${JSON.stringify(set)}::json) as k(type text, id text, sealed text)
      on conflict (workspace_id, channel_id, type, key_id) do update set ciphertext = excluded.ciphertext
    `.execute(tx);
  }
  if (gone.length > 0) {
    await sql`
      delete from channel_keys c
      using json_to_recordset(${JSON.stringify(gone)}::json) as k(type text, id text)
      where c.workspace_id = ${workspaceId}::uuid and c.channel_id = ${channelId}::uuid
        and c.type = k.type and c.key_id = k.id
    `.execute(tx);
  }
}

function credentialsSeal(channelId: string): string {
  return `channel_credentials/${channelId}`;
}

function keySeal(channelId: string, type: string, id: string): string {
  return `channel_keys/${channelId}/${type}/${id}`;
}
