import { Gathering } from './gathering.js';

describe('a gathering', () => {
  it('asks once for all that came meanwhile, and gives everybody their own answer', async () => {
    const asked: number[][] = [];
    const doubles = new Gathering<number, number>(5, (numbers) => {
      asked.push(numbers);
      return Promise.resolve(numbers.map((n) => 2 * n));
    });
    expect(await Promise.all([1, 2, 3].map((n) => doubles.ask(n)))).toEqual([2, 4, 6]);
    expect(await doubles.ask(4)).toBe(8);
    expect(asked).toEqual([[1, 2, 3], [4]]);
  });

  it('rejects for all with the one error, and goes on', async () => {
    let isDown = true;
    const answers = new Gathering<string, string>(5, (questions) =>
      isDown ? Promise.reject(new Error('down')) : Promise.resolve(questions),
    );
    const settled = await Promise.allSettled([answers.ask('a'), answers.ask('b')]);
    expect(settled.map((one) => one.status === 'rejected' && String(one.reason))).toEqual([
      'Error: down',
      'Error: down',
    ]);
    isDown = false;
    expect(await answers.ask('c')).toBe('c');
  });

  it('what is asked while others are answered is asked next', async () => {
    const asked: string[][] = [];
    let answer: () => void = () => undefined;
    const slow = new Gathering<string, string>(1, async (questions) => {
      asked.push(questions);
      await new Promise<void>((resolve) => (answer = resolve));
      return questions;
    });
    const first = slow.ask('first');
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    const second = slow.ask('second');
    answer();
    expect(await first).toBe('first');
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    answer();
    expect(await second).toBe('second');
  });
});
