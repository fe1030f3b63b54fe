import type { Mailboxes } from './mailboxes.js';
import { Notifier } from './notifier.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Stands for the mailboxes, because how many messages are sent is the point. */
function aNotifier(tell: () => Promise<void> = () => Promise.resolve()) {
  const told = vi.fn(tell);
  const warnings: string[] = [];
  const mailboxes = { auctioneer: () => ({ tell: told }) } as unknown as Mailboxes;
  const warn = (message: string) => void warnings.push(message);
  const notifier = new Notifier(mailboxes, { log: warn, error: warn, warn });
  return { notifier, told, warnings };
}

describe('waking the auctioneer', () => {
  it('hears the first at once and all of a burst with one more message', async () => {
    const { notifier, told } = aNotifier();
    for (let i = 0; i < 100; i += 1) notifier.wakeAuctioneer();
    expect(told).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(50);
    expect(told).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(50);
    expect(told).toHaveBeenCalledTimes(2);
    notifier.wakeAuctioneer();
    expect(told).toHaveBeenCalledTimes(3);
  });

  it('goes on after a message that was refused', async () => {
    const { notifier, told, warnings } = aNotifier(() => Promise.reject(new Error('away')));
    notifier.wakeAuctioneer();
    notifier.wakeAuctioneer();
    await vi.advanceTimersByTimeAsync(50);
    expect(told).toHaveBeenCalledTimes(2);
    expect(warnings).toContain('failed-to-notify');
  });
});
