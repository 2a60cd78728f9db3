import { describe, expect, it } from 'vitest';
import type { ReceiptFact } from '../contract.ts';
import { Reports } from './reports.ts';

const fact = (providerId: string): ReceiptFact => ({
  providerId,
  kind: 'delivered',
  recipient: '+15550000002',
  at: new Date(0),
});

describe('reports', () => {
  const socket = {};

  /** A sink that writes down what it is told, and fails as often as it is asked to. */
  function sink() {
    const told: string[] = [];
    const lost: (object | undefined)[] = [];
    const over = new AbortController();
    const failing = { times: 0, faults: 0 };
    const receipts = async (facts: ReceiptFact[]) => {
      await Promise.resolve();
      if (failing.times-- > 0) throw new Error('The database is away.');
      told.push(facts.map(({ providerId }) => providerId).join('+'));
    };
    const fault = () => {
      failing.faults += 1;
    };
    const reports = new Reports({ receipts }, { fault, lost: of => lost.push(of) }, over.signal, 0.001);
    const receipt = (id: string, of: object = socket) => reports.receipt(of, async () => [fact(id)]);
    const other = (word: string) => reports.add(undefined, async () => void told.push(word));
    return { told, lost, over, failing, reports, receipt, other };
  }

  it('are stored in order, receipts that stand together at once', async () => {
    const { told, receipt, other } = sink();
    const stored = await Promise.all([
      receipt('a'),
      receipt('b'),
      other('late'),
      receipt('c'),
      receipt('d', {}),
    ]);
    expect(told).toEqual(['a+b', 'late', 'c', 'd']);
    expect(stored).toEqual([true, true, true, true, true]);
  });

  it('are tried again when the sink fails, and nothing overtakes them', async () => {
    const { told, failing, receipt, other } = sink();
    failing.times = 3;
    await Promise.all([receipt('a'), other('late')]);
    expect(told).toEqual(['a', 'late']);
    expect(failing.faults).toBe(3);
  });

  it('are given up after a while together with all of their socket, and others go on', async () => {
    const { told, lost, failing, receipt, other, reports } = sink();
    failing.times = 8;
    const first = receipt('a');
    await Promise.resolve();
    await Promise.resolve();
    const rest = Promise.all([other('late'), receipt('b'), receipt('c', {})]);
    expect(await first).toBe(false);
    expect(await rest).toEqual([true, false, true]);
    expect(told).toEqual(['late', 'c']);
    expect(lost).toEqual([socket]);
    await reports.settled();
  });

  it('of a socket that is over are dropped: they come again', async () => {
    const { told, receipt, other, reports } = sink();
    const busy = other('late');
    const dropped = receipt('a');
    reports.drop(socket);
    expect(await dropped).toBe(false);
    await busy;
    expect(told).toEqual(['late']);
  });

  it('are tried once more at the end, and no longer', async () => {
    const { failing, over, receipt, reports } = sink();
    failing.times = 100;
    over.abort();
    expect(await receipt('a')).toBe(false);
    expect(failing.faults).toBe(1);
    await reports.settled();
  });
});
