import { randomUUID } from 'node:crypto';
import { Tally } from '../harness/tally.ts';
import { until } from '../harness/until.ts';
import type { Ground } from './ground.ts';
import { beginLife, type Life, served } from './life.ts';
import type { Point, World } from './world.ts';

const PATIENCE = { within: 30_000, every: 40 };
const ROWS = 40;
const CLAIMS = 'update jobs set claimed_by = null, claimed_until = null, due_at = least(due_at, now())';

/** Workspaces whose days are over, beside one that stays. */
export class PurgeWorld implements World {
  readonly name: string;
  readonly ends = new Tally();
  readonly #ground: Ground;
  readonly #stays = randomUUID();
  /** Of which it is not known yet what has become of them. */
  readonly #going: string[] = [];

  constructor(ground: Ground, name: string) {
    this.name = name;
    this.#ground = ground;
  }

  begin(at?: Point): Life {
    return beginLife({ env: this.#ground.env, at });
  }

  async settle(life: Life): Promise<void> {
    await served(life);
    await this.#furnish(life, this.#stays);
  }

  between(): Promise<void> {
    return this.#ground.expire();
  }

  readonly scenarios: World['scenarios'] = { purge: life => this.#purge(life) };

  goesOnAs(): boolean {
    return false;
  }

  async recover(life: Life): Promise<string[]> {
    await served(life);
    // As if the claims of the dead had run out.
    await this.#ground.rows(life, CLAIMS);
    await this.#quiet(life);
    const faults: string[] = [];
    for (const id of this.#going.splice(0)) faults.push(...(await this.#faultsOf(life, id)));
    const left = await this.#rowsOf(life, this.#stays);
    return left === 4 * ROWS + 1 ? faults : [...faults, `the workspace that stays has ${left} rows`];
  }

  close(): Promise<void> {
    return this.#ground.close();
  }

  async #purge(life: Life): Promise<void> {
    const id = randomUUID();
    await this.#furnish(life, id);
    this.#going.push(id);
    await this.#ground.rows(
      life,
      `with due as (update workspaces set deletion_due_at = now() where id = '${id}')
      insert into jobs (workspace_id, id, name, payload, due_at)
      values ('00000000-0000-0000-0000-000000000000', gen_random_uuid(), 'identity.purge_workspace',
        jsonb_build_object('workspace_id', '${id}'), now())`,
    );
    await this.#quiet(life);
  }

  async #furnish(life: Life, id: string): Promise<void> {
    const many = `from generate_series(1, ${ROWS}) n`;
    const statements = [
      `insert into workspaces (id, slug, name) values ('${id}', '${id}', 'Going')`,
      `insert into channels (workspace_id, id, kind, label) values ('${id}', '${id}', 'linked', 'Old')`,
      `insert into groups (workspace_id, id, channel_id, provider_id, subject)
        select '${id}', gen_random_uuid(), '${id}', n || '@g.us', 'Choir' ${many}`,
      `insert into messages (workspace_id, id, channel_id, direction, source, content)
        select '${id}', gen_random_uuid(), '${id}', 'out', 'api', '{}' ${many}`,
      `insert into contacts (workspace_id, id) select '${id}', gen_random_uuid() ${many}`,
      `insert into provider_ids select '${id}', '${id}', n::text, gen_random_uuid(), gen_random_uuid() ${many}`,
    ];
    for (const text of statements) await this.#ground.rows(life, text);
  }

  async #faultsOf(life: Life, id: string): Promise<string[]> {
    const left = await this.#rowsOf(life, id);
    const facts = await this.#ground.rows<{ messages: number }>(
      life,
      `select (payload -> 'rows' ->> 'messages')::int as messages from activity
      where type = 'workspace.purged' and subject_id = '${id}'`,
    );
    this.ends.add(facts.length === 1 ? 'workspaces purged, each told once' : 'not purged');
    return [
      ...(left > 0 ? [`${left} rows of ${id} are left`] : []),
      ...(facts.length === 1 ? [] : [`the purge of ${id} was told ${facts.length} times`]),
      ...(facts[0]?.messages === ROWS ? [] : [`of ${id} ${facts[0]?.messages} messages were counted`]),
    ];
  }

  /** In all tables that have the column, and the workspace itself. */
  async #rowsOf(life: Life, id: string): Promise<number> {
    const tables = await this.#ground.rows<{ name: string }>(
      life,
      `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
      where c.relkind in ('r', 'p') and not c.relispartition and a.attname = 'workspace_id'`,
    );
    let count = 0;
    for (const { name } of tables) {
      const rows = await this.#ground.rows(life, `select from ${name} where workspace_id = '${id}'`);
      count += rows.length;
    }
    return count;
  }

  async #quiet(life: Life): Promise<void> {
    await until(async () => (await this.#ground.rows(life, 'select from jobs')).length === 0, PATIENCE);
  }
}
