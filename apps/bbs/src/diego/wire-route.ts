import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type Codec, type Error as WireError, ErrorType } from '#rivera/diego-wire';
import type { Caller, Histogram, Metrics, RiveraLogger } from '#rivera/platform';
import { DISAGREEMENTS, type ErrorOverrides, faultError, wireErrorOf } from './disagreements.js';

const MS_PER_S = 1_000;
/** It is kept with everything that the request changes. */
const MAX_TRACE_ID_LENGTH = 128;
const ERROR_NAMES: Record<number, string> = Object.fromEntries(
  Object.entries(ErrorType).map(([name, number]) => [number, name]),
);

/** One call as its handler sees it. */
export interface WireCall {
  request: IncomingMessage;
  response: ServerResponse;
  body: Buffer;
}

export interface WireRoute {
  method: 'GET' | 'POST';
  serve(call: WireCall): Promise<void>;
  /** Answers a request whose body is too large. Absent: in the envelope that all procedures have. */
  refuseSize?: (response: ServerResponse) => void;
}

/** Path → what is there. */
export type WireRoutes = Readonly<Record<string, WireRoute>>;

export interface Rpc<Request, Response extends object> {
  /** Absent: the request says nothing, and its body is not looked at. */
  request?: Codec<Request>;
  response: Pick<Codec<Response>, 'encode'>;
  /** What it throws is answered in field 1. */
  handle: (request: Request, caller: Caller) => Promise<Response>;
  /** Errors that this route numbers otherwise. */
  errors?: ErrorOverrides;
  /** It changes something, and who is expected to ask for that. Absent: it only reads. */
  changes?: 'client' | 'cell';
  /** What an answer with an error says besides. */
  withError?: (error: WireError) => Response;
}

/** Makes routes of procedures: protobuf in and out, always status 200 (Diego BBS §1.1). */
export class RpcRoutes {
  private readonly audit: RiveraLogger;
  private readonly durations: Histogram<'route' | 'error'>;

  constructor(
    private readonly logger: RiveraLogger,
    metrics: Metrics,
  ) {
    this.audit = logger.session('audit');
    this.durations = metrics.histogram({
      name: 'wire_request_duration_seconds',
      help: "Time from a request of Diego's wire API to its answer",
      labels: ['route', 'error'],
    });
  }

  rpc<Request, Response extends object>(rpc: Rpc<Request, Response>): WireRoute {
    return {
      method: 'POST',
      serve: async ({ request, response, body }) => {
        const began = performance.now();
        const { answer, error } = await this.answer(rpc, request, body);
        sendMessage(response, rpc.response.encode(answer));
        this.note(rpc, request, error, performance.now() - began);
      },
    };
  }

  private async answer<Request, Response extends object>(
    rpc: Rpc<Request, Response>,
    { url, headers }: IncomingMessage,
    body: Buffer,
  ): Promise<{ answer: Response; error?: WireError }> {
    try {
      const request = rpc.request === undefined ? ({} as Request) : rpc.request.decode(body);
      return { answer: await rpc.handle(request, callerOf(headers)) };
    } catch (error) {
      const known = wireErrorOf(error, rpc.errors);
      const traceId = headers['x-vcap-request-id'];
      if (known === undefined) this.logger.error('failed-wire-request', { route: url, traceId, error });
      else this.logger.debug('refused-wire-request', { route: url, traceId, reason: known.message });
      const told = known ?? faultError();
      return { answer: { ...rpc.withError?.(told), error: told } as Response, error: told };
    }
  }

  /** The audit log has whoever changed something or tried to, by the name in the certificate; cells report all the time. */
  private note<Request, Response extends object>(
    { changes }: Rpc<Request, Response>,
    { url = '', headers, socket }: IncomingMessage,
    error: WireError | undefined,
    durationMs: number,
  ): void {
    const [route = ''] = url.split('?', 1);
    const errorName = error === undefined ? 'none' : ERROR_NAMES[error.type ?? 0];
    this.durations.observe({ route, error: errorName }, durationMs / MS_PER_S);
    if (changes === undefined) return;
    const subject = subjectOf(socket);
    const traceId = headers['x-vcap-request-id'];
    const entry = { subject, api: 'diego', route, error: errorName, traceId, durationMs };
    if (changes === 'cell') this.audit.debug('audited-call', entry);
    else this.audit.log('audited-call', entry);
  }
}

function callerOf(headers: IncomingMessage['headers']): Caller {
  const traceId = String(headers['x-vcap-request-id'] ?? '').slice(0, MAX_TRACE_ID_LENGTH);
  return { ...DISAGREEMENTS.principal, traceId: traceId === '' ? undefined : traceId };
}

const subjects = new WeakMap<Socket, string>();

/** The name in the certificate of whoever is at the other end; empty in plain text. Reading it once is enough. */
function subjectOf(socket: Socket): string {
  let subject = subjects.get(socket);
  if (subject === undefined) {
    const name = socket instanceof TLSSocket ? socket.getPeerCertificate().subject?.CN : undefined;
    subject = String(name ?? '');
    subjects.set(socket, subject);
  }
  return subject;
}

/** What clients are told of a body that is too large. */
export const TOO_LARGE = 'the request received is too large';

export function sendMessage(response: ServerResponse, message: Buffer): void {
  response.writeHead(200, {
    'content-type': 'application/x-protobuf',
    'content-length': message.length,
  });
  response.end(message);
}
