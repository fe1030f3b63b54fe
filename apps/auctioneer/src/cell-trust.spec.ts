import { CellTrust } from './cell-trust.js';

const NOW = 1_000_000;

function refusedTimes(times: number, now = NOW): CellTrust {
  const trust = new CellTrust();
  for (let time = 0; time < times; time += 1) trust.refused('cell-1', now);
  return trust;
}

describe('CellTrust', () => {
  it('forgives two refusals, and lets a cell rest after the third', () => {
    const trust = refusedTimes(2);
    expect(trust.isResting('cell-1', NOW)).toBe(false);
    expect(trust.refused('cell-1', NOW)).toBe(true);
    expect(trust.isResting('cell-1', NOW)).toBe(true);
    expect(trust.nextEnd(NOW)).toBe(NOW + 1_000);
    expect(trust.isResting('cell-2', NOW)).toBe(false);
  });

  it('counts refusals in a row only', () => {
    const trust = refusedTimes(2);
    expect(trust.restore('cell-1')).toBe(false);
    expect(trust.refused('cell-1', NOW)).toBe(false);
    expect(trust.refused('cell-1', NOW)).toBe(false);
  });

  it('does not hold against a resting cell what it had been given before', () => {
    const trust = refusedTimes(20);
    expect(trust.get('cell-1')).toMatchObject({ rests: 1, refusals: 20 });
  });

  it('puts a cell on trial after its rest; one more refusal and it rests for longer, up to a minute', () => {
    const trust = refusedTimes(3);
    let now = NOW;
    const rests: number[] = [];
    for (let rest = 0; rest < 9; rest += 1) {
      const end = trust.nextEnd(now) ?? Number.NaN;
      rests.push(end - now);
      now = end;
      expect(trust.isOnTrial('cell-1', now)).toBe(true);
      expect(trust.restedSince(now - 1, now)).toEqual(['cell-1']);
      expect(trust.refused('cell-1', now)).toBe(true);
      expect(trust.isOnTrial('cell-1', now)).toBe(false);
    }
    expect(rests).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1_000));
  });

  it('trusts a cell again that takes something', () => {
    const trust = refusedTimes(3);
    expect(trust.distrusted).toHaveLength(1);
    expect(trust.restore('cell-1')).toBe(true);
    expect(trust.distrusted).toEqual([]);
    expect(trust.isOnTrial('cell-1', NOW + 5_000)).toBe(false);
  });
});
