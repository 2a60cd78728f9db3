/**
 * kernel/database/embedded – PostgreSQL without a server, for one node and for tests.
 * Owns: the thread that PGlite runs in, the data folder with its lock, flushing to disk, upkeep.
 * Promises: one process per folder; what was acknowledged survives a crash of the process and of the
 *   machine; a folder that does not open is left as it is, and the message says what to do.
 * Never: keeps two transactions open at once, knows tables.
 * Called by: main and cli at start, and by tests.
 */
export { type EmbeddedEngine, type FolderOptions, type MemoryOptions, openEmbedded } from './embedded.ts';
export { refuseHeldFolder } from './folder-lock.ts';
