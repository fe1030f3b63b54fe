import { StartGate } from './start-gate.js';

function gateOf(options: { tty: boolean }): { gate: StartGate; out: string[]; err: string[] } {
  const out: string[] = [];
  const err: string[] = [];
  const output = {
    stdout: (chunk: Buffer) => void out.push(chunk.toString()),
    stderr: (chunk: Buffer) => void err.push(chunk.toString()),
  };
  return { gate: new StartGate('token', output, options), out, err };
}

describe('StartGate', () => {
  it('opens at the token, in whatever pieces, and hands on what it held and what follows', async () => {
    const { gate, out, err } = gateOf({ tty: false });
    gate.stdout(Buffer.from('early'));
    for (const piece of ['tok', 'en 4', '2\nfirst']) gate.stderr(Buffer.from(piece));
    expect(await gate.opened).toBe(42);
    gate.stdout(Buffer.from('late'));
    expect(out).toEqual(['early', 'late']);
    expect(err).toEqual(['first']);
  });

  it('finds the token on a terminal, where all is stdout', async () => {
    const { gate, out, err } = gateOf({ tty: true });
    gate.stdout(Buffer.from('token 7\r\nprompt'));
    expect(await gate.opened).toBe(7);
    expect(out).toEqual(['prompt']);
    expect(err).toEqual([]);
  });

  it('holds the reason of a failed start', () => {
    const { gate, out, err } = gateOf({ tty: false });
    gate.stdout(Buffer.from('OCI runtime exec failed: unable to find user\n'));
    gate.stderr(Buffer.from('no such executable file\n'));
    expect(gate.hasOpened).toBe(false);
    expect(gate.held).toBe('OCI runtime exec failed: unable to find user\nno such executable file');
    expect([out, err]).toEqual([[], []]);
  });
});
