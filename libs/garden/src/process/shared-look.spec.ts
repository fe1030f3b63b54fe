import { SharedLook } from './shared-look.js';

describe('SharedLook', () => {
  it('gives whoever asks an answer that was looked up after that, to many at once', async () => {
    let looks = 0;
    let end: () => void = () => undefined;
    const look = new SharedLook(async () => {
      const number = (looks += 1);
      await new Promise<void>((resolve) => (end = resolve));
      return number;
    });
    const first = look.ask();
    const later = [look.ask(), look.ask()];
    end();
    expect(await first).toBe(1);
    await vi.waitFor(() => expect(looks).toBe(2));
    const last = look.ask();
    end();
    expect(await Promise.all(later)).toEqual([2, 2]);
    await vi.waitFor(() => expect(looks).toBe(3));
    end();
    expect(await last).toBe(3);
  });

  it('looks again after a look that failed', async () => {
    let looks = 0;
    const look = new SharedLook(() => {
      looks += 1;
      return looks === 1 ? Promise.reject(new Error('no')) : Promise.resolve(looks);
    });
    const [first, second] = await Promise.allSettled([look.ask(), look.ask()]);
    expect(first).toMatchObject({ status: 'rejected' });
    expect(second).toEqual({ status: 'fulfilled', value: 2 });
  });
});
