import type { Changes } from '../world/changes.ts';

type Tick = 'waiting' | 'sent' | 'delivered' | 'read';

export type ScreenMessage = {
  id: string;
  /** '+' number of the author. */
  from: string;
  text: string;
  at: string;
  outgoing: boolean;
  /** Outgoing: how far it came. Incoming: 'delivered' until its chat is opened. */
  tick: Tick;
  delivered_to: string[];
  read_by: string[];
  /** Address form that the sender used for this chat; receipts go back in the same form. */
  wireChat: string;
};

type Incoming = Pick<ScreenMessage, 'id' | 'from' | 'text' | 'wireChat'>;

const MAX_CHATS = 500;
const MAX_MESSAGES = 1000;
const MAX_EARLY = 1000;
const TYPING_MS = 15_000;

/** What the owner of a handset sees: one bubble per message id, however many copies came over the wire. */
export class Screen {
  readonly #chats = new Map<string, ScreenMessage[]>();
  readonly #early = new Map<string, (() => void)[]>();
  readonly #typing = new Map<string, Map<string, number>>();
  readonly #changes: Changes;

  constructor(changes: Changes) {
    this.#changes = changes;
  }

  chats(): ReadonlyMap<string, readonly ScreenMessage[]> {
    return this.#chats;
  }

  restore(chats: [string, ScreenMessage[]][]): void {
    for (const [id, messages] of chats) this.#chats.set(id, messages);
  }

  find(chat: string, id: string): ScreenMessage | undefined {
    return this.#chats.get(chat)?.find(message => message.id === id);
  }

  receive(chat: string, message: Incoming): void {
    this.#add(chat, { ...message, outgoing: false, tick: 'delivered' });
  }

  send(chat: string, message: Incoming, tick: Tick): void {
    this.#add(chat, { ...message, outgoing: true, tick });
  }

  /** Marks an outgoing message; `everyone` is how many recipients make the tick of the whole message. */
  mark(chat: string, id: string, tick: 'sent' | 'delivered' | 'read', by: string, everyone: number): void {
    const message = this.find(chat, id);
    if (!message) this.#tickEarly(chat, id, tick, by, everyone);
    if (!message?.outgoing) return;
    if (tick !== 'sent' && !message.delivered_to.includes(by)) message.delivered_to.push(by);
    if (tick === 'read' && !message.read_by.includes(by)) message.read_by.push(by);
    message.tick = tickOf(message, Math.max(everyone, 1));
    this.#changes.announce();
  }

  /** Opens a chat: returns the messages that were unread until now. */
  open(chat: string): ScreenMessage[] {
    const unread = (this.#chats.get(chat) ?? []).filter(one => !one.outgoing && one.tick !== 'read');
    for (const message of unread) message.tick = 'read';
    if (unread.length > 0) this.#changes.announce();
    return unread;
  }

  edit(chat: string, id: string, from: string, text: string): void {
    const message = this.find(chat, id);
    if (message?.from !== from) return;
    message.text = text;
    this.#changes.announce();
  }

  /** Who is typing where; a sign that is not renewed goes out by itself. */
  typing(chat: string): string[] {
    const now = Date.now();
    return [...(this.#typing.get(chat) ?? [])].filter(([, until]) => until > now).map(([who]) => who);
  }

  showTyping(chat: string, who: string, typing: boolean): void {
    const people = this.#typing.get(chat) ?? new Map<string, number>();
    this.#typing.set(chat, people);
    if (typing) people.set(who, Date.now() + TYPING_MS);
    else people.delete(who);
    this.#changes.announce();
  }

  /** A recipient may be quicker than the sender's own phone: its tick waits for the bubble. */
  #tickEarly(
    chat: string,
    id: string,
    tick: 'sent' | 'delivered' | 'read',
    by: string,
    everyone: number,
  ): void {
    const key = JSON.stringify([chat, id]);
    const waiting = this.#early.get(key) ?? [];
    waiting.push(() => this.mark(chat, id, tick, by, everyone));
    this.#early.set(key, waiting);
    const oldest = this.#early.keys().next();
    if (this.#early.size > MAX_EARLY && !oldest.done) this.#early.delete(oldest.value);
  }

  #add(chat: string, message: Omit<ScreenMessage, 'at' | 'delivered_to' | 'read_by'>): void {
    this.#typing.get(chat)?.delete(message.from);
    const messages = this.#chats.get(chat) ?? [];
    if (messages.some(known => known.id === message.id && known.from === message.from)) return;
    messages.push({ ...message, at: new Date().toISOString(), delivered_to: [], read_by: [] });
    if (messages.length > MAX_MESSAGES) messages.shift();
    this.#chats.delete(chat);
    this.#chats.set(chat, messages);
    if (this.#chats.size > MAX_CHATS) {
      const oldest = this.#chats.keys().next();
      if (!oldest.done) this.#chats.delete(oldest.value);
    }
    const early = JSON.stringify([chat, message.id]);
    for (const mark of this.#early.get(early) ?? []) mark();
    this.#early.delete(early);
    this.#changes.announce();
  }
}

function tickOf(message: ScreenMessage, everyone: number): Tick {
  if (message.read_by.length >= everyone) return 'read';
  return message.delivered_to.length >= everyone ? 'delivered' : 'sent';
}
