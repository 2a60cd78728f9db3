export type LoggedConnection = {
  /** '+' number of the account. */
  account: string;
  device: number;
  opened_at: string;
  /** Absent while it is open. */
  closed_at?: string;
  /** Why the server ended it, or 'closed' when the client or the network did. */
  reason?: string;
  /** Stanzas that came on it after its end, and were not taken. */
  late?: number;
};

const MAX_CLOSED = 10_000;

/** Every logged-in socket with its instants, so that a test can prove that one device never had two at once. */
export class ConnectionLog {
  readonly #open = new Set<LoggedConnection>();
  readonly #closed: LoggedConnection[] = [];

  opened(account: string, device: number): LoggedConnection {
    const entry = { account, device, opened_at: new Date().toISOString() };
    this.#open.add(entry);
    return entry;
  }

  closed(entry: LoggedConnection, reason: string): void {
    if (!this.#open.delete(entry)) return;
    entry.closed_at = new Date().toISOString();
    entry.reason = reason;
    this.#closed.push(entry);
    if (this.#closed.length > MAX_CLOSED) this.#closed.shift();
  }

  view(): { open: LoggedConnection[]; closed: LoggedConnection[] } {
    return {
      open: [...this.#open].map(entry => ({ ...entry })),
      closed: this.#closed.map(entry => ({ ...entry })),
    };
  }
}
