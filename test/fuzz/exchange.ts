import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const ANSWER_DEADLINE_MS = 30_000;

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** What is sent on one connection, and what should come back. */
export interface Sent {
  bytes: Buffer;
  /** The methods of the requests in it, in order: an answer to HEAD has no body. */
  methods: readonly string[];
  /**
   * `regular`: each request is answered. `odd`: the server may answer fewer, or close. `cut`: we close without waiting
   * for an answer. `stream`: the answer has no end.
   */
  kind: 'regular' | 'odd' | 'cut' | 'stream';
}

/** One connection after the other to a server, written by hand: no HTTP library would send what we send. */
export class Connection {
  private socket: Socket | undefined;
  private received: Buffer = Buffer.alloc(0);
  private hasEnded = false;
  private wake: () => void = () => undefined;
  /** What was sent before on the same connection. */
  private before = '';

  constructor(private readonly port: number) {}

  /** @throws Error when an answer is due and does not come */
  async exchange(sent: Sent): Promise<Answer[]> {
    const isOwn = sent.kind !== 'regular';
    if (isOwn) this.close();
    const socket = this.open();
    socket.write(sent.bytes);
    const answers = await this.answersTo(sent);
    const isOver = this.hasEnded || answers.some(({ headers }) => headers['connection'] === 'close');
    if (isOwn || isOver) this.close();
    this.before = sent.bytes.toString('latin1', 0, 1_000);
    return answers;
  }

  close(): void {
    this.socket?.destroy();
    this.socket = undefined;
    this.before = '';
  }

  private open(): Socket {
    if (this.socket !== undefined && !this.hasEnded) return this.socket;
    this.close();
    this.received = Buffer.alloc(0);
    this.hasEnded = false;
    const socket = connect(this.port, '127.0.0.1');
    const ended = (): void => {
      if (this.socket !== socket) return;
      this.hasEnded = true;
      this.wake();
    };
    socket.on('data', (chunk) => {
      if (this.socket !== socket) return;
      this.received = Buffer.concat([this.received, chunk]);
      this.wake();
    });
    // The server may cut off what it does not like while we still write.
    socket.on('error', ended).on('close', ended);
    this.socket = socket;
    return socket;
  }

  private async answersTo({ methods, kind }: Sent): Promise<Answer[]> {
    const answers: Answer[] = [];
    const patienceMs = kind === 'odd' ? 150 : kind === 'cut' ? 20 : ANSWER_DEADLINE_MS;
    while (answers.length < methods.length) {
      const parsed = parseAnswer(this.received, {
        method: methods[answers.length] ?? 'GET',
        hasEnded: this.hasEnded,
      });
      if (parsed !== undefined) {
        this.received = parsed.rest;
        if (parsed.answer.status >= 200) answers.push(parsed.answer);
      } else if (this.hasEnded) {
        break;
      } else if (kind === 'stream' && /\r\n\r\n[^]/.test(this.received.toString('latin1'))) {
        answers.push(headOf(this.received));
      } else if (!(await this.more(patienceMs))) {
        break;
      }
    }
    if (kind === 'regular' && answers.length < methods.length) {
      const how = this.hasEnded ? 'closed the connection' : `was silent for ${ANSWER_DEADLINE_MS} ms`;
      throw new Error(
        `${answers.length} of ${methods.length} requests were answered, then the server ${how}. Before on this connection: ${this.before || 'nothing'}`,
      );
    }
    return answers;
  }

  /** Whether anything came in time. */
  private async more(patienceMs: number): Promise<boolean> {
    const abort = new AbortController();
    const came = new Promise<boolean>((resolve) => (this.wake = () => resolve(true)));
    const late = sleep(patienceMs, false, { signal: abort.signal }).catch(() => false);
    const result = await Promise.race([came, late]);
    abort.abort();
    return result;
  }
}

function headOf(received: Buffer): Answer {
  const [head = ''] = received.toString('latin1').split('\r\n\r\n', 1);
  const [statusLine = '', ...lines] = head.split('\r\n');
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1] ?? Number.NaN);
  if (Number.isNaN(status)) throw new Error(`This is no answer of an HTTP server: ${head.slice(0, 200)}`);
  const headers = Object.fromEntries(
    lines.map((line) => [line.split(':', 1)[0]?.toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  ) as Record<string, string>;
  return { status, headers, body: Buffer.alloc(0) };
}

/** The first answer in what was received, if all of it is there. */
function parseAnswer(
  received: Buffer,
  { method, hasEnded }: { method: string; hasEnded: boolean },
): { answer: Answer; rest: Buffer } | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const answer = headOf(received);
  const body = received.subarray(end + 4);
  const { status, headers } = answer;
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return { answer, rest: body };
  if (headers['transfer-encoding'] === 'chunked') {
    const parsed = parseChunks(body);
    return parsed && { answer: { ...answer, body: parsed.body }, rest: parsed.rest };
  }
  const length = headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
  if (length === undefined)
    return hasEnded ? { answer: { ...answer, body }, rest: Buffer.alloc(0) } : undefined;
  if (body.length < length) return undefined;
  return { answer: { ...answer, body: body.subarray(0, length) }, rest: body.subarray(length) };
}

function parseChunks(received: Buffer): { body: Buffer; rest: Buffer } | undefined {
  const chunks: Buffer[] = [];
  for (let at = 0; ;) {
    const end = received.indexOf('\r\n', at);
    if (end === -1) return undefined;
    const size = Number.parseInt(received.toString('latin1', at, end), 16);
    const next = end + 2 + size + 2;
    if (received.length < next) return undefined;
    chunks.push(received.subarray(end + 2, end + 2 + size));
    if (size === 0) return { body: Buffer.concat(chunks), rest: received.subarray(next) };
    at = next;
  }
}
