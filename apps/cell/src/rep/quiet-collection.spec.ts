import { QuietCollection } from './quiet-collection.js';

describe('QuietCollection', () => {
  it('collects a few times after each change, when it has been quiet for a while', () => {
    let [time, state, collections] = [0, 'a', 0];
    const collect = (): number => (collections += 1);
    const quiet = new QuietCollection({ state: () => state, collect, quietMs: 10, now: () => time });
    const lookAt = (at: number): number => {
      time = at;
      quiet.look();
      return collections;
    };
    expect(lookAt(0)).toBe(0);
    expect(lookAt(9)).toBe(0);
    expect([10, 15, 20].map(lookAt)).toEqual([1, 2, 3]);
    expect(lookAt(100)).toBe(3);
    state = 'b';
    expect(lookAt(105)).toBe(3);
    state = 'c';
    expect(lookAt(114)).toBe(3);
    expect(lookAt(120)).toBe(3);
    expect([124, 129].map(lookAt)).toEqual([4, 5]);
    state = 'd';
    expect(lookAt(134)).toBe(5);
    expect([144, 149, 154, 159].map(lookAt)).toEqual([6, 7, 8, 8]);
  });

  it('says which run is the first since a change', () => {
    let [time, state] = [0, 'a'];
    const runs: boolean[] = [];
    const collect = (isFirst: boolean): number => runs.push(isFirst);
    const quiet = new QuietCollection({ state: () => state, collect, quietMs: 10, now: () => time });
    const lookAt = (at: number): void => {
      time = at;
      quiet.look();
    };
    [0, 10, 15].forEach(lookAt);
    expect(runs).toEqual([true, false]);
    state = 'b';
    [20, 30, 35, 40, 45].forEach(lookAt);
    expect(runs).toEqual([true, false, true, false, false]);
  });
});
