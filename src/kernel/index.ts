/**
 * kernel – what every room stands on.
 * Owns: the database and its two doors, `Scope`, errors, config, HTTP, secrets, ids and clock, activity
 *   and its sealer, live updates, due work, jobs, leases, the wake-up bus, the log, metrics, the admin socket.
 * Promises: one transaction per request that sees one workspace; a fact is recorded with its change;
 *   due work fires once per claim, at its instant.
 * Never: knows what a channel, message or reminder is.
 * Called by: every room; it imports none.
 */
export {
  type Author,
  authorOf,
  type By,
  type Fact,
  type NewFact,
  readActivity,
  record,
  recordAll,
  recordForInstance,
} from './activity.ts';
export { type ActorNames, activityLog, registerActivityRoutes } from './activity-log.ts';
export { type AdminSocket, askRunning, type CommandAnswer, listenForCommands } from './admin-socket.ts';
export { type Clock, systemClock } from './clock.ts';
export { type Commands, createCommands } from './commands.ts';
export {
  type Config,
  type Environment,
  type LeaseTimes,
  leaseTimesOf,
  readConfig,
  settings,
} from './config.ts';
export {
  afterCommit,
  CommitUnknown,
  type Database,
  inWorkspace,
  outsideTransaction,
  type Tx,
} from './database/database.ts';
export { refuseHeldFolder } from './database/embedded/index.ts';
export { isUniqueViolation, isUnreachable, sqlState } from './database/engine.ts';
export { bytes, instants, kept, list, rangeOf, texts } from './database/kept.ts';
export type { Tables } from './database/tables.ts';
export { registerDoctor } from './doctor.ts';
export { type DueRows, sqlDueRows } from './due-rows.ts';
export {
  cancelDue,
  type DueItem,
  type DueKey,
  dropDue,
  moveDue,
  scheduleDue,
  takeDue,
} from './due-work.ts';
export { createDueWorker, type DueWorker, type DueWorkerOptions } from './due-worker.ts';
export { AppError, type ErrorCode, type FieldError, invalidField, notFound, StartError } from './errors.ts';
export { type Flush, type GroupCommit, groupCommit } from './group-commit.ts';
export { Html, html } from './http/html.ts';
export type { Maintenance } from './http/maintenance.ts';
export { pageCursor, readCursor } from './http/page.ts';
export { refuseBusyPort } from './http/port.ts';
export type { Gate, OpenRoute, Permission, Reply, Routes, WorkspaceRoute } from './http/route.ts';
export { createHttp, type Http } from './http/server.ts';
export { Content, Id, IdParams, Instant, PageQuery, Phone, pageOf, Target } from './http/shapes.ts';
export { openStream, type Stream, type StreamEvent } from './http/sse.ts';
export { isId, newId } from './ids.ts';
export { addJob } from './job-rows.ts';
export { createJobs, HopelessJob, type JobRun, type Jobs, showJobs } from './jobs.ts';
export type { Kernel } from './kernel.ts';
export {
  assertFence,
  createLeases,
  type Lease,
  LeaseLost,
  type Leases,
  stillHeld,
} from './leases.ts';
export { createLifecycle, type Lifecycle, stopOnSignals, stopWithParent } from './lifecycle.ts';
export { type Limit, spend } from './limits.ts';
export { registerLiveRoute } from './live.ts';
export { createLogger, maskEmail, maskPhone } from './log.ts';
export { createMailer, type Mail, type Mailer } from './mail.ts';
export { createMetrics, type Metrics, registerMetricsRoute, type Sample } from './metrics.ts';
export { appearAsNode, type NodeRow } from './node-row.ts';
export { hasDatabase, openKernel } from './open-kernel.ts';
export { readPassword } from './read-password.ts';
export { sameSecret } from './same-secret.ts';
export { type Actor, INSTANCE, mintScope, type Scope } from './scope.ts';
export { createSealer, type Sealer } from './sealer.ts';
export { createSecrets, type Secrets, type Vault } from './secrets.ts';
export { startUpkeep } from './upkeep.ts';
export { type ChainHead, type ChainReport, verifyChain } from './verify-activity.ts';
export { VERSION } from './version.ts';
export { createWake, hint, hintAfterCommit, type Wake, wakeAfterCommit } from './wake.ts';
export { deleteRows, purgeChain, type WorkspaceTable, workspaceTables } from './workspace-rows.ts';
