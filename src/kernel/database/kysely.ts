import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely';
import type { EngineConnection } from './engine.ts';

/**
 * A Kysely that speaks over one connection that somebody else opened and will release.
 * Transactions are the doors' business: its own `transaction()` is refused.
 */
export function kyselyOver<Tables>(connection: EngineConnection): Kysely<Tables> {
  const made = new Kysely<Tables>({ dialect: dialectOver(connection) });
  connections.set(made, connection);
  return made;
}

const connections = new WeakMap<object, EngineConnection>();

/** What a transaction of ours runs on, for statements that need nothing of Kysely. */
export function connectionUnder(tx: object): EngineConnection {
  const connection = connections.get(tx);
  if (!connection) throw new Error('This transaction was not opened by a door.');
  return connection;
}

function dialectOver(connection: EngineConnection): Dialect {
  const only: DatabaseConnection = {
    executeQuery: async <Row>(query: CompiledQuery): Promise<QueryResult<Row>> => {
      const answer = await connection.query(query.sql, query.parameters);
      return { rows: answer.rows as Row[], numAffectedRows: BigInt(answer.affected) };
    },
    streamQuery: () => {
      throw new Error('Read pages by keyset instead of a stream.');
    },
  };
  const refuse = async () => {
    throw new Error('Open transactions with inWorkspace or inEngine.');
  };
  return {
    createAdapter: () => new PostgresAdapter(),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createIntrospector: db => new PostgresIntrospector(db),
    createDriver: () => ({
      init: async () => undefined,
      acquireConnection: async () => only,
      beginTransaction: refuse,
      commitTransaction: refuse,
      rollbackTransaction: refuse,
      releaseConnection: async () => undefined,
      destroy: async () => undefined,
    }),
  };
}
