/**
 * channels – the identities that send.
 * Owns: channels, credentials, pairing, connections, groups, intake of raw inbound; the adapters.
 * Promises: exactly one node drives a channel; routes only write what is wanted; credentials and keys
 *   are stored encrypted and fenced; what came in is stored before it is confirmed.
 * Never: decides what is sent or when; reads a provider's ids outside its adapter.
 * Called by: messages and reminders (is it sendable?), main (routes, driver).
 */
export type {
  Adapter,
  Capabilities,
  Connection,
  Inbound,
  LateAnswer,
  PacingAdvice,
  ReceiptFact,
  SendOutcome,
  Wire,
  WireTarget,
} from './adapters/contract.ts';
export { capabilitiesOf, declareKind, pacedKinds } from './adapters/kinds.ts';
export { createLinkedAdapter } from './adapters/linked/index.ts';
export { type ChannelsOptions, createChannels, type RunningChannels } from './driver/index.ts';
export { channelsOfKeys, mayActOn, withinChannels } from './keys.ts';
export { showChannels } from './metrics.ts';
export type { ChannelRemoval, Channels, Driven, InboundSink, OutboundPayloads } from './ports.ts';
export { releaseChannels } from './release.ts';
export { endRestriction, RESTRICTION, restrict, restrictionIsOver } from './restriction.ts';
export { registerChannelRoutes } from './routes.ts';
export { channelForSending, groupForSending } from './sending.ts';
export { registerStatusCommand } from './status-command.ts';
export { registerStatusRoute } from './status-routes.ts';
