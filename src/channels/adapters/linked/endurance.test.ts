import { describe, expect, it } from 'vitest';
import { Endurance } from './endurance.ts';

function sockets() {
  let now = 0;
  const endurance = new Endurance(() => now);
  const stood = (seconds: number, how: 'lost' | 'deaf') => {
    endurance.opened();
    now += seconds * 1_000;
    if (how === 'deaf') endurance.wentDeaf();
    endurance.ended();
    endurance.failed();
  };
  return { endurance, stood };
}

describe('how sockets fare', () => {
  it('is trouble after five failures in a row, which a socket that stood for a minute ends', () => {
    const { endurance, stood } = sockets();
    for (let i = 0; i < 4; i++) stood(1, 'lost');
    expect([endurance.failures, endurance.isInTrouble]).toEqual([4, false]);
    stood(1, 'lost');
    expect([endurance.isInTrouble, endurance.troubleWith('unreachable')]).toEqual([true, 'unreachable']);
    stood(61, 'lost');
    expect([endurance.failures, endurance.isInTrouble]).toEqual([1, false]);
  });

  it('is in doubt behind a deaf socket, and nothing that sockets can cure behind three', () => {
    const { endurance, stood } = sockets();
    expect(endurance.isDoubtful).toBe(false);
    stood(120, 'deaf');
    expect([endurance.isDoubtful, endurance.isInTrouble]).toEqual([true, false]);
    stood(120, 'deaf');
    stood(120, 'lost');
    expect(endurance.isInTrouble).toBe(false);
    stood(120, 'deaf');
    expect([endurance.isInTrouble, endurance.troubleWith('not_answering')]).toEqual([
      true,
      'restart_advised',
    ]);
  });

  it('is cured by a socket that stood for ten minutes, also when that one went deaf in the end', () => {
    const { endurance, stood } = sockets();
    for (let i = 0; i < 3; i++) stood(1, 'deaf');
    stood(601, 'deaf');
    expect([endurance.isDoubtful, endurance.isInTrouble]).toEqual([true, false]);
    stood(601, 'lost');
    expect(endurance.isDoubtful).toBe(false);
  });

  it('counts one that never opened as a failure only', () => {
    const { endurance } = sockets();
    endurance.ended();
    endurance.failed();
    expect([endurance.isOpen, endurance.isDoubtful, endurance.failures]).toEqual([false, false, 1]);
  });
});
