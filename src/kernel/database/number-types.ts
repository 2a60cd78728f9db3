import pg from 'pg';

/** bigint arrives as number: none of ours passes 2^53. */
export function typesOfOurs(): pg.CustomTypesConfig {
  const types = new pg.TypeOverrides();
  types.setTypeParser(pg.types.builtins.INT8, (text: string) => Number(text));
  return types;
}
