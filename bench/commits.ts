import pg from 'pg';
import { type Ground, statement } from './ground.ts';

/** How long single commits take, in ms: one row each, beside everything else that runs, until `until`. */
export async function timeCommits({ url }: Ground, everyMs: number, until: number): Promise<number[]> {
  await statement(url, 'create table bench_commits (at timestamptz not null)');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const times: number[] = [];
  while (Date.now() < until) {
    const from = performance.now();
    await client.query('insert into bench_commits values (now())');
    times.push(performance.now() - from);
    await new Promise(resolve => setTimeout(resolve, everyMs));
  }
  await client.end();
  return times;
}
