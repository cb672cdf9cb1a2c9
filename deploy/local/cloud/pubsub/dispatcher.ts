import type { Delivery, Queue } from './queue.ts';
import type { SubscriptionRow, Tables } from './tables.ts';

export type Room = { count: number; bytes: number };

/** Whoever takes messages of a subscription: a push endpoint, an open stream, a pull that waits. */
export type Consumer = {
  /** How much more it takes now, seeing what it has already. */
  room(held: Room): Room;
  /** How long it has for a message (ms). */
  deadline(): number;
  take(deliveries: Delivery[]): void;
  /** The subscription is gone. */
  end(): void;
};

export type Dispatcher = {
  attach(subscription: SubscriptionRow, consumer: Consumer): () => void;
  /** To be called when the subscription was changed or deleted, or when a consumer has more room. */
  changed(id: number): void;
  close(): void;
};

/** setTimeout takes no more. */
const longest = 2 ** 31 - 1;

/** Hands messages to consumers as soon as there are both; sleeps until the next one is due. */
export function createDispatcher(queue: Queue, tables: Tables): Dispatcher {
  type Line = { name: string; consumers: Map<Consumer, Room>; timer?: NodeJS.Timeout };
  const lines = new Map<number, Line>();
  const holders = new Map<string, { id: number; consumer: Consumer; bytes: number }>();
  const woken = new Set<number>();
  let closed = false;

  // Later, for whoever published may still be inside a transaction; and once, however many messages came.
  const wake = (id: number) => {
    if (!lines.has(id)) return;
    if (woken.size === 0) setImmediate(serveWoken);
    woken.add(id);
  };
  const serveWoken = () => {
    const ids = [...woken];
    woken.clear();
    for (const id of ids) if (!closed) serve(id);
  };

  function serve(id: number) {
    const line = lines.get(id);
    if (!line) return;
    clearTimeout(line.timer);
    const subscription = tables.subscription(line.name);
    if (subscription?.id !== id) {
      lines.delete(id);
      for (const consumer of line.consumers.keys()) consumer.end();
      return;
    }
    // First of all: a consumer that never answers would hold all the room it has, for ever.
    queue.expire(subscription);
    let hasRoom = false;
    for (const [consumer, held] of [...line.consumers]) {
      if (!line.consumers.has(consumer)) continue;
      const room = consumer.room({ ...held });
      if (room.count <= 0 || room.bytes <= 0) continue;
      const deliveries = queue.lease(subscription, room, consumer.deadline());
      hasRoom ||= deliveries.length < room.count;
      if (deliveries.length === 0) continue;
      for (const { ackId, bytes } of deliveries) {
        holders.set(ackId, { id, consumer, bytes });
        held.count++;
        held.bytes += bytes;
      }
      // Whoever has been served stands at the end of the line.
      line.consumers.delete(consumer);
      line.consumers.set(consumer, held);
      consumer.take(deliveries);
    }
    const { expiry = Infinity, message = Infinity } = queue.nextDue(subscription);
    const next = hasRoom ? Math.min(expiry, message) : expiry;
    if (next === Infinity || line.consumers.size === 0) return;
    line.timer = setTimeout(serve, Math.min(Math.max(next - Date.now(), 0), longest), id);
  }

  queue.events.on('ready', wake);
  queue.events.on('released', (ackId) => {
    const holder = holders.get(ackId);
    if (!holder) return;
    holders.delete(ackId);
    const held = lines.get(holder.id)?.consumers.get(holder.consumer);
    if (!held) return;
    held.count--;
    held.bytes -= holder.bytes;
    wake(holder.id);
  });

  return {
    attach({ id, name }, consumer) {
      const line: Line = lines.get(id) ?? { name, consumers: new Map() };
      lines.set(id, line);
      line.consumers.set(consumer, { count: 0, bytes: 0 });
      wake(id);
      return () => {
        line.consumers.delete(consumer);
        if (line.consumers.size > 0) return;
        clearTimeout(line.timer);
        if (lines.get(id) === line) lines.delete(id);
      };
    },
    changed: wake,
    close() {
      closed = true;
      for (const { timer, consumers } of lines.values()) {
        clearTimeout(timer);
        for (const consumer of consumers.keys()) consumer.end();
      }
      lines.clear();
    },
  };
}
