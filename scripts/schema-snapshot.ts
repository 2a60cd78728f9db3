import type { Engine } from '../src/kernel/database/engine.ts';

const OPENING = `-- The schema that the migrations of this folder lead to, read from the catalogue of PostgreSQL 18.
-- Written by scripts/generate-tables.ts for people and reviews; nothing runs it. Partitions are left out.
`;

const TABLES = `select c.oid::int as oid, c.relname as name, pg_get_partkeydef(c.oid) as partition, c.relrowsecurity as walled,
    c.relforcerowsecurity as forced, array_to_string(c.reloptions, ', ') as options,
    quote_literal(obj_description(c.oid, 'pg_class')) as comment
  from pg_class c
  where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
    and c.relname <> 'schema_migrations'
  order by c.relname`;

const COLUMNS = `select a.attrelid::int as oid, a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
    || case when a.attnotnull then ' not null' else '' end
    || case when a.attgenerated = 's' then ' generated always as (' || pg_get_expr(d.adbin, d.adrelid) || ') stored'
        else coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') end as line
  from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attnum > 0 and not a.attisdropped
  order by a.attrelid, a.attnum`;

/** NOT NULL has been a constraint of its own since PostgreSQL 18; here it stands at its column. */
const CONSTRAINTS = `select conrelid::int as oid, 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) as line
  from pg_constraint where conrelid <> 0 and contype <> 'n' and conparentid = 0
  order by conrelid, position(contype in 'pufcx'), conname`;

const INDEXES = `select i.indrelid::int as oid, pg_get_indexdef(i.indexrelid) as line
  from pg_index i join pg_class c on c.oid = i.indexrelid
  where not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
  order by i.indrelid, c.relname`;

const POLICIES = `select polrelid::int as oid, 'create policy ' || polname || ' on ' || polrelid::regclass || ' for '
    || case polcmd when '*' then 'all' when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' else 'delete' end
    || coalesce(' using ' || pg_get_expr(polqual, polrelid), '')
    || coalesce(' with check ' || pg_get_expr(polwithcheck, polrelid), '') as line
  from pg_policy order by polrelid, polname`;

const FUNCTIONS = `select pg_get_functiondef(p.oid) as line from pg_proc p
  where p.pronamespace = current_schema()::regnamespace and p.prokind in ('f', 'p')
    and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
  order by p.proname, p.oid`;

type Table = {
  oid: number;
  name: string;
  partition: string | null;
  walled: boolean;
  forced: boolean;
  options: string | null;
  comment: string | null;
};

/** A readable text of the schema of a migrated database, the same for the same schema. */
export async function schemaSnapshot(engine: Engine): Promise<string> {
  const connection = await engine.acquire();
  try {
    const rows = async <Row>(text: string) => (await connection.query(text, [])).rows as Row[];
    const byTable = async (text: string) => {
      const found = await rows<{ oid: number; line: string }>(text);
      return (table: Table) => found.filter(row => row.oid === table.oid).map(row => row.line);
    };
    const columns = await byTable(COLUMNS);
    const constraints = await byTable(CONSTRAINTS);
    const indexes = await byTable(INDEXES);
    const policies = await byTable(POLICIES);
    const tables = (await rows<Table>(TABLES)).map(table =>
      [
        `create table ${table.name} (\n${[...columns(table), ...constraints(table)].map(line => `  ${line}`).join(',\n')}\n)`,
        table.partition ? ` partition by ${table.partition}` : '',
        table.options ? ` with (${table.options})` : '',
        ';',
        ...(table.comment ? [`\ncomment on table ${table.name} is ${table.comment};`] : []),
        ...[...indexes(table), ...wallsOf(table), ...policies(table)].map(line => `\n${line};`),
      ].join(''),
    );
    const functions = (await rows<{ line: string }>(FUNCTIONS)).map(({ line }) => `${line.trimEnd()};`);
    return `${[OPENING.trimEnd(), ...tables, ...functions].join('\n\n')}\n`;
  } finally {
    connection.release();
  }
}

function wallsOf({ name, walled, forced }: Table): string[] {
  return [
    ...(walled ? [`alter table ${name} enable row level security`] : []),
    ...(forced ? [`alter table ${name} force row level security`] : []),
  ];
}
