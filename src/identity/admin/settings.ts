import { type Author, type Kernel, type Maintenance, type Tx, wakeAfterCommit } from '../../kernel/index.ts';
import { endEverything } from '../logins/logins.ts';
import { epochNow } from '../settings.ts';
import { recordAdmin } from './activity.ts';
import { actAsAdmin } from './acts.ts';
import type { Settings, SettingsChange } from './schema.ts';

/** Woken when people who run the installation have decided something about all of it. */
const SETTINGS = 'settings';

export function readSettings(kernel: Kernel): Promise<Settings> {
  return kernel.database.inEngine('identity.settings', settingsOf);
}

export function changeSettings(kernel: Kernel, by: Author, change: SettingsChange): Promise<Settings> {
  return actAsAdmin(kernel, by, 'identity.change_settings', async tx => {
    const { sign_up, terms } = await settingsOf(tx);
    const after = {
      sign_up: change.sign_up ?? sign_up,
      terms: change.terms === undefined ? terms : change.terms,
    };
    await tx
      .updateTable('instance_settings')
      .set({
        sign_up: after.sign_up,
        terms_version: after.terms?.version ?? null,
        terms_url: after.terms?.url ?? null,
      })
      .execute();
    await recordAdmin(tx, by, 'admin.settings_changed', { before: { sign_up, terms }, after });
    wakeAfterCommit(SETTINGS);
    return settingsOf(tx);
  });
}

/** From now on what would change something is answered 503, on every node. Repeated, only the note changes. */
export function beginMaintenance(kernel: Kernel, by: Author, note: string): Promise<Settings> {
  return actAsAdmin(kernel, by, 'identity.begin_maintenance', async tx => {
    const { maintenance } = await settingsOf(tx);
    await tx
      .updateTable('instance_settings')
      .set({
        maintenance_since: maintenance ? new Date(maintenance.since) : kernel.clock.now(),
        maintenance_note: note,
      })
      .execute();
    await recordAdmin(tx, by, 'admin.maintenance_began', { note });
    wakeAfterCommit(SETTINGS);
    return settingsOf(tx);
  });
}

/** Safe to repeat. */
export function endMaintenance(kernel: Kernel, by: Author): Promise<Settings> {
  return actAsAdmin(kernel, by, 'identity.end_maintenance', async tx => {
    const { maintenance } = await settingsOf(tx);
    if (maintenance) {
      await tx
        .updateTable('instance_settings')
        .set({ maintenance_since: null, maintenance_note: null })
        .execute();
      await recordAdmin(tx, by, 'admin.maintenance_ended', {});
      wakeAfterCommit(SETTINGS);
    }
    return settingsOf(tx);
  });
}

/** The kill switch: whatever opened anything until now, logins and API keys of everybody, opens nothing more. */
export function endAllLogins(kernel: Kernel, by: Author): Promise<void> {
  return actAsAdmin(kernel, by, 'identity.end_all_logins', async tx => {
    await endEverything(tx);
    await recordAdmin(tx, by, 'admin.all_logins_ended', { epoch: await epochNow(tx) });
  });
}

/** Asked before every write; remembers the answer for `lastsMs`, should the wake-up of a change be lost. */
export function createMaintenance(kernel: Kernel, lastsMs = 1_000): Maintenance {
  let known: { at: number; found: ReturnType<Maintenance> } | undefined;
  const forget = () => {
    known = undefined;
  };
  kernel.wake.on(SETTINGS, forget);
  return () => {
    const now = performance.now();
    if (!known || now - known.at > lastsMs) {
      const found = readSettings(kernel).then(
        ({ maintenance }) => maintenance && { since: new Date(maintenance.since), note: maintenance.note },
      );
      known = { at: now, found: found.then(one => one ?? undefined) };
      known.found.catch(forget);
    }
    return known.found;
  };
}

async function settingsOf(tx: Tx): Promise<Settings> {
  const row = await tx
    .selectFrom('instance_settings')
    .select(['sign_up', 'terms_version', 'terms_url', 'maintenance_since', 'maintenance_note'])
    .executeTakeFirstOrThrow();
  const { terms_version: version, terms_url: url, maintenance_since: since } = row;
  return {
    sign_up: row.sign_up as Settings['sign_up'],
    terms: version !== null && url !== null ? { version, url } : null,
    maintenance: since && { since: since.toISOString(), note: row.maintenance_note ?? '' },
  };
}
