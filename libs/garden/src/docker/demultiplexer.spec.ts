import { Readable } from 'node:stream';
import { demultiplex, Demultiplexer } from './demultiplexer.js';

function frame(stream: number, payload: string | Buffer): Buffer {
  const body = Buffer.from(payload);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(body.length, 4);
  return Buffer.concat([header, body]);
}

function collector(): { stdout(chunk: Buffer): void; stderr(chunk: Buffer): void; out: string; err: string } {
  return {
    out: '',
    err: '',
    stdout(chunk) {
      this.out += chunk.toString('latin1');
    },
    stderr(chunk) {
      this.err += chunk.toString('latin1');
    },
  };
}

describe('Demultiplexer', () => {
  const stream = Buffer.concat([frame(1, 'hello '), frame(2, 'oops'), frame(1, ''), frame(1, 'world')]);

  it.each([1, 2, 3, 7, 8, 9, 1000])('splits the streams whatever the chunks (%i bytes)', (size) => {
    const output = collector();
    const demultiplexer = new Demultiplexer(output);
    for (let at = 0; at < stream.length; at += size) demultiplexer.write(stream.subarray(at, at + size));
    demultiplexer.end();
    expect(output).toMatchObject({ out: 'hello world', err: 'oops' });
  });

  it('takes a million one-byte frames in one chunk', () => {
    let bytes = 0;
    const demultiplexer = new Demultiplexer({
      stdout: (chunk) => (bytes += chunk.length),
      stderr: () => undefined,
    });
    demultiplexer.write(Buffer.alloc(9_000_000, frame(1, 'x')));
    expect(bytes).toBe(1_000_000);
  });

  it('hands on a large frame as it arrives', () => {
    const chunks: number[] = [];
    const demultiplexer = new Demultiplexer({
      stdout: (chunk) => chunks.push(chunk.length),
      stderr: () => undefined,
    });
    const large = frame(1, Buffer.alloc(10_000));
    demultiplexer.write(large.subarray(0, 4_008));
    expect(chunks).toEqual([4_000]);
    demultiplexer.write(large.subarray(4_008));
    expect(chunks).toEqual([4_000, 6_000]);
  });

  it.each(['OCI runtime exec failed: no such file', 'short'])(
    'takes what has no header as stdout: %s',
    (text) => {
      const output = collector();
      const demultiplexer = new Demultiplexer(output);
      for (const byte of Buffer.from(text)) demultiplexer.write(Buffer.from([byte]));
      demultiplexer.end();
      expect(output).toMatchObject({ out: text, err: '' });
    },
  );

  it('leaves a raw stream as it is', async () => {
    const output = collector();
    await demultiplex(Readable.from([frame(2, 'x')]), output, { raw: true });
    expect(output.out).toBe(frame(2, 'x').toString('latin1'));
  });

  it('rejects when the stream breaks', async () => {
    const broken = new Readable({ read: () => undefined });
    const reading = demultiplex(broken, collector());
    broken.destroy(new Error('gone'));
    await expect(reading).rejects.toThrow('gone');
  });
});
