import { openEmbedded } from '../../src/kernel/database/embedded/index.ts';

/**
 * A process that opens the embedded database in the folder of its first argument and commits one row
 * after the other, saying the number of each once it is acknowledged. It goes on until it is killed.
 */
const engine = await openEmbedded({
  folder: process.argv[2] ?? '',
  warn: text => console.error(text),
  onFault: error => {
    throw error;
  },
});
const connection = await engine.acquire();
await connection.script('create table if not exists numbers (number int primary key)');
const { rows } = await connection.query('select coalesce(max(number), 0)::int as last from numbers', []);
for (let number = Number(rows[0]?.last) + 1; ; number++) {
  await connection.script('begin');
  await connection.query('insert into numbers values ($1)', [number]);
  await connection.script('commit');
  if (number % 50 === 0) await connection.script('checkpoint');
  process.stdout.write(`${number}\n`);
}
