import { QuietCollection } from './quiet-collection.js';

describe('QuietCollection', () => {
  it('collects once after each change, when it has been quiet for a while', () => {
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
    expect(lookAt(10)).toBe(1);
    expect(lookAt(100)).toBe(1);
    state = 'b';
    expect(lookAt(105)).toBe(1);
    state = 'c';
    expect(lookAt(114)).toBe(1);
    expect(lookAt(120)).toBe(1);
    expect(lookAt(124)).toBe(2);
  });
});
